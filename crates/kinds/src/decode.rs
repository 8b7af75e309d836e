//! Bodies of API requests: decoded against the schema, with upstream's words for what is wrong.

use std::collections::BTreeSet;

use crate::{
    Draft, Kind, Reason, StatusError,
    check::{self, Found, Problem, What},
    schema::{self, Shape},
    tree::{self, Node, Value},
};

/// Most unknown and duplicate fields that are listed.
const STRICT_ERRORS_MAX: usize = 100;

/// How much of a body that is no object of ours is shown.
const SUMMARY_BYTES_MAX: usize = 30;

/// The `fieldValidation` parameter: what to do about unknown and duplicate fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// Drop them silently.
    Ignore,
    /// Drop them and warn: what an absent parameter means.
    #[default]
    Warn,
    /// Refuse the request.
    Strict,
}

impl FieldValidation {
    /// Reads the query parameter. `None` for a value that does not exist.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "Warn" => Some(Self::Warn),
            "Ignore" => Some(Self::Ignore),
            "Strict" => Some(Self::Strict),
            _ => None,
        }
    }
}

/// In which form an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON.
    Json,
    /// YAML, of which the first document counts.
    Yaml,
}

/// Reads the body of a request for `kind`. Gives the object and the warnings for the client.
/// Unknown fields are dropped, quantities are brought into canonical form.
///
/// # Errors
/// 400 `BadRequest`: broken, another kind, a value of the wrong type, or (with
/// [`FieldValidation::Strict`]) an unknown or duplicate field.
pub fn body(
    kind: Kind,
    form: Form,
    bytes: &[u8],
    validation: FieldValidation,
) -> Result<(Draft, Vec<String>), StatusError> {
    let node = read(form, bytes).map_err(|why| unrecognized(kind, bytes, &why))?;
    if !matches!(node.value, Value::Map(_)) {
        return Err(unrecognized(kind, bytes, "couldn't get version/kind; the body is no object"));
    }
    same_kind(kind, &node)?;
    let checked = check::check(&node, schema::of(kind), false);
    if let Some(text) = checked.problems.iter().find_map(type_error) {
        return Err(cannot_handle(kind, kind.info().name, &text));
    }
    let strict = StrictErrors::of(form, &checked.problems);
    if validation == FieldValidation::Strict && !strict.is_empty() {
        return Err(cannot_handle(kind, kind.info().name, &strict.error()));
    }
    let draft = Draft::from_json(kind, checked.json.as_bytes())
        .map_err(|e| cannot_handle(kind, kind.info().name, &e.to_string()))?;
    let warnings = if validation == FieldValidation::Warn { strict.warnings() } else { Vec::new() };
    Ok((draft, warnings))
}

/// The JSON of a document of any kind, of doubled keys the last.
///
/// # Errors
/// What is broken about it, in upstream's words.
pub fn json(form: Form, bytes: &[u8]) -> Result<String, String> {
    let mut json = String::new();
    check::any(&read(form, bytes)?, &mut json);
    Ok(json)
}

/// The document as a tree, or what is broken about it in upstream's words.
fn read(form: Form, bytes: &[u8]) -> Result<Node, String> {
    match form {
        Form::Json => tree::json::parse(bytes)
            .map_err(|error| format!("couldn't get version/kind; json parse error: {error}")),
        Form::Yaml => {
            let text = std::str::from_utf8(bytes).map_err(|error| format!("yaml: {error}"))?;
            let first = tree::yaml::parse(text).into_iter().next();
            first.unwrap_or_else(|| Ok(Node { line: 0, value: Value::Null })).map_err(|broken| {
                let what = broken.message.trim_start_matches("invalid YAML: ");
                format!("yaml: line {}: {what}", broken.line)
            })
        }
    }
}

/// What strict decoding finds: fields that are unknown or stand twice. A text for each; those of
/// doubled keys in YAML are apart, as upstream's YAML reader reports them all in one.
#[derive(Default)]
struct StrictErrors {
    yaml: Vec<String>,
    fields: Vec<String>,
}

impl StrictErrors {
    fn of(form: Form, problems: &[Problem]) -> Self {
        let mut found = Self::default();
        let mut seen = BTreeSet::new();
        for problem in problems {
            let (list, text) = match (&problem.what, form) {
                (What::Type { .. } | What::Form { .. }, _) => continue,
                (What::Unknown { .. }, _) => {
                    (&mut found.fields, format!("unknown field {:?}", problem.path))
                }
                (What::Duplicate { .. }, Form::Json) => {
                    (&mut found.fields, format!("duplicate field {:?}", problem.path))
                }
                (What::Duplicate { key, .. }, Form::Yaml) => {
                    let text = format!("line {}: key {key:?} already set in map", problem.line);
                    (&mut found.yaml, text)
                }
            };
            if list.len() < STRICT_ERRORS_MAX && seen.insert(text.clone()) {
                list.push(text);
            }
        }
        found
    }

    fn is_empty(&self) -> bool {
        self.yaml.is_empty() && self.fields.is_empty()
    }

    fn error(self) -> String {
        let yaml = self.yaml.iter().map(|text| format!("\n  {text}")).collect::<String>();
        let yaml =
            Some(yaml).filter(|y| !y.is_empty()).map(|y| format!("yaml: unmarshal errors:{y}"));
        let all: Vec<String> = yaml.into_iter().chain(self.fields).collect();
        format!("strict decoding error: {}", all.join(", "))
    }

    fn warnings(self) -> Vec<String> {
        self.yaml.into_iter().chain(self.fields).collect()
    }
}

/// The body may leave out what it is, but may not be something else.
fn same_kind(kind: Kind, node: &Node) -> Result<(), StatusError> {
    let expected = kind.info().api_version();
    if let Some(version) = node.text("apiVersion").filter(|v| !v.is_empty() && *v != expected) {
        let text = format!(
            "the API version in the data ({version}) does not match the expected API version ({expected})"
        );
        return Err(StatusError::new(Reason::BadRequest, text));
    }
    match node.text("kind").filter(|k| !k.is_empty() && *k != kind.info().name) {
        Some(other) => {
            let text = format!("the body is a {other}, this path takes a {}", kind.info().name);
            Err(cannot_handle(kind, other, &text))
        }
        None => Ok(()),
    }
}

fn cannot_handle(kind: Kind, found: &str, why: &str) -> StatusError {
    let info = kind.info();
    let text = format!(
        "{found} in version \"{}\" cannot be handled as a {}: {why}",
        info.version, info.name
    );
    StatusError::new(Reason::BadRequest, text)
}

fn unrecognized(kind: Kind, body: &[u8], why: &str) -> StatusError {
    let shown = &body[..body.len().min(SUMMARY_BYTES_MAX)];
    let more = if body.len() > shown.len() { " ..." } else { "" };
    let summary = match std::str::from_utf8(shown) {
        Ok("") => "<empty>".to_owned(),
        Ok(text) if text.starts_with('{') => format!("{text}{more}"),
        _ => shown.iter().map(|b| format!("{b:02x}")).collect::<String>() + more,
    };
    let name = kind.info().name;
    let text =
        format!("the object provided is unrecognized (must be of type {name}): {why} ({summary})");
    StatusError::new(Reason::BadRequest, text)
}

fn type_error(problem: &Problem) -> Option<String> {
    match &problem.what {
        What::Unknown { .. } | What::Duplicate { .. } => None,
        What::Form { message } => Some(message.clone()),
        What::Type { expected, found, field } => {
            let found = match (found, expected) {
                (Found::Bool(_), _) => "bool".to_owned(),
                (Found::Number(n), Shape::Int32 | Shape::Int64) => format!("number {n}"),
                (Found::Number(_), _) => "number".to_owned(),
                (Found::String(_), _) => "string".to_owned(),
                (Found::List, _) => "array".to_owned(),
                (Found::Map, _) => "object".to_owned(),
            };
            let go = go_type(*expected);
            Some(format!(
                "json: cannot unmarshal {found} into Go struct field {field} of type {go}"
            ))
        }
    }
}

/// The type as upstream's decoder names it.
fn go_type(shape: Shape) -> String {
    match shape {
        Shape::String => "string".to_owned(),
        Shape::Int32 => "int32".to_owned(),
        Shape::Int64 => "int64".to_owned(),
        Shape::Bool => "bool".to_owned(),
        Shape::Time => "v1.Time".to_owned(),
        Shape::MicroTime => "v1.MicroTime".to_owned(),
        Shape::Bytes => "[]uint8".to_owned(),
        Shape::Quantity => "resource.Quantity".to_owned(),
        Shape::IntOrString => "intstr.IntOrString".to_owned(),
        Shape::Any => "interface {}".to_owned(),
        Shape::Object(ty) => format!("v1.{}", ty.name),
        Shape::List(item) => format!("[]{}", go_type(*item)),
        Shape::Map(item) => format!("map[string]{}", go_type(*item)),
    }
}
