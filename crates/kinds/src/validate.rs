//! Forms of names and values, with upstream's words for what is wrong. Each function gives every
//! error of its value; an empty list means that it is fine.

/// Longest DNS-1123 label and longest name part of a qualified name, in bytes.
pub(crate) const LABEL_LENGTH_MAX: usize = 63;
/// Longest DNS-1123 subdomain, in bytes.
pub(crate) const SUBDOMAIN_LENGTH_MAX: usize = 253;

const DNS_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED_NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

fn too_long(max: usize) -> String {
    format!("must be no more than {max} characters")
}

/// Upstream's words for keys and values of labels.
fn too_many_bytes(max: usize) -> String {
    format!("must be no more than {max} bytes")
}

fn is_dns_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_name_part(text: &str) -> bool {
    let edge = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

/// A DNS-1123 label: what a container, a namespace or a host is called.
pub(crate) fn dns_label(text: &str) -> Vec<String> {
    let long = (text.len() > LABEL_LENGTH_MAX).then(|| too_long(LABEL_LENGTH_MAX));
    let form = match is_dns_label(text) {
        true => None,
        false if text.split('.').all(is_dns_label) => Some("must not contain dots"),
        false => Some(DNS_LABEL),
    };
    long.into_iter().chain(form.map(str::to_owned)).collect()
}

/// A DNS-1123 subdomain: what most objects are called.
pub(crate) fn dns_subdomain(text: &str) -> Vec<String> {
    subdomain(text, too_long)
}

fn subdomain(text: &str, too_long: fn(usize) -> String) -> Vec<String> {
    let long = (text.len() > SUBDOMAIN_LENGTH_MAX).then(|| too_long(SUBDOMAIN_LENGTH_MAX));
    let form = (!text.split('.').all(is_dns_label)).then(|| DNS_SUBDOMAIN.to_owned());
    long.into_iter().chain(form).collect()
}

/// A key of labels and annotations: a name, with or without `domain/` in front.
pub(crate) fn qualified_name(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split('/').collect();
    let mut errors = Vec::new();
    let name = match parts.as_slice() {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".to_owned());
            } else {
                let wrong = subdomain(prefix, too_many_bytes);
                errors.extend(wrong.iter().map(|e| format!("prefix part {e}")));
            }
            name
        }
        _ => {
            let form = QUALIFIED_NAME.strip_prefix("must consist").unwrap_or_default();
            return vec![format!(
                "a qualified name must consist{} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                form
            )];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_LENGTH_MAX {
        errors.push(format!("name part {}", too_many_bytes(LABEL_LENGTH_MAX)));
    }
    if !is_name_part(name) {
        errors.push(format!("name part {QUALIFIED_NAME}"));
    }
    errors
}

/// A value of a label; may be empty.
pub(crate) fn label_value(text: &str) -> Vec<String> {
    let long = (text.len() > LABEL_LENGTH_MAX).then(|| too_many_bytes(LABEL_LENGTH_MAX));
    let form = (!text.is_empty() && !is_name_part(text)).then(|| LABEL_VALUE.to_owned());
    long.into_iter().chain(form).collect()
}

/// A key of a ConfigMap or Secret, which also serves as a file name.
pub(crate) fn config_key(text: &str) -> Vec<String> {
    let long = (text.len() > SUBDOMAIN_LENGTH_MAX).then(|| too_long(SUBDOMAIN_LENGTH_MAX));
    let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    let form = (text.is_empty() || !letters).then(|| CONFIG_KEY.to_owned());
    let dots = match text {
        "." => Some("must not be '.'"),
        ".." => Some("must not be '..'"),
        _ if text.starts_with("..") => Some("must not start with '..'"),
        _ => None,
    };
    long.into_iter().chain(form).chain(dots.map(str::to_owned)).collect()
}

/// The name of an environment variable.
pub(crate) fn env_name(text: &str) -> Vec<String> {
    let printable = text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'=');
    let text = "a valid environment variable name must consist only of printable ASCII characters other than '='";
    if printable { Vec::new() } else { vec![text.to_owned()] }
}

/// The name of a port.
pub(crate) fn port_name(text: &str) -> Vec<String> {
    /// Longest name of a port, in bytes.
    const LENGTH_MAX: usize = 15;
    let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    [
        (text.len() > LENGTH_MAX).then(|| too_long(LENGTH_MAX)),
        (!letters).then(|| {
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned()
        }),
        (!text.bytes().any(|b| b.is_ascii_lowercase()))
            .then(|| "must contain at least one letter (a-z)".to_owned()),
        text.contains("--").then(|| "must not contain consecutive hyphens".to_owned()),
        (text.starts_with('-') || text.ends_with('-'))
            .then(|| "must not begin or end with a hyphen".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The path part of a domain-prefixed name.
pub(crate) fn http_path(text: &str) -> Vec<String> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&b);
    let form = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
    let wrong = text.is_empty() || !text.bytes().all(fine);
    if wrong { vec![form.to_owned()] } else { Vec::new() }
}

/// The text for a number outside of its range.
pub(crate) fn range(min: i64, max: i64) -> String {
    format!("must be between {min} and {max}, inclusive")
}
