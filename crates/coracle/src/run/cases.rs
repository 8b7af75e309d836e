//! Stories of runs: what the watches tell, line by line, and what comes of it. One line is one
//! object as a watch shows it; below stand the events, the logs that are read and what people see.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use jiff::{SignedDuration, Timestamp};
use kinds::{Draft, Kind, Uid};
use serde_json::{Value, json};

use super::{
    lines::Tail,
    outcome,
    progress::{Changes, Progress},
    text::{self, Hints},
};

const JOB: u128 = 1;

fn uid(number: u128) -> Uid {
    Uid::from_random(number)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn job(spec: &Value, status: &Value) -> kinds::types::batch::v1::Job {
    let mut spec = spec.clone();
    spec["template"] = json!({"spec": {"containers": [
        {"name": "main", "image": "x", "resources": {"limits": {"memory": "32Mi"}}},
    ]}});
    let text = json!({"metadata": {"name": "etl", "namespace": "default"}, "spec": spec, "status": status});
    Draft::from_json(Kind::Job, text.to_string().as_bytes()).unwrap().job().unwrap()
}

/// A pod of the Job: name, index, phase, restart count and state of its container, last state.
fn pod(name: &str, phase: &str, restarts: i32, state: &Value, last: &Value) -> Value {
    let index = name.split('-').nth(1).filter(|part| part.parse::<u32>().is_ok());
    let annotations = index.map(|i| json!({"batch.kubernetes.io/job-completion-index": i}));
    json!({
        "metadata": {
            "name": name, "namespace": "default", "annotations": annotations,
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "etl",
                "uid": uid(JOB).to_string(), "controller": true}],
        },
        "spec": {"nodeName": "here", "containers": []},
        "status": {"phase": phase, "containerStatuses": [{
            "name": "main", "image": "x", "imageID": "", "ready": false, "restartCount": restarts,
            "state": state, "lastState": last,
        }]},
    })
}

fn ended(code: i32, reason: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason}})
}

fn running() -> Value {
    json!({"running": {}})
}

/// A run and the second at which it stands.
struct Story {
    progress: Progress,
    out: String,
    now: i64,
}

impl Story {
    fn begin(spec: &Value) -> Self {
        let mut story = Self { progress: Progress::default(), out: String::new(), now: 0 };
        let changes = story.progress.submitted_job(uid(JOB), &job(spec, &json!({})), at(0));
        story.tell(&changes);
        story
    }

    fn tell(&mut self, changes: &Changes) {
        let work = &self.progress.works()[0];
        for event in &changes.events {
            let mut value = serde_json::to_value(event).unwrap();
            let fields = value.as_object_mut().unwrap();
            for common in ["time", "namespace", "job"] {
                fields.remove(common);
            }
            let name = fields.remove("event").unwrap();
            write!(self.out, "{:>3} {}", self.now, name.as_str().unwrap()).unwrap();
            for (field, value) in fields {
                write!(self.out, " {field}={value}").unwrap();
            }
            self.out.push('\n');
            if let Some(line) = text::line(event, work) {
                writeln!(self.out, "      > {line}").unwrap();
            }
        }
        if let Some(stuck) = &changes.waits {
            writeln!(self.out, "      > {}", text::waits(stuck)).unwrap();
        }
        for read in &changes.logs {
            writeln!(self.out, "      read {}/{} {}", read.pod, read.container, read.restarts)
                .unwrap();
        }
    }

    fn pod(&mut self, number: u128, pod: &Value) -> &mut Self {
        self.now += 1;
        let draft = Draft::from_json(Kind::Pod, pod.to_string().as_bytes()).unwrap();
        let changes = self.progress.pod(uid(number), &draft.pod().unwrap(), at(self.now));
        self.tell(&changes);
        self
    }

    fn pull(&mut self, number: u128, image: &str) -> &mut Self {
        self.now += 1;
        let told = json!({"metadata": {"name": "e", "namespace": "default"}, "reason": "Pulling",
            "involvedObject": {"kind": "Pod", "uid": uid(number).to_string()},
            "message": format!("Pulling image \"{image}\"")});
        let told = serde_json::from_value(told).unwrap();
        let events = self.progress.pull(&told, at(self.now)).into_iter().collect();
        self.tell(&Changes { events, ..Changes::default() });
        self
    }

    fn job(&mut self, spec: &Value, status: &Value) -> &mut Self {
        self.now += 1;
        self.progress.job(uid(JOB), &job(spec, status), at(self.now));
        self
    }

    fn check(&mut self, wanted: &Expect) {
        let work = &self.progress.works()[0];
        let mut tail = Tail::default();
        tail.push(b"schema mismatch");
        writeln!(self.out, "counts {}", text::progress(work)).unwrap();
        for line in text::block(self.progress.works(), at(self.now)) {
            writeln!(self.out, "block  {line}").unwrap();
        }
        let hints = Hints { data_dir: Some("/d".into()) };
        for line in text::ending(work, Some(&tail), &hints) {
            writeln!(self.out, "end    {line}").unwrap();
        }
        let code = outcome::code(&self.progress.results(), None).number();
        writeln!(self.out, "code   {code}, all pods seen: {}", self.progress.all_pods_seen())
            .unwrap();
        wanted.assert_eq(&self.out);
    }
}

fn condition(kind: &str, reason: &str, message: &str) -> Value {
    json!([{"type": kind, "status": "True", "reason": reason, "message": message}])
}

#[test]
fn an_indexed_job_retries_an_index_and_completes() {
    let spec = json!({"completions": 2, "parallelism": 2, "completionMode": "Indexed"});
    let mut story = Story::begin(&spec);
    let waiting = json!({"waiting": {"reason": "ContainerCreating"}});
    story
        .pod(10, &pod("etl-0-aaaaa", "Pending", 0, &waiting, &json!({})))
        .pod(10, &pod("etl-0-aaaaa", "Running", 0, &running(), &json!({})))
        .pod(11, &pod("etl-1-bbbbb", "Failed", 0, &ended(42, "Error"), &json!({})))
        // told again, as after a lost connection
        .pod(11, &pod("etl-1-bbbbb", "Failed", 0, &ended(42, "Error"), &json!({})))
        .pod(12, &pod("etl-1-ccccc", "Running", 0, &running(), &json!({})))
        .pod(12, &pod("etl-1-ccccc", "Succeeded", 0, &ended(0, "Completed"), &json!({})))
        .job(&spec, &json!({"succeeded": 1, "failed": 1}));
    story.check(&expect![[r#"
          0 submitted
              > job/etl  submitted: 2 indexes, 2 at a time
          1 scheduled index=0 pod="etl-0-aaaaa"
          2 started attempt=1 index=0 pod="etl-0-aaaaa"
              read etl-0-aaaaa/main 0
          3 scheduled index=1 pod="etl-1-bbbbb"
          3 started attempt=1 index=1 pod="etl-1-bbbbb"
          3 failed attempt=1 exitCode=42 index=1 pod="etl-1-bbbbb" reason="Error"
              > job/etl  index 1 attempt 1 failed: exit 42
              read etl-1-bbbbb/main 0
          5 scheduled index=1 pod="etl-1-ccccc"
          5 retried attempt=2 index=1 pod="etl-1-ccccc"
              read etl-1-ccccc/main 0
          6 succeeded index=1 pod="etl-1-ccccc"
        counts job/etl  1/2 succeeded  1 running  1 retried  0 failed
        block  job/etl  [###########-----------]  1/2  1 running  1 retried  0 failed  eta 7.0 s
        end    job/etl  did not finish
        code   125, all pods seen: true
    "#]]);
    story.out.clear();
    story
        .job(&spec, &json!({"succeeded": 2, "failed": 1, "conditions": condition("Complete", "CompletionsReached", "")}))
        .check(&expect![[r#"
            counts job/etl  2/2 succeeded  1 running  1 retried  0 failed
            end    job/etl  Complete  2/2 succeeded  1 retry  in 8.0 s
            code   0, all pods seen: false
        "#]]);
}

#[test]
fn restarts_in_place_are_attempts_even_when_some_states_are_never_seen() {
    let spec = json!({});
    let back_off = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let mut story = Story::begin(&spec);
    story
        .pod(10, &pod("etl-aaaaa", "Running", 0, &running(), &json!({})))
        // the first attempt's end was never shown: the second runs already
        .pod(10, &pod("etl-aaaaa", "Running", 1, &running(), &ended(3, "Error")))
        .pod(10, &pod("etl-aaaaa", "Running", 1, &back_off, &ended(4, "Error")))
        .pod(
            10,
            &pod(
                "etl-aaaaa",
                "Running",
                2,
                &json!({"waiting": {"reason": "ContainerCreating"}}),
                &ended(4, "Error"),
            ),
        )
        .pod(10, &pod("etl-aaaaa", "Succeeded", 2, &ended(0, "Completed"), &ended(4, "Error")))
        .job(&spec, &json!({"succeeded": 1, "conditions": condition("Complete", "", "")}));
    story.check(&expect![[r#"
          0 submitted
              > job/etl  submitted
          1 scheduled pod="etl-aaaaa"
          1 started attempt=1 pod="etl-aaaaa"
              > job/etl  started
              read etl-aaaaa/main 0
          2 failed attempt=1 exitCode=3 pod="etl-aaaaa" reason="Error"
              > job/etl  attempt 1 failed: exit 3
          2 retried attempt=2 pod="etl-aaaaa"
              > job/etl  attempt 2 started
              read etl-aaaaa/main 1
          3 failed attempt=2 exitCode=4 pod="etl-aaaaa" reason="Error"
              > job/etl  attempt 2 failed: exit 4
          5 retried attempt=3 pod="etl-aaaaa"
              > job/etl  attempt 3 started
          5 succeeded pod="etl-aaaaa"
              read etl-aaaaa/main 2
        counts job/etl  1 succeeded  0 running  2 retried  0 failed
        end    job/etl  Complete  2 retries  in 6.0 s
        code   0, all pods seen: true
    "#]]);
}

#[test]
fn a_job_that_hits_its_memory_limit_names_limit_rule_and_next_command() {
    let spec = json!({"completions": 1, "backoffLimit": 0});
    let mut story = Story::begin(&spec);
    let rule =
        condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
    story
        .pod(10, &pod("etl-aaaaa", "Failed", 0, &ended(137, "OOMKilled"), &json!({})))
        .job(&spec, &json!({"failed": 1, "conditions": rule}));
    story.check(&expect![[r#"
          0 submitted
              > job/etl  submitted
          1 scheduled pod="etl-aaaaa"
          1 started attempt=1 pod="etl-aaaaa"
              > job/etl  started
          1 failed attempt=1 exitCode=137 pod="etl-aaaaa" reason="OOMKilled" signal=9
              > job/etl  attempt 1 failed: exit 137, killed by the memory limit of 32Mi
              read etl-aaaaa/main 0
        counts job/etl  0/1 succeeded  0 running  0 retried  1 failed
        end    job/etl  Failed  BackoffLimitExceeded: Job has reached the specified backoff limit  in 2.0 s
        end      attempt 1  exit 137, killed by the memory limit of 32Mi  by backoffLimit 0
        end        | schema mismatch
        end      see: coracle logs job/etl --data-dir /d
        code   137, all pods seen: true
    "#]]);
}

#[test]
fn a_command_that_is_not_there_reads_no_log_and_ends_with_127() {
    let spec = json!({"completions": 1, "backoffLimit": 0});
    let mut story = Story::begin(&spec);
    let message = "exec: \"nope\": executable file not found in $PATH";
    let state =
        json!({"terminated": {"exitCode": 128, "reason": "StartError", "message": message}});
    let rule = condition("Failed", "BackoffLimitExceeded", "");
    story
        .pod(10, &pod("etl-aaaaa", "Failed", 0, &state, &json!({})))
        .job(&spec, &json!({"failed": 1, "conditions": rule}));
    story.check(&expect![[r#"
          0 submitted
              > job/etl  submitted
          1 scheduled pod="etl-aaaaa"
          1 failed attempt=1 exitCode=128 message="exec: \"nope\": executable file not found in $PATH" pod="etl-aaaaa" reason="StartError"
              > job/etl  attempt 1 failed: command not found: exec: "nope": executable file not found in $PATH
        counts job/etl  0/1 succeeded  0 running  0 retried  1 failed
        end    job/etl  Failed  BackoffLimitExceeded  in 2.0 s
        end      attempt 1  command not found: exec: "nope": executable file not found in $PATH  by backoffLimit 0
        end        | schema mismatch
        end      see: coracle logs job/etl --data-dir /d
        code   127, all pods seen: true
    "#]]);
}

/// A pod that waits for room is no trouble while another of the run runs, nor right after.
#[test]
fn waiting_for_room_counts_only_while_nothing_runs() {
    let limit = SignedDuration::from_secs(60);
    let spec = json!({"completions": 2, "parallelism": 2});
    let mut story = Story::begin(&spec);
    let mut unplaced = pod("etl-bbbbb", "Pending", 0, &json!({}), &json!({}));
    unplaced["spec"] = json!({"containers": []});
    unplaced["status"] = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled",
        "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}]});
    story.pod(11, &unplaced);
    assert_eq!(story.progress.stuck_at(limit), Some(at(61)));
    story.pod(10, &pod("etl-aaaaa", "Running", 0, &running(), &json!({})));
    assert_eq!(story.progress.stuck_at(limit), None);
    story.now = 500;
    story.pod(10, &pod("etl-aaaaa", "Succeeded", 0, &ended(0, "Completed"), &json!({})));
    assert_eq!(story.progress.stuck_at(limit), Some(at(561)));
    assert!(story.progress.stuck(limit, at(560)).is_empty());
    let stuck = story.progress.stuck(limit, at(561));
    assert_eq!((stuck.len(), stuck[0].reason.as_str()), (1, "Unschedulable"));
    story.progress.give_up(&stuck[0], at(561));
    assert!(story.progress.finished());
    assert_eq!(outcome::code(&story.progress.results(), None).number(), 125);
}

/// An image that cannot be had does not get better by others that run.
#[test]
fn a_refused_start_counts_also_while_others_run() {
    let limit = SignedDuration::from_secs(60);
    let mut story = Story::begin(&json!({"completions": 2, "parallelism": 2}));
    assert_eq!(story.progress.stuck_at(limit), Some(at(60)), "no pod yet");
    story.pod(10, &pod("etl-aaaaa", "Running", 0, &running(), &json!({})));
    let refused = json!({"waiting": {"reason": "ErrImagePull", "message": "no such image"}});
    story.pod(11, &pod("etl-bbbbb", "Pending", 0, &refused, &json!({})));
    assert_eq!(story.progress.stuck_at(limit), Some(at(62)));
    let stuck = story.progress.stuck(limit, at(70));
    assert_eq!(stuck[0].message, "no such image");
    assert_eq!(
        text::gave_up(&stuck[0], limit),
        "job/etl  pod etl-bbbbb did not start within 1 min 0 s: giving up"
    );
}

#[test]
fn what_is_missing_after_a_reconnection_is_gone() {
    let mut story = Story::begin(&json!({"completions": 2, "parallelism": 2}));
    story.pod(10, &pod("etl-aaaaa", "Running", 0, &running(), &json!({})));
    story.pod(11, &pod("etl-bbbbb", "Running", 0, &running(), &json!({})));
    let asked = [uid(JOB)].into();
    story.progress.only(true, &asked, &[uid(11)].into(), at(9));
    assert_eq!(story.progress.works()[0].running, 1);
    story.progress.only(false, &asked, &asked, at(9));
    assert!(!story.progress.finished());
    story.progress.only(false, &asked, &[].into(), at(9));
    assert!(story.progress.finished());
}

/// The Event may come before the pod that it is about, and pods of others are pulled for, too. What
/// one pod is pulled for the next one has.
#[test]
fn an_image_is_told_of_once_while_nothing_runs() {
    let mut story = Story::begin(&json!({"completions": 2, "parallelism": 2}));
    let waiting = json!({"waiting": {"reason": "ContainerCreating"}});
    story
        .pull(10, "busybox:1.36")
        .pull(99, "postgres:17")
        .pod(10, &pod("etl-aaaaa", "Pending", 0, &waiting, &json!({})))
        .pod(11, &pod("etl-bbbbb", "Pending", 0, &waiting, &json!({})))
        .pull(11, "busybox:1.36");
    story.check(&expect![[r#"
          0 submitted
              > job/etl  submitted: 2 completions, 2 at a time
          3 scheduled pod="etl-aaaaa"
          3 pulling message="Pulling image \"busybox:1.36\"" pod="etl-aaaaa"
              > job/etl  pulling busybox:1.36
          4 scheduled pod="etl-bbbbb"
        counts job/etl  0/2 succeeded  0 running  0 retried  0 failed
        block  job/etl  [----------------------]  0/2  0 running  0 retried  0 failed  5.0 s  pulling busybox:1.36
        end    job/etl  did not finish
        code   125, all pods seen: true
    "#]]);
    story.out.clear();
    story.pod(10, &pod("etl-aaaaa", "Running", 0, &running(), &json!({})));
    story.check(&expect![[r#"
          6 started attempt=1 pod="etl-aaaaa"
              read etl-aaaaa/main 0
        counts job/etl  0/2 succeeded  1 running  0 retried  0 failed
        block  job/etl  [----------------------]  0/2  1 running  0 retried  0 failed  6.0 s
        end    job/etl  did not finish
        code   125, all pods seen: true
    "#]]);
}

/// When its success policy is met, a Job ends what still runs: that is none of its failures.
#[test]
fn a_pod_that_its_job_has_ended_did_not_fail() {
    let mut story =
        Story::begin(&json!({"completions": 2, "parallelism": 2, "completionMode": "Indexed"}));
    story.pod(10, &pod("etl-1-aaaaa", "Running", 0, &running(), &json!({})));
    story.job(
        &json!({}),
        &json!({"conditions": condition("SuccessCriteriaMet", "SuccessPolicy", "")}),
    );
    let mut ended = pod("etl-1-aaaaa", "Failed", 0, &ended(137, "Error"), &json!({}));
    ended["metadata"]["deletionTimestamp"] = json!("2026-11-24T10:00:00Z");
    story.pod(10, &ended);
    story.check(&expect![[r#"
          0 submitted
              > job/etl  submitted: 2 indexes, 2 at a time
          1 scheduled index=1 pod="etl-1-aaaaa"
          1 started attempt=1 index=1 pod="etl-1-aaaaa"
              read etl-1-aaaaa/main 0
          3 failed attempt=1 exitCode=137 index=1 pod="etl-1-aaaaa" reason="Error" signal=9
              > job/etl  index 1 attempt 1 ended: exit 137, killed by signal 9
        counts job/etl  0/2 succeeded  0 running  0 retried  0 failed
        block  job/etl  [----------------------]  0/2  0 running  0 retried  0 failed  3.0 s
        end    job/etl  did not finish
        code   125, all pods seen: true
    "#]]);
}
