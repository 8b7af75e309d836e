//! TTL after finished: when a Job that is over goes by itself
//! (`pkg/controller/ttlafterfinished`).

use jiff::{SignedDuration, Timestamp};
use kinds::types::batch::v1::Job;

/// What becomes of a Job as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It stays: it has not finished, has no `spec.ttlSecondsAfterFinished`, or is going already; or
    /// its terminal condition says no time, and nobody knows when it finished.
    Stays,
    /// It stays until then; look again at that time.
    At(Timestamp),
    /// Its time is over: it is deleted in the foreground, this incarnation and no other.
    Over,
}

/// When a Job goes, counted from the first terminal condition that is True. A time to live that was
/// changed after the end counts like any other, and an end that lies in the future only defers.
pub fn ttl(job: &Job, now: Timestamp) -> Expiry {
    let ttl_s = job.spec.as_ref().and_then(|spec| spec.ttl_seconds_after_finished);
    let (Some(ttl_s), None) = (ttl_s, &job.metadata.deletion_timestamp) else {
        return Expiry::Stays;
    };
    let conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut terminal = conditions.filter(|c| matches!(&*c.type_, "Complete" | "Failed"));
    let end = terminal.find(|condition| condition.status == "True");
    let Some(finished) = end.and_then(|end| end.last_transition_time.as_ref()) else {
        return Expiry::Stays;
    };
    // Further ahead than the calendar reaches is never.
    let at = finished.0.checked_add(SignedDuration::from_secs(ttl_s.into()));
    match at.unwrap_or(Timestamp::MAX) {
        at if at <= now => Expiry::Over,
        at => Expiry::At(at),
    }
}
