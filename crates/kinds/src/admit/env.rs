//! Environment of a container: `env` and `envFrom`.

use super::meta::push_all;
use crate::{
    FieldError, FieldErrors,
    path::Path,
    quantity::Quantity,
    types::core::v1::{
        EnvFromSource, EnvVar, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector,
    },
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

/// Resources of a container that a variable may show.
const RESOURCE_FIELDS: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
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
        field_ref(reference, at.field("fieldRef"), errors);
    }
    if let Some(reference) = &source.resource_field_ref {
        resource_field_ref(reference, at.field("resourceFieldRef"), errors);
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

fn field_ref(reference: &ObjectFieldSelector, at: Path<'_>, errors: &mut FieldErrors) {
    let path = reference.field_path.as_str();
    let field = at.field("fieldPath");
    let subscript = path.strip_suffix("']").and_then(|p| p.split_once("['"));
    match (reference.api_version.as_deref().unwrap_or_default(), subscript) {
        ("", _) => errors.push(FieldError::required(at.field("apiVersion"), "")),
        (_, _) if path.is_empty() => errors.push(FieldError::required(field, "")),
        (version, _) if version != "v1" => {
            let text = format!("error converting fieldPath: unsupported pod version: {version}");
            errors.push(FieldError::invalid(field, path, text));
        }
        (_, Some(("metadata.annotations", key))) => {
            push_all(
                errors,
                at,
                &key.to_lowercase(),
                validate::qualified_name(&key.to_lowercase()),
            );
        }
        (_, Some(("metadata.labels", key))) => {
            push_all(errors, at, key, validate::qualified_name(key));
        }
        (_, None) if FIELD_PATHS.contains(&path) => {}
        (_, None) if matches!(path, "metadata.labels" | "metadata.annotations") => {
            errors.push(FieldError::not_supported(field, path, &FIELD_PATHS));
        }
        _ => {
            let text = format!("error converting fieldPath: field label not supported: {path}");
            errors.push(FieldError::invalid(field, path, text));
        }
    }
}

fn resource_field_ref(reference: &ResourceFieldSelector, at: Path<'_>, errors: &mut FieldErrors) {
    let resource = reference.resource.as_str();
    if resource.is_empty() {
        errors.push(FieldError::required(at.field("resource"), ""));
    } else if !RESOURCE_FIELDS.contains(&resource) {
        errors.push(FieldError::not_supported(at.field("resource"), resource, &RESOURCE_FIELDS));
    }
    let divisor = reference.divisor.as_ref().and_then(|q| Quantity::parse(&q.0).ok());
    let Some(divisor) = divisor.filter(|d| d.milli() != 0) else { return };
    let cpu = ["1m", "1"];
    let bytes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let text = divisor.to_string();
    let allowed = |list: &[&str]| list.contains(&&*text);
    let wrong = match resource.split_once('.') {
        Some((_, "cpu")) if !allowed(&cpu) => {
            "only divisor's values 1m and 1 are supported with the cpu resource"
        }
        Some((_, "memory")) if !allowed(&bytes) => {
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource"
        }
        Some((_, "ephemeral-storage")) if !allowed(&bytes) => {
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource"
        }
        _ => return,
    };
    errors.push(FieldError::invalid(at.field("divisor"), resource, wrong));
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
