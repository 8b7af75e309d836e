//! Which texts need which quotes: those that a YAML 1.1 reader would take for structure or for
//! something else than text.

/// How text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As it is.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes, with escapes.
    Double,
    /// As a block of lines.
    Literal,
}

/// How a text is written; `key` is whether it is one, which stays on its line.
pub(super) fn style(text: &str, key: bool) -> Style {
    let chars: Vec<char> = text.chars().collect();
    let special = chars.iter().any(|c| *c != '\n' && !printable(*c));
    let space_break = text.contains(" \n");
    if text.contains('\n') {
        let plain = !special && !space_break && !text.ends_with(' ') && !key;
        return if plain { Style::Literal } else { Style::Double };
    }
    if special || reads_as_something_else(text) {
        return Style::Double;
    }
    let edges = text.starts_with(' ') || text.ends_with(' ');
    if edges || has_indicator(&chars) { Style::Single } else { Style::Plain }
}

/// Whether the text would be taken for structure.
fn has_indicator(chars: &[char]) -> bool {
    let blank = |at: usize| chars.get(at).is_none_or(|c| *c == ' ');
    let starts = chars.starts_with(&['-', '-', '-']) || chars.starts_with(&['.', '.', '.']);
    starts
        || chars.iter().enumerate().any(|(at, c)| match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`'
                if at == 0 =>
            {
                true
            }
            '?' | '-' if at == 0 => blank(at + 1),
            ':' => blank(at + 1),
            '#' => blank(at - 1),
            _ => false,
        })
}

fn printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// A character within double quotes.
pub(super) fn escaped(c: char) -> String {
    match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        '\0' => "\\0".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\u{1b}' => "\\e".to_owned(),
        '\u{85}' => "\\N".to_owned(),
        '\u{2028}' => "\\L".to_owned(),
        '\u{2029}' => "\\P".to_owned(),
        c if printable(c) => c.to_string(),
        c => match u32::from(c) {
            n @ ..=0xff => format!("\\x{n:02X}"),
            n @ ..=0xffff => format!("\\u{n:04X}"),
            n => format!("\\U{n:08X}"),
        },
    }
}

/// Whether a YAML 1.1 reader would see a null, boolean, number or time.
fn reads_as_something_else(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "", "~", "null", "Null", "NULL", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE",
        "on", "On", "ON", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off",
        "OFF", ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
        "-.Inf", "-.INF",
    ];
    WORDS.contains(&text) || is_number(text) || is_time(text)
}

fn is_number(text: &str) -> bool {
    let plain = text.replace('_', "");
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let digits =
        |rest: &str, radix| !rest.is_empty() && rest.chars().all(|c| char::is_digit(c, radix));
    let with_prefix = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)]
        .iter()
        .any(|(prefix, radix)| unsigned.strip_prefix(prefix).is_some_and(|r| digits(r, *radix)));
    with_prefix || is_decimal(unsigned) || is_sexagesimal(unsigned)
}

/// `12`, `1.`, `.5`, `1e3`
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}

/// `1:20`, as YAML 1.1 writes 80.
fn is_sexagesimal(text: &str) -> bool {
    let (parts, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = parts.split(':');
    let first = parts.next().is_some_and(|part| part.chars().all(|c| c.is_ascii_digit()));
    let rest: Vec<&str> = parts.collect();
    let rest_fits = rest.iter().all(|part| match part.as_bytes() {
        [d] => d.is_ascii_digit(),
        [t, d] => (b'0'..=b'5').contains(t) && d.is_ascii_digit(),
        _ => false,
    });
    first && !rest.is_empty() && rest_fits && fraction.chars().all(|c| c.is_ascii_digit())
}

/// `2026-01-31` and what begins so and goes on with a time.
fn is_time(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |part: &str, max| (1..=max).contains(&part.len()) && part.parse::<u16>().is_ok();
    let dated = year.len() == 4 && number(year, 4) && number(month, 2) && number(day, 2);
    dated
        && time
            .is_none_or(|time| time.starts_with(|c: char| c.is_ascii_digit()) && time.contains(':'))
}
