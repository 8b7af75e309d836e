//! `$(NAME)` in commands, arguments and values.

/// Replaces each `$(NAME)` that `lookup` knows; others stay as they are written. `$$` is a plain
/// `$`, so that `$$(NAME)` gives `$(NAME)`.
pub(crate) fn expand<'a>(text: &str, lookup: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(next) = after.strip_prefix('$') {
            out.push('$');
            rest = next;
        } else if let Some((name, next)) = after.strip_prefix('(').and_then(|r| r.split_once(')')) {
            match lookup(name) {
                Some(value) => out.push_str(value),
                None => out.push_str(&rest[at..rest.len() - next.len()]),
            }
            rest = next;
        } else {
            // Not a reference: `$` before anything else, or a bracket that never closes.
            out.push('$');
            rest = after;
        }
    }
    out + rest
}
