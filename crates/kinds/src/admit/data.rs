//! The kinds that hold data: ConfigMap and Secret.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;

use super::{container::fill, meta::push_all};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::core::v1::{ConfigMap, Secret},
    validate,
};

/// Most bytes of the data of one ConfigMap or Secret.
const DATA_BYTES_MAX: usize = 1 << 20;

/// The type of a Secret that names none.
const OPAQUE: &str = "Opaque";

/// What an error shows instead of a secret.
const REDACTED: &str = "<secret contents redacted>";

/// Names the account that a token in a Secret is for.
const ACCOUNT_ANNOTATION: &str = "kubernetes.io/service-account.name";

fn config_keys<'a>(keys: impl Iterator<Item = &'a String>, field: &str, errors: &mut FieldErrors) {
    for key in keys {
        push_all(errors, Path::top(field).key(key), key, validate::config_key(key));
    }
}

/// Everything wrong with a ConfigMap; one that is immutable stays.
pub(super) fn config_map(map: &mut ConfigMap, old: Option<&ConfigMap>, errors: &mut FieldErrors) {
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
    if let Some(old) = old {
        let changed =
            [("data", old.data != map.data), ("binaryData", old.binary_data != map.binary_data)];
        immutable(old.immutable, map.immutable, &changed, errors);
    }
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

/// Defaults of a Secret and everything wrong with it; its type stays, and so does an immutable one.
pub(super) fn secret(secret: &mut Secret, old: Option<&Secret>, errors: &mut FieldErrors) {
    fill(&mut secret.type_, OPAQUE);
    for (key, text) in secret.string_data.take().into_iter().flatten() {
        secret.data.get_or_insert_default().insert(key, ByteString(text.into_bytes()));
    }
    config_keys(secret.data.iter().flat_map(BTreeMap::keys), "data", errors);
    let bytes: usize = secret.data.iter().flatten().map(|(_, v)| v.0.len()).sum();
    if bytes > DATA_BYTES_MAX {
        errors.push(FieldError::too_long("data", DATA_BYTES_MAX));
    }
    typed_data(secret, errors);
    if let Some(old) = old {
        if old.type_ != secret.type_ {
            errors.push(FieldError::immutable("type", &secret.type_));
        }
        let changed = [("data", old.data != secret.data)];
        immutable(old.immutable, secret.immutable, &changed, errors);
    }
}

/// What a Secret of a known type must hold.
fn typed_data(secret: &Secret, errors: &mut FieldErrors) {
    let value = |key: &str| secret.data.as_ref().and_then(|data| data.get(key)).map(|v| &*v.0);
    let mut need = |keys: &[&str]| {
        for key in keys {
            errors.push(FieldError::required(Path::top("data").key(key), ""));
        }
    };
    match secret.type_.as_deref().unwrap_or_default() {
        "kubernetes.io/dockerconfigjson" => {
            json(value(".dockerconfigjson"), ".dockerconfigjson", errors)
        }
        "kubernetes.io/dockercfg" => json(value(".dockercfg"), ".dockercfg", errors),
        "kubernetes.io/ssh-auth" if value("ssh-privatekey").is_none_or(<[u8]>::is_empty) => {
            need(&["ssh-privatekey"]);
        }
        "kubernetes.io/tls" => {
            let keys = ["tls.crt", "tls.key"];
            keys.into_iter().filter(|key| value(key).is_none()).for_each(|key| need(&[key]));
        }
        "kubernetes.io/basic-auth" if value("username").or(value("password")).is_none() => {
            need(&["username", "password"]);
        }
        "kubernetes.io/service-account-token" => {
            let annotations = secret.metadata.annotations.as_ref();
            if annotations.and_then(|a| a.get(ACCOUNT_ANNOTATION)).is_none_or(String::is_empty) {
                let at = Path::top("metadata");
                let at = at.field("annotations");
                errors.push(FieldError::required(at.key(ACCOUNT_ANNOTATION), ""));
            }
        }
        _ => {}
    }
}

/// A value that must be there and be a JSON object.
fn json(value: Option<&[u8]>, key: &str, errors: &mut FieldErrors) {
    let at = Path::top("data");
    let Some(value) = value else {
        return errors.push(FieldError::required(at.key(key), ""));
    };
    let read = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(value);
    if let Err(error) = read {
        errors.push(FieldError::invalid(at.key(key), REDACTED, error.to_string()));
    }
}
