//! Accounting for pods: whose finalizer goes, what is counted with it, and the counters.

use std::borrow::Cow;

use kinds::types::batch::v1::{JobStatus, UncountedTerminatedPods};

use super::{
    ends::{Ends, Tally, failed_for},
    facts::{Phase, PodFacts},
    outcome::{Outcome, Verdict},
    spec::{Mode, Terms},
    wanted::{Counts, Wanted},
};
use crate::{Plan, Write};

/// Writes what happens to each pod, and counts those that end only because the Job fails.
pub(super) fn pods(
    terms: &Terms,
    pods: &[Cow<PodFacts>],
    wanted: &Wanted,
    outcome: Option<&Outcome>,
    ends: &Ends,
    tally: &mut Tally,
    plan: &mut Plan,
) {
    let failing = outcome.is_some_and(|outcome| outcome.verdict == Verdict::Failure);
    for pod in pods {
        let name = || pod.name.to_string();
        let removed = wanted.remove.contains(&pod.uid);
        let failed = failed_for(terms, pod);
        let lets_go = terms.deleting
            || outcome.is_some()
            || pod.phase == Phase::Succeeded
            || failed
            || (removed && wanted.uncounted)
            || ends.was_recorded(pod);
        if pod.tracked && lets_go {
            plan.writes.push(Write::RemoveFinalizer { name: name() });
            let counted = failed || pod.phase == Phase::Succeeded || ends.was_recorded(pod);
            let dropped = removed && wanted.uncounted;
            if failing && !counted && !dropped && terms.counts(pod.index) {
                tally.failed = tally.failed.saturating_add(1);
            }
        }
        if removed {
            plan.writes.push(Write::DeletePod { name: name() });
            plan.note("SuccessfulDelete", format!("Deleted pod: {}", pod.name));
        }
    }
}

/// Writes the counters.
pub(super) fn status(status: &mut JobStatus, terms: &Terms, tally: &Tally, counts: &Counts) {
    let shown = |n: i32| (n != 0).then_some(n);
    status.active = shown(counts.active);
    status.ready = Some(counts.ready);
    status.terminating = Some(counts.terminating);
    status.succeeded = shown(tally.succeeded);
    status.failed = shown(tally.failed);
    status.uncounted_terminated_pods = Some(UncountedTerminatedPods::default());
    if let Mode::Indexed(_) = terms.mode {
        let text = tally.done.to_string();
        status.completed_indexes = (!text.is_empty()).then_some(text);
    }
}
