//! Query parameters, with upstream's reading of booleans and numbers.

use kinds::{Reason, StatusError};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but what names and numbers consist of.
pub(crate) const ESCAPED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.');

/// The query parameters of a request, decoded, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let decode = |part: &str| {
            let spaced = part.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        };
        Self(text.split('&').filter(|part| !part.is_empty()).map(pair).collect())
    }

    /// The first value of a parameter; present but empty is `Some("")`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter; absent is empty.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Every value of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A parameter as a boolean, with upstream's reading: only absence, `false` and `0` are false.
    pub fn flag(&self, name: &str) -> bool {
        self.maybe_flag(name).unwrap_or(false)
    }

    /// As [`Query::flag`], with absence told apart.
    pub fn maybe_flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// A parameter as a signed integer; an empty value counts as absent.
    ///
    /// # Errors
    /// 400 in upstream's words when it is not one.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, StatusError> {
        let value = self.text(name);
        if value.is_empty() {
            return Ok(None);
        }
        value.parse().map(Some).map_err(|error: std::num::ParseIntError| {
            StatusError::new(Reason::BadRequest, parse_error("ParseInt", value, &error))
        })
    }
}

/// The words of Go's `strconv` for a number that cannot be read.
pub(crate) fn parse_error(function: &str, value: &str, error: &std::num::ParseIntError) -> String {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    let why = match error.kind() {
        PosOverflow | NegOverflow => "value out of range",
        _ => "invalid syntax",
    };
    format!("strconv.{function}: parsing {value:?}: {why}")
}

/// `name=value`, escaped: what [`Query`] reads.
pub fn query_pair(name: &str, value: &str) -> String {
    format!("{name}={}", utf8_percent_encode(value, ESCAPED))
}
