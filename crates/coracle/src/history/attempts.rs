//! Which attempt at its work each pod of the history was. Pure.

use std::collections::BTreeMap;

use apiserver::HistoryLine;
use engine::history::PodRecord;
use jiff::Timestamp;
use serde_json::Value;

/// The pods of a Job in the order in which they ran, each with the number of its last attempt, from
/// 1: pods of one index, or of a Job with one completion, are attempts at the same work, and so are
/// the restarts within a pod.
pub(super) fn attempts(line: &HistoryLine) -> Vec<(&PodRecord, u32)> {
    let begin = |pod: &PodRecord| pod.started.or(pod.finished).unwrap_or(Timestamp::MAX);
    let mut pods: Vec<&PodRecord> = line.pods.iter().collect();
    pods.sort_by(|a, b| (a.index, begin(a), &a.pod).cmp(&(b.index, begin(b), &b.pod)));
    let alone = line.job.completions.is_none_or(|completions| completions == 1);
    let mut before: BTreeMap<Option<u32>, u32> = BTreeMap::new();
    let numbered = pods.into_iter().map(|pod| {
        let own = u32::try_from(pod.restarts).unwrap_or(0) + 1;
        let same_work = pod.index.is_some() || alone;
        let count = before.entry(pod.index).or_default();
        *count = if same_work { *count + own } else { own };
        (pod, *count)
    });
    numbered.collect()
}

/// A line of `-o json`: the record, with the attempt of each pod.
pub(super) fn to_json(line: &HistoryLine) -> Value {
    let mut json = serde_json::to_value(line).expect("records are plain data");
    let pods = attempts(line).into_iter().map(|(pod, attempt)| {
        let mut pod = serde_json::to_value(pod).expect("records are plain data");
        pod["attempt"] = attempt.into();
        pod
    });
    let pods: Vec<Value> = pods.collect();
    if !pods.is_empty() {
        json["pods"] = pods.into();
    }
    json
}
