//! Which fields work: one table for every field of every kind. What admission refuses, what it warns
//! about and `docs/support.md` all come from it.

mod docs;
mod rows;

use std::{collections::HashMap, sync::LazyLock};

use serde_json::Value;

pub use docs::markdown;

use crate::{Draft, FieldError, FieldErrors, KINDS, Kind};

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Does what Kubernetes says.
    Works,
    /// Stored and given back, without effect.
    Kept,
    /// Not accepted.
    Refused,
}

/// One row of the table.
#[derive(Debug)]
struct Row {
    path: &'static str,
    state: State,
    /// Works: the only values that do. Otherwise: the values that are as if the field were absent.
    values: &'static [&'static str],
    note: &'static str,
}

/// What a refused field is told, after its path.
const REFUSAL: &str = "coracle does not support this field yet, see docs/support.md";

/// What a field with a value that does not work is told.
const VALUE_REFUSAL: &str = "coracle does not support this value yet, see docs/support.md";

/// Rows by path, for every kind at the kind's number.
static INDEX: LazyLock<Vec<HashMap<&'static str, &'static Row>>> = LazyLock::new(|| {
    let rows = |kind: Kind| rows::of(kind).iter().map(|row| (row.path, row)).collect();
    KINDS.iter().map(|info| rows(info.kind)).collect()
});

fn index(kind: Kind) -> &'static HashMap<&'static str, &'static Row> {
    &INDEX[kind as usize]
}

/// Where a kind has the template of another, whose rows are the other's.
fn template(kind: Kind) -> Option<(&'static str, Kind)> {
    match kind {
        Kind::CronJob => Some(("spec.jobTemplate", Kind::Job)),
        Kind::Job => Some(("spec.template", Kind::Pod)),
        Kind::PodTemplate => Some(("template", Kind::Pod)),
        _ => None,
    }
}

/// The list of a pod whose rows also hold for this one, where it has none of its own.
fn alike(path: &str) -> Option<&'static str> {
    matches!(path, "spec.initContainers" | "spec.ephemeralContainers").then_some("spec.containers")
}

/// Adds an error for every field of the draft that does not work yet; gives a warning for every one
/// that is kept without effect and was not in `old` already. The status is the server's own and is
/// not looked at.
pub(crate) fn check(draft: &Draft, old: Option<&Draft>, errors: &mut FieldErrors) -> Vec<String> {
    let mut warnings = walk(draft, errors);
    if let (Some(old), false) = (old, warnings.is_empty()) {
        let known = walk(old, &mut FieldErrors::new());
        warnings.retain(|warning| !known.contains(warning));
    }
    warnings
}

fn walk(draft: &Draft, errors: &mut FieldErrors) -> Vec<String> {
    let mut walk = Walk {
        rows: index(draft.kind),
        template: template(draft.kind),
        row: None,
        pattern: String::new(),
        alike: None,
        path: String::new(),
        host_network: false,
        in_memory: false,
        errors,
        warnings: Vec::new(),
    };
    for (name, raw) in draft.rest.iter().filter(|(name, _)| *name != "status") {
        let value = serde_json::from_str(raw.get()).unwrap_or_default();
        walk.field(name, &value);
    }
    walk.warnings
}

struct Walk<'a> {
    rows: &'static HashMap<&'static str, &'static Row>,
    /// Where the template of another kind stands.
    template: Option<(&'static str, Kind)>,
    /// The row that covers the value being looked at.
    row: Option<&'static Row>,
    /// The path as the table writes it.
    pattern: String,
    /// The path that the table may have instead of `pattern`: what stands for what, at its beginning.
    alike: Option<(&'static str, String)>,
    /// The path as errors write it.
    path: String,
    /// `hostNetwork` of the pod: its host ports are simply its ports.
    host_network: bool,
    /// The volume being looked at is in memory, so its size is limited.
    in_memory: bool,
    errors: &'a mut FieldErrors,
    warnings: Vec<String>,
}

impl Walk<'_> {
    fn field(&mut self, name: &str, value: &Value) {
        let (pattern, path) = (self.pattern.len(), self.path.len());
        match self.pattern.ends_with(".limits") || self.pattern.ends_with(".requests") {
            true => self.path += &format!("[{name}]"),
            false => push_step(&mut self.path, name),
        }
        push_step(&mut self.pattern, name);
        self.enter(value);
        self.pattern.truncate(pattern);
        self.path.truncate(path);
    }

    fn enter(&mut self, value: &Value) {
        if let Some((_, kind)) = self.template.filter(|(path, _)| self.pattern == *path) {
            let (rows, pattern) = (self.rows, std::mem::take(&mut self.pattern));
            let outer = std::mem::replace(&mut self.template, template(kind));
            self.rows = index(kind);
            self.inside(value);
            (self.rows, self.pattern, self.template) = (rows, pattern, outer);
            return;
        }
        self.look_around(value);
        let outer = self.row;
        self.row = self.own_row().or_else(|| self.rows.get(&*self.pattern).copied()).or(outer);
        match self.row {
            Some(row) if row.state != State::Works => self.unsupported(row, value),
            Some(row) if !row.values.is_empty() && !is_one_of(value, row.values) => {
                self.refuse(row);
            }
            _ => self.inside_of_alike(value),
        }
        self.row = outer;
    }

    /// Notes what fields further down depend on.
    fn look_around(&mut self, value: &Value) {
        match &*self.pattern {
            "spec" => self.host_network = value["hostNetwork"] == true,
            "spec.volumes[].emptyDir" => self.in_memory = value["medium"] == "Memory",
            _ => {}
        }
    }

    /// Whether a row's refusal does not hold here.
    fn excepted(&self) -> bool {
        match &*self.pattern {
            "spec.containers[].ports[].hostPort" => self.host_network,
            "spec.volumes[].emptyDir.sizeLimit" => self.in_memory,
            _ => false,
        }
    }

    /// The fields below are looked up where the table has them.
    fn inside_of_alike(&mut self, value: &Value) {
        let Some(other) = alike(&self.pattern) else { return self.inside(value) };
        let own = std::mem::replace(&mut self.pattern, other.to_owned());
        let row = std::mem::replace(&mut self.row, self.rows.get(other).copied());
        self.alike = Some((other, own));
        self.inside(value);
        let own = self.alike.take().map(|(_, own)| own);
        (self.pattern, self.row) = (own.unwrap_or_default(), row);
    }

    /// The row of the list itself, where the fields of another stand for its own.
    fn own_row(&self) -> Option<&'static Row> {
        let (other, own) = self.alike.as_ref()?;
        let rest = self.pattern.strip_prefix(other).filter(|rest| !rest.is_empty())?;
        self.rows.get(&*format!("{own}{rest}")).copied()
    }

    fn inside(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, v)| self.field(name, v)),
            Value::Array(items) => {
                let (pattern, path) = (self.pattern.len(), self.path.len());
                self.pattern.push_str("[]");
                for (at, item) in items.iter().enumerate() {
                    self.path.push_str(&format!("[{at}]"));
                    self.enter(item);
                    self.path.truncate(path);
                }
                self.pattern.truncate(pattern);
            }
            _ => {}
        }
    }

    /// A value under a row that does not work; rows further down may say otherwise.
    fn unsupported(&mut self, row: &'static Row, value: &Value) {
        if is_absent(value) || is_one_of(value, row.values) || self.excepted() {
            return;
        }
        let deeper = self.rows.keys().any(|path| {
            path.strip_prefix(&*self.pattern).is_some_and(|rest| rest.starts_with(['.', '[']))
        });
        // What is kept is warned about once, not for every field below it.
        if row.state == State::Kept && row.path == self.pattern {
            let warning = format!("{}: kept without effect: {}", self.path, row.note);
            self.warnings.push(warning);
        }
        if deeper {
            self.inside(value);
        } else if row.state == State::Refused {
            self.refuse(row);
        }
    }

    fn refuse(&mut self, row: &Row) {
        let note = if row.note.is_empty() { String::new() } else { format!(" ({})", row.note) };
        let text = if row.values.is_empty() { REFUSAL } else { VALUE_REFUSAL };
        self.errors.push(FieldError::forbidden(self.path.as_str(), format!("{text}{note}")));
    }
}

fn push_step(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

/// What says nothing in any field.
fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Number(_) | Value::Object(_) | Value::Bool(true) => false,
    }
}

fn is_one_of(value: &Value, values: &[&str]) -> bool {
    match value {
        Value::String(text) => text.is_empty() || values.contains(&&**text),
        Value::Array(items) => items.iter().all(|item| is_one_of(item, values)),
        other => values.contains(&&*other.to_string()),
    }
}
