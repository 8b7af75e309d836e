//! YAML into trees, scalars read as Kubernetes reads them: YAML 1.1 booleans (`yes`, `off`), octal
//! numbers (`0644`), dates as text, merge keys.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::{Entry, Node, Value};

/// Deepest nesting of lists and maps.
pub(crate) const DEPTH_MAX: usize = 120;

/// Most values that the aliases of one file may stand for together; stops expansion bombs.
pub(crate) const ALIASED_VALUES_MAX: usize = 100_000;

/// Broken YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) line: u32,
    pub(crate) message: String,
}

/// Every document of the text, or what is broken about it. A broken document does not hide the next.
pub(crate) fn parse(text: &str) -> Vec<Result<Node, Broken>> {
    let options = granit_parser::options! {
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
        simple_key_max_lookahead: 4096,
    };
    let mut options: Options = options;
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, text, anchors: HashMap::new(), aliased: 0 };
    let mut documents = Vec::new();
    loop {
        match reader.document() {
            Ok(None) => return documents,
            Ok(Some(node)) => documents.push(Ok(node)),
            Err(broken) => {
                documents.push(Err(broken));
                if !reader.parser.proceed_next_document().unwrap_or(false) {
                    return documents;
                }
            }
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    anchors: HashMap<usize, Node>,
    aliased: usize,
}

fn line_of(span: &Span) -> u32 {
    u32::try_from(span.start.line()).unwrap_or(u32::MAX)
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, u32)>, Broken> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, line_of(&span)))),
            Some(Err(error)) => Err(self.broken(&error)),
        }
    }

    fn broken(&self, error: &ScanError) -> Broken {
        let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
        let mut message = format!("invalid YAML: {}", error.info());
        let written = self.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
        let indent = &written[..written.len() - written.trim_start().len()];
        if indent.contains('\t') {
            message += "; this line is indented with a tab, YAML wants spaces";
        }
        Broken { line, message }
    }

    /// The next document; `None` at the end of the text.
    fn document(&mut self) -> Result<Option<Node>, Broken> {
        loop {
            match self.next()? {
                None | Some((Event::StreamEnd, _)) => return Ok(None),
                Some((Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _)) => {}
                Some((event, line)) => {
                    self.anchors.clear();
                    return self.node(event, line).map(Some);
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, line: u32) -> Result<Node, Broken> {
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (scalar(&text, style, tag.as_deref(), line)?, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(line)?, anchor),
            Event::Alias(target) => return self.alias(target, line),
            other => {
                return Err(Broken {
                    line,
                    message: format!("invalid YAML: unexpected {other:?}"),
                });
            }
        };
        let node = Node { line, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, target: usize, line: u32) -> Result<Node, Broken> {
        let Some(node) = self.anchors.get(&target) else {
            let message = "invalid YAML: an anchor cannot contain itself".to_owned();
            return Err(Broken { line, message });
        };
        self.aliased += node.size();
        if self.aliased > ALIASED_VALUES_MAX {
            let message = format!(
                "the aliases of this file stand for more than {ALIASED_VALUES_MAX} values; write them out"
            );
            return Err(Broken { line, message });
        }
        Ok(Node { line, ..node.clone() })
    }

    fn list(&mut self) -> Result<Value, Broken> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                None | Some((Event::SequenceEnd, _)) => return Ok(Value::List(items)),
                Some((event, line)) => items.push(self.node(event, line)?),
            }
        }
    }

    fn map(&mut self, start: u32) -> Result<Value, Broken> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged: Vec<Entry> = Vec::new();
        loop {
            let (key, line) = match self.next()? {
                None | Some((Event::MappingEnd, _)) => break,
                Some(found) => found,
            };
            let merge = matches!(&key, Event::Scalar(t, ScalarStyle::Plain, _, None) if t == "<<");
            let key = self.node(key, line)?;
            let (event, value_line) = self.next()?.ok_or_else(|| Broken {
                line: start,
                message: "invalid YAML: the map ends inside".to_owned(),
            })?;
            let node = self.node(event, value_line)?;
            match merge {
                true => merged.extend(merge_entries(node)?),
                false => entries.push(Entry::new(key_text(key)?, line, node)),
            }
        }
        if !merged.is_empty() {
            let mut own: HashSet<String> = entries.iter().map(|e| e.key.clone()).collect();
            merged.retain(|entry| own.insert(entry.key.clone()));
            entries.extend(merged);
        }
        Ok(Value::map(entries))
    }
}

/// What `<<` brings in: the keys of a map, or of several, the first having precedence.
fn merge_entries(node: Node) -> Result<Vec<Entry>, Broken> {
    match node.value {
        Value::Map(entries) => Ok(entries),
        Value::List(items) => {
            let mut all = Vec::new();
            for item in items {
                all.extend(merge_entries(item)?);
            }
            Ok(all)
        }
        _ => {
            let message = "invalid YAML: << merges a map or a list of maps".to_owned();
            Err(Broken { line: node.line, message })
        }
    }
}

fn key_text(key: Node) -> Result<String, Broken> {
    match key.value {
        Value::String(text) | Value::Number { json: text, .. } => Ok(text),
        Value::Bool { value, .. } => Ok(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => {
            let message = "invalid YAML: a key must be text".to_owned();
            Err(Broken { line: key.line, message })
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, line: u32) -> Result<Value, Broken> {
    let Some(tag) = tag.filter(|tag| tag.handle() != "!" || !tag.suffix().is_empty()) else {
        return Ok(match style {
            ScalarStyle::Plain if tag.is_none() => plain(text),
            _ => Value::String(text.to_owned()),
        });
    };
    let value = match tag.core_suffix() {
        Some("str") => Value::String(text.to_owned()),
        Some("null") => Value::Null,
        Some("bool" | "int" | "float") => plain(text),
        _ => return Ok(Value::String(text.to_owned())),
    };
    let fits = match tag.core_suffix() {
        Some("bool") => matches!(value, Value::Bool { .. }),
        Some("int" | "float") => matches!(value, Value::Number { .. }),
        _ => true,
    };
    let message = format!("invalid YAML: {text:?} is no {tag}");
    if fits { Ok(value) } else { Err(Broken { line, message }) }
}

/// An unquoted scalar.
fn plain(text: &str) -> Value {
    let bool = |value| Value::Bool { value, written: text.to_owned() };
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            bool(false)
        }
        _ => match number(text) {
            Some(json) => Value::Number { json, written: text.to_owned() },
            None => Value::String(text.to_owned()),
        },
    }
}

/// The JSON form of a plain scalar that is a number.
fn number(text: &str) -> Option<String> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return None;
    }
    let bare = text.replace('_', "");
    let (sign, digits) = match bare.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", bare.strip_prefix('+').unwrap_or(&bare)),
    };
    if let Some(integer) = integer(digits) {
        return Some(if integer == "0" { integer } else { format!("{sign}{integer}") });
    }
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let all_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let form = (all_digits(whole) && (fraction.is_empty() || all_digits(fraction)))
        || (whole.is_empty() && all_digits(fraction));
    let power = exponent.is_none_or(|e| all_digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    if !form || !power {
        return None;
    }
    let value: f64 = format!("{sign}{digits}").parse().ok()?;
    value.is_finite().then(|| value.to_string())
}

/// Decimal, `0x`, `0o`, `0b` and, as YAML 1.1 has it, octal with a leading 0; as decimal digits.
fn integer(digits: &str) -> Option<String> {
    let prefixed = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)];
    for (prefix, radix) in prefixed {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return u64::from_str_radix(rest, radix).ok().map(|n| n.to_string());
        }
    }
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if digits.len() > 1 && digits.starts_with('0') {
        // 08 is no octal number; it is the decimal 8, as a float would be read.
        let octal = u64::from_str_radix(digits, 8).ok().map(|n| n.to_string());
        return octal.or_else(|| Some(digits.trim_start_matches('0').to_owned()));
    }
    Some(digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        match plain(text) {
            Value::Null => "null".into(),
            Value::Bool { value, .. } => value.to_string(),
            Value::Number { json, .. } => json,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn plain_scalars_are_read_as_kubernetes_reads_them() {
        for (text, json) in [
            ("~", "null"),
            ("yes", "true"),
            ("Off", "false"),
            ("0644", "420"),
            ("0o644", "420"),
            ("08", "8"),
            ("0x1F", "31"),
            ("0b101", "5"),
            ("1_000", "1000"),
            ("-7", "-7"),
            ("+7", "7"),
            ("-0", "0"),
            ("1.0", "1"),
            (".5", "0.5"),
            ("1e3", "1000"),
            ("-1.5e-2", "-0.015"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("2026-01-02", "String(\"2026-01-02\")"),
            ("1.2.3", "String(\"1.2.3\")"),
            ("64Mi", "String(\"64Mi\")"),
            (".nan", "String(\".nan\")"),
            ("e3", "String(\"e3\")"),
            ("-", "String(\"-\")"),
            ("yess", "String(\"yess\")"),
        ] {
            assert_eq!(written(text), json, "{text}");
        }
    }
}
