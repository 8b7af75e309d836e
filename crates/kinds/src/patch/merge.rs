//! Merge patch, RFC 7386: objects merge, null takes away, everything else replaces.

use serde_json::Value;

use super::Map;

/// Merges a patch into an object.
pub(super) fn apply(mut current: Map, patch: Map) -> Map {
    for (key, value) in patch {
        match value {
            Value::Null => {
                current.remove(&key);
            }
            Value::Object(patch) => {
                let old = match current.remove(&key) {
                    Some(Value::Object(old)) => old,
                    _ => Map::new(),
                };
                current.insert(key, Value::Object(apply(old, patch)));
            }
            value => {
                current.insert(key, value);
            }
        }
    }
    current
}
