//! Which line asks for what, and that paths read back.

use hyper::Method;
use kinds::KINDS;
use proptest::prelude::*;

use super::*;
use crate::review::REVIEWS;

/// The request in a few words: `get Pod ns/p log`, `- no path`, `405 …`.
fn words(method: &str, target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match parse(&method.parse().unwrap(), path, Some(query)) {
        Ok(Request::Resource(info)) => {
            let (verb, kind) = (format!("{:?}", info.verb).to_lowercase(), info.kind);
            let part = info.subresource.name();
            format!("{verb} {kind:?} {}/{} {part}", info.namespace, info.name).trim().to_owned()
        }
        Ok(Request::Review(review, ..)) => format!("review {review:?}"),
        Ok(Request::Discovery(document)) => format!("{document:?}"),
        Ok(Request::OpenApi(document)) => format!("{document:?}"),
        Ok(Request::Health(health, _)) => format!("{:?} {:?}", health.endpoint, health.check),
        Ok(Request::Own(own, _)) => format!("own {own:?}"),
        Ok(other) => format!("{other:?}"),
        Err(Unroutable::NotFound) => "no such path".to_owned(),
        Err(Unroutable::Refused(error)) => format!("{} {error}", error.reason.code()),
    }
}

const WRONG: &str = "405 the server does not allow this method on the requested resource";

/// Method, target and what they ask for.
const LINES: &[(&str, &str, &str)] = &[
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
    ("PUT", "/api/v1/namespaces/ns/finalize", "update Namespace /ns finalize"),
    ("PATCH", "/api/v1/namespaces/ns/finalize", WRONG),
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
    ("GET", "/api/v1/namespaces/ns/pods/p/exec", "get Pod ns/p exec"),
    ("POST", "/api/v1/namespaces/ns/pods/p/attach", "create Pod ns/p attach"),
    ("GET", "/api/v1/namespaces/ns/pods/p/portforward", "get Pod ns/p portforward"),
    ("PUT", "/api/v1/namespaces/ns/pods/p/exec", WRONG),
    ("GET", "/api/v1/namespaces/ns/pods/p/proxy", "no such path"),
    ("GET", "/api/v1/namespaces/ns/configmaps/c/status", "no such path"),
    ("GET", "", "no such path"),
    ("PATCH", "/api/v1/nodes/n", "patch Node /n"),
    ("PATCH", "/api/v1/nodes/n/status", "patch Node /n status"),
    ("PATCH", "/api/v1/nodes", WRONG),
    ("DELETE", "/api/v1/nodes", "deletecollection Node /"),
    ("DELETE", "/api/v1/namespaces/ns/pods", "deletecollection Pod ns/"),
    ("DELETE", "/api/v1/pods", WRONG),
    ("POST", "/api/v1/namespaces/ns/pods/p/eviction", "create Pod ns/p eviction"),
    ("POST", "/api/v1/namespaces/ns/pods/p/binding", "create Pod ns/p binding"),
    ("GET", "/api/v1/namespaces/ns/pods/p/eviction", WRONG),
    ("POST", "/api/v1/namespaces/ns/pods/p/status", WRONG),
    ("GET", "/api/v1/watch/pods", "watch Pod /"),
    ("GET", "/api/v1/watch/namespaces/ns/pods/p", "watch Pod ns/p"),
    ("GET", "/api/v1/watch/namespaces/ns", "watch Namespace /ns"),
    ("GET", "/api/v1/watch/namespaces/ns/pods/p/log", "no such path"),
    ("POST", "/api/v1/watch/pods", WRONG),
    ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "review SelfSubjectAccess"),
    ("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", WRONG),
    ("POST", "/apis/authorization.k8s.io/v1/namespaces/n/selfsubjectaccessreviews", "no such path"),
    ("GET", "/", "Index"),
    ("GET", "/api", "Core"),
    ("GET", "/api/", "Core"),
    ("POST", "/api", WRONG),
    ("GET", "/apis", "Groups"),
    ("GET", "/apis/batch", "Group(\"batch\")"),
    ("GET", "/apis/extensions", "no such path"),
    ("GET", "/api/v1", "Resources(\"\", \"v1\")"),
    ("GET", "/api/v2", "no such path"),
    ("GET", "/apis/authorization.k8s.io/v1", "Resources(\"authorization.k8s.io\", \"v1\")"),
    ("GET", "/apis/batch/v2", "no such path"),
    ("GET", "/openapi/v3", "Index"),
    ("GET", "/openapi/v3/api/v1?hash=A", "Document { path: \"api/v1\", hash: \"A\" }"),
    ("GET", "/openapi/v2", "V2"),
    ("GET", "/metrics", "Metrics"),
    ("GET", "/version/", "Version"),
    ("GET", "/livez/", "Livez None"),
    ("GET", "/version//", "no such path"),
    ("GET", "/livez", "Livez None"),
    ("GET", "/readyz/ping", "Readyz Some(\"ping\")"),
    ("POST", "/livez", WRONG),
    ("GET", "/coracle/runs/r", WRONG),
    ("DELETE", "/coracle/runs/r?detach=true", "own EndRun(\"r\")"),
    ("POST", "/coracle/stop", "own Stop"),
    ("DELETE", "/api/v1/namespaces", WRONG),
];

#[test]
fn request_lines_say_what_is_asked() {
    for (method, target, expected) in LINES {
        assert_eq!(words(method, target), *expected, "{method} {target}");
    }
}

#[test]
fn every_review_is_asked_at_its_path() {
    for row in REVIEWS {
        let inside = if row.namespaced { "/namespaces/ns" } else { "" };
        let path = format!("{}{inside}/{}", root(row.group, row.version), row.plural);
        let asked = parse(&Method::POST, &path, None);
        assert!(matches!(asked, Ok(Request::Review(review, ..)) if review == row.review), "{path}");
    }
}

proptest! {
    #[test]
    fn every_kinds_path_reads_back(row in 0..KINDS.len(), namespace in "[a-z0-9%/ .-]{1,8}", name in "[a-z0-9%/ .:-]{1,8}") {
        let info = &KINDS[row];
        let namespace = if info.namespaced { namespace } else { String::new() };
        for part in [Subresource::Main].into_iter().chain(Subresource::of(info)) {
            let path = path(info.kind, &namespace, &name, part);
            let ways = [
                (Verb::Get, Method::GET),
                (Verb::Update, Method::PUT),
                (Verb::Create, Method::POST),
            ];
            let served = |(verb, _): &(Verb, Method)| part.verbs(info.kind).contains(verb);
            let (verb, method) = ways.into_iter().find(served).unwrap();
            let wanted = RequestInfo {
                verb,
                kind: info.kind,
                namespace: namespace.clone(),
                name: name.clone(),
                subresource: part,
                query: Query::default(),
            };
            prop_assert_eq!(parse(&method, &path, None), Ok(Request::Resource(wanted)));
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
