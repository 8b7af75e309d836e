//! What the server counts of its own work, and `/metrics`, where it is read. Names, labels and
//! buckets are those of Kubernetes where it has them, so that dashboards fit.

mod process;
mod scrape;
mod text;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use kinds::{KINDS, Kind};

pub(crate) use scrape::metrics;

use crate::{Endpoint, OpenApi, Request, RequestInfo, Subresource, Verb, review::Review};

/// Upper ends of the buckets that durations of requests are counted in, in milliseconds.
const BUCKETS_MS: [u64; 23] = [
    5, 25, 50, 100, 200, 400, 600, 800, 1_000, 1_250, 1_500, 2_000, 3_000, 4_000, 5_000, 6_000,
    8_000, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000,
];

/// What is counted since the start. Everything here happens on one thread.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// How many requests were answered how, by HTTP code.
    requests: RefCell<BTreeMap<(Line, u16), u64>>,
    /// How long the short ones took until their answer was ready.
    durations: RefCell<BTreeMap<Line, Histogram>>,
    /// The long ones that are open.
    open: RefCell<BTreeMap<Line, u64>>,
    /// Events that watches sent, by kind.
    events: [Cell<u64>; KINDS.len()],
    /// How often more became durable.
    syncs: Cell<u64>,
}

/// What requests are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    what: What,
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Objects(Verb, Kind, Subresource, Scope),
    Review(Review),
    /// A path beside the resources, by its beginning.
    Path(&'static str),
}

/// How much a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Cluster,
    Namespace,
    Resource,
}

#[derive(Debug, Default)]
struct Histogram {
    /// How many fell into each bucket, and beyond the last.
    counts: [u64; BUCKETS_MS.len() + 1],
    sum: Duration,
}

impl Metrics {
    /// A request was answered. `took` is left out for those that last as long as their client.
    pub(crate) fn answered(&self, line: Line, code: u16, took: Option<Duration>) {
        *self.requests.borrow_mut().entry((line, code)).or_default() += 1;
        if let Some(took) = took {
            self.durations.borrow_mut().entry(line).or_default().add(took);
        }
    }

    /// A watch sent an event.
    pub(crate) fn event_sent(&self, kind: Kind) {
        let count = &self.events[kind as usize];
        count.set(count.get() + 1);
    }

    /// More became durable.
    pub(crate) fn synced(&self) {
        self.syncs.set(self.syncs.get() + 1);
    }

    /// Counts a request that lasts as open, until what is returned is dropped.
    pub(crate) fn open(self: &Rc<Self>, line: Line) -> Open {
        *self.open.borrow_mut().entry(line).or_default() += 1;
        Open { metrics: Rc::clone(self), line }
    }
}

/// A request that lasts.
#[derive(Debug)]
pub(crate) struct Open {
    metrics: Rc<Metrics>,
    line: Line,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(count) = self.metrics.open.borrow_mut().get_mut(&self.line) {
            *count -= 1;
        }
    }
}

impl Histogram {
    fn add(&mut self, took: Duration) {
        let bucket = BUCKETS_MS.iter().position(|ms| took <= Duration::from_millis(*ms));
        self.counts[bucket.unwrap_or(BUCKETS_MS.len())] += 1;
        self.sum += took;
    }
}

impl Line {
    pub(crate) fn of(request: &Request) -> Self {
        let (what, query) = match request {
            Request::Resource(info) => {
                let what = What::Objects(info.verb, info.kind, info.subresource, scope(info));
                (what, Some(&info.query))
            }
            Request::Review(review, _, query) => (What::Review(*review), Some(query)),
            Request::Discovery(_) => (What::Path("/apis"), None),
            Request::OpenApi(OpenApi::V2) => (What::Path("/openapi/v2"), None),
            Request::OpenApi(_) => (What::Path("/openapi/v3"), None),
            Request::Version => (What::Path("/version"), None),
            Request::Health(health, _) => (What::Path(path(health.endpoint)), None),
            Request::Metrics => (What::Path("/metrics"), None),
            Request::Own(..) => (What::Path("/coracle"), None),
        };
        Self { what, dry_run: query.is_some_and(|query| !query.text("dryRun").is_empty()) }
    }
}

fn path(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Healthz => "/healthz",
        Endpoint::Livez => "/livez",
        Endpoint::Readyz => "/readyz",
    }
}

fn scope(info: &RequestInfo) -> Scope {
    match (info.name.is_empty(), info.namespace.is_empty()) {
        (false, _) => Scope::Resource,
        (true, false) => Scope::Namespace,
        (true, true) => Scope::Cluster,
    }
}
