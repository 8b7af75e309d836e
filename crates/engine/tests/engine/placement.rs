//! Which pod gets a place on the node, and when.

use engine::{Scope, Subresource};
use kinds::{Facts, Key, Kind};

use crate::world::{World, pod};

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
fn a_small_pod_passes_a_large_one_that_does_not_fit() {
    let mut world = World::new(Scope::All);
    world.create(Kind::Pod, &pod("first", "1500m"));
    world.create(Kind::Pod, &pod("large", "1"));
    world.create(Kind::Pod, &pod("small", "500m"));
    let names: Vec<_> = world.running().iter().map(|pod| pod.key.name.to_string()).collect();
    assert_eq!(names, ["first", "small"]);
}

#[test]
fn of_pods_that_wait_the_oldest_comes_first_and_is_told_once() {
    let mut world = World::new(Scope::All);
    let first = world.create(Kind::Pod, &pod("first", "2"));
    for name in ["b", "a"] {
        world.create(Kind::Pod, &pod(name, "2"));
        world.now += jiff::SignedDuration::from_secs(1);
    }
    let told =
        world.events().into_iter().filter(|e| e.reason.as_deref() == Some("FailedScheduling"));
    assert!(told.clone().all(|event| event.count == Some(1)));
    assert_eq!(told.count(), 2);
    world.end(&first, 0);
    assert_eq!(&*world.running()[0].key.name, "b");
}

#[test]
fn a_cordoned_node_takes_no_more_pods_and_stays_cordoned_when_the_server_starts_again() {
    let cordon = |world: &mut World, unschedulable: &str| {
        let key = Key::new(Kind::Node, "", "here");
        let mut draft = world.engine.get(&key).unwrap().draft();
        let raw = format!("{{\"unschedulable\":{unschedulable}}}");
        draft.rest.insert("spec".to_owned(), serde_json::from_str(&raw).unwrap());
        draft.metadata.labels.get_or_insert_default().insert("a".to_owned(), "b".to_owned());
        world.engine.update(draft, Subresource::Main, false, world.now).unwrap();
        world.sync();
    };
    let mut world = World::new(Scope::All);
    let first = world.create(Kind::Pod, &pod("first", "500m"));
    cordon(&mut world, "true");
    world.create(Kind::Pod, &pod("second", "500m"));
    let names = |world: &World| {
        world.running().iter().map(|pod| pod.key.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&world), ["first"], "what runs goes on, what is new waits");
    let tolerant = pod("tolerant", "500m")
        .replace("\"spec\":{", "\"spec\":{\"tolerations\":[{\"operator\":\"Exists\"}],");
    let tolerant = world.create(Kind::Pod, &tolerant);
    assert_eq!(names(&world), ["first", "tolerant"]);
    world.end(&tolerant, 0);
    let mut world = World::on(world.disk, Scope::All);
    assert_eq!(names(&world), ["first"]);
    world.end(&first, 0);
    assert_eq!(names(&world), [""; 0]);
    cordon(&mut world, "false");
    assert_eq!(names(&world), ["second"]);
    let node = world.engine.get(&Key::new(Kind::Node, "", "here")).unwrap();
    assert_eq!(node.meta.labels.get("a"), Some("b"));
}

#[test]
fn a_client_may_bind_a_pod_once() {
    use kinds::types::core::v1::{Binding, ObjectReference};
    let to = |node: &str| Binding {
        target: ObjectReference { name: Some(node.to_owned()), ..Default::default() },
        ..Default::default()
    };
    let mut world = World::new(Scope::Runs(Default::default()));
    let pod = world.create(Kind::Pod, &pod("one", "1"));
    let refused = world.engine.bind(&pod.key, &to(""), false, world.now).unwrap_err();
    assert_eq!(refused.message, "Binding \"one\" is invalid: target.name: Required value");
    world.engine.bind(&pod.key, &to("here"), true, world.now).unwrap();
    world.engine.bind(&pod.key, &to("here"), false, world.now).unwrap();
    let bound = world.engine.get(&pod.key).unwrap();
    assert!(matches!(&bound.meta.facts, Facts::Pod { node_name, .. } if node_name == "here"));
    let condition = bound.pod().status.unwrap().conditions.unwrap().pop().unwrap();
    assert_eq!((&*condition.type_, &*condition.status), ("PodScheduled", "True"));
    let refused = world.engine.bind(&pod.key, &to("there"), false, world.now).unwrap_err();
    assert_eq!(
        refused.message,
        "Operation cannot be fulfilled on pods/binding \"one\": pod one is already assigned to node \"here\""
    );
}
