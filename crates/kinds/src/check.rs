//! A tree against the schema: what is unknown, doubled or of the wrong type, all of it at once; and
//! the same document as clean JSON, with quantities in canonical form and nothing that the schema
//! does not know.

use std::{collections::BTreeMap, fmt::Write as _};

use k8s_openapi::ByteString;

use crate::{
    metav1::{MicroTime, Time},
    quantity::{self, Quantity},
    schema::{Shape, Type},
    suggest,
    tree::{Entry, Node, Value},
};

/// One thing that does not fit the schema.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// The line of the key or value; 0 where lines mean nothing.
    pub(crate) line: u32,
    /// Such as `spec.template.spec.containers[0].image`.
    pub(crate) path: String,
    pub(crate) what: What,
}

/// What does not fit.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// No such field; perhaps another was meant.
    Unknown { meant: Option<String> },
    /// The key stood there before, on this line.
    Duplicate { key: String, first_line: u32 },
    /// A value of another type.
    Type {
        expected: Shape,
        found: Found,
        /// Struct and path without indices and keys, such as `JobSpec.spec.parallelism`.
        field: String,
    },
    /// A value of the right type that does not have the form.
    Form { message: String },
}

/// The sort of a value that does not fit, with its spelling where that is short.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Bool(String),
    Number(String),
    String(String),
    List,
    Map,
}

impl Found {
    /// Of a value that is not null.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Bool { written, .. } => Self::Bool(written.clone()),
            Value::Number { written, .. } => Self::Number(written.clone()),
            Value::String(text) => Self::String(text.clone()),
            Value::List(_) => Self::List,
            Value::Map(_) | Value::Null => Self::Map,
        }
    }
}

/// What came of a document.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) json: String,
    pub(crate) problems: Vec<Problem>,
    /// Line of every field by its path; map keys stand in brackets, as field errors write them.
    pub(crate) lines: BTreeMap<String, u32>,
}

/// Checks a document of type `ty`. Lines and suggestions cost time, so only people get them.
pub(crate) fn check(node: &Node, ty: &'static Type, for_people: bool) -> Checked {
    let mut checker = Checker {
        out: Checked::default(),
        for_people,
        path: String::new(),
        owner: ty.name,
        fields: Vec::new(),
    };
    checker.value(node, Shape::Object(ty));
    checker.out
}

struct Checker {
    out: Checked,
    for_people: bool,
    path: String,
    /// Name of the struct whose field is being checked.
    owner: &'static str,
    /// Names of the struct fields on the way to the value, without indices and map keys.
    fields: Vec<&'static str>,
}

impl Checker {
    fn problem(&mut self, line: u32, what: What) {
        self.out.problems.push(Problem { line, path: self.path.clone(), what });
    }

    /// Notes the line of the field whose path is `length` bytes of the present one, or of an entry of
    /// that map.
    fn stands_on(&mut self, line: u32, length: usize, key: Option<&str>) {
        if self.for_people {
            let mut path = self.path[..length].to_owned();
            if let Some(key) = key {
                path += &format!("[{key}]");
            }
            self.out.lines.insert(path, line);
        }
    }

    fn value(&mut self, node: &Node, shape: Shape) {
        match (&node.value, shape) {
            (Value::Null, _) => self.out.json.push_str(zero(shape)),
            (_, Shape::Any) => any(node, &mut self.out.json),
            (Value::Map(entries), Shape::Object(ty)) => self.object(entries, ty),
            (Value::Map(entries), Shape::Map(item)) => self.map(entries, *item),
            (Value::List(items), Shape::List(item)) => self.list(items, *item),
            _ => match scalar(&node.value, shape) {
                Ok(json) => self.out.json.push_str(&json),
                Err(wrong) => {
                    self.out.json.push_str(zero(shape));
                    let field = format!("{}.{}", self.owner, self.fields.join("."));
                    self.problem(node.line, wrong.into_what(&node.value, shape, field));
                }
            },
        }
    }

    fn object(&mut self, entries: &[Entry], ty: &'static Type) {
        let outer = std::mem::replace(&mut self.owner, ty.name);
        self.out.json.push('{');
        let mut first = true;
        for entry in entries {
            let length = self.path.len();
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(&entry.key);
            self.duplicate(entry);
            match ty.field(&entry.key) {
                None => {
                    let meant = self.for_people.then(|| suggest::field(ty, &entry.key)).flatten();
                    self.problem(entry.line, What::Unknown { meant });
                }
                Some(_) if entry.overridden || matches!(entry.node.value, Value::Null) => {}
                Some(field) => {
                    self.stands_on(entry.line, self.path.len(), None);
                    self.key(&entry.key, &mut first);
                    self.fields.push(field.name);
                    self.value(&entry.node, field.shape);
                    self.fields.pop();
                }
            }
            self.path.truncate(length);
        }
        self.out.json.push('}');
        self.owner = outer;
    }

    fn map(&mut self, entries: &[Entry], item: Shape) {
        self.out.json.push('{');
        let mut first = true;
        for entry in entries {
            let length = self.path.len();
            self.path.push('.');
            self.path.push_str(&entry.key);
            self.duplicate(entry);
            if !entry.overridden {
                self.stands_on(entry.line, length, Some(&entry.key));
                self.key(&entry.key, &mut first);
                self.value(&entry.node, item);
            }
            self.path.truncate(length);
        }
        self.out.json.push('}');
    }

    fn list(&mut self, items: &[Node], item: Shape) {
        self.out.json.push('[');
        for (at, node) in items.iter().enumerate() {
            if at > 0 {
                self.out.json.push(',');
            }
            let length = self.path.len();
            write!(self.path, "[{at}]").expect("text takes text");
            self.stands_on(node.line, self.path.len(), None);
            self.value(node, item);
            self.path.truncate(length);
        }
        self.out.json.push(']');
    }

    fn key(&mut self, key: &str, first: &mut bool) {
        if !std::mem::take(first) {
            self.out.json.push(',');
        }
        self.out.json.push_str(&quoted(key));
        self.out.json.push(':');
    }

    fn duplicate(&mut self, entry: &Entry) {
        if let Some(first_line) = entry.doubled {
            let key = entry.key.clone();
            self.problem(entry.line, What::Duplicate { key, first_line });
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What a null item of a list or map means: the zero value, as a Go decoder has it.
fn zero(shape: Shape) -> &'static str {
    match shape {
        Shape::String | Shape::Bytes => "\"\"",
        Shape::Int32 | Shape::Int64 | Shape::IntOrString => "0",
        Shape::Quantity => "\"0\"",
        Shape::Bool => "false",
        Shape::Time | Shape::MicroTime | Shape::Any => "null",
        Shape::Object(_) | Shape::Map(_) => "{}",
        Shape::List(_) => "[]",
    }
}

fn any(node: &Node, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool { value, .. } => out.push_str(if *value { "true" } else { "false" }),
        Value::Number { json, .. } => out.push_str(json),
        Value::String(text) => out.push_str(&quoted(text)),
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                out.push(if at == 0 { '[' } else { ',' });
                any(item, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Map(entries) => {
            let mut open = '{';
            for entry in entries.iter().filter(|entry| !entry.overridden) {
                out.push(std::mem::replace(&mut open, ','));
                out.push_str(&quoted(&entry.key));
                out.push(':');
                any(&entry.node, out);
            }
            out.push_str(if open == '{' { "{}" } else { "}" });
        }
    }
}

enum Wrong {
    Type,
    Form(String),
}

impl Wrong {
    fn into_what(self, value: &Value, expected: Shape, field: String) -> What {
        match self {
            Self::Form(message) => What::Form { message },
            Self::Type => {
                let found = Found::of(value);
                What::Type { expected, found, field }
            }
        }
    }
}

/// The JSON of a scalar of that shape.
fn scalar(value: &Value, shape: Shape) -> Result<String, Wrong> {
    match (value, shape) {
        (Value::String(text), Shape::String | Shape::IntOrString) => Ok(quoted(text)),
        (Value::Bool { value, .. }, Shape::Bool) => Ok(value.to_string()),
        (Value::Number { json, .. }, Shape::Int32 | Shape::IntOrString) => {
            json.parse::<i32>().map(|n| n.to_string()).map_err(|_| Wrong::Type)
        }
        (Value::Number { json, .. }, Shape::Int64) => {
            json.parse::<i64>().map(|n| n.to_string()).map_err(|_| Wrong::Type)
        }
        (Value::String(text) | Value::Number { json: text, .. }, Shape::Quantity) => {
            let read = Quantity::parse(text);
            read.map(|q| quoted(&q.to_string()))
                .map_err(|e: quantity::Error| Wrong::Form(e.to_string()))
        }
        (Value::String(text), Shape::Bytes) => {
            let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            form::<ByteString>(&text, || {
                let at = bad_base64_at(&text);
                format!("illegal base64 data at input byte {at}")
            })
        }
        (Value::String(text), Shape::Time | Shape::MicroTime) if !is_rfc3339(text) => {
            Err(Wrong::Form(time_error(text)))
        }
        (Value::String(text), Shape::Time) => form::<Time>(text, || time_error(text)),
        (Value::String(text), Shape::MicroTime) => form::<MicroTime>(text, || time_error(text)),
        _ => Err(Wrong::Type),
    }
}

fn form<T: serde::de::DeserializeOwned>(
    text: &str,
    error: impl Fn() -> String,
) -> Result<String, Wrong> {
    let json = quoted(text);
    match serde_json::from_str::<T>(&json) {
        Ok(_) => Ok(json),
        Err(_) => Err(Wrong::Form(error())),
    }
}

fn bad_base64_at(text: &str) -> usize {
    let letters = text.trim_end_matches('=');
    let bad = letters.bytes().position(|b| !b.is_ascii_alphanumeric() && b != b'+' && b != b'/');
    bad.unwrap_or(letters.len())
}

/// Whether a time is written as RFC 3339 has it; the library behind reads more forms than that.
fn is_rfc3339(text: &str) -> bool {
    const FORM: &str = "0000-00-00T00:00:00";
    let same = |(have, want): (u8, u8)| match want {
        b'0' => have.is_ascii_digit(),
        sign => have == sign,
    };
    let Some((seconds, rest)) = text.split_at_checked(FORM.len()) else { return false };
    let fraction =
        rest.strip_prefix('.').map(|f| f.trim_start_matches(|c: char| c.is_ascii_digit()));
    let zone = fraction.unwrap_or(rest);
    let offset = zone.strip_prefix(['+', '-']).map(str::as_bytes);
    seconds.bytes().zip(FORM.bytes()).all(same)
        && (zone == "Z" || offset.is_some_and(|o| o.len() == 5 && o[2] == b':'))
}

fn time_error(text: &str) -> String {
    format!("parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": not an RFC 3339 time")
}
