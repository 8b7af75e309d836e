//! A request line as data: which verb on which kind, or one of the few paths beside the resources.
//! [`parse`] is pure and total; its routes are the rows of the table of kinds.

use hyper::Method;
use kinds::{Kind, Reason, StatusError};
use percent_encoding::{percent_decode_str, utf8_percent_encode};

use crate::query::{ESCAPED, Query};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Something about objects.
    Resource(RequestInfo),
    /// `/version`
    Version,
    /// `/healthz`, `/livez`, `/readyz`
    Health,
    /// One of coracle's own paths under `/coracle/`.
    Own(Own, Query),
}

/// Everything the line of a resource request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    /// What is to be done.
    pub verb: Verb,
    /// With objects of which kind.
    pub kind: Kind,
    /// In which namespace; empty for cluster-scoped kinds and for all namespaces.
    pub namespace: String,
    /// The name; empty for a collection.
    pub name: String,
    /// Which part of the object.
    pub subresource: Subresource,
    /// The query parameters.
    pub query: Query,
}

/// Upstream's request verbs, as far as they are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation: upstream's own")]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Delete,
}

/// The part of an object that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subresource {
    /// The object itself.
    Main,
    /// `…/status`
    Status,
    /// `pods/…/log`
    Log,
}

/// coracle's own requests, beside Kubernetes'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// `GET /coracle/status`
    Status,
    /// `GET /coracle/history`
    History,
    /// `POST /coracle/stop`
    Stop,
    /// `DELETE /coracle/runs/<id>`: the client says goodbye.
    EndRun(String),
}

/// Why a request line leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unroutable {
    /// No such path: answered in plain text, as upstream does.
    NotFound,
    /// The path exists, the method does not, or is not served yet.
    Refused(Box<StatusError>),
}

/// Reads a request line. `query` is the text after the question mark.
pub fn parse(method: &Method, path: &str, query: Option<&str>) -> Result<Request, Unroutable> {
    let query = Query::parse(query.unwrap_or_default());
    let segments: Vec<String> = path
        .strip_prefix('/')
        .ok_or(Unroutable::NotFound)?
        .split('/')
        .map(|s| percent_decode_str(s).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["version"] => only(method, &Method::GET, Request::Version),
        ["healthz" | "livez" | "readyz"] => only(method, &Method::GET, Request::Health),
        ["coracle", rest @ ..] => own(method, rest, query),
        ["api", version, rest @ ..] => resource(method, "", version, rest, query),
        ["apis", group, version, rest @ ..] if !group.is_empty() => {
            resource(method, group, version, rest, query)
        }
        _ => Err(Unroutable::NotFound),
    }
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
    let place = locate(group, version, rest).ok_or(Unroutable::NotFound)?;
    let verb = verb(method, &place, &query)?;
    Ok(Request::Resource(RequestInfo {
        verb,
        kind: place.kind,
        namespace: place.namespace.to_owned(),
        name: place.name.to_owned(),
        subresource: place.subresource,
        query,
    }))
}

fn locate<'a>(group: &str, version: &str, rest: &[&'a str]) -> Option<Place<'a>> {
    // A namespace is itself an object: `namespaces/x` names it, `namespaces/x/pods` looks into it.
    let (namespace, rest) = match rest {
        ["namespaces", namespace, inside @ ..] if !namespace.is_empty() => match inside {
            [] | ["status"] => ("", rest),
            _ => (*namespace, inside),
        },
        _ => ("", rest),
    };
    let (plural, name, sub) = match rest {
        [plural] => (plural, "", ""),
        [plural, name] => (plural, *name, ""),
        [plural, name, sub] => (plural, *name, *sub),
        _ => return None,
    };
    let kind = Kind::by_path(group, version, plural)?;
    let info = kind.info();
    let subresource = match sub {
        "" => Subresource::Main,
        "status" if info.status => Subresource::Status,
        "log" if kind == Kind::Pod => Subresource::Log,
        _ => return None,
    };
    let in_scope =
        if namespace.is_empty() { !info.namespaced || name.is_empty() } else { info.namespaced };
    // An empty last segment (`pods/`) is no name.
    let whole = rest.iter().all(|segment| !segment.is_empty());
    (in_scope && whole).then_some(Place { kind, namespace, name, subresource })
}

fn verb(method: &Method, place: &Place<'_>, query: &Query) -> Result<Verb, Unroutable> {
    let collection = place.name.is_empty();
    let across_namespaces =
        collection && place.namespace.is_empty() && place.kind.info().namespaced;
    let main = place.subresource == Subresource::Main;
    match *method {
        Method::GET if !collection => Ok(Verb::Get),
        Method::GET if query.flag("watch") => Ok(Verb::Watch),
        Method::GET => Ok(Verb::List),
        Method::POST if collection && !across_namespaces => Ok(Verb::Create),
        Method::PUT if !collection && place.subresource != Subresource::Log => Ok(Verb::Update),
        Method::DELETE if !collection && main => Ok(Verb::Delete),
        Method::PATCH if !collection && place.subresource != Subresource::Log => {
            Err(unsupported("patch", place.kind))
        }
        Method::DELETE if collection && !across_namespaces => {
            Err(unsupported("deletecollection", place.kind))
        }
        _ => Err(wrong_method()),
    }
}

fn wrong_method() -> Unroutable {
    let text = "the server does not allow this method on the requested resource";
    Unroutable::Refused(Box::new(StatusError::new(Reason::MethodNotAllowed, text)))
}

fn unsupported(verb: &str, kind: Kind) -> Unroutable {
    let resource = kind.info().qualified();
    let text = format!("{verb} is not supported on resources of kind \"{resource}\"");
    let error =
        StatusError { kind: Some(kind), ..StatusError::new(Reason::MethodNotAllowed, text) };
    Unroutable::Refused(Box::new(error))
}

/// The path of a collection (`name` empty), an object or a part of it: what [`parse`] reads.
pub fn path(kind: Kind, namespace: &str, name: &str, subresource: Subresource) -> String {
    let info = kind.info();
    let mut path = match info.group {
        "" => format!("/api/{}", info.version),
        group => format!("/apis/{group}/{}", info.version),
    };
    let mut push = |segment: &str| {
        path.push('/');
        path.extend(utf8_percent_encode(segment, ESCAPED));
    };
    if !namespace.is_empty() {
        push("namespaces");
        push(namespace);
    }
    push(info.plural);
    if !name.is_empty() {
        push(name);
    }
    match subresource {
        Subresource::Main => {}
        Subresource::Status => push("status"),
        Subresource::Log => push("log"),
    }
    path
}

#[cfg(test)]
mod tests {
    use kinds::KINDS;
    use proptest::prelude::*;

    use super::*;

    /// The request in a few words: `get Pod ns/p log`, `- no path`, `405 …`.
    fn words(method: &str, target: &str) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match parse(&method.parse().unwrap(), path, Some(query)) {
            Ok(Request::Resource(info)) => {
                let (verb, kind) = (format!("{:?}", info.verb).to_lowercase(), info.kind);
                let part = match info.subresource {
                    Subresource::Main => "",
                    Subresource::Status => " status",
                    Subresource::Log => " log",
                };
                format!("{verb} {kind:?} {}/{}{part}", info.namespace, info.name)
            }
            Ok(Request::Own(own, _)) => format!("own {own:?}"),
            Ok(other) => format!("{other:?}"),
            Err(Unroutable::NotFound) => "no such path".to_owned(),
            Err(Unroutable::Refused(error)) => format!("{} {error}", error.reason.code()),
        }
    }

    #[test]
    fn request_lines_say_what_is_asked() {
        const WRONG: &str = "405 the server does not allow this method on the requested resource";
        for (method, target, expected) in [
            ("GET", "/api/v1/pods", "list Pod /"),
            ("GET", "/api/v1/pods?watch=true", "watch Pod /"),
            ("GET", "/api/v1/pods?watch", "watch Pod /"),
            ("GET", "/api/v1/pods?watch=0", "list Pod /"),
            ("GET", "/api/v1/namespaces/ns/pods", "list Pod ns/"),
            ("GET", "/api/v1/namespaces/ns/pods/p", "get Pod ns/p"),
            ("GET", "/api/v1/namespaces/ns/pods/p?watch=true", "get Pod ns/p"),
            ("GET", "/api/v1/namespaces/ns/pods/p/log", "get Pod ns/p log"),
            ("PUT", "/api/v1/namespaces/ns/pods/p/log", WRONG),
            ("PUT", "/api/v1/namespaces/ns/pods/p/status", "update Pod ns/p status"),
            ("DELETE", "/api/v1/namespaces/ns/pods/p/status", WRONG),
            ("POST", "/apis/batch/v1/namespaces/ns/jobs", "create Job ns/"),
            ("POST", "/apis/batch/v1/jobs", WRONG),
            ("POST", "/apis/batch/v1/namespaces/ns/jobs/j", WRONG),
            ("DELETE", "/apis/batch/v1/namespaces/ns/jobs/j", "delete Job ns/j"),
            ("HEAD", "/apis/batch/v1/namespaces/ns/jobs/j", WRONG),
            ("GET", "/api/v1/namespaces", "list Namespace /"),
            ("POST", "/api/v1/namespaces", "create Namespace /"),
            ("GET", "/api/v1/namespaces/ns", "get Namespace /ns"),
            ("GET", "/api/v1/namespaces/ns/status", "get Namespace /ns status"),
            ("GET", "/api/v1/nodes/n/status", "get Node /n status"),
            ("GET", "/apis/node.k8s.io/v1/runtimeclasses/r", "get RuntimeClass /r"),
            ("GET", "/api/v1/namespaces/a%2Fb/pods/%70", "get Pod a/b/p"),
            ("GET", "/api/v1/namespaces/ns/nodes", "no such path"),
            ("GET", "/api/v1/pods/p", "no such path"),
            ("GET", "/api/v1/jobs", "no such path"),
            ("GET", "/apis/batch/v1beta1/jobs", "no such path"),
            ("GET", "/apis//v1/pods", "no such path"),
            ("GET", "/api/v1/namespaces/ns/pods/", "no such path"),
            ("GET", "/api/v1/namespaces//pods", "no such path"),
            ("GET", "/api/v1/namespaces/ns/pods/p/exec", "no such path"),
            ("GET", "/api/v1/namespaces/ns/configmaps/c/status", "no such path"),
            ("GET", "/api/v1", "no such path"),
            ("GET", "", "no such path"),
            (
                "PATCH",
                "/api/v1/nodes/n",
                "405 patch is not supported on resources of kind \"nodes\"",
            ),
            ("GET", "/livez", "Health"),
            ("POST", "/livez", WRONG),
            ("GET", "/coracle/runs/r", WRONG),
            ("DELETE", "/coracle/runs/r?detach=true", "own EndRun(\"r\")"),
            ("POST", "/coracle/stop", "own Stop"),
        ] {
            assert_eq!(words(method, target), expected, "{method} {target}");
        }
    }

    proptest! {
        #[test]
        fn every_kinds_path_reads_back(row in 0..KINDS.len(), namespace in "[a-z0-9%/ .-]{1,8}", name in "[a-z0-9%/ .:-]{1,8}") {
            let info = &KINDS[row];
            let namespace = if info.namespaced { namespace } else { String::new() };
            let parts = [Subresource::Main, Subresource::Status];
            for part in parts.into_iter().filter(|part| *part == Subresource::Main || info.status) {
                let path = path(info.kind, &namespace, &name, part);
                let wanted = RequestInfo {
                    verb: Verb::Get,
                    kind: info.kind,
                    namespace: namespace.clone(),
                    name: name.clone(),
                    subresource: part,
                    query: Query::default(),
                };
                prop_assert_eq!(parse(&Method::GET, &path, None), Ok(Request::Resource(wanted)));
            }
        }

        #[test]
        fn any_line_is_read_or_refused(path in "(/api|/apis|/coracle|)(/[a-z%0-9]{0,8}){0,7}", query in ".{0,24}") {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                drop(parse(&method, &path, Some(&query)));
            }
        }

        #[test]
        fn query_values_read_back(value in ".{0,16}") {
            let query = Query::parse(&format!("a=1&{}", crate::query_pair("b", &value)));
            prop_assert_eq!(query.get("b"), Some(&*value));
        }
    }
}
