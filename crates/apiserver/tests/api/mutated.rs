//! Requests that are wrong in random ways: refused or done, never a fault of the server's own, and
//! never the end of an object that they do not name.

mod mutation;
mod samples;

use std::time::Duration;

use apiserver::{Subresource, path};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use kinds::{KINDS, Kind};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Harness, request, with_server};
use mutation::{mutated_body, mutated_text};
use samples::{OBJECTS, SAMPLES, Sample};

/// Requests per verb.
const MUTATIONS: u64 = 1_000;
/// No answer takes longer: the server hangs.
const HANG: Duration = Duration::from_secs(60);

/// Creates what the samples are about, in a namespace; what is there stays.
async fn furnish(harness: &Harness, namespace: &str) {
    for (kind, json) in OBJECTS {
        let target = path(*kind, namespace, "", Subresource::Main);
        let answer = harness.call(request("POST", &target, json)).await;
        assert!(matches!(answer.code, 201 | 409), "{answer:?}");
    }
}

/// The uids of everything in a namespace.
async fn uids(harness: &Harness, namespace: &str) -> Vec<Value> {
    let mut uids = Vec::new();
    for info in KINDS.iter().filter(|info| info.namespaced && info.kind != Kind::Event) {
        let list = harness.get(&path(info.kind, namespace, "", Subresource::Main)).await;
        let items = list["items"].as_array().unwrap();
        uids.extend(items.iter().map(|item| item["metadata"]["uid"].clone()));
    }
    uids
}

/// A sample with something wrong; `None` where that cannot be written as a request at all.
fn mutate(sample: &Sample, seed: u64) -> Option<Request<Full<Bytes>>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut target, mut body) = (sample.target.to_owned(), sample.bytes());
    let mut content = sample.content;
    match random.u8(0..10) {
        _ if body.is_empty() => target = mutated_text(&mut random, &target),
        0..3 => target = mutated_text(&mut random, &target),
        // The wrong type.
        3 => content = random.choice(samples::CONTENT).unwrap(),
        _ => body = mutated_body(&mut random, &body),
    }
    let built = Request::builder()
        .method(sample.method)
        .uri(&*target)
        .header("host", "localhost")
        .header("content-type", content)
        .body(Full::new(body.into()));
    built.ok().filter(|built| built.uri().authority().is_none() && target.starts_with('/'))
}

/// Whether a code above 499 is upstream's own word for what the client asked.
fn is_clients_fault(code: u16, body: &[u8]) -> bool {
    code < 500 || (code == 504 && String::from_utf8_lossy(body).contains("ResourceVersionTooLarge"))
}

async fn send(harness: &Harness, request: Request<Full<Bytes>>, what: &str) {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let response = harness.send(request).await;
    let code = response.status().as_u16();
    if code == 200 && query.contains("watch") {
        return;
    }
    let answer = Harness::read(response).await;
    assert!(is_clients_fault(code, &answer.body), "{what}: {answer:?}");
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let plain = answer.body.starts_with(b"404 page not found");
    assert!(code < 400 || json["kind"] == "Status" || plain, "{what}: {answer:?}");
    let written = matches!(code, 200 | 201) && !query.contains("dryRun");
    let meta = &json["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kind = Kind::find(&text(&json["apiVersion"]), &text(&json["kind"]));
    if let (true, Some(kind), true) = (written, kind, meta["deletionTimestamp"].is_null()) {
        let (namespace, name) = (text(&meta["namespace"]), text(&meta["name"]));
        let found = harness.get(&path(kind, &namespace, &name, Subresource::Main)).await;
        assert_eq!(found["metadata"]["uid"], meta["uid"], "{what}: lost");
    }
}

/// Sends a thousand mutations of the samples of a verb.
async fn torment(harness: &Harness, verb: &str) {
    let samples: Vec<&Sample> = SAMPLES.iter().filter(|sample| sample.verb == verb).collect();
    furnish(harness, "kept").await;
    let before = uids(harness, "kept").await;
    assert!(before.len() >= OBJECTS.len());
    for seed in 0..MUTATIONS {
        let sample = samples[usize::try_from(seed).unwrap() % samples.len()];
        // What the samples of deletions are about is there for each of them once a round.
        let round = if sample.verb.starts_with("delete") { 3 } else { 50 };
        if seed % round == 0 {
            furnish(harness, "default").await;
        }
        let Some(request) = mutate(sample, seed) else { continue };
        let what = format!("{verb}, seed {seed}: {} {}", request.method(), request.uri());
        let sent = send(harness, request, &what);
        assert!(tokio::time::timeout(HANG, sent).await.is_ok(), "{what}: hangs");
    }
    assert_eq!(uids(harness, "kept").await, before, "{verb}");
}

fn torment_all(verbs: &[&str]) {
    with_server(async |harness| {
        harness.create("/api/v1/namespaces", r#"{"metadata":{"name":"kept"}}"#).await;
        for verb in verbs {
            torment(harness, verb).await;
        }
    });
}

#[test]
fn mutated_reads_are_never_the_servers_fault() {
    torment_all(&["get", "list", "watch", "log", "beside"]);
}

#[test]
fn mutated_creates_are_never_the_servers_fault() {
    torment_all(&["create", "evict", "bind", "review"]);
}

#[test]
fn mutated_updates_are_never_the_servers_fault() {
    torment_all(&["update", "patch"]);
}

#[test]
fn mutated_deletes_are_never_the_servers_fault() {
    torment_all(&["delete", "deletecollection"]);
}

#[test]
fn every_sample_is_answered_with_success_as_it_stands() {
    with_server(async |harness| {
        for sample in SAMPLES {
            furnish(harness, "default").await;
            let request = Request::builder()
                .method(sample.method)
                .uri(sample.target)
                .header("host", "localhost")
                .header("content-type", sample.content)
                .body(Full::new(sample.bytes().into()))
                .unwrap();
            let code = harness.send(request).await.status().as_u16();
            assert!(code < 300, "{} {}: {code}", sample.method, sample.target);
        }
    });
}

/// Bytes that are hardly HTTP, on a connection that is then closed.
#[test]
fn no_bytes_take_the_server_down() {
    with_server(async |harness| {
        for seed in 0..MUTATIONS {
            let mut random = fastrand::Rng::with_seed(seed);
            let Sample { method, target, .. } = random.choice(SAMPLES).unwrap();
            let body = random.choice(SAMPLES).unwrap().bytes();
            let head = format!(
                "{method} {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let mut bytes = [head.as_bytes(), &*body].concat();
            for _ in 0..random.usize(0..8) {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(0..=bytes.len()));
            let mut stream = harness.connect().await;
            // The server may close before it has read everything.
            drop(stream.write_all(&bytes).await);
            drop(stream.shutdown().await);
            // No more than the beginning: a watch goes on.
            let mut answer = vec![0; 4_096];
            let read = stream.read(&mut answer).await.unwrap_or(0);
            answer.truncate(read);
            let text = String::from_utf8_lossy(&answer);
            assert!(!text.starts_with("HTTP/1.1 5") || text.contains("TooLarge"), "{seed}: {text}");
        }
        assert_eq!(harness.call(request("GET", "/readyz", "")).await.code, 200);
    });
}
