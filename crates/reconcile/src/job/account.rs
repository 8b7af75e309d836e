//! Accounting for pods: whose finalizer goes, what is counted with it, and the counters.

use kinds::types::batch::v1::{JobStatus, UncountedTerminatedPods};

use super::{
    ends::{Ends, Tally, count},
    facts::PodFacts,
    outcome::{Outcome, Verdict},
    per_index::Kept,
    spec::{Mode, Terms},
    wanted::{Counts, Wanted},
};
use crate::{IndexSet, Plan, Write};

/// Writes which pods lose their finalizer and which are deleted, by name. Whatever ended is counted
/// by now; here those are counted that end only because the Job fails.
pub(super) fn pods(
    terms: &Terms,
    pods: &[&PodFacts],
    wanted: &Wanted,
    outcome: Option<&Outcome>,
    ends: &Ends,
    tally: &mut Tally,
    plan: &mut Plan,
) {
    if outcome.is_some() || terms.deleting {
        tally.kept = Kept::default();
    }
    let failing = outcome.is_some_and(|outcome| outcome.verdict == Verdict::Failure);
    let mut writes = Vec::new();
    for &pod in pods {
        let removed = wanted.remove.contains(&pod.uid);
        if tally.kept.contains(pod) {
            continue;
        }
        let over = terms.end(pod).is_some() || ends.was_put_down(terms, pod);
        let dropped = terms.deleting || outcome.is_some() || (removed && wanted.uncounted);
        if pod.tracked && (over || dropped) {
            writes.push((pod, Write::RemoveFinalizer { name: pod.name.to_string() }));
            if failing && !over && terms.counts(pod.index) && pod.failure_counts() {
                tally.failed = tally.failed.saturating_add(1);
            }
        }
        if removed {
            writes.push((pod, Write::DeletePod { name: pod.name.to_string() }));
        }
    }
    // The sort keeps the order of the writes to one pod.
    writes.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    for (pod, write) in writes {
        if let Write::DeletePod { .. } = write {
            plan.note("SuccessfulDelete", format!("Deleted pod: {}", pod.name));
        }
        plan.writes.push(write);
    }
}

/// Writes the counters.
pub(super) fn status(status: &mut JobStatus, terms: &Terms, tally: &Tally, counts: &Counts) {
    let shown = |n: i32| (n != 0).then_some(n);
    status.active = shown(counts.active);
    status.ready = Some(counts.ready);
    status.terminating = Some(counts.terminating);
    status.succeeded = shown(tally.succeeded);
    let kept = tally.kept.iter().filter(|pod| pod.failure_counts()).count();
    status.failed = shown(tally.failed - count(kept));
    status.uncounted_terminated_pods = Some(UncountedTerminatedPods::default());
    if let Mode::Indexed(_) = terms.mode {
        let text = tally.done.to_string();
        status.completed_indexes = (!text.is_empty()).then_some(text);
    }
    status.failed_indexes = tally.failed_indexes.as_ref().map(IndexSet::to_string);
}
