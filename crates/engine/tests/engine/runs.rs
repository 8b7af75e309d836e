//! Whose objects a private server acts on.

use engine::{Scope, history};
use kinds::Kind;

use crate::world::{World, indexed, pod};

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
fn a_run_that_vanished_takes_its_pods_and_files_along() {
    let mut world = World::new(Scope::Runs(["r1".to_owned()].into()));
    let annotated = pod("mine", "1").replacen(
        "\"metadata\":{",
        "\"metadata\":{\"annotations\":{\"coracle.local/run\":\"r1\"},",
        1,
    );
    let mine = world.create(Kind::Pod, &annotated);
    let beside = [("mine", "r1"), ("other", "r2")].map(|(name, run)| {
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"default","annotations":{{"coracle.local/run":"{run}"}}}}}}"#
        )
    });
    let [beside, other] = beside.map(|json| world.create(Kind::ConfigMap, &json));
    let annotated = r#","annotations":{"coracle.local/run":"r1"}"#;
    let lab =
        world.create(Kind::Namespace, &format!(r#"{{"metadata":{{"name":"lab"{annotated}}}}}"#));
    let key = format!(r#"{{"metadata":{{"name":"key","namespace":"lab"{annotated}}}}}"#);
    let key = world.create(Kind::Secret, &key);
    assert_eq!(world.engine.unfinished_of("r1"), std::slice::from_ref(&mine.key));
    world.engine.run_vanished("r1", world.now);
    world.sync();
    assert!(world.engine.get(&key.key).is_err() && world.engine.get(&lab.key).is_err());
    assert!(world.engine.get(&mine.key).unwrap().deleting());
    assert!(world.engine.get(&beside.key).is_err());
    assert!(world.engine.get(&other.key).is_ok());
}
