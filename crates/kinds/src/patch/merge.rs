//! Merge patch, RFC 7386: objects merge, null takes away, everything else replaces.

use serde_json::{Map, Value};

/// Merges a patch into an object.
pub(super) fn apply(
    mut current: Map<String, Value>,
    patch: Map<String, Value>,
) -> Map<String, Value> {
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
