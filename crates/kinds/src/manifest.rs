//! Manifest files: YAML or JSON, several objects in one file, every mistake reported with its line.

use std::{collections::BTreeMap, fmt};

use crate::{
    Draft, FieldError, KINDS, Kind,
    check::{self, Found, What},
    schema::{self, Shape},
    suggest,
    tree::{Node, Value, yaml},
};

/// Largest file that is read, in bytes: several times what one request may carry.
pub const FILE_BYTES_MAX: usize = 16 << 20;

/// One object of a file.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The kind, one that is served.
    pub kind: Kind,
    /// The object as written; namespace and defaults are not filled in.
    pub draft: Draft,
    /// The file's name as given to [`parse`].
    pub source: String,
    /// Line of the object's first key, counted from 1.
    pub line: u32,
    lines: BTreeMap<String, u32>,
}

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The file's name as given to [`parse`].
    pub source: String,
    /// Counted from 1.
    pub line: u32,
    /// Path from the top of the object; empty where there is none, as for broken YAML.
    pub path: String,
    /// What is wrong and, where that is known, what would be right.
    pub message: String,
}

impl fmt::Display for ManifestError {
    /// `file:line: path: message`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.source, self.line)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Every mistake of a file, in the order of the lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestErrors(pub Vec<ManifestError>);

impl std::error::Error for ManifestErrors {}

impl fmt::Display for ManifestErrors {
    /// One mistake per line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ManifestError::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Manifest {
    /// The line on which the field at `path` stands, or its nearest parent that is there.
    pub fn line_of(&self, path: &str) -> u32 {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return *line;
            }
            let cut = if path.ends_with(']') { path.rfind('[') } else { path.rfind('.') };
            match cut {
                Some(at) => path = &path[..at],
                None => return self.line,
            }
        }
    }

    /// What admission found wrong with this object, with the lines of this file and in their order.
    pub fn locate(&self, errors: &[FieldError]) -> ManifestErrors {
        let located = |error: &FieldError| {
            let whole = error.to_string();
            ManifestError {
                source: self.source.clone(),
                line: self.line_of(&error.path),
                path: error.path.clone(),
                message: whole[error.path.len() + 2..].to_owned(),
            }
        };
        let mut all: Vec<ManifestError> = errors.iter().map(located).collect();
        all.sort_by_key(|error| error.line);
        ManifestErrors(all)
    }
}

/// Reads a file: a YAML stream or JSON. `source` names the file in errors. Lists (`kind: List`) are
/// taken apart, empty documents are skipped.
///
/// # Errors
/// All mistakes of the file at once.
pub fn parse(source: &str, text: &[u8]) -> Result<Vec<Manifest>, ManifestErrors> {
    let mut reader = Reader { source, manifests: Vec::new(), errors: Vec::new() };
    match readable(text) {
        Err((line, message)) => reader.error(line, "", message),
        Ok(text) => {
            for document in yaml::parse(text) {
                match document {
                    Ok(node) => reader.document(&node, ""),
                    Err(broken) => reader.error(broken.line, "", broken.message),
                }
            }
        }
    }
    reader.errors.sort_by_key(|e| e.line);
    if reader.errors.is_empty() { Ok(reader.manifests) } else { Err(ManifestErrors(reader.errors)) }
}

fn readable(text: &[u8]) -> Result<&str, (u32, String)> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file is larger than {FILE_BYTES_MAX} bytes");
        return Err((1, message));
    }
    std::str::from_utf8(text).map_err(|e| {
        let lines = text[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        let line = u32::try_from(lines + 1).unwrap_or(u32::MAX);
        (line, "the file is not UTF-8 text".to_owned())
    })
}

struct Reader<'a> {
    source: &'a str,
    manifests: Vec<Manifest>,
    errors: Vec<ManifestError>,
}

impl Reader<'_> {
    fn error(&mut self, line: u32, path: &str, message: impl Into<String>) {
        let (source, path) = (self.source.to_owned(), path.trim_end_matches('.').to_owned());
        self.errors.push(ManifestError { source, line, path, message: message.into() });
    }

    /// One document, or one item of a list whose place is `prefix`.
    fn document(&mut self, node: &Node, prefix: &str) {
        match &node.value {
            Value::Null => return,
            Value::Map(_) => {}
            other => {
                let found = value_text(&Found::of(other));
                let message = format!("expected an object with apiVersion and kind, found {found}");
                return self.error(node.line, prefix, message);
            }
        }
        if let Some(Value::List(items)) = items(node) {
            for (at, item) in items.iter().enumerate() {
                self.document(item, &format!("{prefix}items[{at}]."));
            }
            return;
        }
        match self.kind(node, prefix) {
            Some(kind) => self.object(kind, node, prefix),
            None => self.doubled_keys(node, prefix),
        }
    }

    /// Without a known kind only the top level can be judged.
    fn doubled_keys(&mut self, node: &Node, prefix: &str) {
        let Value::Map(entries) = &node.value else { return };
        for entry in entries {
            if let Some(first_line) = entry.doubled {
                let path = format!("{prefix}{}", entry.key);
                self.error(entry.line, &path, duplicate_text(first_line));
            }
        }
    }

    fn kind(&mut self, node: &Node, prefix: &str) -> Option<Kind> {
        let mut missing = false;
        for field in ["apiVersion", "kind"] {
            match node.get(field).map(|n| &n.value) {
                Some(Value::String(text)) if !text.is_empty() => continue,
                None | Some(Value::Null | Value::String(_)) => {
                    let message = "missing: every object needs apiVersion and kind";
                    self.error(node.line_of(field), &format!("{prefix}{field}"), message);
                }
                Some(other) => {
                    let message =
                        format!("expected a string, found {}", value_text(&Found::of(other)));
                    self.error(node.line_of(field), &format!("{prefix}{field}"), message);
                }
            }
            missing = true;
        }
        if missing {
            return None;
        }
        let (version, name) = (node.text("apiVersion")?, node.text("kind")?);
        let kind = Kind::find(version, name);
        if kind.is_none() {
            let (field, message) = unknown_kind(version, name);
            self.error(node.line_of(field), &format!("{prefix}{field}"), message);
        }
        kind
    }

    fn object(&mut self, kind: Kind, node: &Node, prefix: &str) {
        let checked = check::check(node, schema::of(kind), true);
        let before = self.errors.len();
        for problem in &checked.problems {
            let path = format!("{prefix}{}", problem.path);
            self.error(problem.line, &path, problem_text(&problem.what));
        }
        let metadata = node.get("metadata");
        let named = |field| {
            metadata.and_then(|m| m.get(field)).is_some_and(|n| match &n.value {
                Value::Null => false,
                Value::String(text) => !text.is_empty(),
                _ => true,
            })
        };
        if !named("name") && !named("generateName") {
            let line = node.line_of("metadata");
            let message = "Required value: name or generateName is required";
            self.error(line, &format!("{prefix}metadata.name"), message);
        }
        if self.errors.len() > before {
            return;
        }
        match Draft::from_json(kind, checked.json.as_bytes()) {
            Err(error) => self.error(node.line, prefix, error.to_string()),
            Ok(draft) => {
                let (source, line) = (self.source.to_owned(), node.line);
                self.manifests.push(Manifest { kind, draft, source, line, lines: checked.lines });
            }
        }
    }
}

/// The items of a `List` or of a list of one kind, such as `JobList`.
fn items(node: &Node) -> Option<&Value> {
    node.text("kind").filter(|kind| kind.ends_with("List"))?;
    match &node.get("items")?.value {
        list @ Value::List(_) => Some(list),
        _ => None,
    }
}

/// The field to blame and what to say about a kind that is not served.
fn unknown_kind(version: &str, name: &str) -> (&'static str, String) {
    if let Some(info) = KINDS.iter().find(|k| k.name == name) {
        let served = info.api_version();
        return ("apiVersion", format!("{name} is served as {served:?}, not as {version:?}"));
    }
    let mut names: Vec<&str> = KINDS.iter().map(|k| k.name).collect();
    names.sort_unstable();
    let meant = match suggest::word(name, names.iter().copied()) {
        Some(meant) => format!("did you mean {meant:?}? "),
        None => String::new(),
    };
    let message = format!(
        "unknown kind {name:?} in apiVersion {version:?}; {meant}coracle serves {}",
        names.join(", ")
    );
    ("kind", message)
}

fn duplicate_text(first_line: u32) -> String {
    format!("duplicate field, it stands on line {first_line} already")
}

fn problem_text(what: &What) -> String {
    match what {
        What::Unknown { meant: Some(meant) } => format!("unknown field; did you mean {meant:?}?"),
        What::Unknown { meant: None } => "unknown field".to_owned(),
        What::Duplicate { first_line, .. } => duplicate_text(*first_line),
        What::Form { message } => message.clone(),
        What::Type { expected, found, .. } => {
            let mut text =
                format!("expected {}, found {}", shape_text(*expected), value_text(found));
            if let (Shape::String, Found::Number(written) | Found::Bool(written)) =
                (expected, found)
            {
                text += &format!("; write it in quotes: {written:?}");
            }
            text
        }
    }
}

fn shape_text(shape: Shape) -> &'static str {
    match shape {
        Shape::String => "a string",
        Shape::Int32 | Shape::Int64 => "an integer",
        Shape::Bool => "true or false",
        Shape::Time | Shape::MicroTime => "a time such as \"2026-01-02T15:04:05Z\"",
        Shape::Bytes => "base64 text",
        Shape::Quantity => "a quantity such as \"500m\" or \"64Mi\"",
        Shape::IntOrString => "an integer or a string",
        Shape::Any => "any value",
        Shape::Object(_) => "an object",
        Shape::List(_) => "a list",
        Shape::Map(_) => "a map",
    }
}

fn value_text(found: &Found) -> String {
    /// Longest text that is shown whole, in letters.
    const SHOWN_LETTERS_MAX: usize = 40;
    match found {
        Found::Bool(written) => format!("the boolean {written}"),
        Found::Number(written) => format!("the number {written}"),
        Found::String(text) => match text.char_indices().nth(SHOWN_LETTERS_MAX) {
            Some((end, _)) => format!("a string {:?}…", &text[..end]),
            None => format!("a string {text:?}"),
        },
        Found::List => "a list".to_owned(),
        Found::Map => "an object".to_owned(),
    }
}
