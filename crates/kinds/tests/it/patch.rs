//! Patches: kind and format, the object on one line, the patch below it.

use kinds::patch::{self, PatchType};

use crate::support::kind_of;

/// Answers one case.
pub(crate) fn apply(input: &str) -> String {
    let (head, rest) = input.split_once('\n').expect("a head");
    let (kind, format) = head.split_once(' ').expect("kind and format");
    let (current, patch) = rest.split_once('\n').expect("an object and a patch");
    let patched = patch::apply(kind_of(kind), named(format), patch.as_bytes(), current.as_bytes());
    match patched {
        Ok(json) => String::from_utf8(json).unwrap(),
        Err(error) => format!("{} {:?}: {}", error.reason.code(), error.reason, error.message),
    }
}

fn named(format: &str) -> PatchType {
    match format {
        "json" => PatchType::Json,
        "merge" => PatchType::Merge,
        "strategic" => PatchType::StrategicMerge,
        "apply" => PatchType::Apply,
        other => panic!("no format {other}"),
    }
}

#[test]
fn formats_are_named_by_their_media_types() {
    for (header, format) in [
        ("application/json-patch+json", Some(PatchType::Json)),
        ("application/merge-patch+json; charset=utf-8", Some(PatchType::Merge)),
        (" Application/Strategic-Merge-Patch+JSON ", Some(PatchType::StrategicMerge)),
        ("application/apply-patch+yaml", Some(PatchType::Apply)),
        ("application/json", None),
        ("", None),
    ] {
        assert_eq!(PatchType::of_content_type(header), format, "{header}");
    }
}
