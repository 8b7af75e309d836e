//! What is kept, and what goes when it is too much.

use engine::{About, Happening, Limits, Scope, history};
use jiff::SignedDuration;
use kinds::{Kind, Object};

use crate::world::{World, indexed, pod};

#[test]
fn finished_pods_stay_within_their_budget() {
    let limits = Limits { finished_pods_max: 10, ..Default::default() };
    let mut world = World::open(Default::default(), Scope::All, limits);
    world.create(Kind::Job, &indexed("many", 40, 4));
    while let Some(pod) = world.running().first().cloned() {
        world.end(&pod, 0);
        assert!(world.engine.store().count(Kind::Pod) <= 14);
    }
    assert_eq!(world.job("many").status.unwrap().succeeded, Some(40));
    assert_eq!(world.engine.store().count(Kind::Pod), 10);
}

/// Pods that were deleted still counted, and pushed out pods that are there.
#[test]
fn deleted_pods_take_nothing_of_the_budget() {
    let limits = Limits { finished_pods_max: 3, ..Default::default() };
    let mut world = World::open(Default::default(), Scope::All, limits);
    let keep = world.create(Kind::Pod, &pod("keep", "1"));
    world.end(&keep, 0);
    for name in ["a", "b", "c", "d"] {
        let pod = world.create(Kind::Pod, &pod(name, "1"));
        world.end(&pod, 0);
        world.engine.delete(&pod.key, &Default::default(), world.now).unwrap();
        world.sync();
    }
    assert!(world.engine.get(&keep.key).is_ok());
    assert_eq!(world.engine.store().count(Kind::Pod), 1);
}

/// They were removed whatever held them, and who had put the finalizer there never heard of it.
#[test]
fn a_finished_pod_that_somebody_holds_begins_to_go() {
    let limits = Limits { finished_pods_max: 1, ..Default::default() };
    let mut world = World::open(Default::default(), Scope::All, limits);
    let held = pod("held", "1").replacen(
        "\"metadata\":{",
        "\"metadata\":{\"finalizers\":[\"a.b/hold\"],",
        1,
    );
    let held = world.create(Kind::Pod, &held);
    world.end(&held, 0);
    for name in ["a", "b", "c"] {
        let pod = world.create(Kind::Pod, &pod(name, "1"));
        world.end(&pod, 0);
    }
    assert!(world.engine.get(&held.key).unwrap().deleting());
    assert!(world.engine.store().count(Kind::Pod) <= 2);
}

fn say(world: &mut World, pod: &Object, message: &str) {
    let about = About { key: pod.key.clone(), uid: pod.meta.uid, field_path: None };
    let reason = "Failed".to_owned();
    let message = message.to_owned();
    let what = Happening { component: "kubelet", warning: true, reason, message };
    world.engine.pod_event(&about, &what, world.now);
    world.sync();
}

fn said(world: &World) -> Vec<(String, i32)> {
    let failed = world.events().into_iter().filter(|e| e.reason.as_deref() == Some("Failed"));
    failed.map(|event| (event.message.unwrap(), event.count.unwrap())).collect()
}

#[test]
fn what_happens_again_is_counted_up() {
    let mut world = World::new(Scope::All);
    let pod = world.create(Kind::Pod, &pod("one", "1"));
    for message in ["a", "a", "b", "a"] {
        say(&mut world, &pod, message);
        world.now += SignedDuration::from_secs(1);
    }
    assert_eq!(said(&world), [("a".to_owned(), 3), ("b".to_owned(), 1)]);
    let event = world.events().into_iter().find(|e| e.count == Some(3)).unwrap();
    let (first, last) = (event.first_timestamp.unwrap().0, event.last_timestamp.unwrap().0);
    assert_eq!(last.duration_since(first), SignedDuration::from_secs(3));
}

#[test]
fn events_go_an_hour_after_they_were_last_seen() {
    let mut world = World::new(Scope::All);
    let pod = world.create(Kind::Pod, &pod("one", "1"));
    for message in ["again", "once", "again"] {
        say(&mut world, &pod, message);
        world.now += SignedDuration::from_secs(2000);
    }
    world.sync();
    assert_eq!(said(&world), [("again".to_owned(), 2)]);
    world.now += SignedDuration::from_secs(2000);
    world.sync();
    assert_eq!(said(&world), []);
}

#[test]
fn events_stay_within_their_bytes_the_oldest_go_first() {
    let limits = Limits { event_bytes_max: 4096, ..Default::default() };
    let mut world = World::open(Default::default(), Scope::All, limits);
    let pod = world.create(Kind::Pod, &pod("one", "1"));
    for number in 0..100 {
        say(&mut world, &pod, &number.to_string());
    }
    let bytes: usize =
        world.engine.store().list(Kind::Event, None).map(|event| event.json().len()).sum();
    assert!(bytes <= 4096, "{bytes}");
    assert_eq!(said(&world).last().unwrap().0, "99");
}

/// Those of clients counted only after the next start.
#[test]
fn events_of_clients_count_too() {
    let limits = Limits { event_bytes_max: 4096, ..Default::default() };
    let mut world = World::open(Default::default(), Scope::All, limits);
    for number in 0..40 {
        let event = format!(
            r#"{{"metadata":{{"name":"e{number}","namespace":"default"}},"reason":"Said","message":"{}"}}"#,
            "x".repeat(300)
        );
        world.create(Kind::Event, &event);
    }
    let bytes: usize =
        world.engine.store().list(Kind::Event, None).map(|event| event.json().len()).sum();
    assert!((1..=4096).contains(&bytes), "{bytes}");
}

#[test]
fn history_goes_by_age_the_job_with_its_pods() {
    let mut world = World::new(Scope::All);
    for name in ["old", "new"] {
        world.create(Kind::Job, &indexed(name, 1, 1));
        let pod = world.running()[0].clone();
        world.end(&pod, 0);
        world.now += SignedDuration::from_hours(24 * 20);
    }
    world.sync();
    let jobs: Vec<String> = history::jobs(world.engine.store()).map(|record| record.job).collect();
    assert_eq!(jobs, ["new"]);
    assert_eq!(world.engine.store().records("history/pod/").count(), 1);
}

/// A log stays as long as its pod is there or in the history.
#[test]
fn logs_go_with_the_last_that_tells_of_their_pod() {
    let mut world = World::new(Scope::All);
    let job = world.create(Kind::Job, &indexed("old", 1, 1));
    let [of_job] = <[_; 1]>::try_from(world.running()).unwrap();
    world.end(&of_job, 0);
    let alone = world.create(Kind::Pod, &pod("alone", "1"));
    world.end(&alone, 0);
    assert_eq!(world.engine.kept_logs(), [of_job.meta.uid, alone.meta.uid].into());
    let uids = |world: &mut World| -> Vec<_> {
        world.engine.take_forgotten().into_iter().map(|log| log.uid).collect()
    };
    world.engine.delete(&alone.key, &Default::default(), world.now).unwrap();
    let background = engine::DeleteOptions {
        propagation: Some(engine::Propagation::Background),
        ..Default::default()
    };
    world.engine.delete(&job.key, &background, world.now).unwrap();
    world.sync();
    assert!(world.pods().is_empty());
    assert_eq!(uids(&mut world), [alone.meta.uid], "the other is in the history");
    world.now += SignedDuration::from_hours(24 * 31);
    world.sync();
    assert_eq!(uids(&mut world), [of_job.meta.uid]);
    assert!(world.engine.kept_logs().is_empty());
}
