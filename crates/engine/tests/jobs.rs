//! The engine over a store in memory, with the test playing the node: what a Job's life looks like
//! from outside, transaction by transaction.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use engine::{Config, DeleteOptions, Deleted, Engine, Limits, Propagation, Scope, history};
use jiff::Timestamp;
use kinds::{
    Draft, Facts, Key, Kind, Object,
    types::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Node, PodStatus},
};
use store::{MemoryDisk, Store};

/// One engine, its disk, and a clock that the test moves.
struct World {
    engine: Engine,
    disk: MemoryDisk,
    now: Timestamp,
}

impl World {
    fn new(scope: Scope) -> Self {
        Self::on(MemoryDisk::default(), scope)
    }

    fn on(mut disk: MemoryDisk, scope: Scope) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let store = Store::open(&mut disk, store::Limits::default(), now).unwrap();
        let config = Config { node: node(), scope, seed: 7, limits: Limits::default() };
        let mut world = Self { engine: Engine::open(store, config, now), disk, now };
        world.sync();
        world
    }

    fn sync(&mut self) {
        self.engine.settle(self.now);
        while let Some(batch) = self.engine.store_mut().take_batch() {
            let (done, result) = batch.perform(&mut self.disk);
            result.unwrap();
            self.engine.store_mut().batch_done(done);
        }
    }

    fn create(&mut self, kind: Kind, json: &str) -> Arc<Object> {
        let draft = Draft::from_json(kind, json.as_bytes()).unwrap();
        let written = self.engine.create(draft, false, self.now).unwrap();
        self.sync();
        written.object
    }

    fn job(&self, name: &str) -> kinds::types::batch::v1::Job {
        self.engine.get(&Key::new(Kind::Job, "default", name)).unwrap().job()
    }

    /// The pods that wait for their end, by name.
    fn running(&self) -> Vec<Arc<Object>> {
        self.engine.bound_pods().filter(|pod| !pod.deleting()).cloned().collect()
    }

    /// Ends a pod's only container with this code.
    fn end(&mut self, pod: &Object, code: i32) {
        let terminated = ContainerStateTerminated { exit_code: code, ..Default::default() };
        let state = ContainerState { terminated: Some(terminated), ..Default::default() };
        let status = PodStatus {
            phase: Some(if code == 0 { "Succeeded" } else { "Failed" }.to_owned()),
            container_statuses: Some(vec![ContainerStatus {
                name: "main".to_owned(),
                state: Some(state),
                ..Default::default()
            }]),
            ..Default::default()
        };
        self.engine.pod_status(&pod.key, pod.meta.uid, status);
        self.sync();
    }

    fn reasons(&self) -> Vec<String> {
        let events = self.engine.store().list(Kind::Event, None);
        events.map(|event| event.event().reason.unwrap_or_default()).collect()
    }
}

fn node() -> Node {
    serde_json::from_value(serde_json::json!({
        "metadata": {"name": "here"},
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "100"}},
    }))
    .unwrap()
}

fn indexed(name: &str, completions: u32, parallelism: u32) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"default"}},"spec":{{"completions":{completions},
        "parallelism":{parallelism},"completionMode":"Indexed","backoffLimit":2,"template":{{"spec":{{"restartPolicy":"Never",
        "containers":[{{"name":"main","image":"coracle.local/host","command":["true"]}}]}}}}}}}}"#
    )
}

fn pod(name: &str, cpu: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"default"}},"spec":{{"restartPolicy":"Never","containers":
        [{{"name":"main","image":"coracle.local/host","command":["true"],"resources":{{"requests":{{"cpu":"{cpu}"}}}}}}]}}}}"#
    )
}

#[test]
fn an_indexed_job_runs_within_its_parallelism_and_completes() {
    let mut world = World::new(Scope::All);
    world.create(Kind::Job, &indexed("sums", 5, 2));
    let mut ended = 0;
    while let Some(pod) = world.running().first().cloned() {
        assert!(world.running().len() <= 2, "parallelism is 2");
        world.end(&pod, 0);
        ended += 1;
        assert!(ended <= 5, "an index ran twice");
    }
    let status = world.job("sums").status.unwrap();
    assert_eq!(status.completed_indexes.as_deref(), Some("0-4"));
    assert_eq!((status.succeeded, status.active), (Some(5), None));
    let reasons: Vec<String> = status.conditions.unwrap().into_iter().map(|c| c.type_).collect();
    assert_eq!(reasons, ["SuccessCriteriaMet", "Complete"]);
    let record = history::jobs(world.engine.store()).next().unwrap();
    assert_eq!((record.outcome, record.succeeded), (history::Outcome::Complete, 5));
    assert_eq!(history::pods(world.engine.store(), record.uid).count(), 5);
    assert!(world.reasons().iter().any(|reason| reason == "Completed"));
}

#[test]
fn a_pods_end_and_the_jobs_count_are_one_transaction() {
    let mut world = World::new(Scope::All);
    world.create(Kind::Job, &indexed("one", 1, 1));
    let pod = world.running()[0].clone();
    world.engine.pod_status(
        &pod.key,
        pod.meta.uid,
        PodStatus { phase: Some("Succeeded".into()), ..Default::default() },
    );
    world.engine.settle(world.now);
    // Nothing of it is durable yet: a crash here forgets the end and the count together.
    let mut again = World::on(world.disk.clone(), Scope::All);
    assert_eq!(again.job("one").status.unwrap().succeeded, None);
    assert_eq!(again.running().len(), 1);
    again.end(&pod, 0);
    assert_eq!(again.job("one").status.unwrap().succeeded, Some(1));
    let stored = again.engine.get(&pod.key).unwrap();
    assert!(stored.meta.finalizers.is_empty(), "counted pods lose the tracking finalizer");
}

#[test]
fn failures_beyond_the_backoff_limit_fail_the_job() {
    let mut world = World::new(Scope::All);
    world.create(Kind::Job, &indexed("flaky", 1, 1));
    for _ in 0..3 {
        let pod = world.running()[0].clone();
        world.end(&pod, 3);
        if let Some(at) = world.engine.wake_at() {
            assert!(world.running().is_empty(), "the back-off is waited for");
            world.now = at;
            world.sync();
        }
    }
    let conditions = world.job("flaky").status.unwrap().conditions.unwrap();
    assert_eq!(conditions[0].type_, "FailureTarget");
    assert_eq!(conditions[1].reason.as_deref(), Some("BackoffLimitExceeded"));
    assert!(world.running().is_empty());
}

#[test]
fn what_does_not_fit_waits_with_a_reason_and_runs_when_there_is_room() {
    let mut world = World::new(Scope::All);
    world.create(Kind::Pod, &pod("first", "1500m"));
    let second = world.create(Kind::Pod, &pod("second", "1"));
    let waiting = world.engine.get(&second.key).unwrap();
    assert!(matches!(&waiting.meta.facts, Facts::Pod { node_name, .. } if node_name.is_empty()));
    let condition = waiting.pod().status.unwrap().conditions.unwrap().remove(0);
    assert_eq!(condition.reason.as_deref(), Some("Unschedulable"));
    assert_eq!(
        condition.message.as_deref(),
        Some(
            "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
        )
    );
    assert!(world.reasons().iter().any(|reason| reason == "FailedScheduling"));
    let first = world.running()[0].clone();
    world.end(&first, 0);
    assert_eq!(world.running()[0].key, second.key);
}

#[test]
fn deleting_a_job_takes_its_pods_along_or_leaves_them() {
    for (propagation, left) in
        [(Propagation::Background, 0), (Propagation::Orphan, 2), (Propagation::Foreground, 0)]
    {
        let mut world = World::new(Scope::All);
        let job = world.create(Kind::Job, &indexed("gone", 4, 2));
        let options = DeleteOptions { propagation: Some(propagation), ..Default::default() };
        let deleted = world.engine.delete(&job.key, &options, world.now).unwrap();
        assert_eq!(matches!(deleted, Deleted::Begun(_)), propagation == Propagation::Foreground);
        world.sync();
        let pods: Vec<_> = world.engine.store().list(Kind::Pod, None).cloned().collect();
        for pod in pods.iter().filter(|pod| pod.deleting()) {
            world.engine.pod_given_back(&pod.key, pod.meta.uid);
            world.sync();
        }
        assert_eq!(world.engine.store().count(Kind::Pod), left, "{propagation:?}");
        assert!(world.engine.get(&job.key).is_err(), "{propagation:?}");
        assert!(
            world.engine.store().list(Kind::Pod, None).all(|pod| pod.meta.finalizers.is_empty())
        );
    }
}

#[test]
fn a_private_server_leaves_what_no_live_run_submitted_alone() {
    let mut world = World::new(Scope::Runs(Default::default()));
    let job = world.create(Kind::Job, &indexed("left", 1, 1));
    assert_eq!(world.engine.store().count(Kind::Pod), 0);
    assert_eq!(world.engine.leftovers(), std::slice::from_ref(&job.key));
    let mine = indexed("mine", 1, 1).replacen(
        "\"metadata\":{",
        "\"metadata\":{\"annotations\":{\"coracle.local/run\":\"r1\"},",
        1,
    );
    world.create(Kind::Job, &mine);
    assert_eq!(world.engine.store().count(Kind::Pod), 0);
    world.engine.run_begins("r1");
    world.sync();
    assert_eq!(world.running().len(), 1);
    assert_eq!(world.engine.leftovers(), std::slice::from_ref(&job.key));
    world.engine.run_vanished("r1", world.now);
    world.sync();
    assert!(world.running().is_empty());
    assert_eq!(
        history::jobs(world.engine.store()).last().unwrap().outcome,
        history::Outcome::Cancelled
    );
}

#[test]
fn finished_pods_stay_within_their_budget() {
    let mut world = World::new(Scope::All);
    world.create(Kind::Job, &indexed("many", 40, 4));
    let store = world.engine.store();
    assert_eq!(store.count(Kind::Pod), 4);
    let mut world = {
        let now = world.now;
        let store = Store::open(&mut world.disk, store::Limits::default(), now).unwrap();
        let limits = Limits { finished_pods_max: 10, ..Default::default() };
        let config = Config { node: node(), scope: Scope::All, seed: 8, limits };
        World { engine: Engine::open(store, config, now), disk: world.disk, now }
    };
    while let Some(pod) = world.running().first().cloned() {
        world.end(&pod, 0);
        assert!(world.engine.store().count(Kind::Pod) <= 14);
    }
    assert_eq!(world.job("many").status.unwrap().succeeded, Some(40));
    assert_eq!(world.engine.store().count(Kind::Pod), 10);
}
