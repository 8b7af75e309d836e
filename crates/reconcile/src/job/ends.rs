//! What ended and was not counted yet, and what the counters come to with it.

use std::collections::HashSet;

use super::{
    facts::{Phase, PodFacts},
    spec::{Mode, Terms},
};
use crate::IndexSet;

/// The newly ended pods.
pub(super) struct Ends<'a> {
    pub(super) succeeded: Vec<&'a PodFacts>,
    pub(super) failed: Vec<&'a PodFacts>,
    /// Uids in `status.uncountedTerminatedPods`. This controller leaves none there, but a status
    /// that another one wrote may: each is counted once, whatever became of its pod.
    recorded: HashSet<&'a str>,
    recorded_succeeded: i32,
    recorded_failed: i32,
}

impl<'a> Ends<'a> {
    pub(super) fn of(terms: &Terms<'a>, pods: &[&'a PodFacts]) -> Self {
        let recorded = terms.job.status.as_ref().and_then(|s| s.uncounted_terminated_pods.as_ref());
        let lists = |list: Option<&'a Vec<String>>| list.map_or(&[][..], Vec::as_slice);
        let succeeded = lists(recorded.and_then(|r| r.succeeded.as_ref()));
        let failed = lists(recorded.and_then(|r| r.failed.as_ref()));
        let mut ends = Self {
            succeeded: Vec::new(),
            failed: Vec::new(),
            recorded: succeeded.iter().chain(failed).map(String::as_str).collect(),
            recorded_succeeded: count(succeeded.len()),
            recorded_failed: count(failed.len()),
        };
        for pod in pods {
            if !pod.tracked || !terms.counts(pod.index) || ends.was_recorded(pod) {
                continue;
            }
            if pod.phase == Phase::Succeeded {
                ends.succeeded.push(pod);
            } else if terms.failed(pod) {
                ends.failed.push(pod);
            }
        }
        ends
    }

    /// Whether the pod's uid was already put down to be counted.
    pub(super) fn was_recorded(&self, pod: &PodFacts) -> bool {
        !self.recorded.is_empty() && self.recorded.contains(pod.uid.to_string().as_str())
    }
}

/// The counters, with what ended counted in.
pub(super) struct Tally {
    pub(super) succeeded: i32,
    pub(super) failed: i32,
    /// The indexes that succeeded; empty unless the Job is Indexed.
    pub(super) done: IndexSet,
}

impl Tally {
    pub(super) fn of(terms: &Terms, completed: &IndexSet, ends: &Ends) -> Self {
        let status = terms.job.status.as_ref();
        let before = |field: Option<i32>| field.unwrap_or(0);
        let failed = before(status.and_then(|s| s.failed)) + ends.recorded_failed;
        let mut tally = Self {
            succeeded: before(status.and_then(|s| s.succeeded))
                + ends.recorded_succeeded
                + count(ends.succeeded.len()),
            failed: failed.saturating_add(count(ends.failed.len())),
            done: IndexSet::default(),
        };
        if let Mode::Indexed(completions) = terms.mode {
            tally.done = completed.clone();
            tally.done.truncate(completions);
            for index in ends.succeeded.iter().filter_map(|pod| pod.index) {
                tally.done.insert(index);
            }
            tally.succeeded = tally.done.len().try_into().unwrap_or(i32::MAX);
        }
        tally
    }
}

/// A number of objects as the API counts it.
pub(super) fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
