//! What is wrong with a request, in the words clients of Kubernetes know: field errors as
//! `k8s.io/apimachinery/pkg/util/validation/field` shapes them, and the `Status` they travel in.

use std::{collections::BTreeSet, fmt};

use serde::Deserialize;
use serde_json::json;

use crate::{KINDS, Kind};

/// The sort of a field error; decides the text and the machine-readable cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the documentation: upstream's own")]
pub enum FieldErrorKind {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    TypeInvalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    Internal,
}

impl FieldErrorKind {
    /// The text between the path and the value.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Internal => "Internal error",
        }
    }

    /// The `reason` of the cause in a Status.
    pub fn cause(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Internal => "InternalError",
        }
    }
}

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The sort of error.
    pub kind: FieldErrorKind,
    /// Path from the top of the object, such as `spec.template.spec.containers[0].image`.
    pub path: String,
    /// The bad value as it is printed: quoted strings, bare numbers, JSON for the rest. `None`
    /// where upstream prints none.
    pub value: Option<String>,
    /// What would be right; may be empty.
    pub detail: String,
}

impl FieldError {
    /// `<path>: Required value[: <detail>]`
    pub fn required(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: FieldErrorKind::Required,
            path: path.into(),
            value: None,
            detail: detail.into(),
        }
    }

    /// `<path>: Invalid value: <value>: <detail>`; the value prints as JSON.
    pub fn invalid(
        path: impl Into<String>,
        value: impl Into<serde_json::Value>,
        detail: impl Into<String>,
    ) -> Self {
        let value = Some(value.into().to_string());
        Self { kind: FieldErrorKind::Invalid, path: path.into(), value, detail: detail.into() }
    }

    /// `<path>: Invalid value: <detail>`: where upstream prints no value.
    pub fn invalid_whole(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: FieldErrorKind::Invalid,
            path: path.into(),
            value: None,
            detail: detail.into(),
        }
    }

    /// `<path>: Duplicate value: <value>`
    pub fn duplicate(path: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        let value = Some(value.into().to_string());
        let (kind, path) = (FieldErrorKind::Duplicate, path.into());
        Self { kind, path, value, detail: String::new() }
    }

    /// `<path>: Not found: <value>`
    pub fn not_found(path: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        let value = Some(value.into().to_string());
        let (kind, path) = (FieldErrorKind::NotFound, path.into());
        Self { kind, path, value, detail: String::new() }
    }

    /// `<path>: Too long: may not be more than <max> bytes`
    pub fn too_long(path: impl Into<String>, max: usize) -> Self {
        let detail = format!("may not be more than {max} bytes");
        Self { kind: FieldErrorKind::TooLong, path: path.into(), value: None, detail }
    }

    /// `<path>: Too many: <count>: must have at most <max> items`
    pub fn too_many(path: impl Into<String>, count: usize, max: usize) -> Self {
        let detail = format!("must have at most {max} items");
        let (kind, path) = (FieldErrorKind::TooMany, path.into());
        Self { kind, path, value: Some(count.to_string()), detail }
    }

    /// `<path>: Invalid value: <value>: field is immutable`
    pub fn immutable(path: impl Into<String>, value: &impl serde::Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        Self::invalid(path, value, "field is immutable")
    }

    /// `<path>: Forbidden: <detail>`
    pub fn forbidden(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: FieldErrorKind::Forbidden,
            path: path.into(),
            value: None,
            detail: detail.into(),
        }
    }

    /// `<path>: Unsupported value: <value>: supported values: "A", "B"`
    pub fn not_supported(
        path: impl Into<String>,
        value: impl Into<serde_json::Value>,
        supported: &[&str],
    ) -> Self {
        let list: Vec<String> = supported.iter().map(|v| format!("{v:?}")).collect();
        let detail = format!("supported values: {}", list.join(", "));
        Self {
            kind: FieldErrorKind::NotSupported,
            path: path.into(),
            value: Some(value.into().to_string()),
            detail,
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.kind.text())?;
        if let Some(value) = &self.value {
            write!(f, ": {value}")?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// Everything wrong with one object; never just the first.
pub type FieldErrors = Vec<FieldError>;

/// The machine-readable reason of a Status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation: upstream's own")]
pub enum Reason {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    AlreadyExists,
    Conflict,
    Gone,
    Expired,
    Invalid,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    TooManyRequests,
    InternalError,
    ServiceUnavailable,
    Timeout,
}

impl Reason {
    const ALL: [Reason; 17] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::AlreadyExists,
        Self::Conflict,
        Self::Gone,
        Self::Expired,
        Self::Invalid,
        Self::RequestEntityTooLarge,
        Self::UnsupportedMediaType,
        Self::TooManyRequests,
        Self::InternalError,
        Self::ServiceUnavailable,
        Self::Timeout,
    ];

    /// The reason with this name; `None` for one that this version does not know.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| format!("{reason:?}") == name)
    }

    /// The HTTP status code that goes with the reason.
    pub fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotAcceptable => 406,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::Gone | Self::Expired => 410,
            Self::RequestEntityTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::TooManyRequests => 429,
            Self::InternalError => 500,
            Self::ServiceUnavailable => 503,
            Self::Timeout => 504,
        }
    }
}

/// One entry of `details.causes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Machine-readable, such as `FieldValueRequired`.
    pub reason: String,
    /// For people.
    pub message: String,
    /// The field, if the cause is one.
    pub field: String,
}

/// A refusal as the API words it: becomes the `Status` object of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusError {
    /// The reason; gives the HTTP code.
    pub reason: Reason,
    /// For people.
    pub message: String,
    /// The kind concerned; `details.kind` and `details.group` follow from it.
    pub kind: Option<Kind>,
    /// The name concerned; may be empty.
    pub name: String,
    /// The single causes.
    pub causes: Vec<Cause>,
    /// Seconds after which to try again; 0 for none.
    pub retry_after_seconds: u32,
}

impl std::error::Error for StatusError {}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StatusError {
    /// A refusal with free text.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            reason,
            message,
            kind: None,
            name: String::new(),
            causes: Vec::new(),
            retry_after_seconds: 0,
        }
    }

    fn about(kind: Kind, name: &str, reason: Reason, message: String) -> Self {
        Self { kind: Some(kind), name: name.to_owned(), ..Self::new(reason, message) }
    }

    /// `jobs.batch "x" not found`
    pub fn not_found(kind: Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.info().qualified());
        Self::about(kind, name, Reason::NotFound, message)
    }

    /// `jobs.batch "x" already exists`
    pub fn already_exists(kind: Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.info().qualified());
        Self::about(kind, name, Reason::AlreadyExists, message)
    }

    /// The object changed since the caller read it.
    pub fn conflict(kind: Kind, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            kind.info().qualified()
        );
        Self::about(kind, name, Reason::Conflict, message)
    }

    /// `jobs.batch "x" is forbidden: <why>`
    pub fn forbidden(kind: Kind, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", kind.info().qualified());
        Self::about(kind, name, Reason::Forbidden, message)
    }

    /// `Job.batch "x" is invalid: …` with one cause per error; the text lists each error once.
    pub fn invalid(kind: Kind, name: &str, errors: &[FieldError]) -> Self {
        let info = kind.info();
        let dot = if info.group.is_empty() { "" } else { "." };
        let mut seen = BTreeSet::new();
        let texts: Vec<String> =
            errors.iter().map(FieldError::to_string).filter(|t| seen.insert(t.clone())).collect();
        let list = if let [one] = texts.as_slice() {
            one.clone()
        } else {
            format!("[{}]", texts.join(", "))
        };
        let message = format!("{}{dot}{} \"{name}\" is invalid: {list}", info.name, info.group);
        let causes = errors
            .iter()
            .map(|e| {
                let whole = e.to_string();
                let message = whole[e.path.len() + 2..].to_owned();
                Cause { reason: e.kind.cause().to_owned(), message, field: e.path.clone() }
            })
            .collect();
        Self { causes, ..Self::about(kind, name, Reason::Invalid, message) }
    }

    /// The `Status` object as JSON bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let mut details = serde_json::Map::new();
        if !self.name.is_empty() {
            details.insert("name".into(), json!(self.name));
        }
        if let Some(kind) = self.kind {
            let info = kind.info();
            if !info.group.is_empty() {
                details.insert("group".into(), json!(info.group));
            }
            let named = if self.reason == Reason::Invalid { info.name } else { info.plural };
            details.insert("kind".into(), json!(named));
        }
        if !self.causes.is_empty() {
            let causes: Vec<_> = self
                .causes
                .iter()
                .map(|c| match c.field.is_empty() {
                    true => json!({"reason": c.reason, "message": c.message}),
                    false => json!({"reason": c.reason, "message": c.message, "field": c.field}),
                })
                .collect();
            details.insert("causes".into(), json!(causes));
        }
        if self.retry_after_seconds > 0 {
            details.insert("retryAfterSeconds".into(), json!(self.retry_after_seconds));
        }
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": format!("{:?}", self.reason), "code": self.reason.code(),
        });
        if !details.is_empty() {
            status["details"] = details.into();
        }
        status.to_string().into_bytes()
    }

    /// Reads a `Status` of a failure back, as a client does. `None` for anything else.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        let wire: WireStatus = serde_json::from_slice(json).ok()?;
        let failure = wire.kind == "Status" && wire.status == "Failure";
        let details = wire.details;
        let named = |row: &&crate::KindInfo| {
            row.group == details.group && (row.plural == details.kind || row.name == details.kind)
        };
        let causes = details.causes.into_iter().map(|cause| Cause {
            reason: cause.reason,
            message: cause.message,
            field: cause.field,
        });
        failure.then(|| Self {
            reason: Reason::parse(&wire.reason).unwrap_or(Reason::InternalError),
            message: wire.message,
            kind: KINDS.iter().find(named).map(|row| row.kind),
            name: details.name,
            causes: causes.collect(),
            retry_after_seconds: details.retry_after_seconds,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireStatus {
    kind: String,
    status: String,
    message: String,
    reason: String,
    details: WireDetails,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireDetails {
    name: String,
    group: String,
    kind: String,
    causes: Vec<WireCause>,
    retry_after_seconds: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireCause {
    reason: String,
    message: String,
    field: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_as_it_was_sent() {
        let missing = FieldError::required("spec.template", "");
        let cases = [
            StatusError::not_found(Kind::Job, "x"),
            StatusError::invalid(Kind::Pod, "p", std::slice::from_ref(&missing)),
            StatusError::conflict(Kind::RuntimeClass, "r", "why"),
            StatusError {
                retry_after_seconds: 1,
                ..StatusError::new(Reason::TooManyRequests, "later")
            },
        ];
        for sent in cases {
            assert_eq!(StatusError::from_json(&sent.to_json()), Some(sent));
        }
        assert!(Reason::ALL.iter().all(|&r| Reason::parse(&format!("{r:?}")) == Some(r)));
        assert_eq!(StatusError::from_json(b"{\"kind\":\"Pod\"}"), None);
    }
}
