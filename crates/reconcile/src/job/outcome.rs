//! Whether the Job has come to an end, which, and what is said about it.

use std::borrow::Cow;

use jiff::Timestamp;
use kinds::{
    api_time,
    types::batch::v1::{JobCondition, JobStatus},
};

use super::{
    Indexes, conditions,
    ends::Tally,
    facts::{Phase, PodFacts},
    failure_policy::Action,
    spec::{End, Mode, Terms},
    success_policy,
};
use crate::Plan;

/// The end that was decided. Once it is declared by its interim condition it never changes.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    reason: Cow<'static, str>,
    message: Cow<'static, str>,
    /// The interim condition stands in the status already.
    declared: bool,
}

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// `SuccessCriteriaMet`, then `Complete`.
    Success,
    /// `FailureTarget`, then `Failed`.
    Failure,
}

/// Whether the Job must end now. The first that applies decides.
pub(super) fn decide(
    terms: &Terms,
    status: &JobStatus,
    indexes: &Indexes,
    tally: &Tally,
    pods: &[&PodFacts],
    now: Timestamp,
) -> Option<Outcome> {
    declared(status)
        .or_else(|| failed_by_policy(terms, pods))
        .or_else(|| past_backoff_limit(terms, tally, pods))
        .or_else(|| past_deadline(terms, status, now))
        .or_else(|| failed_indexes(terms, tally))
        .or_else(|| enough(indexes, tally))
}

/// An end that an earlier plan declared.
fn declared(status: &JobStatus) -> Option<Outcome> {
    let said = |verdict, condition: &JobCondition| Outcome {
        verdict,
        reason: condition.reason.clone().unwrap_or_default().into(),
        message: condition.message.clone().unwrap_or_default().into(),
        declared: true,
    };
    let success = conditions::find_true(status, "SuccessCriteriaMet");
    let failure = conditions::find_true(status, "FailureTarget");
    let success = success.map(|condition| said(Verdict::Success, condition));
    success.or_else(|| failure.map(|condition| said(Verdict::Failure, condition)))
}

/// A rule of the failure policy says that the failure of a pod is the Job's.
fn failed_by_policy(terms: &Terms, pods: &[&PodFacts]) -> Option<Outcome> {
    let failed = pods.iter().filter(|pod| terms.end(pod) == Some(End::Failed));
    let fatal = failed.filter(|pod| pod.judged() == Some(Action::FailJob));
    let judgement = fatal.min_by(|a, b| a.name.cmp(&b.name))?.judgement.as_ref()?;
    let message = format!("{} matching FailJob rule at index {}", judgement.why, judgement.rule);
    Some(failure("PodFailurePolicy", message))
}

fn past_backoff_limit(terms: &Terms, tally: &Tally, pods: &[&PodFacts]) -> Option<Outcome> {
    let restarted_too_often = || {
        let alive = pods.iter().filter(|pod| matches!(pod.phase, Phase::Pending | Phase::Running));
        let restarts = alive.fold(0_i32, |sum, pod| sum.saturating_add(pod.restarts));
        terms.restarts_in_place && restarts >= terms.backoff_limit.max(1)
    };
    (tally.failed > terms.backoff_limit || restarted_too_often())
        .then(|| failure("BackoffLimitExceeded", "Job has reached the specified backoff limit"))
}

fn past_deadline(terms: &Terms, status: &JobStatus, now: Timestamp) -> Option<Outcome> {
    (now >= deadline(terms, status)?)
        .then(|| failure("DeadlineExceeded", "Job was active longer than specified deadline"))
}

/// More indexes failed than may, or none is left to be tried.
fn failed_indexes(terms: &Terms, tally: &Tally) -> Option<Outcome> {
    let failed = tally.failed_indexes.as_ref()?.len();
    if terms.max_failed_indexes.is_some_and(|max| failed > max) {
        return Some(failure(
            "MaxFailedIndexesExceeded",
            "Job has exceeded the specified maximal number of failed indexes",
        ));
    }
    let Mode::Indexed(completions) = terms.mode else { return None };
    let all_decided = failed.saturating_add(tally.done.len()) >= completions;
    (failed > 0 && all_decided).then(|| failure("FailedIndexes", "Job has failed indexes"))
}

/// The success policy is content with the indexes that succeeded.
fn enough(indexes: &Indexes, tally: &Tally) -> Option<Outcome> {
    let rule = success_policy::met(&indexes.rules, &tally.done)?;
    Some(success("SuccessPolicy", format!("Matched rules at index {rule}")))
}

/// When `activeDeadlineSeconds` is over. The clock stands while the Job is suspended and starts
/// anew when it is resumed.
pub(super) fn deadline(terms: &Terms, status: &JobStatus) -> Option<Timestamp> {
    if terms.suspended || conditions::find_true(status, "Suspended").is_some() {
        return None;
    }
    status.start_time.as_ref()?.0.checked_add(terms.deadline?).ok()
}

/// Whether everything that was asked for is done and nothing runs any more.
pub(super) fn complete(terms: &Terms, tally: &Tally, active: i32) -> Option<Outcome> {
    let reached = match terms.mode {
        Mode::Queue => tally.succeeded > 0,
        Mode::Count(n) | Mode::Indexed(n) => i64::from(tally.succeeded) >= i64::from(n),
    };
    (reached && active == 0)
        .then(|| success("CompletionsReached", "Reached expected number of succeeded pods"))
}

fn success(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Outcome {
    let verdict = Verdict::Success;
    Outcome { verdict, reason: reason.into(), message: message.into(), declared: false }
}

fn failure(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Outcome {
    let verdict = Verdict::Failure;
    Outcome { verdict, reason: reason.into(), message: message.into(), declared: false }
}

/// Writes the end into the status in its two phases: the interim condition at once, the terminal one
/// only when no pod is terminating any more.
pub(super) fn record(
    terms: &Terms,
    outcome: Outcome,
    status: &mut JobStatus,
    now: Timestamp,
    plan: &mut Plan,
) {
    let Outcome { verdict, reason, message, declared } = outcome;
    let (interim, terminal) = match verdict {
        Verdict::Success => ("SuccessCriteriaMet", "Complete"),
        Verdict::Failure => ("FailureTarget", "Failed"),
    };
    if !declared {
        // Appended, not set: a condition of this type that somebody wrote as False stays as it is.
        let condition = conditions::new(interim, true, &reason, &message, now);
        status.conditions.get_or_insert_default().push(condition);
    }
    if status.terminating != Some(0) {
        return;
    }
    if status.start_time.is_none() && terms.spec.completions != Some(0) {
        // Its pods ended while it was suspended, which had cleared the time. A finished Job has one.
        status.start_time = Some(api_time(now));
    }
    conditions::set(status, conditions::new(terminal, true, &reason, &message, now));
    match verdict {
        Verdict::Failure => plan.warn(reason, message),
        Verdict::Success => {
            status.completion_time = Some(api_time(now));
            let succeeded = status.succeeded.unwrap_or(0);
            if terms.spec.completions.is_some_and(|completions| succeeded > completions) {
                plan.warn(
                    "TooManySucceededPods",
                    "Too many succeeded pods running after completion count reached",
                );
            }
            plan.note("Completed", "Job completed");
        }
    }
}
