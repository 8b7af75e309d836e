//! Patches of the three types. The input is as in the cases of crate kinds: a line such as
//! `Pod strategic`, the object on a line, the patch below it.

use crate::{after_line, kind};
use kinds::patch::{self, PatchType};
use serde_json::Value;

pub(crate) fn fuzz(data: &[u8]) {
    let (head, rest) = after_line(data);
    let (current, patch) = after_line(rest);
    // Stored objects are objects.
    let Ok(Value::Object(object)) = serde_json::from_str(current) else { return };
    let (name, format) = head.split_once(' ').unwrap_or((head, ""));
    let kind = kind(Some(name));
    let patch_type = match format {
        "json" => PatchType::Json,
        "merge" => PatchType::Merge,
        _ => PatchType::StrategicMerge,
    };
    match patch::apply(kind, patch_type, patch, current.as_bytes()) {
        Ok(json) => drop(serde_json::from_slice::<Value>(&json).expect("the result is JSON")),
        Err(error) => assert!(error.reason.code() < 500, "{error}"),
    }
    // And the patch that a client makes of two versions leads from one to the other.
    if let Ok(Value::Object(wanted)) = serde_json::from_slice(patch) {
        let live = Value::Object(object).to_string();
        let wanted = Value::Object(wanted).to_string();
        let made = patch::three_way(kind, None, wanted.as_bytes(), live.as_bytes());
        drop(patch::apply(kind, PatchType::StrategicMerge, &made, live.as_bytes()));
    }
}
