//! YAML as kubectl writes it, byte for byte: sorted keys, lists at the level of their key, quotes
//! where a YAML 1.1 reader would not see text, and long text folded (`go-yaml` v2's emitter).

use serde_json::Value;

/// The column after which text is folded at the next space.
const WIDTH: usize = 80;

/// Spaces of one level.
const STEP: usize = 2;

/// One document with its final newline.
pub(crate) fn text(value: &Value) -> String {
    let mut writer = Writer { out: String::new(), column: 0 };
    match value {
        Value::Object(map) if !map.is_empty() => writer.map(map, 0, true),
        Value::Array(list) if !list.is_empty() => writer.list(list, 0, true),
        scalar => writer.scalar(scalar, STEP),
    }
    writer.out.push('\n');
    writer.out
}

struct Writer {
    out: String,
    /// Characters since the last newline.
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn new_line(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.push_str(&" ".repeat(indent));
        self.column = indent;
    }

    /// `first` is whether the first entry goes on in the present line.
    fn map(&mut self, map: &serde_json::Map<String, Value>, indent: usize, first: bool) {
        for (at, (key, value)) in map.iter().enumerate() {
            if at > 0 || !first {
                self.new_line(indent);
            }
            self.string(key, None);
            self.put(":");
            match value {
                Value::Object(inner) if !inner.is_empty() => self.map(inner, indent + STEP, false),
                Value::Array(inner) if !inner.is_empty() => self.list(inner, indent, false),
                scalar => {
                    self.put(" ");
                    self.scalar(scalar, indent + STEP);
                }
            }
        }
    }

    fn list(&mut self, list: &[Value], indent: usize, first: bool) {
        for (at, value) in list.iter().enumerate() {
            if at > 0 || !first {
                self.new_line(indent);
            }
            self.put("- ");
            match value {
                Value::Object(inner) if !inner.is_empty() => self.map(inner, indent + STEP, true),
                Value::Array(inner) if !inner.is_empty() => self.list(inner, indent + STEP, true),
                scalar => self.scalar(scalar, indent + STEP),
            }
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::String(text) => self.string(text, Some(indent)),
            Value::Object(_) => self.put("{}"),
            Value::Array(_) => self.put("[]"),
            other => self.put(&other.to_string()),
        }
    }

    /// `indent` is that of further lines; a key has none and stays in its line.
    fn string(&mut self, text: &str, indent: Option<usize>) {
        match (style(text, indent.is_none()), indent) {
            (Style::Literal, Some(indent)) => self.literal(text, indent),
            (Style::Plain, _) => self.folded(text, indent, (0, text.len()), |c| c.to_string()),
            (Style::Single, _) => {
                self.put("'");
                let inner = (1, text.len().saturating_sub(1));
                self.folded(text, indent, inner, |c| match c {
                    '\'' => "''".to_owned(),
                    c => c.to_string(),
                });
                self.put("'");
            }
            (Style::Double | Style::Literal, _) => {
                self.put("\"");
                let inner = (1, text.len().saturating_sub(1));
                self.folded(text, indent, inner, escaped);
                self.put("\"");
            }
        }
    }

    /// Text that may be broken at single spaces between these places.
    fn folded(
        &mut self,
        text: &str,
        indent: Option<usize>,
        (from, to): (usize, usize),
        write: impl Fn(char) -> String,
    ) {
        let mut after_space = false;
        for (at, c) in text.char_indices() {
            let next_is_space = text[at + c.len_utf8()..].starts_with(' ');
            let place = c == ' ' && !after_space && !next_is_space && (from..to).contains(&at);
            match indent.filter(|_| place && self.column > WIDTH) {
                Some(indent) => self.new_line(indent),
                None => self.put(&write(c)),
            }
            after_space = c == ' ';
        }
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put(&STEP.to_string());
        }
        if !text.ends_with('\n') {
            self.put("-");
        } else if text.ends_with("\n\n") || text == "\n" {
            self.put("+");
        }
        let lines = text.strip_suffix('\n').unwrap_or(text);
        for line in lines.split('\n') {
            self.new_line(if line.is_empty() { 0 } else { indent });
            self.put(line);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

fn style(text: &str, key: bool) -> Style {
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

fn escaped(c: char) -> String {
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

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn structure_is_sorted_and_lists_stand_under_their_key() {
        let value = json!({
            "spec": {"list": [{"b": [], "a": {}}, [1, [2.5]], null], "deep": {"x": true}},
            "kind": "Job",
        });
        expect![[r#"
            kind: Job
            spec:
              deep:
                x: true
              list:
              - a: {}
                b: []
              - - 1
                - - 2.5
              - null
        "#]]
        .assert_eq(&text(&value));
        assert_eq!(text(&json!({})), "{}\n");
    }

    /// What kubectl 1.36 prints for the same texts.
    #[test]
    fn text_is_quoted_where_a_reader_would_not_see_text() {
        let words = "word ".repeat(20);
        let value = json!({
            "a": words, "aa": "?x", "ab": "---", "ac": "NO", "ad": "08", "ae": "a'b",
            "af": "esc\u{1b}", "ag": "😀", "ah": ".5", "ai": "+1", "aj": "<<", "ak": "nan",
            "al": ".nan", "am": " x", "b": format!("x: y {words}end"), "c": "yes", "d": "12",
            "e": "line\nnext\n\n", "f": "  lead\nb", "g": "trail \nb", "h": "<a&b>", "i": "it's: ",
            "j": "2026-01-01", "k": "a #b", "l": "\"q\"", "m": "1:20", "n": "0x1F", "o": "é",
            "p": "tab\there", "q": "-", "r": "- a", "s": "a:b", "t": "1e3", "u": "1_000",
            "v": "=", "w": "a\tb\nc", "x": "*", "y": "", "z": "\nq", "zz": "two\nlines\n",
        });
        expect![[r#"
            a: 'word word word word word word word word word word word word word word word word
              word word word word '
            aa: ?x
            ab: '---'
            ac: "NO"
            ad: "08"
            ae: a'b
            af: "esc\e"
            ag: "\U0001F600"
            ah: ".5"
            ai: "+1"
            aj: <<
            ak: nan
            al: ".nan"
            am: ' x'
            b: 'x: y word word word word word word word word word word word word word word word
              word word word word word end'
            c: "yes"
            d: "12"
            e: |+
              line
              next

            f: |2-
                lead
              b
            g: "trail \nb"
            h: <a&b>
            i: 'it''s: '
            j: "2026-01-01"
            k: 'a #b'
            l: '"q"'
            m: "1:20"
            "n": "0x1F"
            o: é
            p: "tab\there"
            q: '-'
            r: '- a'
            s: a:b
            t: "1e3"
            u: "1_000"
            v: =
            w: "a\tb\nc"
            x: '*'
            "y": ""
            z: |2-

              q
            zz: |
              two
              lines
        "#]]
        .assert_eq(&text(&value));
    }
}
