//! Answers: the one place where a refusal or an object becomes an HTTP response.

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WARNING},
};
use kinds::{Cause, FieldError, Object, Reason, StatusError};

use crate::{
    body::Body,
    limits::{WARNING_BYTES_MAX, WARNINGS_BYTES_MAX},
};

/// What every handler gives: a response, or the refusal that [`refusal`] words.
pub(crate) type Answer = Result<Response<Body>, StatusError>;

/// A body of JSON.
pub(crate) fn json(code: StatusCode, body: Body) -> Response<Body> {
    with_type(code, "application/json", body)
}

/// One object, as it is.
pub(crate) fn object(code: StatusCode, object: &Object) -> Response<Body> {
    json(code, Body::whole(object.json()))
}

/// Plain text.
pub(crate) fn text(code: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    with_type(code, "text/plain; charset=utf-8", Body::whole(text))
}

/// There is no such path.
pub(crate) fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "404 page not found\n")
}

/// A response with a type of content and upstream's word on caching.
pub(crate) fn with_type(code: StatusCode, content: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    set(&mut response, CONTENT_TYPE, content);
    set(&mut response, CACHE_CONTROL, "no-cache, private");
    response
}

fn set(response: &mut Response<Body>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

/// A refusal as a `Status`. What is our own fault goes to the log as well.
pub(crate) fn refusal(error: &StatusError) -> Response<Body> {
    if error.reason == Reason::InternalError {
        tracing::error!(message = %error.message, "a request failed for a reason of our own");
    }
    let code = StatusCode::from_u16(error.reason.code()).expect("reasons have HTTP codes");
    let mut response = json(code, Body::whole(error.to_json()));
    if error.retry_after_seconds > 0 {
        let seconds = HeaderValue::from(error.retry_after_seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

/// A refusal without anything to say beside the text.
pub(crate) fn bad_request(text: impl Into<String>) -> StatusError {
    StatusError::new(Reason::BadRequest, text)
}

/// Something of ours is broken: the words of upstream's internal errors.
pub(crate) fn internal(what: impl std::fmt::Display) -> StatusError {
    let what = what.to_string();
    let message = format!("Internal error occurred: {what}");
    let cause = Cause { reason: String::new(), message: what, field: String::new() };
    StatusError { causes: vec![cause], ..StatusError::new(Reason::InternalError, message) }
}

/// 422 about the options of a request, such as `ListOptions.meta.k8s.io "" is invalid: …`.
pub(crate) fn invalid_options(subject: &str, errors: &[FieldError]) -> StatusError {
    let texts: Vec<String> = errors.iter().map(FieldError::to_string).collect();
    let list = match texts.as_slice() {
        [one] => one.clone(),
        _ => format!("[{}]", texts.join(", ")),
    };
    let cause = |(error, text): (&FieldError, &String)| Cause {
        reason: error.kind.cause().to_owned(),
        message: text[error.path.len() + 2..].to_owned(),
        field: error.path.clone(),
    };
    let causes = errors.iter().zip(&texts).map(cause).collect();
    let message = format!("{subject} is invalid: {list}");
    StatusError { causes, ..StatusError::new(Reason::Invalid, message) }
}

/// Adds a `Warning: 299 - "<text>"` header per warning, each text once. When they are too long
/// together, each is cut.
pub(crate) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    let too_long = warnings.iter().map(String::len).sum::<usize>() > WARNINGS_BYTES_MAX;
    let mut seen = std::collections::BTreeSet::new();
    for warning in warnings.iter().filter(|warning| seen.insert(*warning)) {
        let cut = if too_long { head(warning, WARNING_BYTES_MAX) } else { warning };
        let one_line: String = cut.chars().filter(|c| !c.is_control()).collect();
        let escaped = one_line.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{escaped}\"")) {
            response.headers_mut().append(WARNING, value);
        }
    }
}

/// The longest beginning of at most `bytes` bytes that ends between letters.
fn head(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
}
