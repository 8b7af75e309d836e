//! Finds fields of JSON objects by their names and skips the rest unread: several times quicker than
//! decoding what nobody asks for. What is looked at is known to be valid JSON.

use std::{borrow::Cow, ops::Range};

/// The text of a field's value; `None` if there is no such field.
pub(crate) fn field<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    fields(json).find(|field| field.name == name).map(|field| &json[field.value])
}

/// One field of an object.
pub(crate) struct Field<'a> {
    /// Its name.
    pub(crate) name: Cow<'a, str>,
    /// Where it begins, with the quotation mark of its name.
    pub(crate) start: usize,
    /// Where its value lies.
    pub(crate) value: Range<usize>,
}

/// The fields of an object in their order; none if the JSON is something else.
pub(crate) fn fields(json: &str) -> impl Iterator<Item = Field<'_>> {
    let bytes = json.as_bytes();
    let begin = after_space(bytes, 0);
    let mut at = if bytes.get(begin) == Some(&b'{') { begin + 1 } else { bytes.len() };
    std::iter::from_fn(move || {
        while bytes.get(at).is_some_and(|byte| *byte == b',' || byte.is_ascii_whitespace()) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let start = at;
        let end = string_end(bytes, start);
        let colon = after_space(bytes, end);
        let value = after_space(bytes, colon + 1);
        at = value_end(bytes, value);
        Some(Field { name: text(&json[start..end]), start, value: value..at })
    })
}

/// What a string in its quotation marks says.
fn text(quoted: &str) -> Cow<'_, str> {
    match quoted.contains('\\') {
        true => Cow::Owned(serde_json::from_str(quoted).unwrap_or_default()),
        false => Cow::Borrowed(quoted.trim_matches('"')),
    }
}

fn after_space(bytes: &[u8], at: usize) -> usize {
    let space = bytes.iter().skip(at).take_while(|byte| byte.is_ascii_whitespace());
    at + space.count()
}

fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + depth,
            b'}' | b']' => depth -= 1,
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_as_a_decoder_would() {
        let json = r#" { "a" : {"x":[1,{"b":"}"}],"y":"\"]"} ,"b":-1.5e3,"c\u0064":[ ] , "e":"\\",
            "f":null,"g":true} "#;
        let found: Vec<(String, serde_json::Value)> = fields(json)
            .map(|field| (field.name.into_owned(), &json[field.value]))
            .map(|(name, value)| (name, serde_json::from_str(value).unwrap()))
            .collect();
        let decoded: serde_json::Map<_, _> = serde_json::from_str(json).unwrap();
        assert_eq!(found, decoded.into_iter().collect::<Vec<_>>());
        assert_eq!(field(json, "b"), Some("-1.5e3"));
        assert_eq!(field(json, "x"), None);
        assert_eq!(&json[fields(json).nth(4).unwrap().start..][..3], "\"f\"");
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        for json in ["null", "[]", r#"[{"a":1}]"#, r#""{\"a\":1}""#, "{}", " { } "] {
            assert_eq!(fields(json).count(), 0, "{json}");
        }
    }
}
