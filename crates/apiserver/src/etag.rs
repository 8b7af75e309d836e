//! Documents that rarely change: tagged by their content, so that a client need not fetch twice.

use std::hash::{DefaultHasher, Hasher as _};

use hyper::{
    HeaderMap, Response, StatusCode,
    header::{ETAG, HeaderValue, IF_NONE_MATCH},
};

use crate::{answer, body::Body};

/// A name for some content, in upper-case hexadecimal. Only ever compared with what the same server
/// says: 64 bits are plenty, and may differ from build to build.
pub(crate) fn hash(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    format!("{:016X}", hasher.finish())
}

/// The answer with a document: 304 and no body for a client that has it.
pub(crate) fn tagged(
    headers: &HeaderMap,
    content: &'static str,
    json: impl Into<bytes::Bytes>,
) -> Response<Body> {
    let json = json.into();
    let tag = format!("\"{}\"", hash(&json));
    let known = headers.get_all(IF_NONE_MATCH).iter().any(|given| {
        let given = std::str::from_utf8(given.as_bytes()).unwrap_or_default();
        given.split(',').any(|one| matches!(one.trim(), one if one == tag || one == "*"))
    });
    let (code, body) = match known {
        true => (StatusCode::NOT_MODIFIED, Body::default()),
        false => (StatusCode::OK, Body::whole(json)),
    };
    let mut response = answer::with_type(code, content, body);
    let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes");
    response.headers_mut().insert(ETAG, tag);
    response
}
