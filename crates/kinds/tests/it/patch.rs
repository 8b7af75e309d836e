//! Patches: kind and format, the object on one line, the patch below it.

use kinds::{
    Kind,
    patch::{self, PatchType},
};

use crate::support::kind_of;

/// Answers one case.
pub(crate) fn apply(input: &str) -> String {
    let (head, rest) = input.split_once('\n').expect("a head");
    let (kind, format) = head.split_once(' ').expect("kind and format");
    let (current, patch) = rest.split_once('\n').expect("an object and a patch");
    let patched = patch::apply(kind_of(kind), named(format), patch.as_bytes(), current.as_bytes());
    match patched {
        Ok(json) => String::from_utf8(json).unwrap(),
        Err(error) => {
            let message = error.message.trim_end();
            format!("{} {:?}: {message}", error.reason.code(), error.reason)
        }
    }
}

/// Answers one case of what a client sends that applies a manifest: the kind, then a line each for
/// the manifest applied last (`-` for none), the new one and the live object. The answer is the
/// patch, and below it what becomes of the object.
pub(crate) fn three_way(input: &str) -> String {
    let lines: Vec<&str> = input.lines().collect();
    let [kind, last, wanted, live] = lines[..] else { panic!("four lines: {input}") };
    let kind = kind_of(kind);
    let last = (last != "-").then_some(last.as_bytes());
    let patch = patch::three_way(kind, last, wanted.as_bytes(), live.as_bytes());
    let result = patch::apply(kind, PatchType::StrategicMerge, &patch, live.as_bytes());
    let result = result.unwrap_or_else(|error| error.to_string().into_bytes());
    [patch, result].map(|text| String::from_utf8(text).unwrap()).join("\n")
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

/// Lists merge by looking up keys, not by comparing each item with every other.
#[test]
fn very_long_lists_merge_in_time() {
    let list = |range: std::ops::Range<usize>| -> Vec<String> {
        range.map(|n| format!("{{\"name\":\"{n}\"}}")).collect()
    };
    let json = |items: &[String]| format!("{{\"spec\":{{\"containers\":[{}]}}}}", items.join(","));
    let (current, new) = (json(&list(0..20_000)), json(&list(10_000..30_000)));
    let format = PatchType::StrategicMerge;
    let result = patch::apply(Kind::Pod, format, new.as_bytes(), current.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(result).unwrap(), json(&list(0..30_000)));
    let back =
        patch::three_way(Kind::Pod, Some(new.as_bytes()), current.as_bytes(), new.as_bytes());
    let result = patch::apply(Kind::Pod, format, &back, new.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(result).unwrap(), current);
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
