//! ResourceQuotas: what they refuse, and that their account is exact.

use std::collections::BTreeMap;

use engine::{Engine, Scope};
use jiff::SignedDuration;
use kinds::{Draft, Key, Kind};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{World, indexed, pod};

fn quota(name: &str, spec: &Value) -> String {
    json!({"metadata": {"name": name, "namespace": "default"}, "spec": spec}).to_string()
}

fn used(engine: &Engine, name: &str) -> BTreeMap<String, String> {
    let quota = engine.get(&Key::new(Kind::ResourceQuota, "default", name)).unwrap();
    let used = quota.resource_quota().status.unwrap().used.unwrap();
    used.into_iter().map(|(name, amount)| (name, amount.0)).collect()
}

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, amount)| ((*name).to_owned(), (*amount).to_owned())).collect()
}

fn refusal(world: &mut World, kind: Kind, json: &str) -> String {
    let draft = Draft::from_json(kind, json.as_bytes()).unwrap();
    world.engine.create(draft, false, world.now).unwrap_err().message
}

#[test]
fn what_does_not_fit_is_refused_and_fits_again_after_an_end() {
    let mut world = World::new(Scope::All);
    world.create(Kind::ResourceQuota, &quota("q", &json!({"hard": {"cpu": "2", "pods": "5"}})));
    assert_eq!(used(&world.engine, "q"), map(&[("cpu", "0"), ("pods", "0")]));
    let one = world.create(Kind::Pod, &pod("one", "1"));
    assert_eq!(used(&world.engine, "q"), map(&[("cpu", "1"), ("pods", "1")]));
    assert_eq!(
        refusal(&mut world, Kind::Pod, &pod("two", "1500m")),
        "pods \"two\" is forbidden: exceeded quota: q, requested: cpu=1500m, used: cpu=1, limited: cpu=2"
    );
    let bare = pod("two", "1").replace(r#""resources":{"requests":{"cpu":"1"}}"#, r#""tty":false"#);
    assert_eq!(
        refusal(&mut world, Kind::Pod, &bare),
        "pods \"two\" is forbidden: failed quota: q: must specify cpu for: main"
    );
    world.end(&one, 0);
    assert_eq!(used(&world.engine, "q"), map(&[("cpu", "0"), ("pods", "0")]));
    world.create(Kind::Pod, &pod("two", "1500m"));
}

#[test]
fn objects_are_counted_by_kind_and_by_scope() {
    let mut world = World::new(Scope::All);
    let hard = json!({"count/jobs.batch": "1", "configmaps": "1", "count/pods": "9", "count/x.y.z": "1",
            "count/replicasets.apps": "5", "gold.storageclass.storage.k8s.io/requests.storage": "1Gi"});
    world.create(Kind::ResourceQuota, &quota("all", &json!({"hard": hard})));
    let deadline = json!({"hard": {"pods": "1"}, "scopes": ["Terminating"]});
    world.create(Kind::ResourceQuota, &quota("short", &deadline));
    world.create(Kind::Job, &indexed("one", 1, 1));
    assert_eq!(
        refusal(&mut world, Kind::Job, &indexed("two", 1, 1)),
        "jobs.batch \"two\" is forbidden: exceeded quota: all, requested: count/jobs.batch=1, used: count/jobs.batch=1, limited: count/jobs.batch=1"
    );
    world.create(Kind::ConfigMap, r#"{"metadata":{"name":"a","namespace":"default"}}"#);
    let second = r#"{"metadata":{"name":"b","namespace":"default"}}"#;
    assert!(refusal(&mut world, Kind::ConfigMap, second).contains("requested: configmaps=1"));
    let expected = map(&[
        ("configmaps", "1"),
        ("count/jobs.batch", "1"),
        ("count/pods", "1"),
        ("count/replicasets.apps", "0"),
        ("gold.storageclass.storage.k8s.io/requests.storage", "0"),
    ]);
    assert_eq!(used(&world.engine, "all"), expected);
    assert_eq!(used(&world.engine, "short"), map(&[("pods", "0")]));
    let short =
        |name| pod(name, "1").replacen("\"spec\":{", "\"spec\":{\"activeDeadlineSeconds\":9,", 1);
    world.create(Kind::Pod, &short("short"));
    assert_eq!(used(&world.engine, "short"), map(&[("pods", "1")]));
    assert!(refusal(&mut world, Kind::Pod, &short("again")).contains("exceeded quota: short"));
}

/// A Job that meets a quota gets as many pods as fit, and the others when there is room.
#[test]
fn a_job_waits_for_room_under_the_quota() {
    let mut world = World::new(Scope::All);
    world.create(Kind::ResourceQuota, &quota("q", &json!({"hard": {"pods": "2"}})));
    world.create(Kind::Job, &indexed("j", 3, 3));
    assert_eq!(world.running().len(), 2);
    let refused = world.events().into_iter().find(|e| e.reason.as_deref() == Some("FailedCreate"));
    let message = refused.unwrap().message.unwrap();
    assert!(message.starts_with("Error creating: pods \"j-2-"), "{message}");
    assert!(
        message.ends_with("exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2")
    );
    let told = |world: &World| {
        let events = world.events().into_iter();
        events.filter(|event| event.reason.as_deref() == Some("SuccessfulCreate")).count()
    };
    assert_eq!(told(&world), 2, "nobody is told that a pod was made that was refused");
    let first = world.running()[0].clone();
    world.end(&first, 0);
    world.now = world.engine.wake_at().unwrap();
    world.sync();
    assert_eq!(world.running().len(), 2);
    assert_eq!(told(&world), 3);
}

/// More pods than one plan makes are made plan by plan, unless they are refused.
#[test]
fn a_job_that_is_refused_most_of_its_pods_comes_to_rest() {
    let mut world = World::new(Scope::All);
    world.create(Kind::ResourceQuota, &quota("q", &json!({"hard": {"pods": "2"}})));
    world.create(Kind::Job, &indexed("j", 2000, 2000));
    assert_eq!(world.engine.wake_at().unwrap(), world.now + SignedDuration::from_secs(1));
    let events = world.events().into_iter();
    let refused = events.filter(|event| event.reason.as_deref() == Some("FailedCreate"));
    assert_eq!(refused.map(|event| event.count).collect::<Vec<_>>(), [Some(1)]);
}

#[derive(Clone, Debug)]
enum Op {
    Create(u8, u8),
    End(u8),
    Delete(u8),
    Map(u8),
    Requota(u8),
    Restart,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..6_u8, 1..20_u8).prop_map(|(name, cpu)| Op::Create(name, cpu)),
        2 => (0..6_u8).prop_map(Op::End),
        2 => (0..6_u8).prop_map(Op::Delete),
        2 => (0..3_u8).prop_map(Op::Map),
        1 => (0..3_u8).prop_map(Op::Requota),
        1 => Just(Op::Restart),
    ]
}

/// What is used, counted from the objects.
fn counted(world: &World) -> (u64, u64, usize) {
    let pods = world.pods();
    let open = pods.iter().map(|pod| pod.pod());
    let open = open.filter(|pod| {
        !matches!(pod.status.as_ref().unwrap().phase.as_deref(), Some("Succeeded" | "Failed"))
    });
    let cpus = open.map(|pod| {
        let container = pod.spec.unwrap().containers.remove(0);
        let text = container.resources.unwrap().requests.unwrap()["cpu"].0.clone();
        kinds::quantity::Quantity::parse(&text).unwrap().milli() as u64
    });
    let cpus: Vec<u64> = cpus.collect();
    (cpus.iter().sum(), cpus.len() as u64, world.engine.store().count(Kind::ConfigMap))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn the_account_is_exact_whatever_happens(ops in prop::collection::vec(op(), 1..40)) {
        let mut world = World::new(Scope::All);
        let hard = |cpu: u8| json!({"hard": {"cpu": cpu.to_string(), "pods": "4", "configmaps": "3"}});
        world.create(Kind::ResourceQuota, &quota("q", &hard(3)));
        for op in ops {
            match op {
                Op::Create(name, tenths) => {
                    let json = pod(&format!("p{name}"), &format!("{tenths}00m"));
                    let draft = Draft::from_json(Kind::Pod, json.as_bytes()).unwrap();
                    let _ = world.engine.create(draft, false, world.now);
                    world.sync();
                }
                Op::End(name) => {
                    let found = world.running().into_iter().find(|p| *p.key.name == *format!("p{name}"));
                    found.inspect(|pod| world.end(pod, 0));
                }
                Op::Delete(name) => {
                    let key = Key::new(Kind::Pod, "default", &format!("p{name}"));
                    let _ = world.engine.delete(&key, &Default::default(), world.now);
                    world.sync();
                    if let Ok(pod) = world.engine.get(&key) {
                        world.engine.pod_given_back(&pod.key, pod.meta.uid);
                    }
                    world.sync();
                }
                Op::Map(name) => {
                    let json = format!(r#"{{"metadata":{{"name":"m{name}","namespace":"default"}}}}"#);
                    let draft = Draft::from_json(Kind::ConfigMap, json.as_bytes()).unwrap();
                    let key = draft.key();
                    if world.engine.create(draft, false, world.now).is_err() {
                        let _ = world.engine.delete(&key, &Default::default(), world.now);
                    }
                    world.sync();
                }
                Op::Requota(cpu) => {
                    let draft = Draft::from_json(Kind::ResourceQuota, quota("q", &hard(cpu)).as_bytes());
                    let main = engine::Subresource::Main;
                    world.engine.update(draft.unwrap(), main, false, world.now).unwrap();
                    world.sync();
                }
                Op::Restart => world = World::on(world.disk, Scope::All),
            }
            let (cpu, pods, maps) = counted(&world);
            let used = used(&world.engine, "q");
            let read = |name: &str| kinds::quantity::Quantity::parse(&used[name]).unwrap();
            prop_assert_eq!(read("cpu").milli() as u64, cpu);
            prop_assert_eq!(read("pods").value() as u64, pods);
            prop_assert_eq!(read("configmaps").value() as usize, maps);
        }
    }
}
