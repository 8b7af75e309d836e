//! What goes wrong with a request: in its letters, its bytes, or its structure.

use serde_json::Value;

/// Pieces that parsers stumble over.
const PIECES: &[&str] = &[
    "null",
    "{}",
    "[]",
    "-1",
    "9223372036854775808",
    "1e999",
    "\"\"",
    "\\u0000",
    "%00",
    "%ff",
    "%",
    "..",
    "/",
    "//",
    "?",
    "&",
    "=",
    "true",
    "é",
    ",",
    "\"metadata\":",
    "{\"a\":",
    "status",
    "NaN",
    "&dryRun=All",
    "&fieldValidation=Strict",
    "*x",
    "&x ",
    "<<: ",
    "!!binary ",
];

/// Values where others belong.
const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "2147483648",
    "9223372036854775808",
    "-1e400",
    "0.1",
    "\"\"",
    "\"a/b\"",
    "\"\\u0000\"",
    "\"../..\"",
    "\"2026-01-01T00:00:00Z\"",
    "\"9223372036854775807\"",
    "\"-1Ei\"",
    "[]",
    "{}",
    "[null]",
    "{\"\":null}",
    "[{\"name\":\"c\"},{\"name\":\"c\"}]",
    "{\"$patch\":\"delete\"}",
    "{\"$patch\":\"replace\",\"$retainKeys\":[\"a\"]}",
    "[{\"$patch\":\"replace\"}]",
    "{\"$setElementOrder/containers\":[{}]}",
    "{\"metadata\":{},\"metadata\":{}}",
];

/// Lists in lists and maps in maps, this deep.
const DEEP: usize = 3_000;

pub(super) fn mutated_body(random: &mut fastrand::Rng, body: &[u8]) -> Vec<u8> {
    match (random.u8(0..4), serde_json::from_slice::<Value>(body), std::str::from_utf8(body)) {
        (0 | 1, Ok(json), _) => mutated_structure(random, json).into_bytes(),
        (2, _, Ok(text)) => mutated_text(random, text).into_bytes(),
        _ => mutated_bytes(random, body),
    }
}

pub(super) fn mutated_text(random: &mut fastrand::Rng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(0..=letters.len());
        let until = (at + random.usize(0..12)).min(letters.len());
        match random.u8(0..4) {
            0 => drop(letters.drain(at..until)),
            1 => {
                let copied = letters[at..until].to_vec();
                letters.splice(at..at, copied);
            }
            2 => {
                let piece = random.choice(PIECES).unwrap();
                letters.splice(at..until, piece.chars());
            }
            _ => letters.insert(at, random.char(..)),
        }
    }
    letters.into_iter().collect()
}

fn mutated_bytes(random: &mut fastrand::Rng, body: &[u8]) -> Vec<u8> {
    let mut bytes = body.to_vec();
    for _ in 0..random.usize(0..6) {
        let at = random.usize(0..bytes.len());
        match random.bool() {
            true => bytes[at] ^= 1 << random.u8(0..8),
            false => bytes[at] = random.u8(..),
        }
    }
    if random.bool() {
        bytes.truncate(random.usize(0..=bytes.len()));
    }
    bytes
}

/// Puts something else where a value stands, or another key where one stands.
fn mutated_structure(random: &mut fastrand::Rng, mut json: Value) -> String {
    /// Stands for what JSON values cannot be written as.
    const MARK: &str = "\u{2603}";
    let mut at = random.usize(0..nodes(&json));
    let node = nth(&mut json, &mut at).expect("there are so many");
    let rename = random.u8(0..4) == 0;
    match node {
        Value::Object(members) if rename && !members.is_empty() => {
            let key = members.keys().nth(random.usize(0..members.len())).unwrap().clone();
            let value = members.remove(&key).unwrap();
            members.insert(MARK.to_owned(), value);
        }
        node => *node = MARK.into(),
    }
    let text = json.to_string();
    let marked = format!("\"{MARK}\"");
    if text.contains(&format!("{marked}:")) {
        let key = mutated_text(random, "metadata").replace(['"', '\\'], "");
        return text.replace(&marked, &Value::from(key).to_string());
    }
    let deep = random.u8(0..12) == 0;
    let value = match deep {
        true if random.bool() => format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)),
        true => format!("{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP)),
        false => (*random.choice(VALUES).unwrap()).to_owned(),
    };
    text.replace(&marked, &value)
}

fn nodes(json: &Value) -> usize {
    1 + match json {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(members) => members.values().map(nodes).sum(),
        _ => 0,
    }
}

fn nth<'a>(json: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
    if *at == 0 {
        return Some(json);
    }
    *at -= 1;
    match json {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, at)),
        Value::Object(members) => members.values_mut().find_map(|item| nth(item, at)),
        _ => None,
    }
}
