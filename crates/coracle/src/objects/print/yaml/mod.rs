//! YAML as kubectl writes it, byte for byte: sorted keys, lists at the level of their key, quotes
//! where a YAML 1.1 reader would not see text, and long text folded (`go-yaml` v2's emitter).

mod style;

use serde_json::Value;

use self::style::{Style, escaped, style};

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
