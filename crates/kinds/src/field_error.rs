//! What is wrong with the fields of an object, in the words clients of Kubernetes know: as
//! `k8s.io/apimachinery/pkg/util/validation/field` shapes them.

use std::fmt;

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
        let value = match value.into() {
            text @ serde_json::Value::String(_) => text.to_string(),
            other => escaped(&other.to_string()),
        };
        let (path, detail) = (path.into(), detail.into());
        Self { kind: FieldErrorKind::Invalid, path, value: Some(value), detail }
    }

    /// As [`invalid`](Self::invalid), with the value as it is to be printed: JSON.
    pub(crate) fn invalid_printed(
        path: impl Into<String>,
        value: String,
        detail: impl Into<String>,
    ) -> Self {
        Self { value: Some(escaped(&value)), ..Self::invalid_whole(path, detail) }
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
            value: Some(escaped(&value.into().to_string())),
            detail,
        }
    }
}

/// JSON as Go writes it, so that it could stand in a page of HTML.
fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_error_prints_its_value_as_upstream_does() {
        for (error, text) in [
            (FieldError::required("a.b", ""), "a.b: Required value"),
            (FieldError::required("a", "when c"), "a: Required value: when c"),
            (FieldError::invalid("a", 3, "no"), "a: Invalid value: 3: no"),
            (FieldError::invalid("a", "x\"y", "no"), r#"a: Invalid value: "x\"y": no"#),
            (
                FieldError::invalid("a", json!({"b": [1]}), "no"),
                r#"a: Invalid value: {"b":[1]}: no"#,
            ),
            (
                FieldError::invalid("a", json!(["<&>"]), "no"),
                r#"a: Invalid value: ["\u003c\u0026\u003e"]: no"#,
            ),
            (FieldError::invalid("a", "<&>", "no"), r#"a: Invalid value: "<&>": no"#),
            (FieldError::invalid_whole("a", "no"), "a: Invalid value: no"),
            (FieldError::forbidden("a", "no"), "a: Forbidden: no"),
            (
                FieldError::not_supported("a", "x", &["A", "B"]),
                r#"a: Unsupported value: "x": supported values: "A", "B""#,
            ),
            (FieldError::duplicate("a", "x"), r#"a: Duplicate value: "x""#),
            (FieldError::not_found("a", "x"), r#"a: Not found: "x""#),
            (FieldError::too_long("a", 5), "a: Too long: may not be more than 5 bytes"),
            (FieldError::too_many("a", 6, 5), "a: Too many: 6: must have at most 5 items"),
            (FieldError::immutable("a", &Some(1)), "a: Invalid value: 1: field is immutable"),
            (
                FieldError::immutable("a", &None::<i32>),
                "a: Invalid value: null: field is immutable",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
