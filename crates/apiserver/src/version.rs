//! `/version`: the level of the API that is served, and who serves it.

use hyper::{Response, StatusCode};
use serde_json::json;

use crate::{answer, body::Body};

/// The Kubernetes release whose behaviour is served, with this program as the build.
/// `gitVersion`: the API level that is served, and by what.
pub const GIT_VERSION: &str = concat!("v1.36.2+coracle.", env!("CARGO_PKG_VERSION"));

pub(crate) fn answer() -> Response<Body> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let version = json!({
        "major": "1", "minor": "36", "gitVersion": GIT_VERSION, "gitCommit": "",
        "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "",
        "compiler": "rustc", "platform": format!("linux/{architecture}"),
    });
    answer::json(StatusCode::OK, Body::whole(version.to_string()))
}
