//! `/healthz`, `/livez`, `/readyz`: sums of named checks, each also with a path of its own.

use std::{collections::BTreeSet, fmt::Write as _, rc::Rc, time::Duration};

use hyper::{
    Response, StatusCode,
    header::{HeaderValue, X_CONTENT_TYPE_OPTIONS},
};

use crate::{
    Endpoint, Health, Query, Server, answer, body::Body, handle::Context, limits::HEALTH_STORE_MS,
};

/// Something that can be wrong with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// It answers.
    Ping,
    /// What is committed becomes durable in a short time.
    Store,
    /// It is not about to end.
    Shutdown,
}

impl Check {
    fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Store => "store",
            Self::Shutdown => "shutdown",
        }
    }

    async fn passes(self, server: &Rc<Server>, stopping: bool) -> bool {
        match self {
            Self::Ping => true,
            Self::Store => {
                let head = server.engine().store().head();
                server.durable_within(head, Duration::from_millis(HEALTH_STORE_MS)).await
            }
            Self::Shutdown => !stopping,
        }
    }
}

const ENDPOINTS: [Endpoint; 3] = [Endpoint::Healthz, Endpoint::Livez, Endpoint::Readyz];

impl Endpoint {
    fn name(self) -> &'static str {
        match self {
            Self::Healthz => "healthz",
            Self::Livez => "livez",
            Self::Readyz => "readyz",
        }
    }

    /// A server that ends is alive, but takes no new work.
    fn checks(self) -> &'static [Check] {
        match self {
            Self::Healthz | Self::Livez => &[Check::Ping, Check::Store],
            Self::Readyz => &[Check::Ping, Check::Store, Check::Shutdown],
        }
    }
}

/// Every path of a check.
pub(crate) fn paths() -> Vec<String> {
    let below = |endpoint: Endpoint| {
        let single = endpoint.checks().iter();
        let single = single.map(move |check| format!("/{}/{}", endpoint.name(), check.name()));
        std::iter::once(format!("/{}", endpoint.name())).chain(single)
    };
    ENDPOINTS.into_iter().flat_map(below).collect()
}

pub(crate) async fn health(
    health: &Health,
    query: &Query,
    context: &Context<'_>,
) -> Response<Body> {
    let stopping = *context.stopping.borrow();
    let Some(name) = &health.check else {
        return sum(health.endpoint, query, context.server, stopping).await;
    };
    let mut checks = health.endpoint.checks().iter();
    match checks.find(|check| check.name() == name) {
        None => answer::not_found(),
        Some(check) if check.passes(context.server, stopping).await => plain(StatusCode::OK, "ok"),
        Some(_) => failed(format!("internal server error: {name} failed")),
    }
}

async fn sum(
    endpoint: Endpoint,
    query: &Query,
    server: &Rc<Server>,
    stopping: bool,
) -> Response<Body> {
    let mut excluded: BTreeSet<&str> = query.all("exclude").collect();
    let (mut lines, mut healthy) = (String::new(), true);
    for check in endpoint.checks() {
        let name = check.name();
        let line = if excluded.remove(name) {
            format!("[+]{name} excluded: ok\n")
        } else if check.passes(server, stopping).await {
            format!("[+]{name} ok\n")
        } else {
            healthy = false;
            tracing::warn!(check = name, "a health check fails");
            format!("[-]{name} failed: reason withheld\n")
        };
        lines.push_str(&line);
    }
    if !excluded.is_empty() {
        let quoted: Vec<String> = excluded.iter().map(|name| format!("{name:?}")).collect();
        let names = quoted.join(", ");
        lines += &format!("warn: some health checks cannot be excluded: no matches for {names}\n");
    }
    let name = endpoint.name();
    if !healthy {
        return failed(format!("{lines}{name} check failed"));
    }
    if query.get("verbose").is_none() {
        return plain(StatusCode::OK, "ok");
    }
    let _ = writeln!(lines, "{name} check passed");
    plain(StatusCode::OK, lines)
}

fn failed(text: String) -> Response<Body> {
    plain(StatusCode::INTERNAL_SERVER_ERROR, text + "\n")
}

fn plain(code: StatusCode, text: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = answer::text(code, text);
    let value = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, value);
    response
}
