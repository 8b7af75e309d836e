//! A request line as data: which verb on which kind, or one of the paths beside the resources.
//! [`parse`](fn@parse) is pure and total; its routes are the rows of the tables of kinds and of
//! reviews.

mod parts;
mod route;

#[cfg(test)]
mod tests;

use kinds::{Kind, StatusError};
use percent_encoding::utf8_percent_encode;

pub use parts::{Subresource, Verb};
pub use route::parse;

use crate::{
    query::{ESCAPED, Query},
    review::Review,
};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Something about objects.
    Resource(RequestInfo),
    /// A review: asked with POST, answered, never stored. The namespace is empty for those that
    /// have none.
    Review(Review, String, Query),
    /// Which groups, versions and kinds there are.
    Discovery(Discovery),
    /// The schemas of the kinds.
    OpenApi(OpenApi),
    /// `/version`
    Version,
    /// `/healthz`, `/livez`, `/readyz` and the single checks below them.
    Health(Health, Query),
    /// `/metrics`
    Metrics,
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
    /// The name; empty for a collection. A watch has one only by the deprecated prefix `watch/`.
    pub name: String,
    /// Which part of the object.
    pub subresource: Subresource,
    /// The query parameters.
    pub query: Query,
}

/// The documents of discovery. Groups and versions are ones that are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// `/`: the paths there are.
    Index,
    /// `/api`: the core group.
    Core,
    /// `/apis`: all other groups.
    Groups,
    /// `/apis/<group>`
    Group(String),
    /// `/api/v1`, `/apis/<group>/<version>`: by group and version.
    Resources(String, String),
}

/// The documents of OpenAPI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenApi {
    /// `/openapi/v2`
    V2,
    /// `/openapi/v3`
    Index,
    /// `/openapi/v3/<path>`, such as `apis/batch/v1`, with the parameter `hash`.
    Document {
        /// The path of the group and version.
        path: String,
        /// The hash that the client expects; empty for none.
        hash: String,
    },
}

/// A question for the server's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The sum of checks that is asked for.
    pub endpoint: Endpoint,
    /// Only the check of this name.
    pub check: Option<String>,
}

/// The three sums of checks, named as their paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation: upstream's own")]
pub enum Endpoint {
    Healthz,
    Livez,
    Readyz,
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
    /// The path exists, the method does not.
    Refused(Box<StatusError>),
}

/// `/api/v1` or `/apis/<group>/<version>`.
pub(crate) fn root(group: &str, version: &str) -> String {
    match group {
        "" => format!("/api/{version}"),
        group => format!("/apis/{group}/{version}"),
    }
}

/// The path of a collection (`name` empty), an object or a part of it: what
/// [`parse`](fn@parse) reads.
pub fn path(kind: Kind, namespace: &str, name: &str, subresource: Subresource) -> String {
    let info = kind.info();
    let mut path = root(info.group, info.version);
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
    if subresource != Subresource::Main {
        push(subresource.name());
    }
    path
}
