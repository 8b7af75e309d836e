//! Values that come from elsewhere: fields of the pod, resources of a container, keys of ConfigMaps
//! and Secrets.

use std::collections::BTreeMap;

use kinds::{
    Key, Kind,
    quantity::Quantity,
    types::core::v1::{EnvVarSource, ResourceFieldSelector},
};

use crate::start::{Attempt, limit, request};

/// The value of a reference; `None` if it is optional and not there.
pub(super) fn value(attempt: &Attempt, source: &EnvVarSource) -> Result<Option<String>, String> {
    let namespace = attempt.namespace();
    if let Some(field) = &source.field_ref {
        return self::field(attempt, &field.field_path).map(Some);
    }
    if let Some(resource) = &source.resource_field_ref {
        return self::resource(attempt, resource).map(Some);
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

/// A field of the pod. Addresses are empty while pods have none.
fn field(attempt: &Attempt, path: &str) -> Result<String, String> {
    let meta = &attempt.pod.metadata;
    let (spec, _) = attempt.specs();
    let ips = &attempt.config.host_ips;
    let host_network = spec.host_network == Some(true);
    let text = match path {
        "metadata.name" => attempt.pod_name().to_owned(),
        "metadata.namespace" => attempt.namespace().to_owned(),
        "metadata.uid" => attempt.uid.to_owned(),
        "spec.nodeName" => attempt.config.node_name.clone(),
        "spec.serviceAccountName" => spec.service_account_name.clone().unwrap_or_default(),
        "status.hostIP" => ips.first().cloned().unwrap_or_default(),
        "status.hostIPs" => ips.join(","),
        "status.podIP" if host_network => ips.first().cloned().unwrap_or_default(),
        "status.podIPs" if host_network => ips.join(","),
        "status.podIP" | "status.podIPs" => String::new(),
        _ => {
            let (map, key) = if let Some(key) = subscript(path, "metadata.labels") {
                (&meta.labels, key)
            } else if let Some(key) = subscript(path, "metadata.annotations") {
                (&meta.annotations, key)
            } else {
                return Err(format!("unsupported fieldPath: {path}"));
            };
            map.as_ref().and_then(|map| map.get(key)).cloned().unwrap_or_default()
        }
    };
    Ok(text)
}

/// `k` of `metadata.labels['k']`.
fn subscript<'a>(path: &'a str, map: &str) -> Option<&'a str> {
    path.strip_prefix(map)?.strip_prefix("['")?.strip_suffix("']")
}

/// A request or limit divided by the divisor, rounded up. Where a container has no limit, the
/// node's allocatable amount is the limit.
fn resource(attempt: &Attempt, selector: &ResourceFieldSelector) -> Result<String, String> {
    let (spec, own) = attempt.specs();
    let container = match selector.container_name.as_deref().filter(|name| !name.is_empty()) {
        None => own,
        Some(name) => spec
            .containers
            .iter()
            .find(|c| c.name == name)
            .ok_or_else(|| format!("container {name} not found"))?,
    };
    let unsupported = || format!("unsupported container resource : {}", selector.resource);
    let (list, name) = selector.resource.split_once('.').ok_or_else(unsupported)?;
    let node = match name {
        "cpu" => Quantity::from_milli(attempt.config.cpu_milli),
        "memory" => Quantity::from_bytes(attempt.config.memory_bytes),
        "ephemeral-storage" => Quantity::from_bytes(0),
        _ if name.starts_with("hugepages-") => Quantity::from_bytes(0),
        _ => return Err(unsupported()),
    };
    let amount = match list {
        "limits" => limit(container, name).unwrap_or(node),
        "requests" => request(container, name)
            .or_else(|| limit(container, name))
            .unwrap_or_else(|| Quantity::from_bytes(0)),
        _ => return Err(unsupported()),
    };
    let divisor = selector.divisor.as_ref().and_then(|d| Quantity::parse(&d.0).ok());
    // In thousandths, so that a divisor of 1m works for cpu.
    let divisor = divisor.map_or(1000, Quantity::milli);
    let divisor = if divisor == 0 { 1000 } else { divisor };
    let milli = i128::from(amount.milli());
    Ok(((milli + i128::from(divisor) - 1) / i128::from(divisor)).to_string())
}
