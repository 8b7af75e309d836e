//! One look at everything that is counted, as Prometheus reads it.

use std::rc::Rc;

use engine::{Engine, JOB_FAMILIES, Skew};
use hyper::{Response, StatusCode};
use kinds::{Facts, KINDS, Kind};
use store::Store;

use super::{
    BUCKETS_MS, Line, Metrics, Scope, What, process,
    text::{Text, Type},
};
use crate::{GIT_VERSION, Server, Verb, answer, body::Body};

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn metrics(server: &Rc<Server>) -> Response<Body> {
    let mut text = Text::default();
    let help = "Always 1; which version of the API is served, by which version of coracle.";
    text.family("kubernetes_build_info", Type::Gauge, help);
    text.sample("kubernetes_build_info", &[("git_version", GIT_VERSION)], 1);
    server.metrics.write(&mut text);
    write_engine(&server.engine(), &mut text);
    write_store(server.engine().store(), &mut text);
    process::write(&mut text);
    answer::with_type(StatusCode::OK, CONTENT_TYPE, Body::whole(text.finish()))
}

impl Metrics {
    fn write(&self, text: &mut Text) {
        let name = "apiserver_request_total";
        text.family(name, Type::Counter, "Requests that were answered.");
        for ((line, code), count) in self.requests.borrow().iter() {
            let code = code.to_string();
            text.sample(name, &line.labels(&[("code", &code)]), count);
        }
        self.write_durations(text);
        let name = "apiserver_longrunning_requests";
        text.family(name, Type::Gauge, "Watches and followed logs that are open.");
        for (line, count) in self.open.borrow().iter() {
            text.sample(name, &line.labels(&[]), count);
        }
        let name = "apiserver_watch_events_total";
        text.family(name, Type::Counter, "Events that were sent to watches.");
        for info in KINDS {
            let labels =
                [("group", info.group), ("resource", info.plural), ("version", info.version)];
            text.sample(name, &labels, self.events[info.kind as usize].get());
        }
        let help = "Times that more of the store became durable.";
        text.single("coracle_store_syncs_total", Type::Counter, help, self.syncs.get());
    }

    fn write_durations(&self, text: &mut Text) {
        let name = "apiserver_request_duration_seconds";
        text.family(name, Type::Histogram, "Time until an answer was ready; not of watches.");
        for (line, histogram) in self.durations.borrow().iter() {
            let mut sum = 0;
            for (at, count) in histogram.counts.iter().enumerate() {
                sum += count;
                let end = BUCKETS_MS.get(at).map(|ms| (*ms as f64 / 1_000.0).to_string());
                let end = end.as_deref().unwrap_or("+Inf");
                text.sample(&format!("{name}_bucket"), &line.labels(&[("le", end)]), sum);
            }
            let seconds = histogram.sum.as_secs_f64();
            text.sample(&format!("{name}_sum"), &line.labels(&[]), seconds);
            text.sample(&format!("{name}_count"), &line.labels(&[]), sum);
        }
    }
}

fn write_engine(engine: &Engine, text: &mut Text) {
    let name = "workqueue_adds_total";
    text.family(name, Type::Counter, "Times that objects were looked at by their controllers.");
    for info in KINDS {
        text.sample(name, &[("name", info.singular)], engine.reconciled(info.kind));
    }
    for family in &JOB_FAMILIES {
        text.family(family.name, Type::Counter, family.help);
        for (labels, count) in engine.job_samples(family) {
            text.sample(family.name, &labels, count);
        }
    }
    let (name, skew) =
        ("cronjob_controller_job_creation_skew_duration_seconds", engine.cron_job_skew());
    text.family(name, Type::Histogram, "Time from when a Job was due to when it was made.");
    let ends = Skew::BUCKETS_S.iter().map(u16::to_string).chain(["+Inf".to_owned()]);
    let mut sum = 0;
    for (end, count) in ends.zip(skew.counts) {
        sum += count;
        text.sample(&format!("{name}_bucket"), &[("le", &end)], sum);
    }
    text.sample(&format!("{name}_sum"), &[], skew.sum_s);
    text.sample(&format!("{name}_count"), &[], sum);
}

fn write_store(store: &Store, text: &mut Text) {
    let name = "apiserver_storage_objects";
    text.family(name, Type::Gauge, "Objects that exist.");
    for info in KINDS {
        text.sample(name, &[("resource", &info.qualified())], store.count(info.kind));
    }
    let help = "The latest revision, and the latest that is on disk.";
    let name = "coracle_store_revision";
    text.family(name, Type::Gauge, help);
    text.sample(name, &[("state", "committed")], store.head());
    text.sample(name, &[("state", "durable")], store.durable());
    let (mut running, mut waiting) = (0, 0);
    for pod in store.list(Kind::Pod, None) {
        if let Facts::Pod { node_name, phase } = &pod.meta.facts {
            running += u64::from(phase == "Running");
            waiting += u64::from(phase == "Pending" && node_name.is_empty());
        }
    }
    text.single("kubelet_running_pods", Type::Gauge, "Pods that run.", running);
    let name = "scheduler_pending_pods";
    text.family(name, Type::Gauge, "Pods that have no place yet.");
    text.sample(name, &[("queue", "active")], waiting);
    let unfinished = store.list(Kind::Job, None);
    let unfinished = unfinished
        .filter(|job| matches!(&job.meta.facts, Facts::Job { finished: false, .. }))
        .count();
    let help = "Jobs that are neither Complete nor Failed.";
    text.single("coracle_unfinished_jobs", Type::Gauge, help, unfinished);
}

impl Line {
    /// The labels of upstream, with some more, in the order of their names.
    fn labels<'a>(&self, more: &[(&'static str, &'a str)]) -> Vec<(&'static str, &'a str)> {
        let (verb, group, version, resource, part, scope) = match self.what {
            What::Objects(verb, kind, part, scope) => {
                let info = kind.info();
                (method(verb), info.group, info.version, info.plural, part.name(), scope.name())
            }
            What::Review(review) => {
                let info = review.info();
                ("POST", info.group, info.version, info.plural, "", "resource")
            }
            What::Path(path) => ("GET", "", "", "", path, ""),
        };
        let mut labels = vec![
            ("component", "apiserver"),
            ("dry_run", if self.dry_run { "All" } else { "" }),
            ("group", group),
            ("resource", resource),
            ("scope", scope),
            ("subresource", part),
            ("verb", verb),
            ("version", version),
        ];
        labels.extend_from_slice(more);
        labels.sort_unstable();
        labels
    }
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Namespace => "namespace",
            Self::Resource => "resource",
        }
    }
}

/// Upstream's label for a verb.
fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "GET",
        Verb::List => "LIST",
        Verb::Watch => "WATCH",
        Verb::Create => "POST",
        Verb::Update => "PUT",
        Verb::Patch => "PATCH",
        Verb::Delete => "DELETE",
        Verb::DeleteCollection => "DELETECOLLECTION",
    }
}
