//! What clients ask for, and what they are refused.

use engine::{DeleteOptions, Deleted, Scope, Subresource};
use kinds::{Draft, Kind, Reason};

use crate::world::{World, indexed, pod};

fn draft(kind: Kind, json: &str) -> Draft {
    Draft::from_json(kind, json.as_bytes()).unwrap()
}

#[test]
fn a_dry_run_checks_everything_and_changes_nothing() {
    let mut world = World::new(Scope::All);
    let one = world.create(Kind::Pod, &pod("one", "1"));
    let one = world.engine.get(&one.key).unwrap();
    let head = world.engine.store().head();
    let two = world.engine.create(draft(Kind::Pod, &pod("two", "1")), true, world.now).unwrap();
    assert!(two.object.meta.uid != one.meta.uid);
    let mut changed = one.draft();
    changed.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
    world.engine.update(changed, Subresource::Main, true, world.now).unwrap();
    let options = DeleteOptions { dry_run: true, ..Default::default() };
    world.engine.delete(&one.key, &options, world.now).unwrap();
    world.sync();
    let again = world.engine.create(draft(Kind::Pod, &pod("one", "1")), true, world.now);
    assert_eq!(again.unwrap_err().reason, Reason::AlreadyExists);
    let present = world.engine.get(&one.key).unwrap();
    assert!(!present.deleting() && present.meta.labels.is_empty());
    assert_eq!(world.engine.store().count(Kind::Pod), 1);
    assert_eq!(world.engine.store().head(), head);
}

#[test]
fn an_update_of_what_has_changed_is_refused() {
    let mut world = World::new(Scope::All);
    let job = world.create(Kind::Job, &indexed("one", 1, 1));
    let error = world.engine.update(job.draft(), Subresource::Main, false, world.now).unwrap_err();
    assert_eq!(
        error.message,
        "Operation cannot be fulfilled on jobs.batch \"one\": the object has been modified; please apply your changes to the latest version and try again"
    );
}

#[test]
fn an_update_that_changes_nothing_makes_no_revision() {
    let mut world = World::new(Scope::All);
    let pod = world.create(Kind::Pod, &pod("one", "1"));
    let present = world.engine.get(&pod.key).unwrap();
    let head = world.engine.store().head();
    let written =
        world.engine.update(present.draft(), Subresource::Main, false, world.now).unwrap();
    assert_eq!(written.object.meta.revision, present.meta.revision);
    assert_eq!(world.engine.store().head(), head);
}

#[test]
fn a_deletion_holds_to_its_preconditions() {
    let mut world = World::new(Scope::All);
    let pod = world.create(Kind::Pod, &pod("one", "1"));
    let uid = DeleteOptions { uid: Some("another".to_owned()), ..Default::default() };
    let error = world.engine.delete(&pod.key, &uid, world.now).unwrap_err();
    assert!(error.message.contains("the UID in the precondition (another) does not match"));
    let old = DeleteOptions { resource_version: Some("1".to_owned()), ..Default::default() };
    let error = world.engine.delete(&pod.key, &old, world.now).unwrap_err();
    assert_eq!(error.reason, Reason::Conflict);
    assert!(error.message.contains("The object might have been modified"));
    let right = DeleteOptions { uid: Some(pod.meta.uid.to_string()), ..Default::default() };
    let begun = world.engine.delete(&pod.key, &right, world.now).unwrap();
    assert!(matches!(begun, Deleted::Begun(_)));
}

#[test]
fn a_name_is_made_from_generate_name_and_a_given_one_wins() {
    let mut world = World::new(Scope::All);
    let generated = pod("x", "1").replace("\"name\":\"x\"", "\"generateName\":\"job-\"");
    let names: Vec<String> = (0..2)
        .map(|_| world.create(Kind::Pod, &generated).key.name.to_string())
        .inspect(|name| assert!(name.starts_with("job-") && name.len() == 9, "{name}"))
        .collect();
    assert_ne!(names[0], names[1]);
    let both = pod("given", "1")
        .replace("\"name\":\"given\"", "\"name\":\"given\",\"generateName\":\"job-\"");
    assert_eq!(&*world.create(Kind::Pod, &both).key.name, "given");
}

#[test]
fn nothing_is_created_in_a_namespace_that_is_not_there() {
    let mut world = World::new(Scope::All);
    let elsewhere = draft(Kind::Pod, &pod("one", "1").replace("default", "lab"));
    let error = world.engine.create(elsewhere, false, world.now).unwrap_err();
    assert_eq!(error.message, "namespaces \"lab\" not found");
}
