//! The pods of Jobs that ended. A long Job has a hundred thousand of them, so they are kept compactly
//! and several to a record of the store, whose names and places would take more than they do.
//!
//! The record still open is written anew with each end, in the transaction of that end.

use bytes::Bytes;
use jiff::Timestamp;
use kinds::Uid;
use serde::{Deserialize, Serialize};
use store::Store;

use crate::pending::Pending;

/// What a record holds before the next one is begun, bytes: some 12 pods. More would save little
/// memory, and each end writes half of it anew on average.
const RECORD_BYTES_MAX: usize = 1024;

/// One pod of a Job that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodRecord {
    /// Its name.
    pub pod: String,
    /// Its uid; names the log directory.
    pub uid: Uid,
    /// Its completion index, for Indexed Jobs.
    pub index: Option<u32>,
    /// Whether it succeeded.
    pub succeeded: bool,
    /// The container that decided, or the first.
    pub container: String,
    /// That container's exit code.
    pub exit_code: i32,
    /// That container's reason, such as `Error` or `OOMKilled`.
    pub reason: String,
    /// Restarts within the pod.
    pub restarts: i32,
    /// When the container started.
    pub started: Option<Timestamp>,
    /// When the container ended.
    pub finished: Option<Timestamp>,
}

/// A time, as seconds since the epoch and nanoseconds.
type Compact = Option<(i64, i32)>;

/// The bytes of a pod in a record: postcard, in this order. Whoever changes it gives the records
/// another prefix, and goes on reading these.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    pod: &'a str,
    uid: Uid,
    index: Option<u32>,
    succeeded: bool,
    container: &'a str,
    exit_code: i32,
    reason: &'a str,
    restarts: i32,
    started: Compact,
    finished: Compact,
}

fn compact(time: Option<Timestamp>) -> Compact {
    time.map(|time| (time.as_second(), time.subsec_nanosecond()))
}

fn time(compact: Compact) -> Option<Timestamp> {
    compact.and_then(|(second, nanosecond)| Timestamp::new(second, nanosecond).ok())
}

impl PodRecord {
    /// Appends the pod to a record.
    fn write(&self, record: Vec<u8>) -> Vec<u8> {
        let packed = Packed {
            pod: &self.pod,
            uid: self.uid,
            index: self.index,
            succeeded: self.succeeded,
            container: &self.container,
            exit_code: self.exit_code,
            reason: &self.reason,
            restarts: self.restarts,
            started: compact(self.started),
            finished: compact(self.finished),
        };
        postcard::to_extend(&packed, record).expect("a Vec takes any length")
    }
}

impl From<Packed<'_>> for PodRecord {
    fn from(packed: Packed<'_>) -> Self {
        Self {
            pod: packed.pod.to_owned(),
            uid: packed.uid,
            index: packed.index,
            succeeded: packed.succeeded,
            container: packed.container.to_owned(),
            exit_code: packed.exit_code,
            reason: packed.reason.to_owned(),
            restarts: packed.restarts,
            started: time(packed.started),
            finished: time(packed.finished),
        }
    }
}

/// Where the pods of all Jobs are.
const PREFIX: &str = "history/pods/";

/// Where earlier versions put them, one to a record, as JSON.
const SINGLE_PREFIX: &str = "history/pod/";

fn prefix(job: Uid) -> String {
    format!("{PREFIX}{job}/")
}

fn single_prefix(job: Uid) -> String {
    format!("{SINGLE_PREFIX}{job}/")
}

/// Adds a pod that ended to the pending transaction; returns how many bytes that takes.
pub(crate) fn add(store: &Store, pending: &mut Pending, job: Uid, pod: &PodRecord) -> usize {
    let (name, open) = open(store, pending, &prefix(job));
    let before = open.len();
    let record = pod.write(open);
    let added = record.len() - before;
    pending.record(name, Some(record.into_boxed_slice().into()));
    added
}

/// The record that the next pod goes into. Their numbers count down, so that the newest comes first.
fn open(store: &Store, pending: &Pending, prefix: &str) -> (String, Vec<u8>) {
    let stored = store.records(prefix).next();
    let number = match pending.first_record(prefix).or(stored) {
        Some((name, bytes)) if bytes.len() < RECORD_BYTES_MAX => {
            return (name.to_owned(), bytes.to_vec());
        }
        Some((name, _)) => u32::from_str_radix(&name[prefix.len()..], 16).unwrap_or_default(),
        None => u32::MAX,
    };
    (format!("{prefix}{:08x}", number.saturating_sub(1)), Vec::new())
}

/// Whether the history tells of a pod of this Job. One that ended was added to the records of the Job,
/// and these only go all at once.
pub(crate) fn tells(store: &Store, pending: &Pending, job: Uid, pod: Uid, ended: bool) -> bool {
    let any = |prefix: &str| {
        pending.first_record(prefix).is_some() || store.records(prefix).next().is_some()
    };
    ended && any(&prefix(job)) || any(&format!("{}{pod}", single_prefix(job)))
}

/// The records of a Job's pods, earlier versions' first.
pub(super) fn records(store: &Store, job: Uid) -> Vec<(&str, &Bytes)> {
    let (singles, several) = (single_prefix(job), prefix(job));
    store.records(&singles).chain(store.records(&several)).collect()
}

/// The pods in a record of this name.
pub(super) fn read(name: &str, bytes: &[u8]) -> Vec<PodRecord> {
    match name.starts_with(SINGLE_PREFIX) {
        true => serde_json::from_slice(bytes).into_iter().collect(),
        false => read_several(bytes),
    }
}

fn read_several(mut bytes: &[u8]) -> Vec<PodRecord> {
    let next = || {
        let (packed, rest) = postcard::take_from_bytes::<Packed<'_>>(bytes).ok()?;
        bytes = rest;
        Some(packed.into())
    };
    std::iter::from_fn(next).collect()
}

/// The pods of a Job that ended, in no particular order.
pub fn pods(store: &Store, job: Uid) -> impl Iterator<Item = PodRecord> {
    records(store, job).into_iter().flat_map(|(name, bytes)| read(name, bytes))
}

/// The uids of all pods in the history.
pub(crate) fn pod_uids(store: &Store) -> impl Iterator<Item = Uid> {
    let uid = |name: &str| name.rsplit('/').next().and_then(Uid::parse);
    let singles = store.records(SINGLE_PREFIX).filter_map(move |(name, _)| uid(name));
    let several = store.records(PREFIX).flat_map(|(_, bytes)| read_several(bytes));
    singles.chain(several.map(|pod| pod.uid))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(number: u32) -> PodRecord {
        PodRecord {
            pod: format!("long-job-{number}-abcde"),
            uid: Uid::from_random(u128::MAX / (u128::from(number) + 1)),
            index: Some(number),
            succeeded: false,
            container: "c".to_owned(),
            exit_code: 137,
            reason: "OOMKilled".to_owned(),
            restarts: 2,
            started: None,
            finished: Some(Timestamp::UNIX_EPOCH),
        }
    }

    proptest! {
        #[test]
        fn the_pods_of_a_record_come_back(
            pods in prop::collection::vec((any::<u32>(), any::<i32>(), any::<i64>()), 0..5),
        ) {
            let time = |ns: i64| Timestamp::from_nanosecond(ns.into()).ok();
            let pods: Vec<PodRecord> = pods
                .into_iter()
                .map(|(number, exit_code, ns)| PodRecord {
                    exit_code,
                    started: time(ns),
                    finished: time(ns.wrapping_add(1)),
                    ..record(number)
                })
                .collect();
            let bytes = pods.iter().fold(Vec::new(), |bytes, pod| pod.write(bytes));
            prop_assert_eq!(read(&prefix(Uid::from_random(1)), &bytes), pods);
        }
    }

    #[test]
    fn a_pod_takes_less_than_a_hundred_bytes() {
        let bytes = record(99_999).write(Vec::new()).len();
        assert!(bytes < 100, "{bytes} bytes");
    }
}
