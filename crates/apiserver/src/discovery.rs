//! Discovery: which groups, versions and resources there are, in the aggregated form that today's
//! clients ask for and in the older one. Both are derived from the tables of kinds and of reviews.

mod aggregated;
mod legacy;
mod resource;

use hyper::{
    HeaderMap, StatusCode,
    header::{CACHE_CONTROL, HOST, HeaderName, HeaderValue, VARY},
};
use serde::Serialize;

use crate::{
    Discovery,
    answer::{self, Answer},
    body::Body,
    etag, health,
    negotiate::{self, Target},
};
use resource::resources;

/// The conversion that means the aggregated form, and exactly the type it must be answered with: a
/// client that gets another one reads the body as the older form.
const AGGREGATED: Target<'static> =
    Target { group: "apidiscovery.k8s.io", version: "v2", kind: "APIGroupDiscoveryList" };
const AGGREGATED_TYPE: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

pub(crate) fn discovery(document: &Discovery, headers: &HeaderMap) -> Answer {
    let all = resources();
    match document {
        Discovery::Core | Discovery::Groups if wants_aggregated(headers)? => {
            let of_core = *document == Discovery::Core;
            let mut shown = all;
            shown.retain(|resource| resource.group.is_empty() == of_core);
            let json = to_json(&aggregated::document(&shown))?;
            let mut response = etag::tagged(headers, AGGREGATED_TYPE, json);
            header(&mut response, VARY, "Accept");
            header(&mut response, CACHE_CONTROL, "public");
            Ok(response)
        }
        Discovery::Index => json(&legacy::index(&all, &health::paths())),
        Discovery::Core => {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            json(&legacy::core(host))
        }
        Discovery::Groups => json(&legacy::groups(&all)),
        Discovery::Group(group) => json(&legacy::group(&all, group)),
        Discovery::Resources(group, version) => json(&legacy::resources(&all, group, version)),
    }
}

fn wants_aggregated(headers: &HeaderMap) -> Result<bool, kinds::StatusError> {
    negotiate::choose(headers, |target| match target {
        None => Some(false),
        Some(target) => (target == AGGREGATED).then_some(true),
    })
}

fn to_json(document: &impl Serialize) -> Result<Vec<u8>, kinds::StatusError> {
    serde_json::to_vec(document).map_err(answer::internal)
}

fn json(document: &impl Serialize) -> Answer {
    Ok(answer::json(StatusCode::OK, Body::whole(to_json(document)?)))
}

fn header(response: &mut hyper::Response<Body>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
