//! As what an answer is wanted: JSON it is, but an endpoint offers conversions, and a client asks for
//! one with the parameters `as`, `g` and `v`.

use hyper::{HeaderMap, header::ACCEPT};
use kinds::{Reason, StatusError};

const JSON: &str = "application/json";

/// The kind that an answer is to be converted to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// The parameter `g`.
    pub(crate) group: &'a str,
    /// The parameter `v`.
    pub(crate) version: &'a str,
    /// The parameter `as`.
    pub(crate) kind: &'a str,
}

/// One clause of Accept.
struct Clause<'a> {
    media: &'a str,
    quality: f32,
    target: Option<Target<'a>>,
}

/// Finds what a client takes: clauses are tried by their quality, then in their order, and one
/// whose conversion is not offered is passed over. `offer` says what is served for a target, and
/// without one.
///
/// # Errors
/// 406 when no clause fits.
pub(crate) fn choose<T>(
    headers: &HeaderMap,
    offer: impl Fn(Option<Target<'_>>) -> Option<T>,
) -> Result<T, StatusError> {
    let texts = headers.get_all(ACCEPT).iter();
    let texts = texts.map(|value| std::str::from_utf8(value.as_bytes()).unwrap_or_default());
    let mut clauses: Vec<Clause<'_>> = texts
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|clause| !clause.is_empty())
        .map(Clause::read)
        .collect();
    clauses.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    let chosen = match clauses.is_empty() {
        true => offer(None),
        false => clauses.iter().filter(|clause| clause.is_json()).find_map(|c| offer(c.target)),
    };
    chosen.ok_or_else(|| {
        not_acceptable(format!("only the following media types are accepted: {JSON}"))
    })
}

/// 406 for a reason.
pub(crate) fn not_acceptable(text: String) -> StatusError {
    StatusError::new(Reason::NotAcceptable, text)
}

/// Checks that the client takes JSON as it is.
///
/// # Errors
/// 406 when no clause fits.
pub(crate) fn accepts_json(headers: &HeaderMap) -> Result<(), StatusError> {
    choose(headers, |target| target.is_none().then_some(()))
}

impl<'a> Clause<'a> {
    fn read(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let mut clause = Self { media, quality: 1.0, target: None };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let mut target = clause.target.unwrap_or_default();
            match name {
                "as" => target.kind = value,
                "g" => target.group = value,
                "v" => target.version = value,
                "q" => {
                    clause.quality = value.parse().unwrap_or(1.0);
                    continue;
                }
                _ => continue,
            }
            clause.target = Some(target);
        }
        clause
    }

    fn is_json(&self) -> bool {
        [JSON, "application/*", "*/*"].iter().any(|fits| self.media.eq_ignore_ascii_case(fits))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            ("application/json;stream=watch", true),
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
    fn a_conversion_is_taken_where_it_is_offered() {
        let table = Target { group: "meta.k8s.io", version: "v1", kind: "Table" };
        for (accept, taken) in [
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "table"),
            ("application/json;as=Table;v=v2;g=meta.k8s.io,application/json", "plain"),
            ("application/json;as=Other;v=v1;g=meta.k8s.io, */*", "plain"),
            ("application/json;q=0.5,application/json;g=meta.k8s.io;v=v1;as=Table", "table"),
            ("application/json,application/json;g=meta.k8s.io;v=v1;as=Table", "plain"),
            ("application/yaml;as=Table;v=v1;g=meta.k8s.io,application/json", "plain"),
        ] {
            let taken_of = |target: Option<Target<'_>>| match target {
                None => Some("plain"),
                target => (target == Some(table)).then_some("table"),
            };
            assert_eq!(choose(&header(ACCEPT, accept), taken_of), Ok(taken), "{accept}");
        }
    }

    proptest! {
        #[test]
        fn who_takes_json_as_well_is_always_answered(other in "[ -~]{0,40}|(application/json|;as=|;g=|;q=|,| |[a-z0-9.]{1,3}){0,12}") {
            let accept = format!("{other},application/json");
            let plain = |target: Option<Target<'_>>| target.is_none().then_some(());
            prop_assert_eq!(choose(&header(ACCEPT, &accept), plain), Ok(()));
        }
    }
}
