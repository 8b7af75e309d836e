//! Finished Jobs that go by themselves.

use engine::{Scope, Subresource};
use jiff::{SignedDuration, Timestamp};
use kinds::{Draft, Key, Kind, RUN_ANNOTATION};
use store::ChangeKind;

use crate::world::{World, indexed};

fn key() -> Key {
    Key::new(Kind::Job, "default", "done")
}

/// A Job that lives so long after its end, finished now.
fn finished(world: &mut World, ttl_s: u32) {
    let ttl = format!("\"ttlSecondsAfterFinished\":{ttl_s},\"completions\"");
    world.create(Kind::Job, &indexed("done", 1, 1).replace("\"completions\"", &ttl));
    let pod = world.running()[0].clone();
    world.end(&pod, 0);
}

fn there(world: &World) -> bool {
    world.engine.get(&key()).is_ok()
}

/// Lets time pass up to the time the engine asked to be woken at.
fn sleep(world: &mut World) -> Timestamp {
    let at = world.engine.wake_at().unwrap();
    world.now = at;
    world.sync();
    at
}

#[test]
fn a_job_goes_with_its_pods_in_the_second_its_time_is_over_and_not_before() {
    let mut world = World::new(Scope::All);
    let end = world.now;
    finished(&mut world, 100);
    assert!(there(&world));
    let looked = world.engine.reconciled(Kind::Job);
    world.now += SignedDuration::from_secs(99);
    world.sync();
    assert_eq!(world.engine.reconciled(Kind::Job), looked, "nothing polls");
    assert!(there(&world));
    assert_eq!(sleep(&mut world), end + SignedDuration::from_secs(100));
    assert!(!there(&world) && world.pods().is_empty());
    assert_eq!(world.engine.wake_at(), None);
}

/// Who watches has to see how it ended.
#[test]
fn a_job_without_time_to_live_is_seen_to_finish_before_it_goes() {
    let mut world = World::new(Scope::All);
    let before = world.engine.store().durable();
    finished(&mut world, 0);
    assert!(!there(&world));
    let changes = world.engine.store().changes_after(before).unwrap();
    let of_job: Vec<_> = changes.filter(|change| change.object.key == key()).collect();
    let last = of_job.last().unwrap();
    assert_eq!(last.kind, ChangeKind::Deleted);
    let conditions = last.object.job().status.unwrap().conditions.unwrap();
    assert!(conditions.iter().any(|c| c.type_ == "Complete" && c.status == "True"));
    assert_eq!(of_job[of_job.len() - 2].kind, ChangeKind::Modified);
}

#[test]
fn a_time_to_live_that_changes_after_the_end_counts() {
    let mut world = World::new(Scope::All);
    finished(&mut world, 100);
    let mut live_for = |ttl: serde_json::Value| {
        let mut job: serde_json::Value =
            serde_json::from_slice(&world.engine.get(&key()).unwrap().json()).unwrap();
        job["spec"]["ttlSecondsAfterFinished"] = ttl;
        let draft = Draft::from_json(Kind::Job, job.to_string().as_bytes()).unwrap();
        world.engine.update(draft, Subresource::Main, false, world.now).unwrap();
        world.sync();
        world.engine.wake_at().map(|at| at.duration_since(world.now).as_secs())
    };
    assert_eq!(live_for(1000.into()), Some(1000));
    assert_eq!(live_for(serde_json::Value::Null), None);
    assert_eq!(live_for(50.into()), Some(50));
    assert_eq!(live_for(0.into()), None);
    assert!(!there(&world));
}

#[test]
fn the_time_runs_on_while_the_server_does_not() {
    for (passed_s, left) in [(99, true), (100, false), (100_000, false)] {
        let mut world = World::new(Scope::All);
        finished(&mut world, 100);
        let later = world.now + SignedDuration::from_secs(passed_s);
        let world = World::at(world.disk, Scope::All, later);
        assert_eq!(there(&world), left, "{passed_s}");
        let wake = left.then(|| later + SignedDuration::from_secs(1));
        assert_eq!(world.engine.wake_at(), wake);
    }
}

/// An end that lies in the future only defers.
#[test]
fn a_clock_that_was_set_back_defers() {
    let mut world = World::new(Scope::All);
    finished(&mut world, 100);
    let end = world.now;
    world.now -= SignedDuration::from_hours(1);
    world.sync();
    assert!(there(&world));
    assert_eq!(sleep(&mut world), end + SignedDuration::from_secs(100));
    assert!(!there(&world));
}

/// What somebody else holds is seen to be going, as upstream's end-to-end test has it.
#[test]
fn a_job_that_is_held_goes_in_the_foreground() {
    let mut world = World::new(Scope::All);
    let held = indexed("done", 1, 1)
        .replace("\"completions\"", "\"ttlSecondsAfterFinished\":5,\"completions\"")
        .replacen("\"metadata\":{", "\"metadata\":{\"finalizers\":[\"a.b/hold\"],", 1);
    world.create(Kind::Job, &held);
    let pod = world.running()[0].clone();
    world.end(&pod, 0);
    sleep(&mut world);
    let job = world.engine.get(&key()).unwrap();
    assert!(job.deleting() && world.pods().is_empty());
    assert_eq!(job.meta.finalizers, ["a.b/hold"]);
}

/// A private server leaves what it finds alone until its client is there.
#[test]
fn what_no_live_run_submitted_stays() {
    let mut world = World::new(Scope::Runs(["r1".to_owned()].into()));
    let job = indexed("done", 1, 1)
        .replace("\"completions\"", "\"ttlSecondsAfterFinished\":5,\"completions\"")
        .replacen(
            "\"metadata\":{",
            &format!("\"metadata\":{{\"annotations\":{{\"{RUN_ANNOTATION}\":\"r1\"}},"),
            1,
        );
    world.create(Kind::Job, &job);
    let pod = world.running()[0].clone();
    world.end(&pod, 0);
    let later = world.now + SignedDuration::from_hours(1);
    let mut world = World::at(world.disk, Scope::Runs(Default::default()), later);
    assert!(there(&world));
    world.engine.run_begins("r1");
    world.sync();
    assert!(!there(&world));
}
