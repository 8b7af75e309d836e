//! Logs of pods, with the test playing the node and the container.

use std::{io::Write as _, path::PathBuf};

use kinds::{Key, Kind, Uid, types::core::v1::PodStatus};
use serde_json::{Value, json};

use crate::harness::{Harness, request, with_server};

const PODS: &str = "/api/v1/namespaces/default/pods";
const STAMP: &str = "2026-01-01T00:00:00.000000000Z";

/// A pod with two containers and its uid.
async fn create(harness: &Harness) -> String {
    let container =
        |name| json!({"name": name, "image": "coracle.local/host", "command": ["true"]});
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [container("c"), container("d")]}});
    let pod = harness.create(PODS, &pod.to_string()).await;
    pod["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// Reports the state of container `c`, attempt 0.
fn report(harness: &Harness, uid: &str, state: Value) {
    let status = json!({
        "phase": "Running",
        "containerStatuses": [{
            "name": "c", "image": "", "imageID": "", "ready": true, "restartCount": 0,
            "containerID": format!("coracle://{uid}_c_0"), "state": state,
        }],
    });
    let status: PodStatus = serde_json::from_value(status).unwrap();
    let key = Key::new(Kind::Pod, "default", "p");
    harness.server.engine().pod_status(&key, Uid::parse(uid).unwrap(), status);
    harness.server.kick();
}

fn write(harness: &Harness, uid: &str, text: &str) {
    write_to(harness, uid, "stdout", text);
}

fn write_to(harness: &Harness, uid: &str, stream: &str, text: &str) {
    let folder = node::logs::directory(harness.data_dir(), "default", "p", uid, "c");
    std::fs::create_dir_all(&folder).unwrap();
    let path: PathBuf = folder.join("0.log");
    let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
    writeln!(file, "{STAMP} {stream} F {text}").unwrap();
}

async fn message(harness: &Harness, query: &str) -> (u16, String) {
    let answer = harness.call(request("GET", &format!("{PODS}/p/log{query}"), "")).await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let status: Value = serde_json::from_str(&text).unwrap_or_default();
    (answer.code, status["message"].as_str().map_or(text, str::to_owned))
}

#[test]
fn refusals_are_upstreams() {
    with_server(async |harness| {
        assert_eq!(message(harness, "").await, (404, "pods \"p\" not found".to_owned()));
        let uid = create(harness).await;
        for (query, code, text) in [
            ("", 400, "a container name must be specified for pod p, choose one of: [c d]"),
            ("?container=x", 400, "container x is not valid for pod p"),
            (
                "?container=c&tailLines=-1&limitBytes=0",
                422,
                "PodLogOptions \"p\" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0]",
            ),
            (
                "?container=c&sinceSeconds=0",
                422,
                "PodLogOptions \"p\" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0",
            ),
            (
                "?container=c&sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z",
                422,
                "PodLogOptions \"p\" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
            ),
            (
                "?container=c&stream=Both",
                422,
                "PodLogOptions \"p\" is invalid: stream: Unsupported value: \"Both\": supported values: \"All\", \"Stderr\", \"Stdout\"",
            ),
            (
                "?container=c&stream=Stderr&tailLines=1",
                422,
                "PodLogOptions \"p\" is invalid: []: Forbidden: `tailLines` and specific `stream` are mutually exclusive for now",
            ),
            (
                "?container=c&attempt=-1",
                422,
                "PodLogOptions \"p\" is invalid: attempt: Invalid value: -1: must be greater than or equal to 0",
            ),
            ("?container=c&tailLines=x", 400, "strconv.ParseInt: parsing \"x\": invalid syntax"),
            (
                "?container=c&sinceTime=now",
                400,
                "parsing time \"now\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"now\"",
            ),
            ("?container=d", 400, "container \"d\" in pod \"p\" is not available"),
            (
                "?container=c&previous=true",
                400,
                "previous terminated container \"c\" in pod \"p\" not found",
            ),
        ] {
            report(harness, &uid, json!({"running": {}}));
            assert_eq!(message(harness, query).await, (code, text.to_owned()), "{query}");
        }
        report(harness, &uid, json!({"waiting": {"reason": "ContainerCreating"}}));
        let text = "container \"c\" in pod \"p\" is waiting to start: ContainerCreating";
        assert_eq!(message(harness, "?container=c").await, (400, text.to_owned()));
    });
}

#[test]
fn what_is_there_is_given_as_asked() {
    with_server(async |harness| {
        let uid = create(harness).await;
        report(harness, &uid, json!({"running": {}}));
        // A container that wrote nothing has an empty log.
        assert_eq!(message(harness, "?container=c").await, (200, String::new()));
        for text in ["one", "two", "three"] {
            write(harness, &uid, text);
        }
        write_to(harness, &uid, "stderr", "oh");
        for (query, text) in [
            ("?container=c", "one\ntwo\nthree\noh\n"),
            ("?container=c&stream=All&tailLines=2", "three\noh\n"),
            ("?container=c&stream=Stderr&insecureSkipTLSVerifyBackend=true", "oh\n"),
            ("?container=c&stream=Stdout&limitBytes=9", "one\ntwo\nt"),
            ("?container=c&limitBytes=5", "one\nt"),
            ("?container=c&sinceTime=2027-01-01T00:00:00Z", ""),
            ("?container=c&tailLines=1&timestamps=true", "2026-01-01T00:00:00.000000000Z oh\n"),
        ] {
            assert_eq!(message(harness, query).await, (200, text.to_owned()), "{query}");
        }
    });
}

#[test]
fn a_followed_log_ends_with_its_container_and_not_before_its_last_line() {
    with_server(async |harness| {
        let uid = create(harness).await;
        report(harness, &uid, json!({"running": {}}));
        let mut log = harness.lines(&format!("{PODS}/p/log?container=c&follow=true")).await;
        for n in 0..50 {
            write(harness, &uid, &n.to_string());
            assert_eq!(log.next().await, Some(n.to_string()));
        }
        // Changes of the pod that end nothing do not end the log.
        report(harness, &uid, json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}));
        harness.get(PODS).await;
        write(harness, &uid, "the last line");
        report(
            harness,
            &uid,
            json!({"terminated": {"exitCode": 0, "containerID": format!("coracle://{uid}_c_0")}}),
        );
        assert_eq!(log.next().await, Some("the last line".to_owned()));
        assert_eq!(log.next().await, None);
    });
}

#[test]
fn a_followed_log_ends_with_its_pod_and_is_cut_off_by_the_servers_end() {
    with_server(async |harness| {
        let uid = create(harness).await;
        report(harness, &uid, json!({"running": {}}));
        harness.get(PODS).await;
        let target = format!("{PODS}/p/log?container=c&follow=true");
        let mut ends_with_pod = harness.lines(&target).await;
        let delete = request("DELETE", &format!("{PODS}/p?gracePeriodSeconds=0"), "");
        assert_eq!(harness.call(delete).await.code, 200);
        assert_eq!(ends_with_pod.next().await, None);
        let uid = create(harness).await;
        report(harness, &uid, json!({"running": {}}));
        let mut cut_off = harness.lines(&target).await;
        write(harness, &uid, "one");
        assert_eq!(cut_off.next().await, Some("one".to_owned()));
        harness.stop();
        assert!(cut_off.is_cut().await, "or the client would take it for the container's end");
    });
}
