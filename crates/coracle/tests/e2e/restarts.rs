//! Pods that live through the end of their server.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::Command,
};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::space::Space;

/// A pipe with a name, for both sides.
fn pipe(path: &Path) -> File {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    File::options().read(true).write(true).open(path).unwrap()
}

/// An init container that succeeded is not run again, a sidecar goes on, and both are known for what
/// they are by the next server: the pod completes when its main container does.
#[test]
fn a_server_that_was_killed_runs_no_init_container_again() {
    let space = Space::new();
    let told = space.path("told");
    std::fs::create_dir(&told).unwrap();
    let go = ["two", "main"].map(|name| pipe(&told.join(name)));
    let mut began = BufReader::new(pipe(&told.join("began"))).lines();
    let container = |name: &str, more: &str| {
        json!({
            "name": name, "image": "coracle.local/host",
            "command": ["sh", "-c", format!("echo {name} >/told/began; {more}")],
            "volumeMounts": [{"name": "told", "mountPath": "/told"}],
        })
    };
    let mut side = container("side", "trap 'exit 0' TERM; sleep 1000 & wait");
    side["restartPolicy"] = json!("Always");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {
            "restartPolicy": "OnFailure",
            "initContainers": [container("one", ""), side, container("two", "read go </told/two")],
            "containers": [container("main", "read go </told/main")],
            "volumes": [{"name": "told", "hostPath": {"path": told}}],
        },
    });
    let file = space.file("pod.json", &pod.to_string()).display().to_string();
    let mut up = space.up();
    space.run(&["apply", "-f", &file]).expect(0);
    for (begins, mut go) in [3, 1].into_iter().zip(go) {
        let mut begun: Vec<String> = began.by_ref().take(begins).map(Result::unwrap).collect();
        begun.sort();
        let all = ["one", "side", "two"];
        assert_eq!(begun, if begins == 3 { &all[..] } else { &["main"] });
        up.signal(Signal::KILL);
        up.finish().expect(-9);
        up = space.up();
        go.write_all(b"go\n").unwrap();
    }
    let succeeded = "--for=jsonpath={.status.phase}=Succeeded";
    space.run(&["wait", "pod/p", succeeded, "--timeout=60s"]).expect(0);
    let pod = space.run(&["get", "pod", "p", "-o", "json"]).expect(0).out;
    let pod: Value = serde_json::from_str(&pod).unwrap();
    let statuses = pod["status"]["initContainerStatuses"].as_array().unwrap();
    assert!(statuses.iter().all(|status| status["restartCount"] == 0), "{statuses:?}");
    space.run(&["down", "--stop-pods"]).expect(0);
    up.finish().expect(0);
    space.nothing_left();
}
