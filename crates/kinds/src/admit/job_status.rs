//! Writes to the status of a Job, by whoever manages it: conditions that end a Job cannot be taken
//! back, counters do not fall, times stand.

use std::collections::BTreeSet;

use super::job::non_negative;
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::batch::v1::{JobSpec, JobStatus},
};

/// One side of the change, with what the rules ask of it.
struct Side<'a> {
    status: &'a JobStatus,
    complete: bool,
    failed: bool,
    failure_target: bool,
    success_criteria_met: bool,
    suspended: bool,
}

impl<'a> Side<'a> {
    fn of(status: &'a JobStatus) -> Self {
        let is = |name: &str| {
            let mut conditions = status.conditions.iter().flatten();
            conditions.any(|c| c.type_ == name && c.status == "True")
        };
        Self {
            status,
            complete: is("Complete"),
            failed: is("Failed"),
            failure_target: is("FailureTarget"),
            success_criteria_met: is("SuccessCriteriaMet"),
            suspended: is("Suspended"),
        }
    }

    fn finished(&self) -> bool {
        self.complete || self.failed
    }

    fn completed_indexes(&self) -> &str {
        self.status.completed_indexes.as_deref().unwrap_or_default()
    }

    fn uncounted(&self) -> bool {
        self.status.uncounted_terminated_pods.as_ref().is_some_and(|pods| {
            pods.succeeded.iter().flatten().chain(pods.failed.iter().flatten()).next().is_some()
        })
    }
}

/// Everything wrong with the change of a status.
pub(super) fn check(spec: &JobSpec, old: &JobStatus, new: &JobStatus, errors: &mut FieldErrors) {
    counts(new, errors);
    let (old, new) = (Side::of(old), Side::of(new));
    always(spec, &old, &new, errors);
    conditions(&old, &new, errors);
    times(spec, &old, &new, errors);
    pods(&old, &new, errors);
    indexes(spec, &old, &new, errors);
}

fn counts(status: &JobStatus, errors: &mut FieldErrors) {
    let at = Path::top("status");
    for (field, count) in [
        ("active", status.active),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        ("ready", status.ready),
        ("terminating", status.terminating),
    ] {
        non_negative(count.map(i64::from), at.field(field), errors);
    }
    let Some(pods) = &status.uncounted_terminated_pods else { return };
    let mut seen = BTreeSet::new();
    let at = at.field("uncountedTerminatedPods");
    for (field, uids) in [("succeeded", &pods.succeeded), ("failed", &pods.failed)] {
        for (i, uid) in uids.iter().flatten().enumerate() {
            let list = at.field(field);
            if uid.is_empty() {
                errors.push(FieldError::invalid(list.index(i), "", "must not be empty"));
            } else if !seen.insert(uid) {
                errors.push(FieldError::duplicate(list.index(i), uid.as_str()));
            }
        }
    }
}

fn push(errors: &mut FieldErrors, wrong: bool, field: &str, text: &str) {
    if wrong {
        errors.push(FieldError::invalid_whole(format!("status.{field}"), text));
    }
}

fn always(spec: &JobSpec, old: &Side<'_>, new: &Side<'_>, errors: &mut FieldErrors) {
    let met = new.success_criteria_met;
    for (wrong, text) in [
        (met && new.failed, "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
        (
            met && new.failure_target,
            "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
        ),
        (
            spec.success_policy.is_some() && new.complete && !met,
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True",
        ),
        (old.success_criteria_met && !met, "cannot disable the SuccessCriteriaMet=True condition"),
        (
            old.complete && !old.success_criteria_met && met,
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions",
        ),
        (old.failed && !new.failed, "cannot disable the terminal Failed=True condition"),
        (old.complete && !new.complete, "cannot disable the terminal Complete=True condition"),
        (
            old.failure_target && !new.failure_target,
            "cannot disable the terminal FailureTarget=True condition",
        ),
    ] {
        push(errors, wrong, "conditions", text);
    }
    let fell = |before: Option<i32>, after: Option<i32>| after.unwrap_or(0) < before.unwrap_or(0);
    let elastic =
        spec.completion_mode.as_deref() == Some("Indexed") && spec.completions == spec.parallelism;
    let (was, is) = (old.status, new.status);
    push(errors, fell(was.failed, is.failed), "failed", "cannot decrease the failed counter");
    let wrong = fell(was.succeeded, is.succeeded) && !elastic;
    push(errors, wrong, "succeeded", "cannot decrease the succeeded counter");
    if was.completion_time.is_some()
        && is.completion_time.is_some()
        && was.completion_time != is.completion_time
    {
        errors.push(FieldError::immutable("status.completionTime", &is.completion_time));
    }
}

/// Checked only when what they speak of changed, so that an old fault blocks no other change.
fn conditions(old: &Side<'_>, new: &Side<'_>, errors: &mut FieldErrors) {
    let complete = old.complete != new.complete;
    let failed = old.failed != new.failed;
    let target = old.failure_target != new.failure_target;
    let met = old.success_criteria_met != new.success_criteria_met;
    let failed_indexes = old.status.failed_indexes != new.status.failed_indexes;
    for (wrong, text) in [
        (
            (complete || failed) && new.complete && new.failed,
            "cannot set Complete=True and Failed=true conditions",
        ),
        (
            (complete || target) && new.complete && new.failure_target,
            "cannot set Complete=True and FailureTarget=true conditions",
        ),
        (
            (failed || failed_indexes) && new.failed && !new.failure_target,
            "cannot set Failed=True condition without the FailureTarget=true condition",
        ),
        (
            (complete || met) && new.complete && !new.success_criteria_met,
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
        ),
    ] {
        push(errors, wrong, "conditions", text);
    }
}

fn times(spec: &JobSpec, old: &Side<'_>, new: &Side<'_>, errors: &mut FieldErrors) {
    let (was, is) = (old.status, new.status);
    let complete = old.complete != new.complete;
    let completion = was.completion_time != is.completion_time;
    let start = was.start_time != is.start_time;
    if complete || completion {
        let text = "cannot set completionTime when there is no Complete=True condition";
        let wrong = is.completion_time.is_some() && !new.complete;
        push(errors, wrong, "completionTime", text);
        if new.complete && is.completion_time.is_none() {
            let text = "completionTime is required for Complete jobs";
            errors.push(FieldError::required("status.completionTime", text));
        }
    }
    let backwards = is.completion_time.as_ref().zip(is.start_time.as_ref());
    let wrong = (start || completion) && backwards.is_some_and(|(end, start)| end.0 < start.0);
    push(errors, wrong, "completionTime", "must be equal to or after `startTime`");
    let finished = old.finished() != new.finished();
    let never_started = spec.suspend == Some(true) && spec.completions == Some(0);
    if (finished || start) && new.finished() && is.start_time.is_none() && !never_started {
        let text = "startTime is required for finished job";
        errors.push(FieldError::required("status.startTime", text));
    }
    let resuming = old.suspended && !new.suspended;
    let wrong = start && was.start_time.is_some() && spec.suspend != Some(true) && !resuming;
    push(errors, wrong, "startTime", "field is immutable for unsuspended job once set");
}

fn pods(old: &Side<'_>, new: &Side<'_>, errors: &mut FieldErrors) {
    let (was, is) = (old.status, new.status);
    let finished = old.finished() != new.finished();
    let some = |count: Option<i32>| count.unwrap_or(0) > 0;
    let wrong = (finished || was.active != is.active) && new.finished() && some(is.active);
    push(errors, wrong, "active", "active>0 is invalid for finished job");
    let uncounted = was.uncounted_terminated_pods != is.uncounted_terminated_pods;
    let wrong = (finished || uncounted) && new.finished() && new.uncounted();
    push(errors, wrong, "uncountedTerminatedPods", "must be empty for finished job");
    let terminating = was.terminating != is.terminating;
    let wrong = (finished || terminating) && new.finished() && some(is.terminating);
    push(errors, wrong, "terminating", "terminating>0 is invalid for finished job");
    let changed = was.ready != is.ready || was.active != is.active;
    let wrong = changed && is.ready.unwrap_or(0) > is.active.unwrap_or(0);
    push(errors, wrong, "ready", "cannot set more ready pods than active");
}

fn indexes(spec: &JobSpec, old: &Side<'_>, new: &Side<'_>, errors: &mut FieldErrors) {
    let failed = &new.status.failed_indexes;
    let wrong = old.status.failed_indexes != *failed
        && failed.is_some()
        && spec.backoff_limit_per_index.is_none();
    let text = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
    push(errors, wrong, "failedIndexes", text);
    if old.completed_indexes() == new.completed_indexes() {
        return;
    }
    let indexed = spec.completion_mode.as_deref() == Some("Indexed");
    let text = "cannot set non-empty completedIndexes when non-indexed completion mode";
    push(errors, !indexed && !new.completed_indexes().is_empty(), "completedIndexes", text);
    if let Some(completions) = spec.completions
        && let Err(wrong) = index_text(new.completed_indexes(), completions)
    {
        let text = format!("error parsing completedIndexes: {wrong}");
        push(errors, true, "completedIndexes", &text);
    }
}

/// Whether a list of indexes such as `1,3-5` is in order and below `completions`.
fn index_text(text: &str, completions: i32) -> Result<(), String> {
    let mut previous: Option<i32> = None;
    for item in text.split(',').filter(|_| !text.is_empty()) {
        let parts: Vec<&str> = item.split('-').collect();
        if parts.len() > 2 {
            return Err(format!(
                "the fragment \"{item}\" violates the requirement that an index interval can have at most two parts separated by '-'"
            ));
        }
        for part in parts {
            let index: i32 = part
                .parse()
                .map_err(|_| format!("cannot convert string to integer for index: \"{part}\""))?;
            if index >= completions {
                return Err(format!("too large index: \"{part}\""));
            }
            if let Some(previous) = previous.filter(|previous| *previous >= index) {
                return Err(format!(
                    "non-increasing order, previous: {previous}, current: {index}"
                ));
            }
            previous = Some(index);
        }
    }
    Ok(())
}
