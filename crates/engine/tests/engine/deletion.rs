//! Deletion and what follows from it.

use engine::{DeleteOptions, Deleted, Propagation, Scope, Subresource, history};
use jiff::SignedDuration;
use kinds::{Draft, Key, Kind, Object, types::core::v1::PodStatus};
use store::ChangeKind;

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
        assert_eq!(matches!(deleted, Deleted::Begun(_)), propagation != Propagation::Background);
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

fn config_map(name: &str, metadata: &str) -> String {
    format!(r#"{{"metadata":{{"name":"{name}","namespace":"default"{metadata}}}}}"#)
}

fn owned_by(owners: &[&Object], blocks: bool) -> String {
    let owner = |o: &&Object| {
        let info = o.key.kind.info();
        serde_json::json!({"apiVersion": info.api_version(), "kind": info.name, "name": &*o.key.name,
            "uid": o.meta.uid, "blockOwnerDeletion": blocks})
    };
    let owners: Vec<_> = owners.iter().map(owner).collect();
    format!(r#","ownerReferences":{}"#, serde_json::json!(owners))
}

fn options(propagation: Propagation) -> DeleteOptions {
    DeleteOptions { propagation: Some(propagation), ..Default::default() }
}

/// A policy puts its finalizer in the place of the other's; without a policy the finalizer that is
/// there decides.
#[test]
fn a_policy_overrides_the_finalizer_and_the_finalizer_the_default() {
    use Propagation::{Background, Foreground, Orphan};
    const HOLD: &str = r#","finalizers":["a.b/hold""#;
    for (there, policy, left) in [
        ("", None, &["a.b/hold"][..]),
        ("", Some(Foreground), &["a.b/hold", "foregroundDeletion"]),
        (r#","orphan""#, None, &["a.b/hold", "orphan"]),
        (r#","orphan""#, Some(Foreground), &["a.b/hold", "foregroundDeletion"]),
        (r#","orphan""#, Some(Background), &["a.b/hold"]),
        (r#","foregroundDeletion""#, Some(Orphan), &["a.b/hold", "orphan"]),
    ] {
        let mut world = World::new(Scope::All);
        let map = world.create(Kind::ConfigMap, &config_map("m", &format!("{HOLD}{there}]")));
        let options = DeleteOptions { propagation: policy, ..Default::default() };
        let deleted = world.engine.delete(&map.key, &options, world.now).unwrap();
        let Deleted::Begun(now) = deleted else { panic!("{there} {policy:?}: gone") };
        assert_eq!(now.meta.finalizers, left, "{there} {policy:?}");
        assert_eq!(now.draft().metadata.deletion_grace_period_seconds, Some(0));
        world.sync();
        assert_eq!(world.engine.get(&map.key).unwrap().meta.finalizers, ["a.b/hold"]);
        let mut draft = world.engine.get(&map.key).unwrap().draft();
        draft.metadata.finalizers = None;
        world.engine.update(draft, Subresource::Main, false, world.now).unwrap();
        assert!(world.engine.get(&map.key).is_err());
    }
}

/// Somebody who does not want to wait any longer deletes again, in the background.
#[test]
fn a_deletion_in_the_foreground_can_be_cut_short() {
    let mut world = World::new(Scope::All);
    let owner = world.create(Kind::ConfigMap, &config_map("owner", ""));
    let held = format!(r#"{},"finalizers":["a.b/hold"]"#, owned_by(&[&owner], true));
    let held = world.create(Kind::ConfigMap, &config_map("held", &held));
    world.engine.delete(&owner.key, &options(Propagation::Foreground), world.now).unwrap();
    world.sync();
    assert_eq!(world.engine.get(&owner.key).unwrap().meta.finalizers, ["foregroundDeletion"]);
    assert!(world.engine.get(&held.key).unwrap().deleting());
    // What waits goes on waiting after a restart.
    let mut world = World::on(world.disk, Scope::All);
    let gone = world.engine.delete(&owner.key, &background(), world.now).unwrap();
    assert!(matches!(gone, Deleted::Gone(_)));
}

#[test]
fn an_owner_waits_for_what_blocks_it_and_is_freed_by_its_end() {
    for blocks in [true, false] {
        let mut world = World::new(Scope::All);
        let owner = world.create(Kind::ConfigMap, &config_map("owner", ""));
        let held = format!(r#"{},"finalizers":["a.b/hold"]"#, owned_by(&[&owner], blocks));
        let held = world.create(Kind::ConfigMap, &config_map("held", &held));
        world.engine.delete(&owner.key, &options(Propagation::Foreground), world.now).unwrap();
        world.sync();
        assert_eq!(world.engine.get(&owner.key).is_ok(), blocks);
        let mut world = World::on(world.disk, Scope::All);
        let mut draft = world.engine.get(&held.key).unwrap().draft();
        draft.metadata.finalizers = None;
        world.engine.update(draft, Subresource::Main, false, world.now).unwrap();
        world.sync();
        assert_eq!(world.engine.store().count(Kind::ConfigMap), 0);
    }
}

#[test]
fn what_has_another_owner_stays_with_that() {
    let mut world = World::new(Scope::All);
    let [one, two] =
        ["one", "two"].map(|name| world.create(Kind::ConfigMap, &config_map(name, "")));
    let both = world.create(Kind::ConfigMap, &config_map("both", &owned_by(&[&one, &two], true)));
    world.engine.delete(&one.key, &options(Propagation::Foreground), world.now).unwrap();
    world.sync();
    assert!(world.engine.get(&one.key).is_err());
    let owners: Vec<_> = world.engine.get(&both.key).unwrap().meta.owners.clone();
    assert_eq!(owners.iter().map(|o| o.uid).collect::<Vec<_>>(), [two.meta.uid]);
    world.engine.delete(&two.key, &background(), world.now).unwrap();
    world.sync();
    assert_eq!(world.engine.store().count(Kind::ConfigMap), 0);
}

#[test]
fn a_grace_period_can_only_be_cut_and_counts_from_the_first_deletion() {
    let mut world = World::new(Scope::All);
    let pod = world.create(Kind::Pod, &pod("one", "1"));
    let began = world.now;
    let grace =
        |seconds| DeleteOptions { grace_period_seconds: Some(seconds), ..Default::default() };
    for (asked, left, generation) in [(20, 20, 2), (25, 20, 2), (5, 5, 2)] {
        let Deleted::Begun(pod) = world.engine.delete(&pod.key, &grace(asked), world.now).unwrap()
        else {
            panic!("{asked}: gone")
        };
        let meta = pod.draft().metadata;
        assert_eq!(meta.deletion_grace_period_seconds, Some(left));
        assert_eq!(meta.deletion_timestamp.unwrap().0, began + SignedDuration::from_secs(left));
        assert_eq!(meta.generation, Some(generation));
        world.now += SignedDuration::from_secs(1);
        world.sync();
    }
    let gone = world.engine.delete(&pod.key, &grace(0), world.now).unwrap();
    assert!(matches!(gone, Deleted::Gone(_)));
}

/// The end of a pod and its removal were one change that showed the state before.
#[test]
fn who_watches_sees_how_a_pod_ended_that_goes_with_its_end() {
    let mut world = World::new(Scope::All);
    let pod = world.create(Kind::Pod, &pod("one", "1"));
    world.engine.delete(&pod.key, &DeleteOptions::default(), world.now).unwrap();
    world.sync();
    let before = world.engine.store().durable();
    let status = PodStatus { phase: Some("Failed".into()), ..Default::default() };
    world.engine.pod_status(&pod.key, pod.meta.uid, status);
    world.engine.pod_given_back(&pod.key, pod.meta.uid);
    world.sync();
    let changes = world.engine.store().changes_after(before).unwrap();
    let of_pod: Vec<_> = changes.filter(|change| change.object.key == pod.key).collect();
    let kinds: Vec<_> = of_pod.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Modified, ChangeKind::Deleted]);
    assert_eq!(of_pod[1].object.pod().status.unwrap().phase.as_deref(), Some("Failed"));
    assert_eq!(of_pod[1].object.meta.revision, of_pod[1].revision);
}

#[test]
fn a_collection_goes_in_one_transaction_or_not_at_all() {
    let mut world = World::new(Scope::All);
    let keys: Vec<Key> = ["a", "b"]
        .map(|name| world.create(Kind::ConfigMap, &config_map(name, "")).key.clone())
        .into();
    let with_absent: Vec<Key> =
        keys.iter().cloned().chain([Key::new(Kind::ConfigMap, "default", "c")]).collect();
    let wrong = DeleteOptions { resource_version: Some("1".to_owned()), ..Default::default() };
    world.engine.delete_collection(&with_absent, &wrong, world.now).unwrap_err();
    let dry = DeleteOptions { dry_run: true, ..Default::default() };
    assert_eq!(world.engine.delete_collection(&with_absent, &dry, world.now).unwrap().len(), 2);
    assert_eq!(world.engine.store().count(Kind::ConfigMap), 2);
    let gone =
        world.engine.delete_collection(&with_absent, &Default::default(), world.now).unwrap();
    assert_eq!(gone.iter().map(|o| o.key.clone()).collect::<Vec<_>>(), keys);
    assert_eq!(world.engine.store().count(Kind::ConfigMap), 0);
}

#[test]
fn an_evicted_pod_says_why_it_goes() {
    let mut world = World::new(Scope::All);
    let pod = world.create(Kind::Pod, &pod("one", "1"));
    let dry = DeleteOptions { dry_run: true, ..Default::default() };
    world.engine.evict(&pod.key, &dry, world.now).unwrap();
    assert!(!world.engine.get(&pod.key).unwrap().deleting());
    world.engine.evict(&pod.key, &Default::default(), world.now).unwrap();
    let going = world.engine.get(&pod.key).unwrap();
    assert!(going.deleting());
    let conditions = going.pod().status.unwrap().conditions.unwrap();
    let why = conditions.iter().find(|c| c.type_ == "DisruptionTarget").unwrap();
    assert_eq!(why.reason.as_deref(), Some("EvictionByEvictionAPI"));
    assert_eq!(why.message.as_deref(), Some("Eviction API: evicting"));
    world.engine.evict(&pod.key, &Default::default(), world.now).unwrap();
}

#[test]
fn a_namespace_tells_what_is_left_in_it_and_pods_go_first() {
    let mut world = World::new(Scope::All);
    let space = world.create(Kind::Namespace, r#"{"metadata":{"name":"lab"}}"#);
    let inside = world.create(Kind::Pod, &pod("one", "1").replace("default", "lab"));
    let map = config_map("m", r#","finalizers":["a.b/hold"]"#).replace("default", "lab");
    let map = world.create(Kind::ConfigMap, &map);
    world.engine.delete(&space.key, &DeleteOptions::default(), world.now).unwrap();
    world.sync();
    let conditions = |world: &World| -> Vec<String> {
        let namespace = world.engine.get(&space.key).unwrap().draft().namespace().unwrap();
        let status = namespace.status.unwrap();
        assert_eq!(status.phase.as_deref(), Some("Terminating"));
        status.conditions.unwrap().into_iter().skip(3).map(|c| c.message.unwrap()).collect()
    };
    assert!(!world.engine.get(&map.key).unwrap().deleting());
    assert_eq!(
        conditions(&world),
        [
            "Some resources are remaining: pods. has 1 resource instances",
            "All content-preserving finalizers finished"
        ]
    );
    world.engine.pod_given_back(&inside.key, inside.meta.uid);
    world.sync();
    assert_eq!(
        conditions(&world),
        [
            "Some resources are remaining: configmaps. has 1 resource instances",
            "Some content in the namespace has finalizers remaining: a.b/hold in 1 resource instances"
        ]
    );
    let mut draft = world.engine.get(&map.key).unwrap().draft();
    draft.metadata.finalizers = None;
    world.engine.update(draft, Subresource::Main, false, world.now).unwrap();
    world.sync();
    assert!(world.engine.get(&space.key).is_err());
    assert!(world.engine.store().list(Kind::Event, Some("lab")).next().is_none());
}

#[test]
fn owners_given_twice_are_dropped_with_a_warning() {
    let mut world = World::new(Scope::All);
    let owner = world.create(Kind::ConfigMap, &config_map("owner", ""));
    let twice = config_map("twice", &owned_by(&[&owner, &owner], false));
    let draft = Draft::from_json(Kind::ConfigMap, twice.as_bytes()).unwrap();
    let written = world.engine.create(draft, false, world.now).unwrap();
    assert_eq!(written.object.meta.owners.len(), 1);
    let warned = format!("duplicate UID(s) observed: {}", owner.meta.uid);
    assert!(written.warnings.iter().any(|warning| warning.ends_with(&warned)));
}

/// Its owner went, and the server was killed before the collector had seen that: it stayed for ever.
#[test]
fn what_was_left_without_an_owner_goes_when_the_server_is_back() {
    let mut world = World::new(Scope::All);
    let owner = world.create(Kind::ConfigMap, &config_map("owner", ""));
    world.create(Kind::ConfigMap, &config_map("owned", &owned_by(&[&owner], true)));
    world.engine.delete(&owner.key, &background(), world.now).unwrap();
    while let Some(batch) = world.engine.store_mut().take_batch() {
        let (done, result) = batch.perform(&mut world.disk);
        result.unwrap();
        world.engine.store_mut().batch_done(done);
    }
    assert_eq!(world.engine.store().count(Kind::ConfigMap), 1, "nothing was settled yet");
    let world = World::on(world.disk, Scope::All);
    assert_eq!(world.engine.store().count(Kind::ConfigMap), 0);
}

#[test]
fn an_owner_in_another_namespace_is_told_of_and_counts_for_nothing() {
    let mut world = World::new(Scope::All);
    let owner = world.create(Kind::ConfigMap, &config_map("owner", ""));
    world.create(Kind::Namespace, r#"{"metadata":{"name":"lab"}}"#);
    let owned = config_map("owned", &owned_by(&[&owner], true)).replace("default", "lab");
    let owned = world.create(Kind::ConfigMap, &owned);
    assert!(world.engine.get(&owned.key).is_err());
    let [event] = <[_; 1]>::try_from(world.events()).unwrap();
    assert_eq!(event.reason.as_deref(), Some("OwnerRefInvalidNamespace"));
    assert_eq!(event.source.unwrap().component.as_deref(), Some("garbage-collector-controller"));
    assert_eq!(
        event.message.unwrap(),
        format!(
            "ownerRef [v1/ConfigMap, namespace: lab, name: owner, uid: {}] does not exist in namespace \"lab\"",
            owner.meta.uid
        )
    );
}

/// An owner of a kind that is not served may be there: upstream waits until it can tell.
#[test]
fn an_owner_of_a_kind_that_is_not_served_keeps_what_it_owns() {
    let mut world = World::new(Scope::All);
    let owners = r#","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"00000000-0000-4000-8000-00000000000a"},
        {"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"00000000-0000-4000-8000-00000000000b"}]"#;
    let owned = world.create(Kind::ConfigMap, &config_map("owned", owners));
    assert_eq!(world.engine.get(&owned.key).unwrap().meta.owners.len(), 2);
    // What lives in no namespace cannot have an owner that does.
    let node = format!(r#"{{"metadata":{{"name":"n"{}}}}}"#, owned_by(&[&owned], true));
    let node = world.create(Kind::Node, &node);
    assert!(world.engine.get(&node.key).is_ok());
}
