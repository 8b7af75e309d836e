//! What a pod tells its containers about itself, in variables and in files: the downward API.

use std::{collections::BTreeMap, fmt::Write as _};

use kinds::{
    quantity::Quantity,
    types::core::v1::{Container, Pod, PodSpec, ResourceFieldSelector},
};

use crate::{
    Config,
    start::{limit, request},
};

/// A field of the pod's metadata; `None` if the path names none.
pub(crate) fn metadata(pod: &Pod, uid: &str, path: &str) -> Option<String> {
    let meta = &pod.metadata;
    Some(match path {
        "metadata.name" => meta.name.clone().unwrap_or_default(),
        "metadata.namespace" => meta.namespace.clone().unwrap_or_default(),
        "metadata.uid" => uid.to_owned(),
        "metadata.labels" => lines(meta.labels.as_ref()),
        "metadata.annotations" => lines(meta.annotations.as_ref()),
        _ => {
            let labels = subscript(path, "metadata.labels").map(|key| (&meta.labels, key));
            let annotations =
                || subscript(path, "metadata.annotations").map(|key| (&meta.annotations, key));
            let (map, key) = labels.or_else(annotations)?;
            map.as_ref().and_then(|map| map.get(key)).cloned().unwrap_or_default()
        }
    })
}

/// `k` of `metadata.labels['k']`.
fn subscript<'a>(path: &'a str, map: &str) -> Option<&'a str> {
    path.strip_prefix(map)?.strip_prefix("['")?.strip_suffix("']")
}

/// `key="value"` on a line each, in the order of the keys, with no end of line after the last.
fn lines(map: Option<&BTreeMap<String, String>>) -> String {
    let mut text = String::new();
    for (key, value) in map.into_iter().flatten() {
        let end = if text.is_empty() { "" } else { "\n" };
        write!(text, "{end}{key}={}", kinds::quote(value)).expect("text takes text");
    }
    text
}

/// A request or limit divided by the divisor, rounded up; of `own` unless the selector names a
/// container. Where a container has no limit, the node's allocatable amount is the limit.
pub(crate) fn resource(
    spec: &PodSpec,
    own: Option<&Container>,
    selector: &ResourceFieldSelector,
    config: &Config,
) -> Result<String, String> {
    let name = selector.container_name.as_deref().unwrap_or_default();
    let mut all = spec.init_containers.iter().flatten().chain(&spec.containers);
    let container = match own.filter(|_| name.is_empty()) {
        Some(own) => own,
        None => all
            .find(|container| container.name == name)
            .ok_or_else(|| format!("container {name} not found"))?,
    };
    let unsupported = || format!("unsupported container resource : {}", selector.resource);
    let (list, name) = selector.resource.split_once('.').ok_or_else(unsupported)?;
    let node = match name {
        "cpu" => Quantity::from_milli(config.cpu_milli),
        "memory" => Quantity::from_bytes(config.memory_bytes),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_lines_with_quoted_values() {
        let map = BTreeMap::from([
            ("b".to_owned(), "two\nlines \"quoted\"".to_owned()),
            ("a".to_owned(), String::new()),
        ]);
        assert_eq!(lines(Some(&map)), "a=\"\"\nb=\"two\\nlines \\\"quoted\\\"\"");
        assert_eq!(lines(None), "");
    }
}
