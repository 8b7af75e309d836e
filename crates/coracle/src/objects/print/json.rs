//! JSON as Go writes it: sorted keys, four spaces of indentation, and `<`, `>`, `&` escaped. The
//! annotation of `apply` must be the same bytes whoever wrote it, so the rule is exact.

use serde::Serialize as _;
use serde_json::{Serializer, Value, ser::PrettyFormatter};

/// Indented, without a final newline.
pub(crate) fn pretty(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut writer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    value.serialize(&mut writer).expect("a tree of JSON is writable");
    escape(&String::from_utf8_lossy(&bytes))
}

/// On one line.
pub(crate) fn compact(value: &Value) -> String {
    escape(&value.to_string())
}

/// These characters stand only within strings.
fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_what_go_writes() {
        let value = json!({"b": "<a&b> é", "a": [1, {}, []]});
        assert_eq!(compact(&value), r#"{"a":[1,{},[]],"b":"\u003ca\u0026b\u003e é"}"#);
        let wanted = "{\n    \"a\": [\n        1,\n        {},\n        []\n    ],\n    \"b\": \
                      \"\\u003ca\\u0026b\\u003e é\"\n}";
        assert_eq!(pretty(&value), wanted);
    }
}
