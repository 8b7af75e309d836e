//! Values that come from elsewhere: fields of the pod, resources of a container, keys of ConfigMaps
//! and Secrets.

use std::collections::BTreeMap;

use kinds::{Key, Kind, types::core::v1::EnvVarSource};
use spawner::protocol::AddressWords;

use crate::{downward, start::Attempt};

/// The value of a reference; `None` if it is optional and not there.
pub(super) fn value(attempt: &Attempt, source: &EnvVarSource) -> Result<Option<String>, String> {
    let namespace = attempt.namespace();
    if let Some(field) = &source.field_ref {
        return self::field(attempt, &field.field_path).map(Some);
    }
    if let Some(resource) = &source.resource_field_ref {
        let (spec, own) = attempt.specs();
        return downward::resource(spec, Some(own), resource, attempt.config).map(Some);
    }
    if let Some(from) = &source.config_map_key_ref {
        let key = Key::new(Kind::ConfigMap, namespace, &from.name);
        return entry(attempt, &key, &from.key, from.optional == Some(true));
    }
    if let Some(from) = &source.secret_key_ref {
        let key = Key::new(Kind::Secret, namespace, &from.name);
        return entry(attempt, &key, &from.key, from.optional == Some(true));
    }
    Err("this kind of valueFrom does not work yet".to_owned())
}

/// The contents of a ConfigMap or Secret, if it exists.
pub(crate) fn data(attempt: &Attempt, key: &Key) -> Option<BTreeMap<String, Vec<u8>>> {
    crate::volumes::contents(attempt.objects, key)
}

/// `configmap "c" not found`
pub(crate) fn not_found(key: &Key) -> String {
    format!("{} \"{}\" not found", key.kind.info().singular, key.name)
}

fn entry(
    attempt: &Attempt,
    key: &Key,
    name: &str,
    optional: bool,
) -> Result<Option<String>, String> {
    let Some(data) = data(attempt, key) else {
        return if optional { Ok(None) } else { Err(not_found(key)) };
    };
    match data.get(name) {
        Some(value) => Ok(Some(String::from_utf8_lossy(value).into_owned())),
        None if optional => Ok(None),
        None => {
            let kind = key.kind.info().name;
            Err(format!("couldn't find key {name} in {kind} {}/{}", key.namespace, key.name))
        }
    }
}

/// What stands in place of the addresses of the pod's own network, if the container wants to know
/// them: they are given while it starts.
pub(crate) fn address_words(attempt: &Attempt) -> Option<AddressWords> {
    let (spec, container) = attempt.specs();
    let mut fields = container.env.iter().flatten().filter_map(|variable| {
        Some(variable.value_from.as_ref()?.field_ref.as_ref()?.field_path.as_str())
    });
    let wanted = fields.any(|path| matches!(path, "status.podIP" | "status.podIPs"));
    (wanted && spec.host_network != Some(true)).then(|| words(attempt.uid))
}

/// Nobody knows the uid of a pod before it is made.
fn words(uid: &str) -> AddressWords {
    AddressWords { first: format!("<podIP of {uid}>"), all: format!("<podIPs of {uid}>") }
}

/// A field of the pod.
fn field(attempt: &Attempt, path: &str) -> Result<String, String> {
    let (spec, _) = attempt.specs();
    let ips = &attempt.config.host_ips;
    let host_network = spec.host_network == Some(true);
    let text = match path {
        "spec.nodeName" => attempt.config.node_name.clone(),
        "spec.serviceAccountName" => spec.service_account_name.clone().unwrap_or_default(),
        "status.hostIP" => ips.first().cloned().unwrap_or_default(),
        "status.hostIPs" => ips.join(","),
        "status.podIP" if host_network => ips.first().cloned().unwrap_or_default(),
        "status.podIPs" if host_network => ips.join(","),
        "status.podIP" => words(attempt.uid).first,
        "status.podIPs" => words(attempt.uid).all,
        _ => downward::metadata(attempt.pod, attempt.uid, path)
            .ok_or_else(|| format!("unsupported fieldPath: {path}"))?,
    };
    Ok(text)
}
