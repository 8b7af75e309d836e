//! What is kept, and what goes when it is too much.

use engine::{About, Happening, Limits, Scope, history};
use jiff::SignedDuration;
use kinds::{Kind, Object, Uid, types::core::v1::PodStatus};

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
    for name in ["x", "y", "z"] {
        let pod = world.create(Kind::Pod, &pod(name, "1"));
        world.end(&pod, 0);
    }
    assert!(world.engine.get(&held.key).unwrap().deleting());
    assert!(world.engine.store().count(Kind::Pod) <= 2);
}

/// A pod that is older goes first, whenever it ended, and one that was evicted before all.
#[test]
fn evicted_pods_go_first_and_then_the_oldest() {
    let limits = Limits { finished_pods_max: 2, ..Default::default() };
    let mut world = World::open(Default::default(), Scope::All, limits.clone());
    let mut pods = Vec::new();
    for name in ["old", "new", "evicted"] {
        pods.push(world.create(Kind::Pod, &pod(name, "100m")));
        world.now += SignedDuration::from_secs(1);
    }
    for pod in [&pods[1], &pods[0]] {
        world.end(pod, 0);
    }
    let evicted = PodStatus {
        phase: Some("Failed".to_owned()),
        reason: Some("Evicted".to_owned()),
        ..Default::default()
    };
    let left = |world: &World| -> Vec<String> {
        world.pods().iter().map(|pod| pod.key.name.to_string()).collect()
    };
    world.engine.pod_status(&pods[2].key, pods[2].meta.uid, evicted);
    world.sync();
    assert_eq!(left(&world), ["new", "old"]);
    let now = world.now;
    let mut world = World::open(world.disk, Scope::All, limits);
    world.now = now;
    let newest = world.create(Kind::Pod, &pod("newest", "100m"));
    world.end(&newest, 0);
    assert_eq!(left(&world), ["new", "newest"], "the order outlives a restart");
}

/// A pod that was bound to another node stayed Pending for ever.
#[test]
fn pods_of_a_node_that_is_not_there_fail_after_a_while() {
    let mut world = World::new(Scope::All);
    let job =
        indexed("away", 1, 1).replace("\"containers\"", "\"nodeName\":\"moon\",\"containers\"");
    let job = job.replace("\"backoffLimit\":2", "\"backoffLimit\":0");
    world.create(Kind::Job, &job);
    let began = world.now;
    world.now += SignedDuration::from_secs(10);
    // A restart counts anew, as nobody knows how long the node was missing.
    let mut world = World::at(world.disk, Scope::All, world.now);
    assert_eq!(world.engine.wake_at(), Some(began + SignedDuration::from_secs(50)));
    world.now = began + SignedDuration::from_secs(50);
    let before = world.engine.store().durable();
    world.sync();
    assert!(world.pods().is_empty());
    let changes = world.engine.store().changes_after(before).unwrap();
    let pod = changes.filter(|change| change.object.key.kind == Kind::Pod).last().unwrap();
    let conditions = pod.object.pod().status.unwrap().conditions.unwrap();
    let why = conditions.iter().find(|c| c.type_ == "DisruptionTarget").unwrap();
    assert_eq!(why.reason.as_deref(), Some("DeletionByPodGC"));
    assert_eq!(why.message.as_deref(), Some("PodGC: node no longer exists"));
    assert_eq!(world.job("away").status.unwrap().failed, Some(1));
}

#[test]
fn pods_of_a_node_that_is_there_stay_until_it_goes() {
    let mut world = World::new(Scope::All);
    let moon = world.create(Kind::Node, r#"{"metadata":{"name":"moon"}}"#);
    let pod = pod("away", "1").replace("\"containers\"", "\"nodeName\":\"moon\",\"containers\"");
    world.create(Kind::Pod, &pod);
    assert_eq!(world.engine.wake_at(), None);
    world.engine.delete(&moon.key, &Default::default(), world.now).unwrap();
    world.sync();
    let at = world.engine.wake_at().unwrap();
    assert_eq!(at.duration_since(world.now), SignedDuration::from_secs(40));
    world.now = at;
    world.sync();
    assert!(world.pods().is_empty());
}

fn say(world: &mut World, pod: &Object, message: &str) {
    say_of(world, pod, pod.meta.uid, message);
}

fn say_of(world: &mut World, pod: &Object, uid: Uid, message: &str) {
    let about = About { key: pod.key.clone(), uid, field_path: None };
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

/// What client-go's recorder does for upstream's controllers.
#[test]
fn who_goes_on_and_on_is_combined_and_then_not_heard() {
    let mut world = World::new(Scope::All);
    let pod = world.create(Kind::Pod, &pod("one", "1"));
    for number in 1..=40 {
        say(&mut world, &pod, &format!("failure {number}"));
    }
    let mut told = said(&world);
    let combined = told.pop().unwrap();
    assert_eq!(told.len(), 9);
    assert!(told.iter().all(|(message, count)| message.starts_with("failure ") && *count == 1));
    let heard = "(combined from similar events): failure 25";
    assert_eq!(combined, (heard.to_owned(), 16));
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
        // One that says so much about one object would not be heard.
        say_of(&mut world, &pod, Uid::from_random(number), &number.to_string());
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
    assert_eq!(world.engine.store().records("history/pods/").count(), 1);
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

/// Only what left the history let its logs go: a few pods that print much filled the disk.
#[test]
fn logs_stay_within_their_bytes_those_of_the_pods_that_ended_first_go() {
    const MIB: u64 = 1 << 20;
    let limits = Limits { log_bytes_max: 10 * MIB, ..Default::default() };
    let mut world = World::open(Default::default(), Scope::All, limits.clone());
    let pods = ["a", "b", "c", "d"].map(|name| world.create(Kind::Pod, &pod(name, "100m")));
    let uids = |world: &mut World| -> Vec<_> {
        world.engine.take_forgotten().into_iter().map(|log| log.pod).collect()
    };
    // The log of a pod that runs is in nobody's way, whatever its earlier attempts printed.
    world.engine.log_written(pods[0].meta.uid, "main", 0, 20 * MIB);
    world.sync();
    assert_eq!(uids(&mut world), [""; 0]);
    for (pod, bytes) in [(&pods[1], 4 * MIB), (&pods[2], 4 * MIB)] {
        for _ in 0..2 {
            world.engine.log_written(pod.meta.uid, "main", 0, bytes);
        }
        world.end(pod, 0);
    }
    assert_eq!(uids(&mut world), [""; 0], "what is told twice counts once");
    world.engine.log_written(pods[3].meta.uid, "main", 0, 3 * MIB);
    world.end(&pods[3], 0);
    assert_eq!(uids(&mut world), ["b"]);
    world.engine.delete(&pods[2].key, &Default::default(), world.now).unwrap();
    world.end(&pods[0], 0);
    assert_eq!(uids(&mut world), ["c", "d", "a"], "one went with its pod, the others for room");
}

/// What an earlier server left counts, and goes before whatever ended since.
#[test]
fn logs_that_were_found_count_too() {
    const MIB: u64 = 1 << 20;
    let limits = Limits { log_bytes_max: 10 * MIB, ..Default::default() };
    let mut world = World::open(Default::default(), Scope::All, limits);
    let pods = ["a", "b", "c", "d"].map(|name| world.create(Kind::Pod, &pod(name, "100m")));
    let log = |pod: &Object| engine::PodLog {
        namespace: "default".to_owned(),
        pod: pod.key.name.to_string(),
        uid: pod.meta.uid,
    };
    for pod in &pods[..2] {
        world.end(pod, 0);
    }
    world.engine.log_written(pods[3].meta.uid, "main", 0, MIB);
    world.end(&pods[3], 0);
    world.engine.logs_found(vec![
        (log(&pods[0]), 4 * MIB),
        (log(&pods[1]), 4 * MIB),
        (log(&pods[2]), 20 * MIB),
    ]);
    world.sync();
    let gone = |world: &mut World| -> Vec<_> {
        world.engine.take_forgotten().into_iter().map(|log| log.pod).collect()
    };
    assert_eq!(gone(&mut world), [""; 0]);
    world.end(&pods[2], 0);
    assert_eq!(gone(&mut world), ["a", "b", "d", "c"]);
}
