//! Deletion and what follows from it.

use engine::{DeleteOptions, Deleted, Propagation, Scope, history};
use jiff::SignedDuration;
use kinds::{Key, Kind};

use crate::world::{World, indexed, pod};

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

/// Under podReplacementPolicy Failed a Job waits for the end of a pod that is deleted. One that no
/// node has cannot end, and the finalizer keeps it: it was there, terminating, for ever.
#[test]
fn a_pod_that_was_never_placed_fails_when_it_is_deleted() {
    let mut world = World::new(Scope::All);
    let job = indexed("large", 1, 1)
        .replace("\"completions\"", "\"podReplacementPolicy\":\"Failed\",\"completions\"")
        .replace("\"command\"", "\"resources\":{\"requests\":{\"cpu\":\"8\"}},\"command\"");
    world.create(Kind::Job, &job);
    let waiting = world.pods()[0].clone();
    world.engine.delete(&waiting.key, &DeleteOptions::default(), world.now).unwrap();
    world.sync();
    assert!(world.engine.get(&waiting.key).is_err());
    let status = world.job("large").status.unwrap();
    assert_eq!((status.failed, status.terminating), (Some(1), Some(0)));
}

/// The time of the deletion lay beyond the calendar, and the server ended by it.
#[test]
fn a_grace_period_without_measure_is_cut() {
    let mut world = World::new(Scope::All);
    let pod = world.create(Kind::Pod, &pod("patient", "1"));
    let options = DeleteOptions { grace_period_seconds: Some(i64::MAX), ..Default::default() };
    let deleted = world.engine.delete(&pod.key, &options, world.now).unwrap();
    assert!(matches!(deleted, Deleted::Begun(pod) if pod.deleting()));
}

#[test]
fn a_job_that_is_deleted_before_its_end_was_cancelled_then() {
    let mut world = World::new(Scope::All);
    let job = world.create(Kind::Job, &indexed("gone", 1, 1));
    world.now += SignedDuration::from_secs(5);
    world.engine.delete(&job.key, &background(), world.now).unwrap();
    world.sync();
    let record = history::jobs(world.engine.store()).next().unwrap();
    assert_eq!((record.outcome, record.finished), (history::Outcome::Cancelled, world.now));
}

#[test]
fn a_job_that_is_deleted_after_its_end_stays_what_it_was_in_the_history() {
    let mut world = World::new(Scope::All);
    let job = world.create(Kind::Job, &indexed("done", 1, 1));
    let pod = world.running()[0].clone();
    world.end(&pod, 0);
    world.engine.delete(&job.key, &background(), world.now).unwrap();
    world.sync();
    let outcomes: Vec<_> = history::jobs(world.engine.store()).map(|r| r.outcome).collect();
    assert_eq!(outcomes, [history::Outcome::Complete]);
    assert!(world.pods().is_empty());
}

#[test]
fn a_namespace_goes_when_it_is_empty_and_takes_nothing_new() {
    let mut world = World::new(Scope::All);
    let space = world.create(Kind::Namespace, r#"{"metadata":{"name":"lab"}}"#);
    let inside = pod("one", "1").replace("default", "lab");
    let inside = world.create(Kind::Pod, &inside);
    let begun = world.engine.delete(&space.key, &DeleteOptions::default(), world.now).unwrap();
    assert!(matches!(begun, Deleted::Begun(_)));
    world.sync();
    let new =
        kinds::Draft::from_json(Kind::Pod, pod("two", "1").replace("default", "lab").as_bytes());
    let refused = world.engine.create(new.unwrap(), false, world.now).unwrap_err();
    assert_eq!(
        refused.message,
        "pods \"two\" is forbidden: unable to create new content in namespace lab because it is being terminated"
    );
    world.engine.pod_given_back(&inside.key, inside.meta.uid);
    world.sync();
    assert!(world.engine.get(&space.key).is_err());
    let default = Key::new(Kind::Namespace, "", "default");
    assert!(world.engine.delete(&default, &DeleteOptions::default(), world.now).is_err());
}

#[test]
fn in_the_foreground_an_owner_waits_for_its_pods() {
    let mut world = World::new(Scope::All);
    let job = world.create(Kind::Job, &indexed("slow", 2, 2));
    let foreground =
        DeleteOptions { propagation: Some(Propagation::Foreground), ..Default::default() };
    world.engine.delete(&job.key, &foreground, world.now).unwrap();
    world.sync();
    let waiting = world.engine.get(&job.key).unwrap();
    assert_eq!(waiting.meta.finalizers, ["foregroundDeletion"]);
    for (left, pod) in [1, 0].into_iter().zip(world.pods()) {
        world.engine.pod_given_back(&pod.key, pod.meta.uid);
        world.sync();
        assert_eq!(world.pods().len(), left);
        assert_eq!(world.engine.get(&job.key).is_err(), left == 0);
    }
}

fn background() -> DeleteOptions {
    DeleteOptions { propagation: Some(Propagation::Background), ..Default::default() }
}
