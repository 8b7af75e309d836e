//! The small kinds: Namespace, ConfigMap, Secret, RuntimeClass, Node, Event.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;

use super::meta::push_all;
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::{
        core::v1::{
            ConfigMap, Event, Namespace, NamespaceSpec, NamespaceStatus, NodeStatus, Secret,
        },
        node::v1::RuntimeClass,
    },
    validate,
};

/// Most bytes of the data of one ConfigMap or Secret.
const DATA_BYTES_MAX: usize = 1 << 20;

/// Label by which selectors of namespaces find one by its name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// The type of a Secret that names none.
const OPAQUE: &str = "Opaque";

/// Finalizer, label and phase that every namespace has.
pub(super) fn new_namespace(namespace: &mut Namespace) {
    let name = namespace.metadata.name.clone().unwrap_or_default();
    namespace.metadata.labels.get_or_insert_default().insert(NAME_LABEL.to_owned(), name);
    let spec = NamespaceSpec { finalizers: Some(vec!["kubernetes".to_owned()]) };
    namespace.spec = Some(spec);
    let phase = Some("Active".to_owned());
    namespace.status = Some(NamespaceStatus { phase, conditions: None });
}

/// Everything can be allocated unless the node says otherwise.
pub(super) fn node_defaults(status: &mut NodeStatus) {
    if status.allocatable.is_none() {
        status.allocatable.clone_from(&status.capacity);
    }
}

fn config_keys<'a>(keys: impl Iterator<Item = &'a String>, field: &str, errors: &mut FieldErrors) {
    for key in keys {
        push_all(errors, Path::top(field).key(key), key, validate::config_key(key));
    }
}

/// Everything wrong with a ConfigMap.
pub(super) fn check_config_map(map: &ConfigMap, errors: &mut FieldErrors) {
    config_keys(map.data.iter().flat_map(BTreeMap::keys), "data", errors);
    config_keys(map.binary_data.iter().flat_map(BTreeMap::keys), "binaryData", errors);
    let (data, binary) = (map.data.iter().flatten(), map.binary_data.iter().flatten());
    for (key, _) in data.clone() {
        if map.binary_data.as_ref().is_some_and(|binary| binary.contains_key(key)) {
            let at = Path::top("data");
            let text = "duplicate of key present in binaryData";
            errors.push(FieldError::invalid(at.key(key), key.as_str(), text));
        }
    }
    let bytes =
        data.map(|(_, v)| v.len()).sum::<usize>() + binary.map(|(_, v)| v.0.len()).sum::<usize>();
    if bytes > DATA_BYTES_MAX {
        errors.push(FieldError::too_long("[]", DATA_BYTES_MAX));
    }
}

/// What may not change of an immutable ConfigMap.
pub(super) fn check_config_map_update(old: &ConfigMap, new: &ConfigMap, errors: &mut FieldErrors) {
    let changed =
        [("data", old.data != new.data), ("binaryData", old.binary_data != new.binary_data)];
    immutable(old.immutable, new.immutable, &changed, errors);
}

fn immutable(
    old: Option<bool>,
    new: Option<bool>,
    changed: &[(&str, bool)],
    errors: &mut FieldErrors,
) {
    if old != Some(true) {
        return;
    }
    let text = "field is immutable when `immutable` is set";
    if new != Some(true) {
        errors.push(FieldError::forbidden("immutable", text));
    }
    for (field, _) in changed.iter().filter(|(_, changed)| *changed) {
        errors.push(FieldError::forbidden(*field, text));
    }
}

/// Gives a type, and puts `stringData` into `data`.
pub(super) fn secret_defaults(secret: &mut Secret) {
    super::container::fill(&mut secret.type_, OPAQUE);
    for (key, text) in secret.string_data.take().into_iter().flatten() {
        secret.data.get_or_insert_default().insert(key, ByteString(text.into_bytes()));
    }
}

/// Everything wrong with a Secret.
pub(super) fn check_secret(secret: &Secret, errors: &mut FieldErrors) {
    config_keys(secret.data.iter().flat_map(BTreeMap::keys), "data", errors);
    let bytes: usize = secret.data.iter().flatten().map(|(_, v)| v.0.len()).sum();
    if bytes > DATA_BYTES_MAX {
        errors.push(FieldError::too_long("data", DATA_BYTES_MAX));
    }
    let has = |key: &str| secret.data.as_ref().is_some_and(|data| data.contains_key(key));
    let needed: &[&str] = match secret.type_.as_deref().unwrap_or_default() {
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            &["username", "password"]
        }
        _ => &[],
    };
    for key in needed.iter().filter(|key| !has(key)) {
        errors.push(FieldError::required(Path::top("data").key(key), ""));
    }
}

/// What may not change of a Secret.
pub(super) fn check_secret_update(old: &Secret, new: &Secret, errors: &mut FieldErrors) {
    if old.type_ != new.type_ {
        errors.push(FieldError::immutable("type", &new.type_));
    }
    immutable(old.immutable, new.immutable, &[("data", old.data != new.data)], errors);
}

/// Everything wrong with a RuntimeClass.
pub(super) fn check_runtime_class(class: &RuntimeClass, errors: &mut FieldErrors) {
    let handler = class.handler.as_str();
    push_all(errors, Path::top("handler"), handler, validate::dns_label(handler));
}

/// The handler of a RuntimeClass stays.
pub(super) fn check_runtime_class_update(
    old: &RuntimeClass,
    new: &RuntimeClass,
    errors: &mut FieldErrors,
) {
    if old.handler != new.handler {
        errors.push(FieldError::immutable("handler", &new.handler));
    }
}

/// Everything wrong with an Event.
pub(super) fn check_event(event: &Event, errors: &mut FieldErrors) {
    let about = event.involved_object.namespace.as_deref().unwrap_or_default();
    if !about.is_empty() && event.metadata.namespace.as_deref() != Some(about) {
        let text = "does not match event.namespace";
        errors.push(FieldError::invalid("involvedObject.namespace", about, text));
    }
}
