//! Bodies of API requests: decoded against the schema, with upstream's words for what is wrong.

mod patched;

use std::collections::BTreeSet;

pub use patched::patched;

use crate::{
    Draft, Kind, Reason, StatusError,
    check::{self, Found, Problem, What},
    protobuf,
    schema::{self, Shape, Type},
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
    /// Kubernetes' protobuf. What it holds beyond the known fields nobody can name.
    Protobuf,
}

/// What a body must be that is no object of a served kind: options, a review, an eviction.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The versions it may name; none means that it does not matter.
    pub api_versions: &'a [&'a str],
    /// Its kind. There is a schema for it.
    pub kind: &'a str,
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
    let info = kind.info();
    let api_version = info.api_version();
    let expected =
        Expected { api_versions: &[&api_version], name: info.name, ty: schema::of(kind) };
    let (json, warnings) = expected.read(form, bytes, validation)?;
    let draft = Draft::from_json(kind, json.as_bytes())
        .map_err(|e| expected.cannot_handle(info.name, info.version, &e.to_string()))?;
    Ok((draft, warnings))
}

/// As [`body`], for what is no object of a served kind; gives its JSON, which says what it is.
///
/// # Errors
/// As [`body`].
///
/// # Panics
/// If there is no schema for it.
pub fn sent(
    sent: &Sent<'_>,
    form: Form,
    bytes: &[u8],
    validation: FieldValidation,
) -> Result<(serde_json::Value, Vec<String>), StatusError> {
    let api_version = sent.api_versions.first().copied().unwrap_or_default();
    let ty = schema::sent(api_version, sent.kind).expect("what clients send has a schema");
    let expected = Expected { api_versions: sent.api_versions, name: sent.kind, ty };
    let (json, warnings) = expected.read(form, bytes, validation)?;
    let mut json: serde_json::Value = serde_json::from_str(&json)
        .map_err(|error| expected.unrecognized(bytes, &error.to_string()))?;
    json["apiVersion"] = expected.api_version().into();
    json["kind"] = sent.kind.into();
    Ok((json, warnings))
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
                (What::Duplicate { .. }, Form::Json | Form::Protobuf) => {
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

    /// Both, the texts of the first first.
    fn and(mut self, other: Self) -> Self {
        self.yaml.extend(other.yaml);
        let new = other.fields.into_iter().filter(|text| !self.fields.contains(text));
        let new: Vec<String> = new.collect();
        self.fields.extend(new);
        self.fields.truncate(STRICT_ERRORS_MAX);
        self
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

/// What a body must be.
struct Expected<'a> {
    api_versions: &'a [&'a str],
    name: &'a str,
    ty: &'static Type,
}

impl Expected<'_> {
    /// The JSON of what was sent, and what the client is warned of.
    fn read(
        &self,
        form: Form,
        bytes: &[u8],
        validation: FieldValidation,
    ) -> Result<(String, Vec<String>), StatusError> {
        let node = self.tree(form, bytes).map_err(|why| self.unrecognized(bytes, &why))?;
        if !matches!(node.value, Value::Map(_)) {
            let why = "couldn't get version/kind; the body is no object";
            return Err(self.unrecognized(bytes, why));
        }
        let version = self.same_kind(&node)?;
        let checked = check::check(&node, self.ty, false);
        if let Some(text) = checked.problems.iter().find_map(type_error) {
            return Err(self.cannot_handle(self.name, &version, &text));
        }
        let strict = StrictErrors::of(form, &checked.problems);
        if validation == FieldValidation::Strict && !strict.is_empty() {
            return Err(self.cannot_handle(self.name, &version, &strict.error()));
        }
        let warnings =
            if validation == FieldValidation::Warn { strict.warnings() } else { Vec::new() };
        Ok((checked.json, warnings))
    }

    /// The document as a tree, or what is broken about it in upstream's words.
    fn tree(&self, form: Form, bytes: &[u8]) -> Result<Node, String> {
        match form {
            Form::Json => tree::json::parse(bytes)
                .map_err(|error| format!("couldn't get version/kind; json parse error: {error}")),
            Form::Yaml => {
                let text = std::str::from_utf8(bytes).map_err(|error| format!("yaml: {error}"))?;
                let first = tree::yaml::parse(text).into_iter().next();
                first.unwrap_or(Ok(Node { line: 0, value: Value::Null })).map_err(|broken| {
                    let what = broken.message.trim_start_matches("invalid YAML: ");
                    format!("yaml: line {}: {what}", broken.line)
                })
            }
            Form::Protobuf => {
                let expected = (self.api_version(), self.name);
                let message = protobuf::decode(bytes, Some(expected)).map_err(|e| e.to_string())?;
                tree::json::parse(&message.json).map_err(|error| error.to_string())
            }
        }
    }

    /// The version that a body has which does not say.
    fn api_version(&self) -> &str {
        self.api_versions.first().copied().unwrap_or("v1")
    }

    /// The body may leave out what it is, but may not be something else. Gives its version without
    /// the group.
    fn same_kind(&self, node: &Node) -> Result<String, StatusError> {
        let given = |field| node.text(field).filter(|text| !text.is_empty());
        let expected = self.api_version();
        let api_version = given("apiVersion").unwrap_or(expected);
        if !self.api_versions.is_empty() && !self.api_versions.contains(&api_version) {
            let text = format!(
                "the API version in the data ({api_version}) does not match the expected API version ({expected})"
            );
            return Err(StatusError::new(Reason::BadRequest, text));
        }
        let version = api_version.rsplit('/').next().unwrap_or_default().to_owned();
        match given("kind").filter(|kind| *kind != self.name) {
            Some(other) => {
                let text = format!("the body is a {other}, this path takes a {}", self.name);
                Err(self.cannot_handle(other, &version, &text))
            }
            None => Ok(version),
        }
    }

    fn cannot_handle(&self, found: &str, version: &str, why: &str) -> StatusError {
        let name = self.name;
        let text = format!("{found} in version \"{version}\" cannot be handled as a {name}: {why}");
        StatusError::new(Reason::BadRequest, text)
    }

    fn unrecognized(&self, body: &[u8], why: &str) -> StatusError {
        let shown = &body[..body.len().min(SUMMARY_BYTES_MAX)];
        let more = if body.len() > shown.len() { " ..." } else { "" };
        let summary = match std::str::from_utf8(shown) {
            Ok("") => "<empty>".to_owned(),
            Ok(text) if text.starts_with('{') => format!("{text}{more}"),
            _ => shown.iter().map(|b| format!("{b:02x}")).collect::<String>() + more,
        };
        let name = self.name;
        let text = format!(
            "the object provided is unrecognized (must be of type {name}): {why} ({summary})"
        );
        StatusError::new(Reason::BadRequest, text)
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
