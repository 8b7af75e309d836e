//! Who is told of the ends of Jobs: when, how often, and that nothing loses it.

use engine::{DeleteOptions, Notice, Scope, history};
use jiff::{SignedDuration, ToSpan};
use kinds::{Key, Kind};
use serde_json::Value;
use store::MemoryDisk;

use crate::world::World;

const URL: &str = "http://127.0.0.1:9/hook?token=secret";

fn job(url: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"etl","namespace":"default","annotations":{{"coracle.local/notify":"{url}"}}}},
        "spec":{{"backoffLimit":0,"template":{{"spec":{{"restartPolicy":"Never",
        "containers":[{{"name":"main","image":"coracle.local/host","command":["true"]}}]}}}}}}}}"#
    )
}

/// A world in which a Job that tells `url` has just failed, durably.
fn failed(url: &str) -> World {
    let mut world = World::new(Scope::All);
    world.create(Kind::Job, &job(url));
    let pod = world.running().remove(0);
    world.end(&pod, 3);
    world
}

fn due(world: &mut World) -> Vec<Notice> {
    world.engine.notices_due(world.now)
}

fn delete(world: &mut World) {
    let key = Key::new(Kind::Job, "default", "etl");
    world.engine.delete(&key, &DeleteOptions::default(), world.now).unwrap();
    world.sync();
}

/// Opens what is durable anew, as after a crash.
fn again(world: World) -> World {
    World::on(world.disk, Scope::All)
}

#[test]
fn the_end_is_told_until_it_was_taken() {
    let mut world = failed(URL);
    let first = due(&mut world);
    let document: Value = serde_json::from_slice(&first[0].document).unwrap();
    assert_eq!(first[0].url, URL);
    assert_eq!(document["id"], first[0].id.to_string());
    assert_eq!((&document["job"], &document["outcome"]), (&"etl".into(), &"Failed".into()));
    assert_eq!(document["reason"], "BackoffLimitExceeded");
    assert_eq!(due(&mut world), [], "it is on its way");
    assert_eq!(world.engine.wake_at(), None);

    world.engine.notice_answered(first[0].id, Err("503".to_owned()), world.now);
    world.sync();
    assert_eq!(due(&mut world), [], "not at once");
    assert_eq!(world.engine.wake_at(), Some(world.now + SignedDuration::from_secs(1)));
    world.now += 1.second();
    assert_eq!(due(&mut world), first, "the same again");

    world.engine.notice_answered(first[0].id, Ok(()), world.now);
    world.sync();
    assert_eq!((world.engine.notices_waiting(), again(world).engine.notices_waiting()), (0, 0));
}

#[test]
fn events_tell_what_became_of_it_and_no_secret() {
    let mut world = failed(URL);
    let id = due(&mut world)[0].id;
    world.engine.notice_answered(id, Err("503".to_owned()), world.now);
    world.now += 1.second();
    due(&mut world);
    world.engine.notice_answered(id, Ok(()), world.now);
    world.sync();
    let events = world.events().into_iter();
    let own = events.filter(|event| event.reporting_component.as_deref() == Some("notifier"));
    let mut told: Vec<_> =
        own.map(|event| (event.type_.unwrap(), event.message.unwrap())).collect();
    told.sort();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        told,
        [
            (text("Normal"), text("Told http://127.0.0.1:9 of the end of the job")),
            (text("Warning"), text("Telling http://127.0.0.1:9 of the end of the job failed: 503")),
        ]
    );
}

#[test]
fn neither_a_crash_nor_the_deletion_of_the_job_loses_it() {
    let mut world = failed(URL);
    let before = due(&mut world);
    delete(&mut world);
    let mut world = again(world);
    assert_eq!(due(&mut world), before);
    world.engine.notice_answered(before[0].id, Err("refused".to_owned()), world.now);
    world.sync();
    let mut world = again(world);
    assert_eq!(due(&mut world), before, "failures are no end");
}

#[test]
fn it_is_told_only_once_the_end_is_durable() {
    let mut world = World::on(MemoryDisk::default(), Scope::All);
    world.create(Kind::Job, &job(URL));
    let key = Key::new(Kind::Job, "default", "etl");
    world.engine.delete(&key, &DeleteOptions::default(), world.now).unwrap();
    world.engine.settle(world.now);
    assert_eq!((due(&mut world), world.engine.notices_waiting()), (Vec::new(), 1));
    world.sync();
    let told = due(&mut world);
    let document: Value = serde_json::from_slice(&told[0].document).unwrap();
    assert_eq!(document["outcome"], "Cancelled");
}

#[test]
fn a_url_that_cannot_be_used_is_an_event_and_no_more() {
    let world = failed("ftp://example.com");
    assert_eq!(world.engine.notices_waiting(), 0);
    assert!(world.reasons().contains(&"NotifyInvalid".to_owned()), "{:?}", world.reasons());
}

#[test]
fn after_a_day_it_is_given_up() {
    let mut world = failed(URL);
    let (begin, mut tries) = (world.now, 0);
    while let Some(at) = world.engine.wake_at().filter(|_| world.engine.notices_waiting() > 0) {
        world.now = at.max(world.now);
        let id = due(&mut world)[0].id;
        world.engine.notice_answered(id, Err("refused".to_owned()), world.now);
        world.sync();
        tries += 1;
    }
    let hours = world.now.duration_since(begin).as_hours();
    assert_eq!((hours, tries), (23, 153));
    assert!(world.reasons().contains(&"NotifyGivenUp".to_owned()), "{:?}", world.reasons());
    assert_eq!(again(world).engine.notices_waiting(), 0);
}

#[test]
fn what_a_job_was_asked_to_do_outlives_it() {
    let mut world = failed(URL);
    delete(&mut world);
    let store = world.engine.store();
    let uid = history::jobs(store).next().unwrap().uid;
    let manifest: Value = serde_json::from_slice(&history::spec(store, uid).unwrap()).unwrap();
    assert_eq!(manifest["spec"]["backoffLimit"], 0);
    assert_eq!(manifest["metadata"]["annotations"]["coracle.local/notify"], URL);
}
