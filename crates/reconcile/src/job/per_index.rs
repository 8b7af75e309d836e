//! `spec.backoffLimitPerIndex`: which indexes failed, which failed pods are kept until their index
//! is tried again, and when that may be.

use std::{
    cmp::max_by_key,
    collections::{HashMap, HashSet},
};

use jiff::Timestamp;

use super::{backoff, ends::Ends, facts::PodFacts, failure_policy::Action, spec::Terms};
use crate::IndexSet;

/// The last failed pod of each index that waits for its replacement, by index. It keeps its finalizer,
/// and its failure is not counted, so that how often the index failed is never lost.
#[derive(Default)]
pub(super) struct Kept<'a>(HashMap<u32, &'a PodFacts>);

impl<'a> Kept<'a> {
    /// `decided`: the indexes that have succeeded or failed.
    pub(super) fn of(
        terms: &Terms,
        pods: &[&'a PodFacts],
        ends: &Ends<'a>,
        decided: impl Fn(u32) -> bool,
    ) -> Self {
        let mut kept = HashMap::new();
        if terms.limit_per_index.is_none() || ends.failed.is_empty() {
            return Self(kept);
        }
        let active = pods.iter().filter(|pod| pod.active());
        let replaced: HashSet<u32> = active.filter_map(|pod| pod.index).collect();
        for &pod in &ends.failed {
            let Some(index) = pod.index else { continue };
            if replaced.contains(&index) || decided(index) {
                continue;
            }
            let last = kept.entry(index).or_insert(pod);
            *last = max_by_key(*last, pod, |pod| later(pod));
        }
        Self(kept)
    }

    /// The failed pod that the next pod of this index replaces.
    pub(super) fn replaced(&self, index: u32) -> Option<&'a PodFacts> {
        self.0.get(&index).copied()
    }

    pub(super) fn contains(&self, pod: &PodFacts) -> bool {
        pod.index.and_then(|index| self.0.get(&index)).is_some_and(|kept| kept.uid == pod.uid)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a PodFacts> {
        self.0.values().copied()
    }

    /// When the next pod of an index may be made; `None` if its index never failed.
    pub(super) fn until(&self, index: u32) -> Option<Timestamp> {
        let last = self.replaced(index)?;
        let failures = last.failures.total().saturating_add(1);
        backoff::until(failures, last.finished)
    }
}

/// Orders the failed pods of one index: the last of them knows of the most failures.
fn later(pod: &PodFacts) -> (u32, Timestamp, &str) {
    (pod.failures.total(), pod.finished, &pod.name)
}

/// The indexes that failed, with those of the newly ended pods.
pub(super) fn failed(
    terms: &Terms,
    before: &IndexSet,
    done: &IndexSet,
    ends: &Ends,
) -> Option<IndexSet> {
    let limit = terms.limit_per_index?;
    let mut failed = before.clone();
    for pod in &ends.failed {
        let given_up = match pod.judged() {
            Some(Action::FailIndex) => true,
            Some(Action::Ignore) => false,
            Some(Action::FailJob | Action::Count) | None => pod.failures.counted >= limit,
        };
        if let Some(index) = pod.index.filter(|&index| given_up && !done.contains(index)) {
            failed.insert(index);
        }
    }
    Some(failed)
}
