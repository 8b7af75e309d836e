//! Text in quotes, as Go writes it and upstream therefore does, in messages and in files.

use std::fmt::Write as _;

/// As package `strconv` quotes: `"…"`, with escapes for what cannot be shown.
pub fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\x07' => out += "\\a",
            '\x08' => out += "\\b",
            '\x0c' => out += "\\f",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\x0b' => out += "\\v",
            _ if u32::from(c) < 0x20 || c == '\x7f' => hex(&mut out, "\\x", u32::from(c), 2),
            // Rust escapes what cannot be shown, and besides these what Go shows.
            _ if c.escape_debug().len() == 1 || c == '\'' || combining(c) => out.push(c),
            _ if u32::from(c) < 0x1_0000 => hex(&mut out, "\\u", u32::from(c), 4),
            _ => hex(&mut out, "\\U", u32::from(c), 8),
        }
    }
    out.push('"');
    out
}

/// Whether a mark is only escaped because it would lean on what stands before it.
fn combining(c: char) -> bool {
    format!("a{c}").escape_debug().count() == 2
}

/// As package `time` quotes: everything beyond ASCII byte by byte.
pub(crate) fn quote_bytes(text: &str) -> String {
    let mut out = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            0x20..0x80 => out.push(char::from(byte)),
            _ => hex(&mut out, "\\x", byte.into(), 2),
        }
    }
    out.push('"');
    out
}

fn hex(out: &mut String, escape: &str, number: u32, digits: usize) {
    write!(out, "{escape}{number:0digits$x}").expect("text takes text");
}
