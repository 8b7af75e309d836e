//! `get`, `describe`, `wait`, `delete` and `apply`: one test per promise.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    exit_codes::job,
    space::{Ran, Running, Space},
};

/// A server of `up`, and a directory for files.
struct Server {
    space: Space,
    up: Running,
}

impl Server {
    fn start() -> Self {
        let space = Space::new();
        let up = space.up();
        Self { space, up }
    }

    /// Runs words without spaces in them.
    fn run(&self, line: &str) -> Ran {
        self.space.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    fn file(&self, name: &str, text: &str) {
        self.space.file(name, text);
    }

    /// The status of an object and its annotations, or what else stands at a JSON pointer.
    fn value(&self, path: &str, pointer: &str) -> Value {
        let (code, body) = self.space.get(path);
        assert_eq!(code, 200, "{body}");
        let object: Value = serde_json::from_str(&body).unwrap();
        object.pointer(pointer).cloned().unwrap_or(Value::Null)
    }

    fn end(self) {
        self.run("down --stop-pods").expect(0);
        self.up.finish().expect(0);
        self.space.nothing_left();
    }
}

const WORDS: &str = "/api/v1/namespaces/default/configmaps/words";
const LAST_APPLIED: &str =
    "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

fn words(value: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: words}}, data: {{a: {value:?}}}}}"
    )
}

/// A pod that goes on until it is ended.
fn sleeper(name: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{app: sleeper}}}}, spec: \
         {{terminationGracePeriodSeconds: 1, containers: [{{name: main, image: coracle.local/host, \
         command: [sleep, '1000']}}]}}}}"
    )
}

#[test]
fn get_shows_the_servers_tables_and_other_forms() {
    let server = Server::start();
    server.run("get jobs").expect(0).says("No resources found in default namespace.");
    server.file("a.yaml", &job("etl", "  backoffLimit: 0", "exit 3"));
    server.run("apply -f a.yaml").expect(0);
    server.run("wait job/etl").expect(3);
    let table = server.run("get jobs").expect(0).out;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "NAME   STATUS   COMPLETIONS   DURATION   AGE");
    assert!(lines[1].starts_with("etl    Failed   0/1           "), "{table}");
    let all = server.run("get all").expect(0).out;
    assert!(all.contains("\npod/etl-") && all.contains("\n\nNAME"), "{all}");
    assert!(all.contains("\njob.batch/etl   Failed"), "{all}");
    assert_eq!(server.run("get job.batch/etl -o name").expect(0).out, "job.batch/etl\n");
    assert_eq!(server.run("get job etl -o jsonpath={.status.failed}").expect(0).out, "1");
    let yaml = server.run("get job etl -o yaml").expect(0).out;
    assert!(yaml.starts_with("apiVersion: batch/v1\nkind: Job\nmetadata:\n"), "{yaml}");
    let list = server.run("get pods -l job-name=etl -o json").expect(0).out;
    assert_eq!(serde_json::from_str::<Value>(&list).unwrap()["kind"], "List");
    let columns = "get pods --sort-by .metadata.name -o custom-columns=P:.status.phase,N:.none";
    assert_eq!(server.run(columns).expect(0).out, "P        N\nFailed   <none>\n");
    server.end();
}

#[test]
fn what_is_wrong_is_said_as_kubectl_says_it() {
    let server = Server::start();
    server
        .run("get jbos")
        .expect(1)
        .says("error: the server doesn't have a resource type \"jbos\"; did you mean \"jobs\"?");
    server
        .run("get job nope")
        .expect(1)
        .says("Error from server (NotFound): jobs.batch \"nope\" not found");
    server.run("get job nope --ignore-not-found").expect(0);
    server.run("get pods -o go-template={{.a}}").expect(2).says("allowed formats are: yaml");
    server.run("delete pods").expect(1).says("no name was specified");
    server.file("prune.yaml", &words("x"));
    server.run("apply -f prune.yaml --prune").expect(2).says("'--prune'");
    server.run("wait pod/nope").expect(2).says("pod/nope needs --for");
    server.run("wait jbos/nope").expect(2).says("did you mean \"jobs\"?");
    server.run("wait job/nope").expect(2).says("jobs.batch \"nope\" not found");
    server.run("git pods").expect(2).says("'get'");
    server.end();
}

#[test]
fn without_a_server_it_says_what_to_type_and_what_is_kept_can_be_seen() {
    let space = Space::new();
    for (line, code) in [
        ("get pods", 1),
        ("describe pods", 1),
        ("delete pod/x", 1),
        ("wait job/x --for=condition=Complete", 1),
        // 1 would be a job that failed.
        ("wait job/x", 2),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        space.run(&words).expect(code).says("start one with: coracle up -d");
    }
    assert!(!space.data().exists(), "nothing was made");
    space.run(&["run", "coracle.local/host", "--", "false"]).expect(1);
    space.nothing_left();
    let jobs = space.run(&["get", "jobs", "--no-headers"]).expect(0).out;
    assert!(jobs.contains("  Failed  "), "{jobs}");
    // The private server behind it goes a moment later.
    space.nothing_left();
    space.run(&["delete", "jobs", "--all"]).expect(1).says("start one with: coracle up -d");
    space.nothing_left();
}

#[test]
fn a_watch_shows_changes_below_the_objects() {
    let server = Server::start();
    server.file("pod.yaml", &sleeper("p"));
    server.file("other.yaml", &sleeper("other"));
    server.run("apply -f other.yaml").expect(0);
    let mut watch = server.space.start(&["get", "pods", "-w"]);
    assert!(watch.line().starts_with("NAME    READY   STATUS"));
    assert!(watch.line().starts_with("other   "));
    server.run("apply -f pod.yaml").expect(0);
    watch.until("p       0/1     Pending");
    watch.until("p       1/1     Running");
    watch.signal(Signal::KILL);
    watch.finish().expect(-9);
    server.end();
}

#[test]
fn wait_for_jobs_returns_at_either_end_with_the_codes_of_run() {
    let server = Server::start();
    server.file("good.yaml", &job("good", "", "true"));
    server.file("bad.yaml", &job("bad", "  backoffLimit: 0", "exit 7"));
    server.file("slow.yaml", &job("slow", "", "exec sleep 1000"));
    server.run("apply -f good.yaml -f bad.yaml -f slow.yaml").expect(0);
    assert_eq!(server.run("wait job/good").expect(0).out, "job.batch/good condition met\n");
    server
        .run("wait job/bad")
        .expect(7)
        .says("job/bad  Failed  BackoffLimitExceeded")
        .says("exit 7")
        .says("see: coracle logs job/bad");
    server.run("wait job/good job/bad").expect(1);
    server.run("wait job/slow --timeout 1s").expect(124).says("timed out waiting for jobs");
    server.end();
}

#[test]
fn wait_for_something_returns_when_it_is_so() {
    let server = Server::start();
    server.file("pod.yaml", &sleeper("p"));
    let created = server.space.start(&["wait", "pod/p", "--for=create"]);
    server.run("apply -f pod.yaml").expect(0);
    assert_eq!(created.finish().expect(0).out, "pod/p condition met\n");
    server.run("wait pod/p --for=condition=Ready --timeout=60s").expect(0);
    server.run("wait pod/p --for=jsonpath={.status.phase}=Running --timeout=0").expect(0);
    server
        .run("wait pod/p --for=condition=Never --timeout=0")
        .expect(1)
        .says("error: timed out waiting for the condition on pods/p");
    server.run("wait pods -l app=nobody --for=delete").expect(0);
    server
        .run("wait pods -l app=nobody --for=condition=Ready")
        .expect(1)
        .says("error: no matching resources found");
    let gone = server.space.start(&["wait", "pods", "-l", "app=sleeper", "--for=delete"]);
    server.run("delete pod p").expect(0);
    gone.finish().expect(0);
    server.end();
}

#[test]
fn a_wait_outlives_the_server() {
    let server = Server::start();
    server.file("job.yaml", &job("etl", "", "until [ -e /shared/go ]; do sleep 0.05; done"));
    let text = fs::read_to_string(server.space.path("job.yaml")).unwrap()
        + &format!(
            "        volumeMounts: [{{name: s, mountPath: /shared}}]\n      volumes: [{{name: s, \
             hostPath: {{path: {:?}}}}}]\n",
            server.space.path("")
        );
    server.file("job.yaml", &text);
    server.file("fast.yaml", &job("fast", "", "true"));
    server.run("apply -f job.yaml -f fast.yaml").expect(0);
    let mut wait = server.space.start(&["wait", "job/etl", "job/fast"]);
    // It is on its way.
    wait.until("job.batch/fast condition met");
    server.up.signal(Signal::KILL);
    let Server { space, up } = server;
    up.finish().expect(-9);
    let up = space.up();
    fs::write(space.path("go"), "").unwrap();
    wait.until("job.batch/etl condition met");
    wait.finish().expect(0);
    Server { space, up }.end();
}

#[test]
fn delete_waits_until_the_object_is_gone() {
    let server = Server::start();
    server.file("pod.yaml", &sleeper("p"));
    server.file("job.yaml", &job("etl", "", "exec sleep 1000"));
    server.run("apply -f pod.yaml -f job.yaml").expect(0);
    server.run("wait pod/p --for=condition=Ready --timeout=60s").expect(0);
    let said = server.run("delete pod p --dry-run=server").expect(0).out;
    assert_eq!(said, "pod \"p\" deleted from default namespace (server dry run)\n");
    let said = server.run("delete pod/p").expect(0).out;
    assert_eq!(said, "pod \"p\" deleted from default namespace\n");
    assert_eq!(server.space.get("/api/v1/namespaces/default/pods/p").0, 404);
    server.run("delete job etl --cascade=foreground").expect(0);
    server.run("get pods").expect(0).says("No resources found");
    server.run("delete job etl").expect(1).says("jobs.batch \"etl\" not found");
    server.run("delete job etl --ignore-not-found").expect(0);
    assert_eq!(server.run("delete cm -l a=b").expect(0).out, "No resources found\n");
    server.end();
}

/// Both waited until Ctrl-C: the private server of a run leaves alone what is not of a run.
#[test]
fn what_is_left_over_is_not_waited_for_on_a_private_server() {
    let server = Server::start();
    server.file("pod.yaml", &sleeper("p"));
    server.file("old.yaml", &job("old", "", "exec sleep 1000"));
    server.file("new.yaml", &job("new", "", "echo hello; exec sleep 1000"));
    server.run("apply -f pod.yaml -f old.yaml").expect(0);
    server.run("wait pod/p --for=condition=Ready --timeout=60s").expect(0);
    server.run("down").expect(0);
    let Server { space, up } = server;
    up.finish().expect(0);
    let mut run = space.start(&["run", "-f", "new.yaml"]);
    assert_eq!(run.line(), "hello");
    let hint = "coracle up -d";
    space.run(&["wait", "job/old"]).expect(125).says("job/old has not finished").says(hint);
    space
        .run(&["delete", "pod", "p"])
        .expect(1)
        .says("pod/p is to go, but is left over")
        .says(hint);
    run.signal(Signal::INT);
    run.finish().expect(130);
    let up = space.up();
    space.run(&["wait", "pod/p", "--for=delete", "--timeout=60s"]).expect(0);
    Server { space, up }.end();
}

#[test]
fn a_job_deleted_with_orphan_leaves_its_pods() {
    let server = Server::start();
    server.file("job.yaml", &job("etl", "", "exec sleep 1000"));
    server.run("apply -f job.yaml").expect(0);
    server.run("wait pods -l job-name=etl --for=condition=Ready --timeout=60s");
    server.run("delete -f job.yaml --cascade=orphan").expect(0);
    let left = server.run("get pods -l job-name=etl -o name").expect(0).out;
    assert!(left.starts_with("pod/etl-"), "{left}");
    let said = server.run("delete pods -l job-name=etl --force").expect(0);
    assert!(said.out.contains("force deleted"), "{}", said.out);
    said.says("Warning: Immediate deletion does not wait");
    server.end();
}

#[test]
fn apply_creates_configures_and_leaves_alone() {
    let server = Server::start();
    server.file("words.yaml", &words("one"));
    let dry = server.run("apply -f words.yaml --dry-run=server").expect(0).out;
    assert_eq!(dry, "configmap/words created (server dry run)\n");
    assert_eq!(server.space.get(WORDS).0, 404);
    assert_eq!(server.run("apply -f words.yaml").expect(0).out, "configmap/words created\n");
    let applied = "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"one\"},\"kind\":\"ConfigMap\",\
                   \"metadata\":{\"annotations\":{},\"name\":\"words\",\"namespace\":\"default\"}}\n";
    assert_eq!(server.value(WORDS, LAST_APPLIED), applied);
    assert_eq!(server.run("apply -f words.yaml").expect(0).out, "configmap/words unchanged\n");
    server.file("words.yaml", &words("two").replace("{a:", "{b:"));
    assert_eq!(server.run("apply -f words.yaml").expect(0).out, "configmap/words configured\n");
    // What the file no longer says is gone.
    assert_eq!(server.value(WORDS, "/data"), serde_json::json!({"b": "two"}));
    assert_eq!(server.run("apply -f words.yaml -o name").expect(0).out, "configmap/words\n");
    server.file("bad.yaml", &job("x", "  completions: -1", "true"));
    server.run("apply -f bad.yaml -f words.yaml").expect(1).says("The Job \"x\" is invalid: ");
    server.file("typo.yaml", &job("x", "  complections: 1", "true"));
    server.run("apply -f typo.yaml").expect(1).says("typo.yaml:5: spec.complections");
    server.end();
}

#[test]
fn describe_of_a_failed_job_tells_what_run_would_have_told() {
    let server = Server::start();
    server.file("job.yaml", &job("etl", "  backoffLimit: 0", "echo last words; exit 3"));
    server.run("apply -f job.yaml").expect(0);
    server.run("wait job/etl").expect(3);
    let told = server.run("describe job/etl").expect(0).out;
    for part in [
        "Name:             etl\nNamespace:        default\nSelector:         batch.kubernetes.io/",
        "Pods Statuses:    0 Active (0 Ready) / 0 Succeeded / 1 Failed\nPod Template:\n",
        "Failure:\n  job/etl  Failed  BackoffLimitExceeded",
        "    attempt 1  exit 3  by backoffLimit 0\n      | last words\n    see: coracle logs job/etl\nEvents:\n",
        "  BackoffLimitExceeded  ",
    ] {
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    }
    let pod = server.run("describe pods etl").expect(0).out;
    assert!(pod.contains("    State:          Terminated\n      Reason:       Error\n"), "{pod}");
    assert!(pod.contains("Events:\n  Type") && pod.contains("default-scheduler"), "{pod}");
    let node = server.run("describe node").expect(0).out;
    assert!(
        node.contains("Allocated resources:\n  (Total limits may be over 100 percent"),
        "{node}"
    );
    server.run("describe job nope").expect(1).says("jobs.batch \"nope\" not found");
    server.end();
}
