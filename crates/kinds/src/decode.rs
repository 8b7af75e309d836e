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

/// Reads the JSON body of a request for `kind`. Gives the object and the warnings for the client.
/// Unknown fields are dropped, quantities are brought into canonical form.
///
/// # Errors
/// 400 `BadRequest`: not JSON, another kind, a value of the wrong type, or (with
/// [`FieldValidation::Strict`]) an unknown or duplicate field.
pub fn body(
    kind: Kind,
    json: &[u8],
    validation: FieldValidation,
) -> Result<(Draft, Vec<String>), StatusError> {
    let node = tree::json::parse(json).map_err(|e| {
        unrecognized(kind, json, &format!("couldn't get version/kind; json parse error: {e}"))
    })?;
    if !matches!(node.value, Value::Map(_)) {
        return Err(unrecognized(kind, json, "couldn't get version/kind; the body is no object"));
    }
    same_kind(kind, &node)?;
    let checked = check::check(&node, schema::of(kind), false);
    if let Some(text) = checked.problems.iter().find_map(type_error) {
        return Err(cannot_handle(kind, kind.info().name, &text));
    }
    let mut seen = BTreeSet::new();
    let strict: Vec<String> = checked
        .problems
        .iter()
        .filter_map(strict_error)
        .filter(|text| seen.insert(text.clone()))
        .take(STRICT_ERRORS_MAX)
        .collect();
    if validation == FieldValidation::Strict && !strict.is_empty() {
        let text = format!("strict decoding error: {}", strict.join(", "));
        return Err(cannot_handle(kind, kind.info().name, &text));
    }
    let draft = Draft::from_json(kind, checked.json.as_bytes())
        .map_err(|e| cannot_handle(kind, kind.info().name, &e.to_string()))?;
    let warnings = if validation == FieldValidation::Warn { strict } else { Vec::new() };
    Ok((draft, warnings))
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

fn strict_error(problem: &Problem) -> Option<String> {
    match problem.what {
        What::Unknown { .. } => Some(format!("unknown field {:?}", problem.path)),
        What::Duplicate { .. } => Some(format!("duplicate field {:?}", problem.path)),
        What::Type { .. } | What::Form { .. } => None,
    }
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
