//! The server is killed, again and again, while containers run: nothing that runs may notice, and
//! nothing may be lost or counted twice.
//!
//! `CORACLE_TORMENT_ROUNDS` (kills, 25 indexes each) and `CORACLE_SILENCE_S` (seconds without a
//! server) make it longer; the seed is printed and `CORACLE_TORMENT_SEED` gives it back.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod api;
mod clients;
mod machine;
mod server;

use std::{collections::BTreeSet, env, fs, time::Duration};

use crate::{
    machine::{Leftovers, Process},
    server::Server,
};

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: containers need root in this version");
    }
    root
}

/// An Indexed Job whose tasks take 0.2 s and append their index to a file of the machine.
fn appending_job(indexes: u64, directory: &str) -> String {
    format!(
        r#"{{"apiVersion":"batch/v1","kind":"Job","metadata":{{"name":"torment","namespace":"default"}},
        "spec":{{"completions":{indexes},"parallelism":8,"completionMode":"Indexed","backoffLimit":0,
        "template":{{"spec":{{"restartPolicy":"Never","volumes":[{{"name":"out","hostPath":{{"path":"{directory}"}}}}],
        "containers":[{{"name":"main","image":"coracle.local/host",
        "command":["sh","-c","sleep 0.2; echo $JOB_COMPLETION_INDEX >>/out/lines"],
        "volumeMounts":[{{"name":"out","mountPath":"/out"}}]}}]}}}}}}}}"#
    )
}

#[test]
fn kill_9_of_the_server_stops_no_container_and_counts_each_index_once() {
    if !is_root() {
        return;
    }
    let rounds = number("CORACLE_TORMENT_ROUNDS", 4);
    let seed = number("CORACLE_TORMENT_SEED", fastrand::u64(..));
    println!("seed {seed}, {rounds} rounds");
    let mut random = fastrand::Rng::with_seed(seed);
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let before = Leftovers::of(data.path());
    let indexes = rounds * 25;

    let mut server = Server::start(data.path());
    api::create_job(&server, &appending_job(indexes, out.path().to_str().unwrap()));
    let mut seen = 0;
    for round in 0..rounds {
        machine::pause(Duration::from_millis(random.u64(50..1000)));
        let running = machine::containers(data.path());
        server.kill();
        let after = machine::containers(data.path());
        check_same(round, &running, &after);
        seen += running.len();
        machine::pause(Duration::from_millis(random.u64(0..300)));
        server = Server::start(data.path());
    }
    assert!(seen > 0, "no kill met a running container");
    let status = api::wait_for_end(&server, "torment");
    assert_eq!(status["succeeded"], indexes, "{status}\n{}", api::failed_pods(&server));

    let lines = fs::read_to_string(out.path().join("lines")).unwrap();
    let lines: Vec<u64> = lines.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(lines.len() as u64, indexes, "an index ran twice, or its line is lost");
    assert_eq!(lines.into_iter().collect::<BTreeSet<_>>().len() as u64, indexes);

    server.down();
    machine::wait_for_spawner_to_leave(data.path());
    assert_eq!(Leftovers::of(data.path()), before, "something is left behind");
}

/// Whoever ran before the kill runs on, as the same process; tasks that ended meanwhile are gone.
fn check_same(round: u64, before: &[Process], after: &[Process]) {
    for process in before {
        let same = after.iter().find(|other| other.pid == process.pid);
        let changed = same.is_some_and(|other| other.started != process.started);
        assert!(!changed, "round {round}: {process:?} is another process now");
    }
    let survivors = before.iter().filter(|process| after.contains(process)).count();
    // Eight tasks of 0.2 s in different phases do not all end within the moment between two looks.
    assert!(before.len() < 4 || survivors > 0, "round {round}: all of {before:?} are gone");
}

#[test]
fn output_goes_on_while_no_server_is_there() {
    if !is_root() {
        return;
    }
    let seconds = number("CORACLE_SILENCE_S", 3);
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path());
    // Ten bursts a second of 10,000 numbered lines of 100 bytes: 10 MB/s.
    let bursts = seconds * 10 + 5;
    let script = format!(
        "b=0; while [ $b -lt {bursts} ]; do seq -f %099.0f $((b*10000)) $((b*10000+9999)); b=$((b+1)); sleep 0.1; done"
    );
    let job = serde_json::json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "writer", "namespace": "default"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{
            "name": "main", "image": "coracle.local/host", "command": ["sh", "-c", script],
        }]}}},
    });
    api::create_job(&server, &job.to_string());
    let running = machine::wait_for_container(data.path());
    server.kill();
    machine::pause(Duration::from_secs(seconds));
    let after = machine::containers(data.path());
    assert!(after.contains(&running), "{running:?} did not run on: {after:?}");
    server = Server::start(data.path());
    let status = api::wait_for_end(&server, "writer");
    assert_eq!(status["succeeded"], 1, "{status}");
    let pod = api::pod_of(&server, "writer");
    let log = api::get(&server, &format!("/api/v1/namespaces/default/pods/{pod}/log"));
    let mut expected = 0;
    for line in log.lines() {
        assert_eq!(line.parse::<u64>().unwrap(), expected, "a line is lost or doubled");
        expected += 1;
    }
    assert_eq!(expected, bursts * 10_000);
    server.down();
    machine::wait_for_spawner_to_leave(data.path());
}
