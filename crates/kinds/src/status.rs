//! The refusal of a request as the API words it, and the `Status` object it travels in.

use std::{collections::BTreeSet, fmt};

use serde::Deserialize;
use serde_json::json;

use crate::{FieldError, KINDS, Kind};

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

    #[test]
    fn an_invalid_object_lists_each_text_once_and_every_cause() {
        let twice = FieldError::required("spec.a", "");
        let errors = [twice.clone(), FieldError::invalid("spec.b", -1, "no"), twice];
        let status = StatusError::invalid(Kind::Job, "x", &errors);
        let list = "[spec.a: Required value, spec.b: Invalid value: -1: no]";
        assert_eq!(status.message, format!("Job.batch \"x\" is invalid: {list}"));
        let expected = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": status.message, "reason": "Invalid", "code": 422,
            "details": {"name": "x", "group": "batch", "kind": "Job", "causes": [
                {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.a"},
                {"reason": "FieldValueInvalid", "message": "Invalid value: -1: no", "field": "spec.b"},
                {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.a"},
            ]},
        });
        let read: serde_json::Value = serde_json::from_slice(&status.to_json()).unwrap();
        assert_eq!(read, expected);
    }

    #[test]
    fn refusals_name_the_resource_as_upstream_does() {
        for (error, code, message) in [
            (StatusError::not_found(Kind::Job, "x"), 404, "jobs.batch \"x\" not found"),
            (StatusError::already_exists(Kind::Pod, "x"), 409, "pods \"x\" already exists"),
            (
                StatusError::conflict(Kind::Pod, "x", "why"),
                409,
                "Operation cannot be fulfilled on pods \"x\": why",
            ),
            (StatusError::forbidden(Kind::Pod, "x", "why"), 403, "pods \"x\" is forbidden: why"),
            (
                StatusError::invalid(Kind::Pod, "x", &[FieldError::required("a", "")]),
                422,
                "Pod \"x\" is invalid: a: Required value",
            ),
        ] {
            assert_eq!((error.reason.code(), &*error.message), (code, message));
        }
    }
}
