//! What ran and how it ended, apart from the objects: a record per finished Job and the [pods] of
//! it, written in the same transaction as the end itself, kept within a budget of bytes and age.
//!
//! Names sort by time: `history/job/<finish time>/<job uid>`. The pods are under
//! `history/pods/<job uid>/`. What a Job was asked to do lies beside them, under
//! `history/spec/<job uid>`, for who runs it anew.

mod pods;

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use kinds::{Draft, Uid};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::Store;

use crate::{limits::Limits, logs::PodLog};

pub use pods::{PodRecord, pods};
pub(crate) use pods::{add, pod_uids, tells};

const JOBS: &str = "history/job/";

/// How a Job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Condition Complete.
    Complete,
    /// Condition Failed.
    Failed,
    /// Deleted before it finished.
    Cancelled,
}

/// A finished Job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobRecord {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub job: String,
    /// Its uid.
    pub uid: Uid,
    /// How it ended.
    pub outcome: Outcome,
    /// The deciding condition's reason.
    pub reason: String,
    /// The deciding condition's message.
    pub message: String,
    /// `status.startTime`, when it started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Timestamp,
    /// `spec.completions`
    pub completions: Option<i32>,
    /// Pods (or indexes) that succeeded.
    pub succeeded: i32,
    /// Pods that failed.
    pub failed: i32,
    /// `status.completedIndexes`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_indexes: Option<String>,
    /// `status.failedIndexes`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_indexes: Option<String>,
}

/// What a Job was asked to do.
#[derive(Serialize)]
struct Manifest<'a> {
    metadata: ManifestMeta<'a>,
    spec: &'a RawValue,
}

#[derive(Serialize)]
struct ManifestMeta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: &'a Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: &'a Option<BTreeMap<String, String>>,
}

impl JobRecord {
    pub(crate) fn entry(&self) -> (String, Option<Bytes>) {
        let name = format!("{JOBS}{:020}/{}", self.finished.as_millisecond(), self.uid);
        (name, Some(encode(self)))
    }
}

/// The record of what a Job was asked to do.
pub(crate) fn spec_entry(job: Uid, draft: &Draft) -> Option<(String, Bytes)> {
    let (labels, annotations) = (&draft.metadata.labels, &draft.metadata.annotations);
    let metadata = ManifestMeta { labels, annotations };
    let manifest = Manifest { metadata, spec: draft.rest.get("spec")? };
    Some((spec_name(job), encode(&manifest)))
}

fn spec_name(job: Uid) -> String {
    format!("history/spec/{job}")
}

/// What a Job was asked to do: JSON with `metadata.labels`, `metadata.annotations` and `spec`.
pub fn spec(store: &Store, job: Uid) -> Option<Bytes> {
    let name = spec_name(job);
    store.records(&name).next().map(|(_, bytes)| bytes.clone())
}

fn encode<T: Serialize>(record: &T) -> Bytes {
    serde_json::to_vec(record).expect("records are plain data").into_boxed_slice().into()
}

/// The finished Jobs, oldest first.
pub fn jobs(store: &Store) -> impl Iterator<Item = JobRecord> {
    store.records(JOBS).filter_map(|(_, bytes)| serde_json::from_slice(bytes).ok())
}

/// What leaves the history.
#[derive(Default)]
pub(crate) struct Gone {
    /// Names of records.
    pub(crate) records: Vec<String>,
    /// The pods among them.
    pub(crate) pods: Vec<PodLog>,
}

/// What brings the history back within its budget, the oldest Job with its pods first. `bytes` is the
/// size of all records and is lowered by what goes.
pub(crate) fn over_budget(
    store: &Store,
    limits: &Limits,
    bytes: &mut usize,
    now: Timestamp,
) -> Gone {
    let mut gone = Gone::default();
    for (name, value) in store.records(JOBS) {
        // Asked with every commit: the name tells the age without reading the record.
        let finished_ms = name.strip_prefix(JOBS).and_then(|name| name.get(..20)?.parse().ok());
        let age_s = now.as_second() - finished_ms.unwrap_or(0_i64) / 1000;
        if *bytes <= limits.history_bytes_max && age_s <= limits.history_age_s {
            break;
        }
        let Ok(record) = serde_json::from_slice::<JobRecord>(value) else { continue };
        *bytes = bytes.saturating_sub(value.len());
        gone.records.push(name.to_owned());
        for (name, value) in store.records(&spec_name(record.uid)) {
            *bytes = bytes.saturating_sub(value.len());
            gone.records.push(name.to_owned());
        }
        for (name, value) in pods::records(store, record.uid) {
            *bytes = bytes.saturating_sub(value.len());
            gone.records.push(name.to_owned());
            gone.pods.extend(pods::read(name, value).into_iter().map(|pod| PodLog {
                namespace: record.namespace.clone(),
                pod: pod.pod,
                uid: pod.uid,
            }));
        }
    }
    gone
}
