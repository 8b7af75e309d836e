//! Reading templates and paths.

use serde_json::Value;

use super::{Comparison, Filter, Part, Path, Step, Template};

/// What is wrong, as kubectl begins it.
type Wrong = String;

/// Reads `text {.a.b} {range .items[*]}…{end}`.
///
/// # Errors
/// A sentence that names what is wrong or not supported.
pub(crate) fn template(text: &str) -> Result<Template, Wrong> {
    let wrong = |why: Wrong| format!("error parsing jsonpath {text}, {why}");
    // The parts of each `range` that is open, with its path.
    let mut open: Vec<(Path, Vec<Part>)> = Vec::new();
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        if at > 0 {
            parts.push(Part::Text(rest[..at].to_owned()));
        }
        let length = action_length(&rest[at..]).ok_or_else(|| wrong("unclosed action".into()))?;
        let action = rest[at + 1..at + length - 1].trim();
        rest = &rest[at + length..];
        if let Some(path_text) = action.strip_prefix("range ") {
            let path = steps(path_text.trim()).map_err(wrong)?;
            open.push((path, std::mem::take(&mut parts)));
        } else if action == "end" {
            let (path, before) = open.pop().ok_or_else(|| wrong("not in range".into()))?;
            let inner = std::mem::replace(&mut parts, before);
            parts.push(Part::Range(path, inner));
        } else if action.starts_with(['"', '\'']) {
            parts.push(Part::Text(unquote(action).map_err(wrong)?));
        } else {
            parts.push(Part::Values(steps(action).map_err(wrong)?));
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    if !open.is_empty() {
        return Err(wrong("unclosed range".into()));
    }
    Ok(Template(parts))
}

/// Reads one path as people write it where nothing else can stand: `.a.b`, `a.b`, `{.a.b}`.
///
/// # Errors
/// As [`template`].
pub(crate) fn path(text: &str) -> Result<Path, Wrong> {
    let braces = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let inner = match braces {
        Some(inner) => inner.trim(),
        None if text.starts_with('{') || text.ends_with('}') => {
            return Err(format!(
                "unexpected path string {text}, expected a 'name1.name2' or '.name1.name2' or \
                 '{{name1.name2}}' or '{{.name1.name2}}'"
            ));
        }
        None => text,
    };
    let dotted = if inner.starts_with(['.', '[', '$', '@']) {
        inner.to_owned()
    } else {
        format!(".{inner}")
    };
    steps(&dotted).map_err(|why| format!("error parsing jsonpath {text}, {why}"))
}

/// The bytes from `{` to the `}` that closes it, both included.
fn action_length(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A quoted text without its quotes.
fn unquote(text: &str) -> Result<String, Wrong> {
    let mut chars = text.chars();
    let quote = chars.next();
    let mut out = String::new();
    loop {
        match chars.next() {
            None => return Err("unterminated quoted string".into()),
            Some('\\') => out.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(c) => c,
                None => return Err("unterminated quoted string".into()),
            }),
            c if c == quote => break,
            Some(c) => out.push(c),
        }
    }
    match chars.as_str() {
        "" => Ok(out),
        rest => Err(format!("unexpected {rest:?} after a quoted text")),
    }
}

fn steps(text: &str) -> Result<Path, Wrong> {
    let mut steps = Vec::new();
    // The present object: what a path starts from anyway.
    let mut rest = text.strip_prefix(['$', '@']).unwrap_or(text);
    if !rest.is_empty() && !rest.starts_with(['.', '[']) {
        return Err(format!("unrecognized identifier {text}; a path begins with a dot"));
    }
    while !rest.is_empty() {
        if rest.starts_with("..") {
            return Err("the recursive step .. is not supported".into());
        }
        if let Some(name) = rest.strip_prefix('.') {
            let (field, length) = field(name);
            match field.as_str() {
                // `{.}` is the object itself; `.[0]` an index.
                "" if rest == "." || name.starts_with('[') => {}
                "" => return Err(format!("a name is missing in {text}")),
                "*" => steps.push(Step::All),
                _ => steps.push(Step::Field(field)),
            }
            rest = &name[length..];
        } else if rest.starts_with('[') {
            let length = bracket_length(rest).ok_or("unterminated array")?;
            steps.push(bracket(rest[1..length - 1].trim())?);
            rest = &rest[length..];
        } else {
            return Err(format!("unexpected {rest:?} in {text}"));
        }
    }
    Ok(Path(steps))
}

/// A name up to the next step, and how many bytes it took; `\.` is a dot in it.
fn field(text: &str) -> (String, usize) {
    let mut name = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            c if escaped => {
                name.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '.' | '[' | ' ' => return (name, at),
            c => name.push(c),
        }
    }
    (name, text.len())
}

/// The bytes from `[` to the `]` that closes it, both included.
fn bracket_length(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

fn bracket(inner: &str) -> Result<Step, Wrong> {
    if inner == "*" {
        return Ok(Step::All);
    }
    if let Some(condition) = inner.strip_prefix('?') {
        return filter(condition.trim()).map(Step::Filter);
    }
    if inner.starts_with(['"', '\'']) {
        return unquote(inner)
            .map(Step::Field)
            .map_err(|_| format!("several names in [{inner}] are not supported"));
    }
    if inner.contains(',') {
        return Err(format!("several indexes in [{inner}] are not supported"));
    }
    let number =
        |text: &str| text.trim().parse::<i64>().map_err(|_| format!("invalid array index {inner}"));
    match inner.split(':').collect::<Vec<_>>().as_slice() {
        [index] => Ok(Step::Index(number(index)?)),
        [from, to] => {
            let end = |text: &str| match text.trim() {
                "" => Ok(None),
                text => number(text).map(Some),
            };
            Ok(Step::Slice(end(from)?, end(to)?))
        }
        _ => Err(format!("the step of a slice, as in [{inner}], is not supported")),
    }
}

/// `(@.type=="Ready")`
fn filter(condition: &str) -> Result<Filter, Wrong> {
    const SIGNS: &[(&str, Comparison)] = &[
        ("==", Comparison::Equal),
        ("!=", Comparison::Unequal),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    let inner = condition.strip_prefix('(').and_then(|c| c.strip_suffix(')'));
    let inner = inner.ok_or_else(|| format!("a filter is written [?(…)], not [?{condition}]"))?;
    let found = SIGNS.iter().filter_map(|sign| Some((inner.find(sign.0)?, sign)));
    // The first in the text; of two at one place the longer, which stands earlier in the table.
    let Some((at, (sign, comparison))) = found.min_by_key(|(at, _)| *at) else {
        return Ok(Filter { path: steps(inner.trim())?, wanted: None });
    };
    let right = inner[at + sign.len()..].trim();
    let value = match right {
        quoted if quoted.starts_with(['"', '\'']) => Value::String(unquote(quoted)?),
        bare => serde_json::from_str(bare)
            .map_err(|_| format!("a filter compares with a constant, which {bare:?} is not"))?,
    };
    Ok(Filter { path: steps(inner[..at].trim())?, wanted: Some((*comparison, value)) })
}
