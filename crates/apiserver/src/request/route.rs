//! From the text of a request line to what it asks for.

use std::borrow::Cow;

use hyper::Method;
use kinds::{KINDS, Kind, Reason, StatusError};
use percent_encoding::percent_decode_str;

use super::{
    Discovery, Endpoint, Health, OpenApi, Own, Request, RequestInfo, Subresource, Unroutable, Verb,
};
use crate::{
    query::Query,
    review::{REVIEWS, Review},
};

/// Reads a request line. `query` is the text after the question mark.
pub fn parse(method: &Method, path: &str, query: Option<&str>) -> Result<Request, Unroutable> {
    let query = Query::parse(query.unwrap_or_default());
    let segments: Vec<Cow<'_, str>> = path
        .strip_prefix('/')
        .ok_or(Unroutable::NotFound)?
        .split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy())
        .collect();
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    if let Some(request) = beside_resources(&segments, &query) {
        return only(method, &Method::GET, request);
    }
    match segments.as_slice() {
        ["coracle", rest @ ..] => own(method, rest, query),
        ["api", version, rest @ ..] => resource(method, "", version, rest, query),
        ["apis", group, version, rest @ ..] if !group.is_empty() => {
            resource(method, group, version, rest, query)
        }
        _ => Err(Unroutable::NotFound),
    }
}

/// The paths that are only read. They may end in a slash: clients ask for `/version/` and `/apis/`.
fn beside_resources(segments: &[&str], query: &Query) -> Option<Request> {
    let segments = match segments {
        [""] => return Some(Request::Discovery(Discovery::Index)),
        [path @ .., ""] => path,
        path => path,
    };
    if let Some(discovery) = discovery(segments) {
        return Some(Request::Discovery(discovery));
    }
    Some(match segments {
        ["version"] => Request::Version,
        ["metrics"] => Request::Metrics,
        ["openapi", "v2"] => Request::OpenApi(OpenApi::V2),
        ["openapi", "v3"] => Request::OpenApi(OpenApi::Index),
        ["openapi", "v3", path @ ..] => Request::OpenApi(OpenApi::Document {
            path: path.join("/"),
            hash: query.text("hash").to_owned(),
        }),
        [endpoint, check @ ..] => {
            let endpoint = match *endpoint {
                "healthz" => Endpoint::Healthz,
                "livez" => Endpoint::Livez,
                "readyz" => Endpoint::Readyz,
                _ => return None,
            };
            let check = (!check.is_empty()).then(|| check.join("/"));
            Request::Health(Health { endpoint, check }, query.clone())
        }
        [] => return None,
    })
}

fn discovery(segments: &[&str]) -> Option<Discovery> {
    match *segments {
        ["api"] => Some(Discovery::Core),
        ["apis"] => Some(Discovery::Groups),
        ["apis", group] if serves(group, None) => Some(Discovery::Group(group.to_owned())),
        ["api", version] if serves("", Some(version)) => {
            Some(Discovery::Resources(String::new(), version.to_owned()))
        }
        ["apis", group, version] if !group.is_empty() && serves(group, Some(version)) => {
            Some(Discovery::Resources(group.to_owned(), version.to_owned()))
        }
        _ => None,
    }
}

/// Whether anything is served in a group, in this version if one is named.
fn serves(group: &str, version: Option<&str>) -> bool {
    let kinds = KINDS.iter().map(|kind| (kind.group, kind.version));
    let reviews = REVIEWS.iter().map(|review| (review.group, review.version));
    kinds.chain(reviews).any(|(g, v)| g == group && version.is_none_or(|version| version == v))
}

fn own(method: &Method, rest: &[&str], query: Query) -> Result<Request, Unroutable> {
    let (wanted, own) = match rest {
        ["status"] => (Method::GET, Own::Status),
        ["history"] => (Method::GET, Own::History),
        ["stop"] => (Method::POST, Own::Stop),
        ["runs", id] if !id.is_empty() => (Method::DELETE, Own::EndRun((*id).to_owned())),
        _ => return Err(Unroutable::NotFound),
    };
    only(method, &wanted, Request::Own(own, query))
}

fn only(method: &Method, wanted: &Method, request: Request) -> Result<Request, Unroutable> {
    if method == wanted { Ok(request) } else { Err(wrong_method()) }
}

/// Where a resource path points, before the method is looked at.
struct Place<'a> {
    kind: Kind,
    namespace: &'a str,
    name: &'a str,
    subresource: Subresource,
}

fn resource(
    method: &Method,
    group: &str,
    version: &str,
    rest: &[&str],
    query: Query,
) -> Result<Request, Unroutable> {
    if let Some((review, namespace)) = review(group, version, rest) {
        return only(method, &Method::POST, Request::Review(review, namespace.to_owned(), query));
    }
    let (watched, rest) = match rest {
        ["watch", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let place = locate(group, version, rest).ok_or(Unroutable::NotFound)?;
    let verb = match watched {
        true if place.subresource != Subresource::Main => return Err(Unroutable::NotFound),
        true if *method != Method::GET => return Err(wrong_method()),
        true => Verb::Watch,
        false => verb(method, &place, &query).ok_or_else(wrong_method)?,
    };
    Ok(Request::Resource(RequestInfo {
        verb,
        kind: place.kind,
        namespace: place.namespace.to_owned(),
        name: place.name.to_owned(),
        subresource: place.subresource,
        query,
    }))
}

fn review<'a>(group: &str, version: &str, rest: &[&'a str]) -> Option<(Review, &'a str)> {
    let (namespace, plural) = match *rest {
        ["namespaces", namespace, plural] if !namespace.is_empty() => (namespace, plural),
        [plural] => ("", plural),
        _ => return None,
    };
    let info = Review::by_path(group, version, plural)?;
    (info.namespaced != namespace.is_empty()).then_some((info.review, namespace))
}

fn locate<'a>(group: &str, version: &str, rest: &[&'a str]) -> Option<Place<'a>> {
    // A namespace is itself an object: `namespaces/x` names it, `namespaces/x/pods` looks into it.
    let (namespace, rest) = match rest {
        ["namespaces", namespace, inside @ ..] if !namespace.is_empty() => match inside {
            [] | ["status" | "finalize"] => ("", rest),
            _ => (*namespace, inside),
        },
        _ => ("", rest),
    };
    let (plural, name, part) = match rest {
        [plural] => (plural, "", ""),
        [plural, name] => (plural, *name, ""),
        [plural, name, part] => (plural, *name, *part),
        _ => return None,
    };
    let kind = Kind::by_path(group, version, plural)?;
    let info = kind.info();
    let subresource = match part {
        "" => Subresource::Main,
        part => Subresource::of(info).find(|sub| sub.name() == part)?,
    };
    let in_scope =
        if namespace.is_empty() { !info.namespaced || name.is_empty() } else { info.namespaced };
    // An empty last segment (`pods/`) is no name.
    let whole = rest.iter().all(|segment| !segment.is_empty());
    (in_scope && whole).then_some(Place { kind, namespace, name, subresource })
}

/// What a method asks for at a place; `None` where it is not allowed.
fn verb(method: &Method, place: &Place<'_>, query: &Query) -> Option<Verb> {
    let collection = place.name.is_empty();
    let part = place.subresource != Subresource::Main;
    let verb = match *method {
        Method::GET if !collection => Verb::Get,
        Method::GET if query.flag("watch") => Verb::Watch,
        Method::GET => Verb::List,
        Method::POST if collection || part => Verb::Create,
        Method::PUT if !collection => Verb::Update,
        Method::PATCH if !collection => Verb::Patch,
        Method::DELETE if !collection => Verb::Delete,
        Method::DELETE => Verb::DeleteCollection,
        _ => return None,
    };
    let across_namespaces =
        collection && place.namespace.is_empty() && place.kind.info().namespaced;
    let writes = matches!(verb, Verb::Create | Verb::DeleteCollection);
    let allowed =
        place.subresource.verbs(place.kind).contains(&verb) && !(across_namespaces && writes);
    allowed.then_some(verb)
}

fn wrong_method() -> Unroutable {
    let text = "the server does not allow this method on the requested resource";
    Unroutable::Refused(Box::new(StatusError::new(Reason::MethodNotAllowed, text)))
}
