//! Small objects and the loop of a disk thread.

use jiff::Timestamp;
use kinds::{Draft, Kind};
use store::{MemoryDisk, Store};

/// A point in time, seconds since the epoch.
pub(crate) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A ConfigMap in `default` that holds a number.
pub(crate) fn config_map(name: &str, value: u64) -> Draft {
    let json = format!(
        r#"{{"metadata":{{"namespace":"default","name":"{name}",
        "uid":"00000000-0000-4000-8000-00000000{:04x}"}},"data":{{"value":"{value}"}}}}"#,
        name.bytes().map(u16::from).sum::<u16>()
    );
    Draft::from_json(Kind::ConfigMap, json.as_bytes()).unwrap()
}

/// Performs batches until there is nothing to do.
pub(crate) fn run_batches(store: &mut Store, disk: &mut MemoryDisk) {
    while let Some(batch) = store.take_batch() {
        let (done, result) = batch.perform(disk);
        result.unwrap();
        store.batch_done(done);
    }
}
