//! Environment of a container: `env` and `envFrom`.

use super::{
    downward::{self, Place},
    meta::push_all,
};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::core::v1::{EnvFromSource, EnvVar, EnvVarSource},
    validate,
};

/// Fields of the pod that a variable may show.
const FIELD_PATHS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Everything wrong with `env`.
pub(super) fn check(vars: &[EnvVar], at: Path<'_>, errors: &mut FieldErrors) {
    for (i, var) in vars.iter().enumerate() {
        let at = at.index(i);
        if var.name.is_empty() {
            errors.push(FieldError::required(at.field("name"), ""));
        }
        push_all(errors, at.field("name"), &var.name, validate::env_name(&var.name));
        if let Some(source) = &var.value_from {
            value_from(source, var.value.as_deref(), at.field("valueFrom"), errors);
        }
    }
}

fn value_from(source: &EnvVarSource, value: Option<&str>, at: Path<'_>, errors: &mut FieldErrors) {
    if let Some(reference) = &source.field_ref {
        downward::field_ref(reference, &FIELD_PATHS, at.field("fieldRef"), errors);
    }
    if let Some(reference) = &source.resource_field_ref {
        let at = at.field("resourceFieldRef");
        downward::resource_field_ref(reference, Place::Variable, at, errors);
    }
    if let Some(reference) = &source.config_map_key_ref {
        key_ref(&reference.name, &reference.key, at.field("configMapKeyRef"), errors);
    }
    if let Some(reference) = &source.secret_key_ref {
        key_ref(&reference.name, &reference.key, at.field("secretKeyRef"), errors);
    }
    let count = [
        source.field_ref.is_some(),
        source.resource_field_ref.is_some(),
        source.config_map_key_ref.is_some(),
        source.secret_key_ref.is_some(),
        source.file_key_ref.is_some(),
    ]
    .into_iter()
    .filter(|set| *set)
    .count();
    let text = if count == 0 {
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
    } else if value.is_some_and(|v| !v.is_empty()) {
        "may not be specified when `value` is not empty"
    } else if count > 1 {
        "may not have more than one field specified at a time"
    } else {
        return;
    };
    errors.push(FieldError::invalid(at, "", text));
}

fn key_ref(name: &str, key: &str, at: Path<'_>, errors: &mut FieldErrors) {
    push_all(errors, at.field("name"), name, validate::dns_subdomain(name));
    match key {
        "" => errors.push(FieldError::required(at.field("key"), "")),
        key => push_all(errors, at.field("key"), key, validate::config_key(key)),
    }
}

/// Everything wrong with `envFrom`.
pub(super) fn check_from(sources: &[EnvFromSource], at: Path<'_>, errors: &mut FieldErrors) {
    for (i, source) in sources.iter().enumerate() {
        let item = at.index(i);
        if let Some(prefix) = &source.prefix {
            push_all(errors, item.field("prefix"), prefix, validate::env_name(prefix));
        }
        let config_map = source.config_map_ref.as_ref().map(|r| ("configMapRef", &r.name));
        let secret = source.secret_ref.as_ref().map(|r| ("secretRef", &r.name));
        for (field, name) in config_map.iter().chain(&secret) {
            let reference = item.field(field);
            match name.as_str() {
                "" => errors.push(FieldError::required(reference.field("name"), "")),
                name => {
                    push_all(errors, reference.field("name"), name, validate::dns_subdomain(name));
                }
            }
        }
        let text = match (config_map.is_some(), secret.is_some()) {
            (false, false) => "must specify one of: `configMapRef` or `secretRef`",
            (true, true) => "may not have more than one field specified at a time",
            _ => continue,
        };
        errors.push(FieldError::invalid(at, "", text));
    }
}
