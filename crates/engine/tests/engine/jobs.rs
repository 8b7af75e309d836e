//! The life of Jobs.

use engine::{Scope, history};
use jiff::SignedDuration;
use kinds::{Key, Kind, types::core::v1::PodStatus};

use crate::world::{World, indexed};

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
fn a_pod_that_no_longer_matches_is_released_and_replaced_at_once() {
    let mut world = World::new(Scope::All);
    world.create(Kind::Job, &indexed("sums", 1, 1));
    let pod = world.running()[0].clone();
    let mut draft = pod.draft();
    draft.metadata.labels = None;
    world.engine.update(draft, engine::Subresource::Main, false, world.now).unwrap();
    world.sync();
    let released = world.engine.get(&pod.key).unwrap();
    assert!(released.meta.owners.is_empty() && released.meta.finalizers.is_empty());
    assert_eq!(world.running().len(), 2, "the index has a pod again");
    world.end(&pod, 0);
    assert_eq!(world.job("sums").status.unwrap().succeeded, None, "it counts for nobody");
}

#[test]
fn an_orphan_that_matches_is_adopted_with_one_finalizer() {
    let mut world = World::new(Scope::All);
    let job = world.create(Kind::Job, &indexed("sums", 1, 1));
    let pod = world.running()[0].clone();
    let mut draft = pod.draft();
    draft.metadata.owner_references = None;
    world.engine.update(draft, engine::Subresource::Main, false, world.now).unwrap();
    world.sync();
    let adopted = world.engine.get(&pod.key).unwrap();
    assert_eq!(adopted.meta.owners[0].uid, job.meta.uid);
    assert_eq!(adopted.meta.finalizers, ["batch.kubernetes.io/job-tracking"]);
    assert_eq!(world.running().len(), 1);
}

#[test]
fn the_node_shows_signs_of_life_along_with_other_writes() {
    let mut world = World::new(Scope::All);
    let key = Key::new(Kind::Lease, "kube-node-lease", "here");
    let renewed = |world: &World| {
        let lease: serde_json::Value =
            serde_json::from_slice(&world.engine.get(&key).unwrap().json()).unwrap();
        assert_eq!(lease["spec"]["holderIdentity"], "here");
        lease["spec"]["renewTime"].as_str().unwrap().to_owned()
    };
    let first = renewed(&world);
    world.now += SignedDuration::from_secs(60);
    world.sync();
    assert_eq!(
        (renewed(&world), world.engine.wake_at()),
        (first.clone(), None),
        "nothing happened"
    );
    world.create(Kind::Job, &indexed("one", 1, 1));
    assert_ne!(renewed(&world), first);
    let (second, head) = (renewed(&world), world.engine.store().head());
    world.now += SignedDuration::from_secs(9);
    let pod = world.running()[0].clone();
    world.end(&pod, 0);
    assert!(world.engine.store().head() > head);
    assert_eq!(renewed(&world), second, "too soon");
}
