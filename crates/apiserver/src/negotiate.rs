//! Which media types go in and out: JSON, both ways.

use hyper::{
    HeaderMap,
    header::{ACCEPT, CONTENT_TYPE},
};
use kinds::{Reason, StatusError};

const JSON: &str = "application/json";

/// Checks that the client takes JSON. Clauses are tried in their order; one that asks for a
/// conversion (`as=Table`) is passed over, as upstream does where an endpoint has none.
///
/// # Errors
/// 406 when no clause fits.
pub(crate) fn accepts_json(headers: &HeaderMap) -> Result<(), StatusError> {
    let mut clauses = headers
        .get_all(ACCEPT)
        .iter()
        .flat_map(|value| std::str::from_utf8(value.as_bytes()).unwrap_or_default().split(','))
        .map(str::trim)
        .filter(|clause| !clause.is_empty())
        .peekable();
    if clauses.peek().is_none() || clauses.any(clause_fits) {
        return Ok(());
    }
    let text = format!("only the following media types are accepted: {JSON}");
    Err(StatusError::new(Reason::NotAcceptable, text))
}

fn clause_fits(clause: &str) -> bool {
    let mut parts = clause.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let converts = parts.any(|parameter| parameter.starts_with("as="));
    matches!(&*media, JSON | "application/*" | "*/*") && !converts
}

/// Checks that a body is JSON; without a type it counts as such.
///
/// # Errors
/// 415 for another type.
pub(crate) fn body_is_json(headers: &HeaderMap) -> Result<(), StatusError> {
    let given = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let given = std::str::from_utf8(given).unwrap_or("?");
    let media = given.split(';').next().unwrap_or_default().trim();
    if media.is_empty() || media.eq_ignore_ascii_case(JSON) {
        return Ok(());
    }
    let text = format!(
        "the body of the request was in an unknown format - accepted media types include: {JSON}"
    );
    Err(StatusError::new(Reason::UnsupportedMediaType, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: hyper::header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn json_is_found_among_the_clauses() {
        for (accept, fits) in [
            ("application/json", true),
            ("application/vnd.kubernetes.protobuf,application/json", true),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", true),
            ("application/json;as=Table;v=v1;g=meta.k8s.io", false),
            ("application/json; q=0.9", true),
            ("*/*", true),
            ("application/*", true),
            ("text/html", false),
            ("application/vnd.kubernetes.protobuf", false),
            (",", true),
        ] {
            assert_eq!(accepts_json(&header(ACCEPT, accept)).is_ok(), fits, "{accept}");
        }
        assert!(accepts_json(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn only_json_goes_in() {
        for (content, fits) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("Application/JSON", true),
            ("application/yaml", false),
            ("application/vnd.kubernetes.protobuf", false),
        ] {
            assert_eq!(body_is_json(&header(CONTENT_TYPE, content)).is_ok(), fits, "{content}");
        }
        assert!(body_is_json(&HeaderMap::new()).is_ok());
    }
}
