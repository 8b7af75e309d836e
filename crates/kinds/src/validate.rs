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

fn too_long(max: usize) -> String {
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
    let form = (!is_dns_label(text)).then(|| DNS_LABEL.to_owned());
    long.into_iter().chain(form).collect()
}

/// A DNS-1123 subdomain: what most objects are called.
pub(crate) fn dns_subdomain(text: &str) -> Vec<String> {
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
                errors.extend(dns_subdomain(prefix).iter().map(|e| format!("prefix part {e}")));
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
        errors.push(format!("name part {}", too_long(LABEL_LENGTH_MAX)));
    }
    if !is_name_part(name) {
        errors.push(format!("name part {QUALIFIED_NAME}"));
    }
    errors
}

/// A value of a label; may be empty.
pub(crate) fn label_value(text: &str) -> Vec<String> {
    let long = (text.len() > LABEL_LENGTH_MAX).then(|| too_long(LABEL_LENGTH_MAX));
    let form = (!text.is_empty() && !is_name_part(text)).then(|| LABEL_VALUE.to_owned());
    long.into_iter().chain(form).collect()
}
