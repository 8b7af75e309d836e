//! Runs of the command line as the server sees them: alive while watched, ended or left behind by a
//! goodbye.

use std::collections::BTreeSet;

use apiserver::{RUN_HEADER, Stop};
use bytes::Bytes;
use engine::Scope;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use crate::harness::{Harness, Lines, Setup, request, with_setup};

const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";
const JOB: &str = r#"{"metadata":{"name":"j"},"spec":{"template":{"spec":{"restartPolicy":"Never",
    "containers":[{"name":"c","image":"coracle.local/host","command":["true"]}]}}}}"#;

/// A server whose pods wait for ever: nothing has to run to be ended.
fn private() -> Setup {
    Setup { scope: Scope::Runs(BTreeSet::new()), pods: "0", ..Setup::default() }
}

fn in_run(method: &str, target: &str, body: &str) -> Request<Full<Bytes>> {
    let mut request = request(method, target, body);
    request.headers_mut().insert(RUN_HEADER, "r1".parse().unwrap());
    request
}

async fn runs(harness: &Harness) -> Value {
    harness.get("/coracle/status").await["runs"].clone()
}

/// A run with a watch and a Job.
async fn begin(harness: &Harness) -> Lines {
    let target = "/api/v1/nodes?watch=true&fieldSelector=metadata.name%3D";
    let watch = Lines::of(harness.send(in_run("GET", target, "")).await);
    assert_eq!(harness.call(in_run("POST", JOBS, JOB)).await.code, 201);
    assert_eq!(runs(harness).await, json!([{"id": "r1", "detached": false}]));
    watch
}

#[test]
fn a_private_server_acts_on_live_runs_only() {
    with_setup(private(), async |harness| {
        harness.create(JOBS, &JOB.replace("\"j\"", "\"left\"")).await;
        let _watch = begin(harness).await;
        let pods = harness.get("/api/v1/namespaces/default/pods").await;
        let names: Vec<&Value> = pods["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| &p["metadata"]["labels"]["job-name"])
            .collect();
        assert_eq!(names, [&json!("j")]);
    });
}

#[test]
fn a_goodbye_ends_what_is_left_and_the_run_with_it() {
    with_setup(private(), async |harness| {
        let _watch = begin(harness).await;
        assert_eq!(harness.call(request("DELETE", "/coracle/runs/r1", "")).await.code, 200);
        harness.server.left_alone().await;
        assert_eq!(runs(harness).await, json!([]));
        let gone = harness.call(request("GET", &format!("{JOBS}/j"), "")).await;
        assert_eq!(gone.code, 404);
        let pods = harness.get("/api/v1/namespaces/default/pods").await;
        assert_eq!(pods["items"], json!([]));
    });
}

#[test]
fn a_detached_run_lives_until_its_last_object_ends() {
    with_setup(private(), async |harness| {
        let watch = begin(harness).await;
        let target = "/coracle/runs/r1?detach=true";
        assert_eq!(harness.call(request("DELETE", target, "")).await.code, 200);
        drop(watch);
        assert_eq!(runs(harness).await, json!([{"id": "r1", "detached": true}]));
        let target = format!("{JOBS}/j?propagationPolicy=Background");
        assert_eq!(harness.call(request("DELETE", &target, "")).await.code, 200);
        harness.server.left_alone().await;
        assert_eq!(runs(harness).await, json!([]));
    });
}

#[test]
fn a_client_can_ask_the_server_to_stop() {
    with_setup(private(), async |harness| {
        assert_eq!(harness.call(request("POST", "/coracle/stop?pods=true", "")).await.code, 200);
        assert_eq!(harness.server.stop_requested().await, Stop { pods: true });
    });
}
