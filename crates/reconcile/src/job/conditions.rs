//! Reading and setting the conditions of a Job.

use jiff::Timestamp;
use kinds::{
    api_time,
    types::batch::v1::{Job, JobCondition, JobStatus},
};

/// A condition that is True, if there is one of this type.
pub(super) fn find_true<'a>(status: &'a JobStatus, of_type: &str) -> Option<&'a JobCondition> {
    status.conditions.iter().flatten().find(|c| c.type_ == of_type && c.status == "True")
}

/// Whether the Job is Complete or Failed: nothing about it will ever change again.
pub(super) fn finished(job: &Job) -> bool {
    let ended =
        |status| find_true(status, "Complete").is_some() || find_true(status, "Failed").is_some();
    job.status.as_ref().is_some_and(ended)
}

/// A condition as of now.
pub(super) fn new(
    of_type: &str,
    yes: bool,
    reason: &str,
    message: &str,
    now: Timestamp,
) -> JobCondition {
    JobCondition {
        type_: of_type.to_owned(),
        status: if yes { "True" } else { "False" }.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_probe_time: Some(api_time(now)),
        last_transition_time: Some(api_time(now)),
    }
}

/// Replaces the condition of this type if it says something else; appends it if there is none,
/// unless it says False. Returns whether anything changed.
pub(super) fn set(status: &mut JobStatus, condition: JobCondition) -> bool {
    let same_type = |c: &&mut JobCondition| c.type_ == condition.type_;
    match status.conditions.iter_mut().flatten().find(same_type) {
        Some(old) if says(old) == says(&condition) => false,
        Some(old) => {
            *old = condition;
            true
        }
        None if condition.status == "False" => false,
        None => {
            status.conditions.get_or_insert_default().push(condition);
            true
        }
    }
}

fn says(condition: &JobCondition) -> (&str, Option<&str>, Option<&str>) {
    (&condition.status, condition.reason.as_deref(), condition.message.as_deref())
}
