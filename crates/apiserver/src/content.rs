//! In which form a request's body comes: what its Content-Type says.

use hyper::{HeaderMap, header::CONTENT_TYPE};
use kinds::{Reason, StatusError, decode::Form, patch::PatchType};

/// The forms of objects, under their media types.
const FORMS: [(&str, Form); 3] = [
    ("application/json", Form::Json),
    ("application/yaml", Form::Yaml),
    ("application/vnd.kubernetes.protobuf", Form::Protobuf),
];

/// The form of an object; without a type it is JSON.
///
/// # Errors
/// 415 for another type, with those that are taken.
pub(crate) fn form(headers: &HeaderMap) -> Result<Form, StatusError> {
    let media = media(headers);
    if media.is_empty() {
        return Ok(Form::Json);
    }
    let found = FORMS.iter().find(|(name, _)| media.eq_ignore_ascii_case(name));
    found.map(|(_, form)| *form).ok_or_else(|| unknown(FORMS.map(|(name, _)| name).as_slice()))
}

/// The type of a patch.
///
/// # Errors
/// 415 for one that is not served, with those that are.
pub(crate) fn patch_type(headers: &HeaderMap) -> Result<PatchType, StatusError> {
    let found = PatchType::of_content_type(media(headers));
    found.filter(|found| *found != PatchType::Apply).ok_or_else(PatchType::unsupported)
}

/// The media type without its parameters.
fn media(headers: &HeaderMap) -> &str {
    let given = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let given = std::str::from_utf8(given).unwrap_or("?");
    given.split(';').next().unwrap_or_default().trim()
}

fn unknown(taken: &[&str]) -> StatusError {
    let taken = taken.join(", ");
    let text = format!(
        "the body of the request was in an unknown format - accepted media types include: {taken}"
    );
    StatusError::new(Reason::UnsupportedMediaType, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Form, StatusError> {
        form(&HeaderMap::from_iter([(CONTENT_TYPE, content.parse().unwrap())]))
    }

    #[test]
    fn the_type_says_the_form() {
        for (content, expected) in [
            ("application/json", Form::Json),
            ("application/json; charset=utf-8", Form::Json),
            ("Application/JSON", Form::Json),
            ("application/yaml", Form::Yaml),
            ("application/vnd.kubernetes.protobuf", Form::Protobuf),
            ("", Form::Json),
        ] {
            assert_eq!(read(content), Ok(expected), "{content}");
        }
        assert_eq!(form(&HeaderMap::new()), Ok(Form::Json));
    }

    #[test]
    fn other_types_are_refused_with_those_that_are_taken() {
        for content in ["text/html", "application/merge-patch+json"] {
            let error = read(content).unwrap_err();
            assert_eq!(error.reason.code(), 415);
            for (name, _) in FORMS {
                assert!(error.message.contains(name), "{}", error.message);
            }
        }
    }
}
