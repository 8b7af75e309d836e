//! Writes to the status of a Job, by whoever manages it: conditions that end a Job cannot be taken
//! back, counters do not fall, times stand.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    job_indexes,
    job_spec::{indexed, non_negative},
    printed,
};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::batch::v1::{JobSpec, JobStatus, UncountedTerminatedPods},
};

/// One side of the change, with what the rules ask of it.
struct Side<'a> {
    status: &'a JobStatus,
    complete: bool,
    failed: bool,
    failure_target: bool,
    success_criteria_met: bool,
}

impl<'a> Side<'a> {
    fn of(status: &'a JobStatus) -> Self {
        let is = |name: &str| condition(status, name, "True");
        Self {
            status,
            complete: is("Complete"),
            failed: is("Failed"),
            failure_target: is("FailureTarget"),
            success_criteria_met: is("SuccessCriteriaMet"),
        }
    }

    fn finished(&self) -> bool {
        self.complete || self.failed
    }

    fn active(&self) -> i32 {
        self.status.active.unwrap_or(0)
    }

    fn completed_indexes(&self) -> &'a str {
        self.status.completed_indexes.as_deref().unwrap_or_default()
    }
}

fn condition(status: &JobStatus, name: &str, value: &str) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions.any(|c| c.type_ == name && c.status == value)
}

/// A change of a status that is being judged.
struct Change<'a> {
    spec: &'a JobSpec,
    old: Side<'a>,
    new: Side<'a>,
    errors: FieldErrors,
}

/// Everything wrong with the change of a status. What was wrong before and does not change now is
/// no obstacle to a change of something else.
pub(super) fn check(spec: &JobSpec, old: &JobStatus, new: &JobStatus, errors: &mut FieldErrors) {
    counts(new, errors);
    let (old, new) = (Side::of(old), Side::of(new));
    let mut change = Change { spec, old, new, errors: FieldErrors::new() };
    change.completion();
    change.announcements();
    change.finished();
    change.indexes();
    change.pods();
    change.success();
    change.terminal();
    change.counters();
    change.times();
    change.success_stays();
    errors.append(&mut change.errors);
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

impl<'a> Change<'a> {
    fn conditions(&mut self, wrong: bool, text: &str) {
        if wrong {
            self.errors.push(FieldError::invalid_whole("status.conditions", text));
        }
    }

    fn refuse(&mut self, wrong: bool, field: &str, value: impl Into<Value>, text: &str) {
        if wrong {
            self.errors.push(FieldError::invalid(format!("status.{field}"), value, text));
        }
    }

    /// Whether one of the two sides has what the other has not.
    fn turned(&self, of: impl Fn(&Side<'a>) -> bool) -> bool {
        of(&self.old) != of(&self.new)
    }

    /// Complete excludes failure, and comes with its time.
    fn completion(&mut self) {
        let complete = self.turned(|side| side.complete);
        let (failed, target) = (self.turned(|s| s.failed), self.turned(|s| s.failure_target));
        let new = self.new.status;
        let (is, fails, will_fail) = (self.new.complete, self.new.failed, self.new.failure_target);
        let text = "cannot set Complete=True and Failed=true conditions";
        self.conditions((complete || failed) && is && fails, text);
        let text = "cannot set Complete=True and FailureTarget=true conditions";
        self.conditions((complete || target) && is && will_fail, text);
        let moved = self.old.status.completion_time != new.completion_time;
        let time = &new.completion_time;
        if complete || moved {
            let text = "cannot set completionTime when there is no Complete=True condition";
            self.refuse(time.is_some() && !is, "completionTime", json!(time), text);
            if is && time.is_none() {
                let text = "completionTime is required for Complete jobs";
                self.errors.push(FieldError::required("status.completionTime", text));
            }
        }
        let started = self.old.status.start_time != new.start_time;
        let backwards = time.as_ref().zip(new.start_time.as_ref());
        let wrong = (started || moved) && backwards.is_some_and(|(end, start)| end.0 < start.0);
        let text = "must be equal to or after `startTime`";
        self.refuse(wrong, "completionTime", json!(time), text);
    }

    /// What ends a Job was announced before.
    fn announcements(&mut self) {
        let indexes = self.old.status.failed_indexes != self.new.status.failed_indexes;
        let asked = self.turned(|side| side.failed) || indexes;
        let text = "cannot set Failed=True condition without the FailureTarget=true condition";
        self.conditions(asked && self.new.failed && !self.new.failure_target, text);
        let asked = self.turned(|s| s.complete) || self.turned(|s| s.success_criteria_met);
        let text =
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
        self.conditions(asked && self.new.complete && !self.new.success_criteria_met, text);
    }

    /// A finished Job has started and has no pods.
    fn finished(&mut self) {
        let finished = self.turned(Side::finished);
        let ends = self.new.finished();
        let active = self.new.active();
        let asked = finished || self.old.active() != active;
        let text = "active>0 is invalid for finished job";
        self.refuse(asked && ends && active > 0, "active", active, text);
        let (was, is) = (self.old.status, self.new.status);
        let never_started = self.spec.suspend == Some(true) && self.spec.completions == Some(0);
        let asked = (finished || was.start_time != is.start_time) && !never_started;
        if asked && ends && is.start_time.is_none() {
            let text = "startTime is required for finished job";
            self.errors.push(FieldError::required("status.startTime", text));
        }
        let pods = &is.uncounted_terminated_pods;
        let asked = finished || was.uncounted_terminated_pods != *pods;
        if let Some(pods) = pods.as_ref().filter(|pods| asked && ends && !nobody(pods)) {
            let (path, text) = ("status.uncountedTerminatedPods", "must be empty for finished job");
            self.errors.push(FieldError::invalid_printed(path, printed::uncounted(pods), text));
        }
    }

    fn indexes(&mut self) {
        let (completions, limit) = (self.spec.completions, self.spec.backoff_limit_per_index);
        let (was, is) = (&self.old.status.failed_indexes, &self.new.status.failed_indexes);
        let (changed, failed) = (was != is, is.as_deref());
        let completed = self.new.completed_indexes();
        let completed_changed = completed != self.old.completed_indexes();
        if completed_changed {
            self.index_list("completedIndexes", completed);
        }
        if let Some(failed) = failed.filter(|_| changed && limit.is_some()) {
            self.index_list("failedIndexes", failed);
        }
        let wrong = completed_changed && !indexed(self.spec) && !completed.is_empty();
        let text = "cannot set non-empty completedIndexes when non-indexed completion mode";
        self.refuse(wrong, "completedIndexes", completed, text);
        let Some(failed) = failed else { return };
        let text = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        self.refuse(changed && limit.is_none(), "failedIndexes", failed, text);
        let asked = completions.filter(|_| changed || completed_changed);
        let both =
            asked.and_then(|completions| job_indexes::overlap(completed, failed, completions));
        if let Some(index) = both {
            let text = format!("failedIndexes and completedIndexes overlap at index: {index}");
            self.refuse(true, "failedIndexes", failed, &text);
        }
    }

    fn index_list(&mut self, field: &str, indexes: &str) {
        let counted = self.spec.completions.map(|c| job_indexes::count(indexes, c));
        if let Some(Err(wrong)) = counted {
            self.refuse(true, field, indexes, &format!("error parsing {field}: {wrong}"));
        }
    }

    fn pods(&mut self) {
        let (was, is) = (self.old.status, self.new.status);
        let terminating = is.terminating.unwrap_or(0);
        let asked = self.turned(Side::finished) || was.terminating != is.terminating;
        let wrong = asked && self.new.finished() && terminating > 0;
        self.refuse(wrong, "terminating", terminating, "terminating>0 is invalid for finished job");
        let (ready, active) = (is.ready.unwrap_or(0), self.new.active());
        let asked = was.ready != is.ready || self.old.active() != active;
        let wrong = asked && is.ready.is_some() && ready > active;
        self.refuse(wrong, "ready", ready, "cannot set more ready pods than active");
    }

    /// Success excludes failure, whatever changed.
    fn success(&mut self) {
        let met = self.new.success_criteria_met;
        let text = "cannot set SuccessCriteriaMet=True and Failed=true conditions";
        self.conditions(met && self.new.failed, text);
        let text = "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions";
        self.conditions(met && self.new.failure_target, text);
        let text =
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
        self.conditions(self.spec.success_policy.is_some() && self.new.complete && !met, text);
    }

    fn terminal(&mut self) {
        for (name, was, is) in [
            ("Failed", self.old.failed, self.new.failed),
            ("Complete", self.old.complete, self.new.complete),
            ("FailureTarget", self.old.failure_target, self.new.failure_target),
        ] {
            let text = format!("cannot disable the terminal {name}=True condition");
            self.conditions(was && !is, &text);
        }
    }

    fn counters(&mut self) {
        let elastic = indexed(self.spec) && self.spec.completions == self.spec.parallelism;
        let (was, is) = (self.old.status, self.new.status);
        for (field, was, is, may_fall) in [
            ("failed", was.failed, is.failed, false),
            ("succeeded", was.succeeded, is.succeeded, elastic),
        ] {
            let (was, is) = (was.unwrap_or(0), is.unwrap_or(0));
            let text = format!("cannot decrease the {field} counter");
            self.refuse(is < was && !may_fall, field, is, &text);
        }
    }

    /// Times stand once they are set. A Job that is resumed starts anew.
    fn times(&mut self) {
        let (was, is) = (self.old.status, self.new.status);
        let (ended, ends) = (&was.completion_time, &is.completion_time);
        let wrong = ended.is_some() && ends.is_some() && ended != ends;
        self.refuse(wrong, "completionTime", json!(ends), "field is immutable");
        let resuming = condition(was, "Suspended", "True") && condition(is, "Suspended", "False");
        let wrong = was.start_time.is_some()
            && was.start_time != is.start_time
            && self.spec.suspend != Some(true)
            && !resuming;
        let text = "field is immutable for unsuspended job once set";
        self.refuse(wrong, "startTime", json!(is.start_time), text);
    }

    fn success_stays(&mut self) {
        let (had, met) = (self.old.success_criteria_met, self.new.success_criteria_met);
        self.conditions(had && !met, "cannot disable the SuccessCriteriaMet=True condition");
        let text =
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
        self.conditions(self.old.complete && !had && met, text);
    }
}

fn nobody(pods: &UncountedTerminatedPods) -> bool {
    pods.succeeded.iter().flatten().chain(pods.failed.iter().flatten()).next().is_none()
}
