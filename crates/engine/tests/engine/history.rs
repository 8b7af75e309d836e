//! What is told of pods that ended, whatever version of the server wrote it.

use engine::{Limits, Scope, history};
use jiff::Timestamp;
use kinds::{Kind, Uid};
use store::{MemoryDisk, Store};

use crate::world::{World, indexed};

/// As the first version wrote them, byte for byte: a Job, what it was asked to do, and its pod.
const EARLIER: [(&str, &str); 3] = [
    (
        "history/job/00000001799990000000/01234567-89ab-4def-8123-456789abcdef",
        r#"{"namespace":"default","job":"old","uid":"01234567-89ab-4def-8123-456789abcdef","outcome":"Failed","reason":"BackoffLimitExceeded","message":"Job has reached the specified backoff limit","started":"2027-01-15T05:10:00Z","finished":"2027-01-15T05:13:20Z","completions":1,"succeeded":0,"failed":1}"#,
    ),
    (
        "history/pod/01234567-89ab-4def-8123-456789abcdef/01234567-89ab-4def-8123-456789abcde0",
        r#"{"pod":"old-0-abcde","uid":"01234567-89ab-4def-8123-456789abcde0","index":0,"succeeded":false,"container":"main","exitCode":137,"reason":"OOMKilled","restarts":2,"started":"2027-01-15T05:10:01Z","finished":null}"#,
    ),
    (
        "history/spec/01234567-89ab-4def-8123-456789abcdef",
        r#"{"metadata":{},"spec":{"template":{}}}"#,
    ),
];

fn earlier() -> MemoryDisk {
    let now = Timestamp::from_second(1_799_990_000).unwrap();
    let mut disk = MemoryDisk::default();
    let mut store = Store::open(&mut disk, store::Limits::default(), now).unwrap();
    let record = |(name, json): (&str, &'static str)| (name.to_owned(), Some(json.into()));
    store.commit_with(Vec::new(), EARLIER.map(record).into(), now);
    let (_, result) = store.take_batch().unwrap().perform(&mut disk);
    result.unwrap();
    disk
}

#[test]
fn the_history_of_an_earlier_version_is_told_and_goes_as_any() {
    let job = Uid::parse("01234567-89ab-4def-8123-456789abcdef").unwrap();
    let uid = Uid::parse("01234567-89ab-4def-8123-456789abcde0").unwrap();
    let world = World::on(earlier(), Scope::All);
    let told: Vec<_> = history::pods(world.engine.store(), job).collect();
    let expected = history::PodRecord {
        pod: "old-0-abcde".to_owned(),
        uid,
        index: Some(0),
        succeeded: false,
        container: "main".to_owned(),
        exit_code: 137,
        reason: "OOMKilled".to_owned(),
        restarts: 2,
        started: "2027-01-15T05:10:01Z".parse().ok(),
        finished: None,
    };
    assert_eq!(told, [expected]);
    assert_eq!(history::jobs(world.engine.store()).count(), 1);
    assert_eq!(world.engine.kept_logs(), [uid].into(), "its log stays");

    let limits = Limits { history_bytes_max: 0, ..Default::default() };
    let mut world = World::open(world.disk, Scope::All, limits);
    assert_eq!(history::pods(world.engine.store(), job).count(), 0);
    let gone: Vec<_> = world.engine.take_forgotten().into_iter().map(|log| log.uid).collect();
    assert_eq!(gone, [uid]);
    assert_eq!(world.engine.store().records("history/").count(), 0);
}

/// Every pod is told of once, in the order in which they ended within a record, although records are
/// written anew with each end and go on after a restart.
#[test]
fn every_pod_of_a_long_job_is_told_of_once() {
    const PODS: u32 = 60;
    let limits = Limits { finished_pods_max: 5, ..Default::default() };
    let mut world = World::open(Default::default(), Scope::All, limits.clone());
    let job = world.create(Kind::Job, &indexed("long", PODS, 4));
    for ended in 0..PODS {
        let pod = world.running()[0].clone();
        world.end(&pod, 0);
        if ended % 17 == 0 {
            world = World::open(world.disk, Scope::All, limits.clone());
        }
    }
    let store = world.engine.store();
    let mut told: Vec<_> = history::pods(store, job.meta.uid).map(|pod| pod.index).collect();
    told.sort();
    assert_eq!(told, (0..PODS).map(Some).collect::<Vec<_>>());
    let records: Vec<_> = store.records("history/pods/").map(|(_, bytes)| bytes.len()).collect();
    assert!((3..20).contains(&records.len()), "{records:?}");
    assert_eq!(world.engine.kept_logs().len(), PODS as usize);
    assert!(world.engine.take_forgotten().is_empty(), "the history tells of all");
}
