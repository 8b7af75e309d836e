//! Small objects, small limits, and the loop of a disk thread.

use std::{collections::BTreeMap, io};

use jiff::Timestamp;
use kinds::{Draft, Key, Kind, Object};
use store::{Disk, Limits, MemoryDisk, Store};

/// What clients see of the objects: value by name.
pub(crate) type View = BTreeMap<String, u64>;

/// Limits so small that a handful of objects fill segments and compaction has work.
pub(crate) const SMALL: Limits = Limits {
    window_bytes: 64 << 20,
    window_age_s: 300,
    segment_bytes: 4096,
    garbage_bytes: 4096,
    compact_bytes: 1024,
};

/// A point in time, seconds since the epoch.
pub(crate) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A ConfigMap in `default` that holds a number.
pub(crate) fn config_map(name: &str, value: u64) -> Draft {
    config_map_of(name, value, 0)
}

/// The same with so many bytes more.
pub(crate) fn config_map_of(name: &str, value: u64, bytes: usize) -> Draft {
    let uid = kinds::Uid::from_random(name.bytes().fold(7, |a, b| a * 31 + u128::from(b)));
    let json = format!(
        r#"{{"metadata":{{"namespace":"default","name":"{name}","uid":"{uid}"}},
        "data":{{"value":"{value}","more":"{}"}}}}"#,
        "x".repeat(bytes)
    );
    Draft::from_json(Kind::ConfigMap, json.as_bytes()).unwrap()
}

/// The key of such a ConfigMap.
pub(crate) fn key(name: &str) -> Key {
    Key::new(Kind::ConfigMap, "default", name)
}

/// The number such a ConfigMap holds.
pub(crate) fn value(object: &Object) -> u64 {
    object.config_map().data.unwrap_or_default()["value"].parse().unwrap()
}

/// All ConfigMaps of a store.
pub(crate) fn view(store: &Store) -> View {
    store.list(Kind::ConfigMap, None).map(|o| (o.key.name.to_string(), value(o))).collect()
}

/// Performs one batch, if there is something to do.
pub(crate) fn run_batch(store: &mut Store, disk: &mut dyn Disk) -> io::Result<bool> {
    let Some(batch) = store.take_batch() else { return Ok(false) };
    let (done, result) = batch.perform(disk);
    result?;
    store.batch_done(done);
    Ok(true)
}

/// Performs batches until there is nothing to do.
pub(crate) fn run_batches(store: &mut Store, disk: &mut dyn Disk) {
    while run_batch(store, disk).unwrap() {}
}

/// The bytes of all segments.
pub(crate) fn all_contents(disk: &MemoryDisk) -> Vec<(u64, Vec<u8>)> {
    let numbers = disk.segments().unwrap();
    numbers.into_iter().map(|n| (n, disk.contents(n).unwrap())).collect()
}
