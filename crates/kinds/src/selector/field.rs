//! Field selectors: `metadata.name=x,status.phase!=Failed`. Which fields a kind can be selected by
//! is a table; the common ones are answered from the index without touching the JSON.

use std::borrow::Cow;

use super::SelectorError;
use crate::{Facts, Kind, Object};

/// Conditions on fields; all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    field: String,
    value: String,
    equal: bool,
}

/// What a kind can be selected by.
fn fields(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pod => &[
            "metadata.name",
            "metadata.namespace",
            "spec.nodeName",
            "spec.host",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        Kind::Job => &["metadata.name", "metadata.namespace", "status.successful"],
        Kind::Event => &[
            "metadata.name",
            "metadata.namespace",
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        Kind::Namespace => &["metadata.name", "status.phase"],
        Kind::Node => &["metadata.name", "spec.unschedulable"],
        Kind::Secret => &["metadata.name", "metadata.namespace", "type"],
        Kind::Service => &["metadata.name", "metadata.namespace", "spec.clusterIP", "spec.type"],
        _ => GENERAL,
    }
}

/// What every kind without fields of its own can be selected by.
const GENERAL: &[&str] = &["metadata.name", "metadata.namespace"];

impl FieldSelector {
    /// Reads the query form for a kind. Empty selects everything.
    ///
    /// # Errors
    /// [`SelectorError::Fields`] for a text that is no list of terms,
    /// [`SelectorError::Unsupported`] for a field the kind cannot be selected by.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, SelectorError> {
        let mut terms = Vec::new();
        for part in split(text, ',').into_iter().filter(|part| !part.is_empty()) {
            let term = term(part).ok_or_else(|| SelectorError::Fields {
                selector: text.to_owned(),
                part: part.to_owned(),
            })?;
            if !fields(kind).contains(&&*term.field) {
                return Err(SelectorError::Unsupported(unsupported(kind, &term.field)));
            }
            terms.push(term);
        }
        Ok(Self { terms })
    }

    /// Whether every object matches.
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// The name, if the selector asks for exactly one.
    pub fn name(&self) -> Option<&str> {
        let named = self.terms.iter().find(|t| t.equal && t.field == "metadata.name");
        named.map(|t| &*t.value)
    }

    /// Whether the object is meant.
    pub fn matches(&self, object: &Object) -> bool {
        self.terms.iter().all(|t| (value(object, &t.field) == t.value) == t.equal)
    }
}

fn unsupported(kind: Kind, field: &str) -> String {
    if kind == Kind::Job {
        return format!("field label \"{field}\" not supported for Job");
    }
    if fields(kind) == GENERAL {
        return format!(
            "\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
    }
    format!("field label not supported: {field}")
}

fn value<'a>(object: &'a Object, field: &str) -> Cow<'a, str> {
    match (&object.meta.facts, field) {
        (_, "metadata.name") => Cow::Borrowed(&object.key.name),
        (_, "metadata.namespace") => Cow::Borrowed(&object.key.namespace),
        (Facts::Pod { node_name, .. }, "spec.nodeName" | "spec.host") => Cow::Borrowed(node_name),
        (Facts::Pod { phase, .. }, "status.phase") => Cow::Borrowed(phase),
        (Facts::Job { succeeded, .. }, "status.successful") => Cow::Owned(succeeded.to_string()),
        (Facts::Event { kind, .. }, "involvedObject.kind") => Cow::Borrowed(kind),
        (Facts::Event { name, .. }, "involvedObject.name") => Cow::Borrowed(name),
        (Facts::Event { uid, .. }, "involvedObject.uid") => Cow::Borrowed(uid),
        _ => Cow::Owned(read(object, field)),
    }
}

/// The field as text, read from the JSON; absent fields are empty, absent switches `false`.
fn read(object: &Object, field: &str) -> String {
    let path = match (object.key.kind, field) {
        // Accepted and never filled.
        (Kind::Pod, "status.podIPs") => return String::new(),
        (Kind::Event, "source") => "source.component",
        (_, field) => field,
    };
    let json: serde_json::Value = serde_json::from_slice(&object.json()).unwrap_or_default();
    let found = path.split('.').fold(&json, |at, step| &at[step]);
    match found {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null if matches!(field, "spec.hostNetwork" | "spec.unschedulable") => {
            "false".to_owned()
        }
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Splits at unescaped separators.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        if c == separator && !escaped {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts
}

fn term(part: &str) -> Option<Term> {
    let at = part.find(['=', '!'])?;
    let (field, rest) = part.split_at(at);
    let (operator, equal) = [("!=", false), ("==", true), ("=", true)]
        .into_iter()
        .find(|(o, _)| rest.starts_with(o))?;
    let value = unescape(&rest[operator.len()..])?;
    Some(Term { field: field.to_owned(), value, equal })
}

/// Values escape `,`, `=` and `\` with a backslash. `None` for any other escape.
fn unescape(text: &str) -> Option<String> {
    let mut value = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => value.push(letters.next().filter(|c| matches!(c, '\\' | ',' | '='))?),
            '=' => return None,
            other => value.push(other),
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Uid};

    fn pod() -> Object {
        let json = br#"{"metadata":{"name":"p","namespace":"n"},
            "spec":{"nodeName":"here","restartPolicy":"Never"},"status":{"phase":"Running"}}"#;
        let mut draft = Draft::from_json(Kind::Pod, json).unwrap();
        draft.metadata.uid = Some(Uid::from_random(1).to_string());
        draft.seal(7)
    }

    #[test]
    fn fields_select_from_index_and_json() {
        for (text, matches) in [
            ("", true),
            ("metadata.name=p,metadata.namespace==n", true),
            ("metadata.name!=p", false),
            ("spec.nodeName=here", true),
            ("spec.nodeName=", false),
            ("status.phase!=Failed,status.phase!=Succeeded", true),
            ("spec.restartPolicy=Never", true),
            ("spec.hostNetwork=false", true),
            ("status.podIP=", true),
            ("spec.host=here,status.podIPs=", true),
            ("metadata.name=a\\,b", false),
        ] {
            let selector = FieldSelector::parse(Kind::Pod, text).unwrap();
            assert_eq!(selector.matches(&pod()), matches, "{text}");
        }
        let named = FieldSelector::parse(Kind::Pod, "status.phase=X,metadata.name=p").unwrap();
        assert_eq!(named.name(), Some("p"));
    }

    #[test]
    fn what_cannot_be_selected_is_said_in_upstreams_words() {
        let error = |kind, text| FieldSelector::parse(kind, text).unwrap_err().to_string();
        assert_eq!(error(Kind::Job, "spec.x=1"), "field label \"spec.x\" not supported for Job");
        assert_eq!(error(Kind::Pod, "spec.x=1"), "field label not supported: spec.x");
        assert_eq!(
            error(Kind::ConfigMap, "data.x=1"),
            "\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        assert_eq!(
            error(Kind::Pod, "metadata.name"),
            "invalid selector: 'metadata.name'; can't understand 'metadata.name'"
        );
        assert_eq!(
            error(Kind::Node, "metadata.namespace=a"),
            "field label not supported: metadata.namespace"
        );
        assert!(FieldSelector::parse(Kind::Pod, "metadata.name=a=b").is_err());
        assert!(FieldSelector::parse(Kind::Pod, "metadata.name=a\\b").is_err());
    }
}
