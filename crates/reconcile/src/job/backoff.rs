//! How long a failing Job waits before it makes the next pod.

use jiff::{SignedDuration, Timestamp};

use super::ends::Ends;

/// The wait after the first failure.
const BACK_OFF_FIRST_S: i64 = 10;
/// The longest wait.
const BACK_OFF_MAX_S: i64 = 600;

/// How often pods of a Job failed since the last success. Kept in memory by whoever calls; a
/// restart of the server forgives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackOff {
    /// Failures since the last success.
    pub failures: u32,
    /// When the last of them ended; `None` exactly when there is none.
    pub last: Option<Timestamp>,
}

impl BackOff {
    /// The record after these pods ended. A success forgives every failure that ended no later.
    pub(super) fn after(self, ends: &Ends) -> Self {
        let succeeded = ends.succeeded.iter().map(|pod| pod.finished).max();
        let before = if succeeded.is_some() { Self::default() } else { self };
        let failed = ends.failed.iter().map(|pod| pod.finished);
        let failed = failed.filter(|&at| succeeded.is_none_or(|success| at > success));
        Self {
            failures: failed.clone().fold(before.failures, |n, _| n.saturating_add(1)),
            last: failed.max().or(before.last),
        }
    }

    /// When the next pod may be made: 10 s after the first failure, then 20 s, doubling up to
    /// 10 minutes, each measured from the end of the last failed pod.
    pub(super) fn until(self) -> Option<Timestamp> {
        until(self.failures, self.last?)
    }
}

/// When to try again after so many failures, of which this was the end of the last.
pub(super) fn until(failures: u32, last: Timestamp) -> Option<Timestamp> {
    let doublings = failures.checked_sub(1)?.min(10);
    let wait_s = (BACK_OFF_FIRST_S << doublings).min(BACK_OFF_MAX_S);
    last.checked_add(SignedDuration::from_secs(wait_s)).ok()
}
