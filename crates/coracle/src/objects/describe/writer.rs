//! The lines of a description: labels and values in columns, lists and maps over several lines.

use jiff::Timestamp;
use kinds::quantity::Quantity;
use serde_json::Value;

use crate::objects::print::tabs;

/// The longest annotation that stands on one line, with its name, in bytes.
const ANNOTATION_BYTES_MAX: usize = 140;

/// What `apply` keeps for itself, and nobody wants to read.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A description that is being written.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    /// What ages are counted to.
    pub(super) now: Timestamp,
}

impl Writer {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { text: String::new(), now }
    }

    /// The whole description, aligned.
    pub(super) fn finish(self) -> String {
        tabs::align(&self.text, tabs::DESCRIBE)
    }

    /// A line, two spaces deeper for each level; tabs end cells.
    pub(super) fn line(&mut self, level: usize, line: &str) {
        self.text.push_str(&"  ".repeat(level));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// `Label:  value`
    pub(super) fn field(&mut self, level: usize, label: &str, value: &str) {
        self.line(level, &format!("{label}:\t{value}"));
    }

    /// The same, where there is a value.
    pub(super) fn given(&mut self, level: usize, label: &str, value: &Value) {
        let value = text(value);
        if !value.is_empty() {
            self.field(level, label, &value);
        }
    }

    /// The same for a time.
    pub(super) fn time(&mut self, level: usize, label: &str, value: &Value) {
        if let Some(time) = moment(value) {
            self.field(level, label, &long_time(time));
        }
    }

    /// A label and items, one a line; `<none>` where there are none.
    pub(super) fn list(&mut self, level: usize, label: &str, items: &[String]) {
        let mut items = items.iter();
        let first = items.next().map_or("<none>", String::as_str);
        self.field(level, label, first);
        items.for_each(|item| self.line(0, &format!("\t{item}")));
    }

    /// `key=value`, one a line.
    pub(super) fn labels(&mut self, level: usize, label: &str, map: &Value) {
        let pairs: Vec<String> =
            entries(map).map(|(key, value)| format!("{key}={}", text(value))).collect();
        self.list(level, label, &pairs);
    }

    /// `key: value`, long ones over several lines.
    pub(super) fn annotations(&mut self, level: usize, label: &str, map: &Value) {
        let mut items = Vec::new();
        for (key, value) in entries(map).filter(|(key, _)| *key != LAST_APPLIED) {
            let value = text(value);
            let value = value.strip_suffix('\n').unwrap_or(&value);
            if value.len() + key.len() + 2 > ANNOTATION_BYTES_MAX || value.contains('\n') {
                items.push(format!("{key}:"));
                items.extend(value.split('\n').map(|line| format!("  {}", shorten(line))));
            } else {
                items.push(format!("{key}: {value}"));
            }
        }
        self.list(level, label, &items);
    }

    /// Name, namespace where there is one, labels and annotations: how most descriptions begin.
    pub(super) fn head(&mut self, object: &Value) {
        let metadata = &object["metadata"];
        self.field(0, "Name", &text(&metadata["name"]));
        self.given(0, "Namespace", &metadata["namespace"]);
        self.labels(0, "Labels", &metadata["labels"]);
        self.annotations(0, "Annotations", &metadata["annotations"]);
    }

    /// `Job/etl`, where something controls the object.
    pub(super) fn controller(&mut self, object: &Value) {
        let owners = list(&object["metadata"]["ownerReferences"]);
        if let Some(owner) = owners.iter().find(|owner| owner["controller"] == true) {
            let name = format!("{}/{}", text(&owner["kind"]), text(&owner["name"]));
            self.field(0, "Controlled By", &name);
        }
    }

    /// How long ago that was.
    pub(super) fn age(&self, value: &Value) -> String {
        match moment(value) {
            Some(then) => kinds::columns::human_duration(then, self.now),
            None => "<unknown>".to_owned(),
        }
    }
}

fn shorten(line: &str) -> String {
    let limit = ANNOTATION_BYTES_MAX - 2;
    if line.len() <= limit {
        return line.to_owned();
    }
    let end = (0..=limit).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    format!("{}...", &line[..end])
}

/// The elements of a list; none where there is no list.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The entries of a map, sorted; none where there is no map.
pub(super) fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A value as text; empty for what is not there.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value as text, or what stands for one that is not there.
pub(super) fn or<'a>(value: &'a Value, otherwise: &'a str) -> String {
    match text(value) {
        text if text.is_empty() => otherwise.to_owned(),
        text => text,
    }
}

/// An amount in its canonical form: `1k` for 1000.
pub(super) fn amount(value: &Value) -> String {
    let text = text(value);
    Quantity::parse(&text).map_or(text, |quantity| quantity.to_string())
}

/// A time of the API.
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// `Mon, 02 Jan 2006 15:04:05 +0000`
pub(super) fn long_time(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// `True` or `False`
pub(super) fn capital(value: &Value) -> &'static str {
    if *value == true { "True" } else { "False" }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn maps_stand_one_entry_a_line_and_long_annotations_are_cut() {
        let mut writer = Writer::new(Timestamp::UNIX_EPOCH);
        let annotations = json!({
            "a": "short", "b": "two\nlines\n", "c": "x".repeat(150), LAST_APPLIED: "{}",
        });
        writer.labels(0, "Labels", &json!({"b": "2", "a": "1"}));
        writer.annotations(0, "Annotations", &annotations);
        writer.labels(1, "None", &json!({}));
        writer.time(0, "Start Time", &json!("2026-11-24T10:00:05Z"));
        expect![[r#"
            Labels:       a=1
                          b=2
            Annotations:  a: short
                          b:
                            two
                            lines
                          c:
                            xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
              None:       <none>
            Start Time:   Tue, 24 Nov 2026 10:00:05 +0000
        "#]].assert_eq(&writer.finish());
    }
}
