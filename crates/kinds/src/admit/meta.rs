//! `metadata`: what every object must have, and what an update may change of it.

use std::collections::BTreeMap;

use crate::{
    Draft, FieldError, FieldErrors, Kind,
    metav1::{LabelSelector, ObjectMeta},
    path::Path,
    validate,
};

/// Most bytes of all annotations of an object together, keys included.
pub(crate) const ANNOTATION_BYTES_MAX: usize = 256 << 10;

/// Finalizers that need no domain.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// Pushes an `Invalid value` for each of the texts.
pub(super) fn push_all(
    errors: &mut FieldErrors,
    at: Path<'_>,
    value: &str,
    texts: impl IntoIterator<Item = String>,
) {
    errors.extend(texts.into_iter().map(|text| FieldError::invalid(at, value, text)));
}

fn name_form(kind: Kind, name: &str) -> Vec<String> {
    match kind {
        Kind::Namespace | Kind::Service => validate::dns_label(name),
        _ => validate::dns_subdomain(name),
    }
}

/// Everything wrong with the metadata of a new or changed object.
pub(super) fn check(draft: &Draft, errors: &mut FieldErrors) {
    let (meta, kind) = (&draft.metadata, draft.kind);
    let at = Path::top("metadata");
    if let Some(base) = meta.generate_name.as_deref().filter(|base| !base.is_empty()) {
        let whole = base.strip_suffix('-').map_or_else(|| base.to_owned(), |b| format!("{b}a"));
        push_all(errors, at.field("generateName"), base, name_form(kind, &whole));
    }
    match meta.name.as_deref().unwrap_or_default() {
        "" => {
            errors.push(FieldError::required(at.field("name"), "name or generateName is required"))
        }
        name => push_all(errors, at.field("name"), name, name_form(kind, name)),
    }
    match (kind.info().namespaced, meta.namespace.as_deref().unwrap_or_default()) {
        (true, "") => errors.push(FieldError::required(at.field("namespace"), "")),
        (true, name) => push_all(errors, at.field("namespace"), name, validate::dns_label(name)),
        (false, "") => {}
        (false, _) => {
            let text = "not allowed on this type";
            errors.push(FieldError::forbidden(at.field("namespace"), text));
        }
    }
    labels(meta.labels.as_ref(), at.field("labels"), errors);
    annotations(meta.annotations.as_ref(), at.field("annotations"), errors);
    owners(meta, at.field("ownerReferences"), errors);
    for name in meta.finalizers.iter().flatten() {
        finalizer(name, at.field("finalizers"), errors);
    }
}

/// The name of a finalizer.
pub(super) fn finalizer(name: &str, at: Path<'_>, errors: &mut FieldErrors) {
    push_all(errors, at, name, validate::qualified_name(name));
    if !name.contains('/') && !STANDARD_FINALIZERS.contains(&name) {
        let text = "name is neither a standard finalizer name nor is it fully qualified";
        errors.push(FieldError::invalid(at, name, text));
    }
}

/// Keys and values of labels.
pub(super) fn labels(
    labels: Option<&BTreeMap<String, String>>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    for (key, value) in labels.into_iter().flatten() {
        push_all(errors, at, key, validate::qualified_name(key));
        push_all(errors, at, value, validate::label_value(value));
    }
}

/// Keys and total size of annotations.
pub(super) fn annotations(
    annotations: Option<&BTreeMap<String, String>>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let mut bytes = 0;
    for (key, value) in annotations.into_iter().flatten() {
        push_all(errors, at, key, validate::qualified_name(&key.to_lowercase()));
        bytes += key.len() + value.len();
    }
    if bytes > ANNOTATION_BYTES_MAX {
        errors.push(FieldError::too_long(at, ANNOTATION_BYTES_MAX));
    }
}

fn owners(meta: &ObjectMeta, at: Path<'_>, errors: &mut FieldErrors) {
    let owners = meta.owner_references.as_deref().unwrap_or_default();
    for (i, owner) in owners.iter().enumerate() {
        let at = at.index(i);
        for (field, value) in [
            ("apiVersion", &owner.api_version),
            ("kind", &owner.kind),
            ("name", &owner.name),
            ("uid", &owner.uid),
        ] {
            if value.is_empty() {
                let text = if field == "apiVersion" {
                    "version must not be empty"
                } else {
                    "must not be empty"
                };
                errors.push(FieldError::invalid(at.field(field), "", text));
            }
        }
        if owner.kind == "Event" && owner.api_version == "v1" {
            let text = "/v1, Kind=Event is disallowed from being an owner";
            errors.push(FieldError::invalid(at, serde_json::json!(owner), text));
        }
    }
    let controllers: Vec<&str> =
        owners.iter().filter(|o| o.controller == Some(true)).map(|o| &*o.name).collect();
    if let [first, second, ..] = controllers.as_slice() {
        let text = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {second}"
        );
        errors.push(FieldError::invalid(at, serde_json::json!(owners), text));
    }
}

/// A label selector of a spec.
pub(super) fn label_selector(selector: &LabelSelector, at: Path<'_>, errors: &mut FieldErrors) {
    labels(selector.match_labels.as_ref(), at.field("matchLabels"), errors);
    for (i, expression) in selector.match_expressions.iter().flatten().enumerate() {
        let list = at.field("matchExpressions");
        let at = list.index(i);
        let values = expression.values.as_deref().unwrap_or_default();
        match expression.operator.as_str() {
            "In" | "NotIn" if values.is_empty() => {
                let text = "must be specified when `operator` is 'In' or 'NotIn'";
                errors.push(FieldError::required(at.field("values"), text));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.push(FieldError::forbidden(at.field("values"), text));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                let text = "not a valid selector operator";
                errors.push(FieldError::invalid(at.field("operator"), other, text));
            }
        }
        push_all(
            errors,
            at.field("key"),
            &expression.key,
            validate::qualified_name(&expression.key),
        );
        for (i, value) in values.iter().enumerate() {
            push_all(errors, at.field("values").index(i), value, validate::label_value(value));
        }
    }
}

/// Takes back from the old object what a client may not change, then says what it tried to change
/// of the rest.
pub(super) fn update(old: &ObjectMeta, draft: &mut Draft, errors: &mut FieldErrors) {
    let new = &mut draft.metadata;
    new.creation_timestamp.clone_from(&old.creation_timestamp);
    new.deletion_timestamp.clone_from(&old.deletion_timestamp);
    new.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    new.generation = old.generation;
    new.self_link = None;
    if new.uid.as_deref().unwrap_or_default().is_empty() {
        new.uid.clone_from(&old.uid);
    }
    if new.namespace.is_none() {
        new.namespace.clone_from(&old.namespace);
    }
    let at = Path::top("metadata");
    for (field, before, after) in [
        ("name", &old.name, &new.name),
        ("namespace", &old.namespace, &new.namespace),
        ("uid", &old.uid, &new.uid),
    ] {
        if before != after {
            errors.push(FieldError::immutable(at.field(field), after));
        }
    }
    let had = old.finalizers.as_deref().unwrap_or_default();
    let added: Vec<String> = new
        .finalizers
        .iter()
        .flatten()
        .filter(|f| !had.contains(f))
        .map(|f| format!("{f:?}"))
        .collect();
    if old.deletion_timestamp.is_some() && !added.is_empty() {
        let text = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            added.join(", ")
        );
        errors.push(FieldError::forbidden(at.field("finalizers"), text));
    }
}
