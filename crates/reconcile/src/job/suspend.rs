//! When the Job's clock starts, stops and starts anew.

use jiff::Timestamp;
use kinds::{api_time, types::batch::v1::JobStatus};

use super::{conditions, spec::Terms};
use crate::Plan;

/// The first look at a Job that is not suspended starts its clock.
pub(super) fn start_clock(terms: &Terms, status: &mut JobStatus, now: Timestamp) {
    if !terms.suspended && status.start_time.is_none() {
        status.start_time = Some(api_time(now));
    }
}

/// Says that the Job is suspended, which clears its clock, or that it goes on, which starts it anew.
/// A Job that was never suspended is not spoken of, nor one that is being deleted.
pub(super) fn set_condition(
    terms: &Terms,
    status: &mut JobStatus,
    now: Timestamp,
    plan: &mut Plan,
) {
    if terms.deleting {
        return;
    }
    let (reason, event, message) = match terms.suspended {
        true => ("JobSuspended", "Suspended", "Job suspended"),
        false => ("JobResumed", "Resumed", "Job resumed"),
    };
    let condition = conditions::new("Suspended", terms.suspended, reason, message, now);
    if conditions::set(status, condition) {
        status.start_time = (!terms.suspended).then(|| api_time(now));
        plan.note(event, message);
    }
}
