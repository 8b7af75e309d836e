//! The Job controller: from a Job and its pods to what should be done about them.

mod account;
mod backoff;
mod claim;
mod conditions;
mod ends;
mod facts;
mod failure_policy;
mod indexes;
mod names;
mod outcome;
mod per_index;
mod pod;
mod spec;
mod success_policy;
mod suspend;
mod wanted;

use jiff::Timestamp;
use kinds::types::batch::v1::Job;

use crate::{Plan, Write};
use ends::{Ends, Tally};
use spec::Terms;
use wanted::Wanted;

pub use backoff::BackOff;
pub use claim::orphan;
pub use facts::{IndexFailures, Owner, Phase, PodFacts};
pub use failure_policy::{Action, Judgement};
pub use indexes::Indexes;
pub use names::{FAILURE_COUNT_KEY, IGNORED_FAILURE_COUNT_KEY, INDEX_KEY, TRACKING_FINALIZER};
pub use pod::owner_reference;

/// What the controller looks at: one revision of the state.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The Job. It has a name, a uid and a spec, as everything stored.
    pub job: &'a Job,
    /// In any order: the pods that this Job controls and that are active, terminating or still
    /// tracked, and the pods without controller that its selector matches. Pods that ended and are
    /// accounted for are not here, so that the last pod of a Job costs what the first did.
    pub pods: &'a [&'a PodFacts],
    /// The Job's lists of indexes.
    pub indexes: &'a Indexes,
    /// What the last plan for this Job handed back, or the default.
    pub back_off: BackOff,
}

/// What should happen to this Job now.
///
/// `fresh` makes the name of a new pod from its `generateName`, as [`kinds::names::generate`] does;
/// the name is not taken, and never the same twice within one call.
pub fn job(view: &View, now: Timestamp, fresh: &mut dyn FnMut(&str) -> String) -> Plan {
    let mut plan = Plan { back_off: view.back_off, ..Plan::default() };
    if spec::managed_elsewhere(view.job) {
        return plan;
    }
    if conditions::finished(view.job) {
        return claim::let_go(view);
    }
    let Ok(terms) = Terms::of(view.job) else {
        plan.warn("UnknownCompletionMode", "Skipped Job sync because completion mode is unknown");
        return plan;
    };
    plan.writes = claim::settle(&terms, view.pods);
    if plan.writes.is_empty() { sync(&terms, view, now, fresh) } else { plan }
}

/// What should happen once it is clear which pods are the Job's.
fn sync(terms: &Terms, view: &View, now: Timestamp, fresh: &mut dyn FnMut(&str) -> String) -> Plan {
    let mut status = view.job.status.clone().unwrap_or_default();
    let pods = claim::controlled(view.job, view.pods);
    let ends = Ends::of(terms, &pods);
    let mut tally = Tally::of(terms, view.indexes, &pods, &ends);
    let back_off = match terms.limit_per_index {
        None => view.back_off.after(&ends),
        // Each index waits on its own.
        Some(_) => BackOff::default(),
    };
    let mut plan = Plan { back_off, ..Plan::default() };
    suspend::start_clock(terms, &mut status, now);
    let decided = outcome::decide(terms, &status, view.indexes, &tally, &pods, now);
    let wanted = Wanted::of(terms, &tally, &pods, decided.is_some(), plan.back_off, now);
    let counts = wanted.counts(&pods);
    let outcome = decided.or_else(|| outcome::complete(terms, &tally, counts.active));
    account::pods(terms, &pods, &wanted, outcome.as_ref(), &ends, &mut tally, &mut plan);
    pod::create(terms, &wanted, &tally.kept, fresh, &mut plan);
    account::status(&mut status, terms, &tally, &counts);
    match outcome {
        Some(outcome) => outcome::record(terms, outcome, &mut status, now, &mut plan),
        None => {
            suspend::set_condition(terms, &mut status, now, &mut plan);
            let deadline = outcome::deadline(terms, &status);
            plan.wake_at = wanted.wake_at.into_iter().chain(deadline).min();
        }
    }
    if view.job.status.as_ref() != Some(&status) {
        plan.writes.push(Write::SetStatus(Box::new(status)));
    }
    plan
}
