//! Objects at rest take less memory, and nobody can tell.

use std::collections::BTreeMap;

use bytes::Bytes;
use kinds::{Draft, Key, Kind};
use store::{ChangeKind, Limits, MemoryDisk, Store, Write};

use crate::common::*;

const EVENTS: u32 = 60;

fn event(number: u32, count: u32) -> Draft {
    let uid = kinds::Uid::from_random(u128::from(number));
    let json = format!(
        r#"{{"metadata":{{"namespace":"default","name":"long-job-{number}.18a","uid":"{uid}"}},
        "count":{count},"message":"Created container: main","reason":"Created","involvedObject":
        {{"kind":"Pod","namespace":"default","name":"long-job-{number}"}},"type":"Normal",
        "firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:{:02}Z",
        "source":{{"component":"kubelet","host":"here"}},"reportingComponent":"kubelet"}}"#,
        count % 60,
    );
    Draft::from_json(Kind::Event, json.as_bytes()).unwrap()
}

fn key(number: u32) -> Key {
    Key::new(Kind::Event, "default", &format!("long-job-{number}.18a"))
}

/// What a store has to have: the JSON by key.
type Expected = BTreeMap<Key, Bytes>;

fn commit(store: &mut Store, disk: &mut MemoryDisk, write: Write, expected: &mut Expected) {
    let before = expected.clone();
    for change in store.commit(vec![write], time(1)) {
        let (key, json) = (change.object.key.clone(), change.object.json());
        if let Some(previous) = &change.previous {
            assert_eq!(previous.json(), before[&key], "the state before is told as it was");
        }
        match change.kind {
            ChangeKind::Deleted => {
                let last = expected.remove(&key).unwrap();
                let last = Draft::from_json(Kind::Event, &last).unwrap();
                assert_eq!(json, last.seal(change.revision).json());
            }
            ChangeKind::Added | ChangeKind::Modified => drop(expected.insert(key, json)),
        }
    }
    run_batches(store, disk);
}

fn assert_has(store: &Store, expected: &Expected) {
    let has = store.list(Kind::Event, None).map(|o| (o.key.clone(), o.json()));
    assert_eq!(has.collect::<Expected>(), *expected);
}

#[test]
fn what_is_at_rest_is_small_and_stays_what_it_is() {
    let limits = Limits { window_bytes: 4096, ..SMALL };
    let mut disk = MemoryDisk::new();
    let mut store = Store::open(&mut disk, limits, time(0)).unwrap();
    let mut expected = Expected::new();
    for number in 0..EVENTS {
        commit(&mut store, &mut disk, Write::Put(event(number, 1)), &mut expected);
        if number % 3 == 0 {
            commit(&mut store, &mut disk, Write::Put(event(number / 3, 2)), &mut expected);
        }
        if number % 10 == 9 {
            commit(&mut store, &mut disk, Write::Delete(key(number / 2)), &mut expected);
        }
        assert_has(&store, &expected);
    }
    let sum = |store: &Store, bytes: fn(&kinds::Object) -> usize| -> usize {
        store.list(Kind::Event, None).map(|o| bytes(o)).sum()
    };
    let mut again = Store::open(&mut disk, limits, time(1)).unwrap();
    for store in [&store, &again] {
        assert_has(store, &expected);
        let (json, kept) = (sum(store, |o| o.json_bytes()), sum(store, |o| o.kept_bytes()));
        assert_eq!(json, expected.values().map(Bytes::len).sum::<usize>());
        assert!(kept * 2 < json, "{kept} of {json} bytes are kept");
    }
    for number in EVENTS / 2..EVENTS / 2 + 3 {
        commit(&mut again, &mut disk, Write::Delete(key(number)), &mut expected);
    }
    assert_has(&Store::open(&mut disk, limits, time(1)).unwrap(), &expected);
}

/// A watcher is told of changes that the window has as quickly as ever: what was only just written
/// stays as it is, and so does what may soon change.
#[test]
fn only_what_is_at_rest_and_out_of_the_window_is_packed() {
    let mut disk = MemoryDisk::new();
    let mut store = Store::open(&mut disk, Limits::default(), time(0)).unwrap();
    for number in 0..10 {
        let (event, map) = (event(number, 1), config_map(&format!("o{number}"), 1));
        store.commit(vec![Write::Put(event), Write::Put(map)], time(1));
    }
    run_batches(&mut store, &mut disk);
    let plain = |store: &Store, kind| {
        store.list(kind, None).filter(|object| object.plain().is_some()).count()
    };
    assert_eq!((plain(&store, Kind::Event), plain(&store, Kind::ConfigMap)), (10, 10));
    store.commit(vec![Write::Put(config_map("late", 1))], time(302));
    assert_eq!((plain(&store, Kind::Event), plain(&store, Kind::ConfigMap)), (1, 11), "the model");
}

/// The memory of the state before a change is that of the change before.
#[test]
fn the_window_counts_each_state_once() {
    let mut disk = MemoryDisk::new();
    let limits = Limits { window_bytes: 64 << 10, ..Limits::default() };
    let mut store = Store::open(&mut disk, limits, time(0)).unwrap();
    let first = store.head();
    for n in 0..100 {
        store.commit(vec![Write::Put(config_map_of("a", n, 3000))], time(1));
        run_batches(&mut store, &mut disk);
    }
    let oldest = store.changes_after(first).map(drop).unwrap_err().oldest;
    let kept = store.changes_after(oldest).unwrap().count();
    assert!((15..=18).contains(&kept), "{kept} changes of 3 KB in 64 KiB");
}
