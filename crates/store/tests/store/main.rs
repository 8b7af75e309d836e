//! The store through its public face, on disks that fail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{config_map, run_batches, time};
use kinds::{Key, Kind};
use store::{ChangeKind, Limits, MemoryDisk, Store, Write};

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let mut disk = MemoryDisk::new();
    let mut store = Store::open(&mut disk, Limits::default(), time(0)).unwrap();
    let head = store.head();
    store.commit(vec![Write::Put(config_map("a", 1)), Write::Put(config_map("b", 1))], time(1));
    store.commit(vec![Write::Put(config_map("a", 2))], time(1));
    let key = Key::new(Kind::ConfigMap, "default", "b");
    store.commit_with(vec![Write::Delete(key)], vec![("x/1".into(), Some("one".into()))], time(2));
    assert_eq!((store.durable(), store.head()), (head, head + 4));
    assert_eq!(store.changes_after(head).unwrap().count(), 0, "nothing before it is durable");
    run_batches(&mut store, &mut disk);
    assert_eq!(store.durable(), head + 4);

    let again = Store::open(&mut disk, Limits::default(), time(3)).unwrap();
    let names: Vec<_> = again.list(Kind::ConfigMap, None).map(|o| o.key.to_string()).collect();
    assert_eq!(names, ["configmaps/default/a"]);
    assert_eq!(
        again.records("x/").map(|(n, b)| (n, &b[..])).collect::<Vec<_>>(),
        [("x/1", &b"one"[..])]
    );
    let told = |s: &Store| -> Vec<_> {
        let changes = s.changes_after(head).unwrap();
        changes.map(|c| (c.revision, c.kind, c.object.json().clone())).collect()
    };
    assert_eq!(told(&again), told(&store));
    assert_eq!(told(&again).last().unwrap().1, ChangeKind::Deleted);
}
