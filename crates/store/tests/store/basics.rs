//! Commit, read, list, records, the watch window.

use std::io::ErrorKind;

use kinds::Kind;
use store::{ChangeKind, Expired, Limits, MemoryDisk, Store, Write};

use crate::common::*;

fn open(disk: &mut MemoryDisk) -> Store {
    Store::open(disk, SMALL, time(0)).unwrap()
}

fn put(name: &str, value: u64) -> Vec<Write> {
    vec![Write::Put(config_map(name, value))]
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let mut disk = MemoryDisk::new();
    let mut store = open(&mut disk);
    let head = store.head();
    store.commit(vec![Write::Put(config_map("a", 1)), Write::Put(config_map("b", 1))], time(1));
    store.commit(put("a", 2), time(1));
    store.commit_with(
        vec![Write::Delete(key("b"))],
        vec![("x/1".into(), Some("one".into())), ("y".into(), Some("two".into()))],
        time(2),
    );
    store.commit_with(vec![], vec![("y".into(), None)], time(2));
    run_batches(&mut store, &mut disk);
    assert_eq!((store.durable(), store.head()), (head + 4, head + 4));

    let again = open(&mut disk);
    assert_eq!(view(&again), View::from([("a".into(), 2)]));
    let records: Vec<_> = again.records("").map(|(n, b)| (n, b.to_vec())).collect();
    assert_eq!(records, [("x/1", b"one".to_vec())]);
    let told = |s: &Store| -> Vec<_> {
        let changes = s.changes_after(head).unwrap();
        changes.map(|c| (c.revision, c.kind, c.object.json())).collect()
    };
    assert_eq!(told(&again), told(&store), "a watcher goes on over a restart");
    let kinds: Vec<_> = told(&again).iter().map(|c| c.1).collect();
    use ChangeKind::{Added, Deleted, Modified};
    assert_eq!(kinds, [Added, Added, Modified, Deleted]);
}

#[test]
fn the_index_comes_back_as_it_was_sealed() {
    let mut disk = MemoryDisk::new();
    let mut store = open(&mut disk);
    store.commit(put("a", 1), time(1));
    run_batches(&mut store, &mut disk);
    let again = open(&mut disk);
    assert_eq!(again.get(&key("a")).unwrap().meta, store.get(&key("a")).unwrap().meta);
}

#[test]
fn nothing_is_told_before_it_is_durable() {
    let mut disk = MemoryDisk::new();
    let mut store = open(&mut disk);
    let head = store.head();
    store.commit(put("a", 1), time(1));
    let batch = store.take_batch().unwrap();
    store.commit(put("b", 1), time(1));
    assert!(store.take_batch().is_none(), "one batch at a time");
    let (done, result) = batch.perform(&mut disk);
    result.unwrap();
    assert_eq!((store.durable(), store.changes_after(head).unwrap().count()), (head, 0));
    store.batch_done(done);
    assert_eq!((store.durable(), store.changes_after(head).unwrap().count()), (head + 1, 1));
    assert_eq!(store.head(), head + 2);
}

#[test]
fn commits_share_one_write_and_one_sync() {
    let mut disk = MemoryDisk::new();
    let mut store = Store::open(&mut disk, Limits::default(), time(0)).unwrap();
    for n in 0..100 {
        store.commit(put(&format!("o{n}"), n), time(1));
    }
    let before = disk.changes();
    run_batches(&mut store, &mut disk);
    assert_eq!(disk.changes() - before, 2);
}

#[test]
fn lists_are_ordered_by_namespace_and_name() {
    let mut disk = MemoryDisk::new();
    let mut store = open(&mut disk);
    let writes = [("n", "b"), ("m", "z"), ("n", "a"), ("na", "a")].map(|(namespace, name)| {
        let mut draft = config_map(name, 1);
        draft.metadata.namespace = Some(namespace.into());
        Write::Put(draft)
    });
    store.commit(writes.into(), time(1));
    let list = |namespace| -> Vec<String> {
        let objects = store.list(Kind::ConfigMap, namespace);
        objects.map(|o| format!("{}/{}", o.key.namespace, o.key.name)).collect()
    };
    assert_eq!(list(None), ["m/z", "n/a", "n/b", "na/a"]);
    assert_eq!(list(Some("n")), ["n/a", "n/b"]);
    assert_eq!(store.count(Kind::ConfigMap), 4);
    assert_eq!((store.count(Kind::Secret), store.list(Kind::Secret, None).count()), (0, 0));
}

#[test]
fn records_are_found_by_prefix_in_order() {
    let mut disk = MemoryDisk::new();
    let mut store = open(&mut disk);
    let names = ["job/b", "job/a", "jobs", "job/c", "a"];
    let records = names.map(|n| (n.to_owned(), Some(n.to_owned().into())));
    store.commit_with(vec![], records.into(), time(1));
    store.commit_with(vec![], vec![("job/c".into(), None), ("none".into(), None)], time(1));
    run_batches(&mut store, &mut disk);
    for store in [&store, &open(&mut disk)] {
        let found: Vec<_> = store.records("job/").map(|(n, b)| (n, b.to_vec())).collect();
        assert_eq!(found, [("job/a", b"job/a".to_vec()), ("job/b", b"job/b".to_vec())]);
    }
}

#[test]
#[should_panic(expected = "writes each key once")]
fn a_key_is_written_once_per_transaction() {
    let mut store = open(&mut MemoryDisk::new());
    store.commit(vec![Write::Put(config_map("a", 1)), Write::Put(config_map("a", 2))], time(1));
}

#[test]
fn the_window_is_cut_by_bytes_and_by_age_but_never_before_durable() {
    let mut disk = MemoryDisk::new();
    let limits = Limits { window_bytes: 20_000, ..Limits::default() };
    let mut store = Store::open(&mut disk, limits, time(0)).unwrap();
    let first = store.head();
    for n in 0..100 {
        store.commit(put("a", n), time(1));
    }
    run_batches(&mut store, &mut disk);
    assert_eq!(store.changes_after(first).unwrap().count(), 100, "nobody had a chance to see them");
    store.commit(put("a", 100), time(1));
    run_batches(&mut store, &mut disk);
    let Err(Expired { oldest }) = store.changes_after(first).map(drop) else { panic!("not cut") };
    let kept = store.changes_after(oldest).unwrap().count();
    assert!((20..30).contains(&kept), "{kept} changes of about 0.8 KB are kept");
    assert!(store.changes_after(oldest - 1).is_err());

    store.commit(put("a", 101), time(302));
    assert_eq!(store.changes_after(store.durable()).unwrap().count(), 0);
    let oldest = store.changes_after(first).map(drop).unwrap_err().oldest;
    assert_eq!(oldest, store.durable(), "all that was durable was older than 300 s");
}

#[test]
fn a_transaction_larger_than_a_segment_gets_its_own() {
    let mut disk = MemoryDisk::new();
    let mut store = open(&mut disk);
    store.commit(put("a", 1), time(1));
    store.commit(vec![Write::Put(config_map_of("large", 7, 100_000))], time(1));
    store.commit(put("b", 1), time(1));
    run_batches(&mut store, &mut disk);
    let again = open(&mut disk);
    assert_eq!(view(&again), View::from([("a".into(), 1), ("large".into(), 7), ("b".into(), 1)]));
}

#[test]
fn a_full_disk_is_told_by_its_kind_and_loses_nothing_acknowledged() {
    let mut disk = MemoryDisk::new();
    disk.limit_space(Some(3 * SMALL.segment_bytes));
    let mut store = open(&mut disk);
    let mut acknowledged = 0;
    let error = loop {
        store.commit(put(&format!("o{acknowledged}"), acknowledged), time(1));
        match run_batch(&mut store, &mut disk) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!(store.take_batch().is_none(), "the store has stopped");
    disk.limit_space(None);
    assert_eq!(view(&open(&mut disk)).len() as u64, acknowledged);
}
