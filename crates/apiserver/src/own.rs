//! coracle's own paths beside Kubernetes': status, history, stop, the end of a run.

use std::rc::Rc;

use bytes::Bytes;
use engine::history;
use hyper::{Response, StatusCode};
use kinds::KINDS;

use crate::{
    HistoryLine, Query, Server, ServerStatus, Stop,
    answer::{self, Answer},
    body::Body,
    limits::LEFTOVERS_MAX,
};

pub(crate) fn status(server: &Rc<Server>) -> Answer {
    let engine = server.engine();
    let store = engine.store();
    let leftovers = engine.leftovers().into_iter();
    let status = ServerStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        mode: server.about.mode,
        pid: std::process::id(),
        data_dir: server.about.data_dir.clone(),
        endpoint: server.about.endpoint.clone(),
        revision: store.durable(),
        objects: KINDS.iter().map(|k| (k.plural.to_owned(), store.count(k.kind))).collect(),
        runs: server.run_status(),
        notices: engine.notices_waiting(),
        leftovers: leftovers.take(LEFTOVERS_MAX).map(|key| key.to_string()).collect(),
        memory_bytes: resident_bytes(),
    };
    let json = serde_json::to_vec(&status).map_err(answer::internal)?;
    Ok(answer::json(StatusCode::OK, Body::whole(json)))
}

/// Resident memory of this process; 0 where the kernel does not say.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// One JSON line per finished Job, oldest first; with its pods and its manifest where one Job is asked
/// for.
pub(crate) fn history(query: &Query, server: &Rc<Server>) -> Response<Body> {
    let (namespace, job) = (query.text("namespace"), query.text("job"));
    let engine = server.engine();
    let store = engine.store();
    let wanted = |record: &history::JobRecord| {
        (namespace.is_empty() || record.namespace == namespace)
            && (job.is_empty() || record.job == job)
    };
    let mut lines = Vec::new();
    for record in history::jobs(store).filter(wanted) {
        let mut line = HistoryLine { job: record, pods: Vec::new(), manifest: None };
        if !job.is_empty() {
            line.pods = history::pods(store, line.job.uid).collect();
            let manifest = history::spec(store, line.job.uid);
            line.manifest = manifest.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        }
        serde_json::to_writer(&mut lines, &line).expect("records are plain data");
        lines.push(b'\n');
    }
    answer::with_type(StatusCode::OK, "application/x-ndjson", Body::whole(Bytes::from(lines)))
}

pub(crate) fn stop(query: &Query, server: &Rc<Server>) -> Response<Body> {
    server.request_stop(Stop { pods: query.flag("pods") });
    done()
}

pub(crate) fn end_run(id: &str, query: &Query, server: &Rc<Server>) -> Response<Body> {
    let ended = server.run_left(id, query.flag("detach"));
    answer::json(StatusCode::OK, Body::whole(format!(r#"{{"ended":{ended}}}"#)))
}

fn done() -> Response<Body> {
    answer::json(
        StatusCode::OK,
        Body::whole(r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}"#),
    )
}
