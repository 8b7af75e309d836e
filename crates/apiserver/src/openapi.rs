//! OpenAPI v3: an index of documents, one per group and version, each under the hash of its
//! content. They are made when one is first asked for, and kept.

mod descriptions;
mod paths;
mod schemas;

use std::{collections::BTreeMap, rc::Rc};

use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{ACCEPT, CACHE_CONTROL, EXPIRES, HeaderName, HeaderValue, LOCATION, VARY},
};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use kinds::KINDS;
use serde_json::{Value, json};

use crate::{
    GIT_VERSION, OpenApi, Server,
    answer::{self, Answer},
    body::Body,
    etag, negotiate,
    request::root,
    review::REVIEWS,
};
use schemas::Schemas;

/// How long a document may be kept that is asked for with its hash.
const KEPT: SignedDuration = SignedDuration::from_hours(365 * 24);

/// All documents.
#[derive(Debug)]
pub(crate) struct Documents {
    index: Bytes,
    by_path: BTreeMap<String, Document>,
}

#[derive(Debug)]
struct Document {
    hash: String,
    json: Bytes,
}

/// All there is of OpenAPI v2, as protobuf: the version `2.0` and the title, and no kinds. kubectl
/// asks for it after a kind that v3 does not have, and without one it cannot even say that.
const V2: &[u8] = b"\x0a\x032.0\x12\x0c\x0a\x0aKubernetes";

/// The form in which kubectl asks for it, without its version.
const V2_MEDIA: &str = "application/com.github.proto-openapi.spec.v2";

pub(crate) fn openapi(asked: &OpenApi, headers: &HeaderMap, server: &Rc<Server>) -> Answer {
    if *asked == OpenApi::V2 {
        return Ok(v2(headers));
    }
    negotiate::accepts_json(headers)?;
    let documents = server.openapi();
    let OpenApi::Document { path, hash } = asked else {
        return Ok(etag::tagged(headers, "application/json", documents.index.clone()));
    };
    let Some(document) = documents.by_path.get(path) else { return Ok(answer::not_found()) };
    if !hash.is_empty() && *hash != document.hash {
        return Ok(moved(&document.url(path)));
    }
    let mut response = etag::tagged(headers, "application/json", document.json.clone());
    set(&mut response, VARY, "Accept");
    if !hash.is_empty() {
        set(&mut response, CACHE_CONTROL, "public, immutable");
        set(&mut response, EXPIRES, &expires(server.now()));
    }
    Ok(response)
}

/// Whoever wants the whole of v2 has to be told that it is not there.
fn v2(headers: &HeaderMap) -> Response<Body> {
    let accepts = headers.get(ACCEPT).is_some_and(|accept| {
        accept.as_bytes().windows(V2_MEDIA.len()).any(|part| part == V2_MEDIA.as_bytes())
    });
    if !accepts {
        return answer::not_found();
    }
    let content = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    answer::with_type(StatusCode::OK, content, Body::whole(V2))
}

impl Documents {
    pub(crate) fn new() -> Self {
        let mut by_path = BTreeMap::new();
        for (group, version) in groups() {
            let json = Bytes::from(document(group, version).to_string());
            let path = root(group, version).trim_start_matches('/').to_owned();
            by_path.insert(path, Document { hash: etag::hash(&json), json });
        }
        let paths = by_path.iter().map(|(path, document)| {
            (path.clone(), json!({ "serverRelativeURL": document.url(path) }))
        });
        let index = json!({ "paths": paths.collect::<serde_json::Map<_, _>>() });
        Self { index: index.to_string().into(), by_path }
    }
}

impl Document {
    fn url(&self, path: &str) -> String {
        format!("/openapi/v3/{path}?hash={}", self.hash)
    }
}

/// Every group and version that is served, once.
fn groups() -> Vec<(&'static str, &'static str)> {
    let kinds = KINDS.iter().map(|kind| (kind.group, kind.version));
    let reviews = REVIEWS.iter().map(|review| (review.group, review.version));
    let mut groups: Vec<_> = kinds.chain(reviews).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn document(group: &str, version: &str) -> Value {
    let mut schemas = Schemas::new();
    let paths = paths::of_group(group, version, &mut schemas);
    json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": GIT_VERSION },
        "paths": paths,
        "components": { "schemas": schemas.finish() },
    })
}

fn moved(url: &str) -> Response<Body> {
    let mut response = answer::text(StatusCode::MOVED_PERMANENTLY, "");
    set(&mut response, LOCATION, url);
    response
}

fn expires(now: Timestamp) -> String {
    let then = now.checked_add(KEPT).unwrap_or(now);
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap_or_default()
}

fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests;
