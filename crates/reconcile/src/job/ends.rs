//! What ended and was not counted yet, and what the counters come to with it.

use std::collections::HashSet;

use kinds::types::batch::v1::UncountedTerminatedPods;

use super::{
    Indexes,
    facts::PodFacts,
    per_index::{self, Kept},
    spec::{End, Mode, Terms},
};
use crate::IndexSet;

/// The newly ended pods.
pub(super) struct Ends<'a> {
    pub(super) succeeded: Vec<&'a PodFacts>,
    pub(super) failed: Vec<&'a PodFacts>,
    /// Uids in `status.uncountedTerminatedPods`. This controller leaves none there, but a status
    /// that another one wrote may: each is counted once, whatever became of its pod.
    put_down_succeeded: HashSet<&'a str>,
    put_down_failed: HashSet<&'a str>,
}

impl<'a> Ends<'a> {
    pub(super) fn of(terms: &Terms<'a>, pods: &[&'a PodFacts]) -> Self {
        let lists = terms.job.status.as_ref().and_then(|s| s.uncounted_terminated_pods.as_ref());
        let uids = |list: fn(&UncountedTerminatedPods) -> Option<&Vec<String>>| {
            lists.and_then(list).into_iter().flatten().map(String::as_str).collect()
        };
        let mut ends = Self {
            succeeded: Vec::new(),
            failed: Vec::new(),
            put_down_succeeded: uids(|lists| lists.succeeded.as_ref()),
            put_down_failed: uids(|lists| lists.failed.as_ref()),
        };
        for pod in pods {
            if !pod.tracked || !terms.counts(pod.index) || ends.was_put_down(terms, pod) {
                continue;
            }
            match terms.end(pod) {
                Some(End::Succeeded) => ends.succeeded.push(pod),
                Some(End::Failed) => ends.failed.push(pod),
                None => {}
            }
        }
        ends
    }

    /// Whether the pod's uid was put down to be counted. The successes of an Indexed Job are not
    /// counted by uid: its indexes say what is done.
    pub(super) fn was_put_down(&self, terms: &Terms, pod: &PodFacts) -> bool {
        if self.put_down_succeeded.is_empty() && self.put_down_failed.is_empty() {
            return false;
        }
        let uid = pod.uid.to_string();
        let by_index = matches!(terms.mode, Mode::Indexed(_));
        self.put_down_failed.contains(&*uid)
            || (!by_index && self.put_down_succeeded.contains(&*uid))
    }
}

/// The counters, with what ended counted in.
pub(super) struct Tally<'a> {
    pub(super) succeeded: i32,
    /// All failures that count, those of the pods that are kept among them.
    pub(super) failed: i32,
    /// The indexes that succeeded; empty unless the Job is Indexed.
    pub(super) done: IndexSet,
    /// The indexes that failed; `None` unless there is a limit for each.
    pub(super) failed_indexes: Option<IndexSet>,
    pub(super) kept: Kept<'a>,
}

impl<'a> Tally<'a> {
    pub(super) fn of(
        terms: &Terms,
        indexes: &Indexes,
        pods: &[&'a PodFacts],
        ends: &Ends<'a>,
    ) -> Self {
        let status = terms.job.status.as_ref();
        let before = |field: Option<i32>| field.unwrap_or(0);
        let failed =
            before(status.and_then(|s| s.failed)).saturating_add(count(ends.put_down_failed.len()));
        let failures = ends.failed.iter().filter(|pod| pod.failure_counts()).count();
        let mut tally = Self {
            succeeded: before(status.and_then(|s| s.succeeded))
                .saturating_add(count(ends.put_down_succeeded.len() + ends.succeeded.len())),
            failed: failed.saturating_add(count(failures)),
            done: IndexSet::default(),
            failed_indexes: None,
            kept: Kept::default(),
        };
        if let Mode::Indexed(_) = terms.mode {
            tally.done = indexes.completed.clone();
            for index in ends.succeeded.iter().filter_map(|pod| pod.index) {
                // What is decided stays decided: a success comes too late for an index that failed.
                if terms.limit_per_index.is_none() || !indexes.failed.contains(index) {
                    tally.done.insert(index);
                }
            }
            tally.succeeded = tally.done.len().try_into().unwrap_or(i32::MAX);
            tally.failed_indexes = per_index::failed(terms, &indexes.failed, &tally.done, ends);
            tally.kept = Kept::of(terms, pods, ends, |index| tally.decided(index));
        }
        tally
    }

    /// Whether an index has succeeded or failed.
    pub(super) fn decided(&self, index: u32) -> bool {
        let failed = self.failed_indexes.as_ref();
        self.done.contains(index) || failed.is_some_and(|failed| failed.contains(index))
    }

    /// The smallest index from `from` on that is not decided.
    pub(super) fn next_open(&self, from: u32) -> u32 {
        let mut index = self.done.next_absent(from);
        let Some(failed) = &self.failed_indexes else { return index };
        loop {
            let next = self.done.next_absent(failed.next_absent(index));
            if next == index {
                return index;
            }
            index = next;
        }
    }
}

/// A number of objects as the API counts it.
pub(super) fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
