//! One test per sentence of "`run` is always a client".

use std::{fs, path::PathBuf};

use rustix::process::{Signal, kill_process};

use crate::{
    exit_codes::job,
    space::{Running, Space, UP},
};

/// How many commands follow each other; of so many, several met a server that was leaving.
const COMMANDS: usize = 60;

/// Starts `run -o json` of a file.
fn start(space: &Space, path: &std::path::Path) -> Running {
    space.start(&["run", "-o", "json", "-f", path.to_str().unwrap()])
}

/// A Job whose pod says `started` and goes on until the file `go` is there.
fn waiting_job(space: &Space, name: &str) -> (PathBuf, PathBuf) {
    let go = space.path("go");
    let script = "echo hello; until [ -e /shared/go ]; do sleep 0.05; done; echo done";
    let text = format!(
        "{}        volumeMounts: [{{name: shared, mountPath: /shared}}]\n      volumes: [{{name: shared, \
         hostPath: {{path: {:?}}}}}]\n",
        job(name, "  backoffLimit: 0", script),
        space.path("")
    );
    (space.file(&format!("{name}.yaml"), &text), go)
}

#[test]
fn a_private_server_starts_and_ends_with_its_last_client() {
    let space = Space::new();
    let (path, go) = waiting_job(&space, "wait");
    let mut run = start(&space, &path);
    run.until("\"hello\"");
    assert_eq!(space.status()["mode"], "private");
    fs::write(go, "").unwrap();
    run.finish().expect(0);
    space.nothing_left();
    assert!(space.run(&["status"]).expect(0).out.contains("no server holds"));
}

/// Each command comes just when the server of the one before is about to leave. Some met one that
/// let them in and went.
#[test]
fn commands_that_follow_each_other_all_find_a_server() {
    let space = Space::new();
    let path = space.file("job.yaml", &job("once", "", "true"));
    space.run(&["run", "-f", path.to_str().unwrap()]).expect(0);
    for _ in 0..COMMANDS {
        space.run(&["get", "jobs"]).expect(0);
    }
    space.nothing_left();
}

#[test]
fn four_runs_at_once_share_one_server() {
    let space = Space::new();
    let jobs: Vec<_> = (0..4).map(|n| waiting_job(&space, &format!("job{n}"))).collect();
    let mut runs: Vec<Running> = jobs.iter().map(|(path, _)| start(&space, path)).collect();
    runs.iter_mut().for_each(|run| drop(run.until("\"hello\"")));
    let status = space.status();
    assert_eq!(status["runs"].as_array().unwrap().len(), 4, "{status}");
    fs::write(&jobs[0].1, "").unwrap();
    for run in runs {
        run.finish().expect(0);
    }
    space.nothing_left();
}

#[test]
fn it_joins_a_server_that_holds_the_directory_and_a_second_up_is_refused() {
    let space = Space::new();
    let up = space.up();
    space.run(&UP).expect(125).says("is held by `coracle up` (process ");
    space.run(&["run", "coracle.local/host", "--", "true"]).expect(0);
    let status = space.status();
    assert_eq!((&status["mode"], &status["objects"]["jobs"]), (&"up".into(), &1.into()));
    space.run(&["down"]).expect(0);
    up.finish().expect(0);
    space.nothing_left();
}

#[test]
fn leftovers_are_reported_and_left_alone() {
    let space = Space::new();
    let (path, go) = waiting_job(&space, "left");
    let up = space.up();
    space.run(&["run", "-d", "-f", path.to_str().unwrap()]).expect(0);
    let mut logs = space.start(&["logs", "-f", "job/left"]);
    logs.until("hello");
    logs.signal(Signal::KILL);
    logs.finish().expect(-9);
    space.run(&["down"]).expect(0);
    up.finish().expect(0);
    // Its container goes on without a server; a run of something else does not touch it.
    space
        .run(&["run", "coracle.local/host", "--", "true"])
        .expect(0)
        .says("left alone, unfinished: jobs/default/left");
    let up = space.up();
    let mut logs = space.start(&["logs", "-f", "job/left"]);
    logs.until("hello");
    fs::write(go, "").unwrap();
    logs.until("done");
    logs.finish().expect(0);
    space.run(&["down"]).expect(0);
    up.finish().expect(0);
    space.nothing_left();
}

#[test]
fn other_kinds_are_applied_first_and_deleted_at_the_end() {
    let space = Space::new();
    let text = job("uses", "  backoffLimit: 0", "echo \"$GREETING\"")
        + "        envFrom: [{configMapRef: {name: words}}]\n---\napiVersion: v1\nkind: ConfigMap\n\
           metadata: {name: words}\ndata: {GREETING: good morning}\n";
    let path = space.file("both.yaml", &text);
    let up = space.up();
    let ran = space.run(&["run", "-f", path.to_str().unwrap()]).expect(0);
    assert_eq!(ran.out, "good morning\n");
    assert_eq!(space.get("/api/v1/namespaces/default/configmaps/words").0, 404);
    assert_eq!(space.get("/apis/batch/v1/namespaces/default/jobs/uses").0, 200);
    space.run(&["down"]).expect(0);
    up.finish().expect(0);
    space.nothing_left();
}

#[test]
fn a_pod_is_run_and_gone_at_the_end() {
    let space = Space::new();
    let text = "{apiVersion: v1, kind: Pod, metadata: {name: once}, spec: {restartPolicy: Never, \
                containers: [{name: main, image: coracle.local/host, command: [sh, -c, exit 4]}]}}";
    let path = space.file("pod.yaml", text);
    let up = space.up();
    space.run(&["run", "-f", path.to_str().unwrap()]).expect(4);
    assert_eq!(space.get("/api/v1/namespaces/default/pods/once").0, 404);
    space.run(&["down"]).expect(0);
    up.finish().expect(0);
    space.nothing_left();
}

#[test]
fn without_job_and_pod_it_is_2() {
    let space = Space::new();
    let path = space.file("words.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: w}}");
    space.run(&["run", "-f", path.to_str().unwrap()]).expect(2).says("nothing to run");
}

#[test]
fn a_finished_job_of_the_same_name_moves_to_history_and_runs_anew() {
    let space = Space::new();
    let path = space.file("again.yaml", &job("again", "", "echo once more"));
    for _ in 0..2 {
        let ran = space.run(&["run", "-f", path.to_str().unwrap()]).expect(0);
        assert_eq!(ran.out, "once more\n");
    }
    let history = space.run(&["history", "job/again", "-o", "json"]).expect(0);
    assert_eq!(history.out.matches("\"outcome\":\"Complete\"").count(), 2, "{}", history.out);
    space.nothing_left();
}

#[test]
fn an_unfinished_job_is_joined_if_identical_and_refused_otherwise() {
    let space = Space::new();
    let (path, go) = waiting_job(&space, "shared");
    let mut first = start(&space, &path);
    first.until("\"hello\"");
    let mut second = start(&space, &path);
    second.until("\"hello\"");
    let other = space.file("other.yaml", &job("shared", "  backoffLimit: 3", "true"));
    space
        .run(&["run", "-f", other.to_str().unwrap()])
        .expect(2)
        .says("other.yaml:3: job/shared is there already, not finished and different");
    fs::write(go, "").unwrap();
    first.finish().expect(0);
    second.finish().expect(0).says("joined it");
    let history = space.run(&["history", "-o", "json"]).expect(0);
    assert_eq!(history.out.lines().count(), 1, "it ran once: {}", history.out);
    space.nothing_left();
}

#[test]
fn a_joined_job_outlives_the_client_that_submitted_it() {
    let space = Space::new();
    let (path, go) = waiting_job(&space, "shared");
    let mut first = start(&space, &path);
    first.until("\"hello\"");
    let mut second = start(&space, &path);
    second.until("\"hello\"");
    first.signal(Signal::INT);
    first.finish().expect(130);
    fs::write(go, "").unwrap();
    second.finish().expect(0);
    space.nothing_left();
}

#[test]
fn the_pods_of_a_client_that_vanishes_are_ended() {
    let space = Space::new();
    let path = space.file("slow.yaml", &job("slow", "", "echo hello; exec sleep 1000"));
    let mut run = start(&space, &path);
    run.until("\"hello\"");
    run.signal(Signal::KILL);
    run.finish().expect(-9);
    // The server ends as well, once the pods have.
    space.nothing_left();
    let history = space.run(&["history", "-o", "json"]).expect(0);
    assert!(history.out.contains("\"outcome\":\"Cancelled\""), "{}", history.out);
}

#[test]
fn detached_it_leaves_a_server_running_that_ends_with_the_job() {
    let space = Space::new();
    let (path, go) = waiting_job(&space, "behind");
    let ran = space.run(&["run", "-d", "-f", path.to_str().unwrap()]).expect(0);
    assert_eq!(ran.out, "job/behind\n");
    let mut logs = space.start(&["logs", "-f", "job/behind"]);
    logs.until("hello");
    fs::write(go, "").unwrap();
    logs.until("done");
    logs.finish().expect(0);
    space.nothing_left();
    let history = space.run(&["history", "-o", "json"]).expect(0);
    assert!(history.out.contains("\"outcome\":\"Complete\""), "{}", history.out);
}

#[test]
fn a_suspended_job_is_refused() {
    let space = Space::new();
    let path = space.file("job.yaml", &job("later", "  suspend: true", "true"));
    space.run(&["run", "-f", path.to_str().unwrap()]).expect(2).says("job.yaml:5: spec.suspend");
    assert!(!space.data().exists());
}

#[test]
fn a_private_server_that_dies_under_its_client_is_started_again() {
    let space = Space::new();
    let (path, go) = waiting_job(&space, "tough");
    let mut run = start(&space, &path);
    run.until("\"hello\"");
    let before = space.server();
    kill_process(before, Signal::KILL).unwrap();
    // The next server's word is the proof that there is one; the container went on.
    let mut logs = space.start(&["logs", "-f", "job/tough"]);
    logs.until("hello");
    assert_ne!(space.server(), before);
    fs::write(go, "").unwrap();
    let ran = run.finish().expect(0);
    let lines = |text: &str| ran.out.matches(text).count();
    assert_eq!((lines("\"line\":\"hello\""), lines("\"line\":\"done\"")), (1, 1), "{}", ran.out);
    assert_eq!(lines("\"started\""), 1, "{}", ran.out);
    logs.finish();
    space.nothing_left();
}
