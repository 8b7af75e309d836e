//! The CronJob controller: from a CronJob, its Jobs and the time to what should be done.
//!
//! What Kubernetes does in several requests is one transaction here: a Job and the status that knows
//! of it are there together or not at all, so no time is lost or used twice, whatever dies when.

mod child;
mod due;
mod job;
mod status;

use std::borrow::Cow;

use jiff::Timestamp;
use kinds::{
    cron::{Schedule, Zone},
    types::{
        batch::v1::{CronJob, CronJobStatus, Job},
        core::v1::ObjectReference,
    },
};

use crate::Note;
pub use child::{Child, End};
use due::Clock;
pub use job::{SCHEDULED, job_for, reference};

/// What the controller looks at: one revision of the state.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The CronJob. It has a name, a namespace, a uid and a creation time, as everything stored.
    pub cron_job: &'a CronJob,
    /// The Jobs that it controls, by name.
    pub jobs: &'a [&'a Child],
    /// Whether its namespace has a Job of this name, whoever controls it.
    pub exists: &'a dyn Fn(&str) -> bool,
    /// The zone of schedules that do not name one.
    pub zone: &'a Zone,
}

/// What should be done, all of it in one transaction.
#[derive(Debug, Default)]
pub struct Plan {
    /// The names of Jobs to delete, with their pods in the background.
    pub delete: Vec<String>,
    /// The Job to make once these are on their way.
    pub start: Option<Start>,
    /// The status, if no Job is made.
    pub status: CronJobStatus,
    /// What to tell as Events on the CronJob, in order.
    pub notes: Vec<Note>,
    /// When to ask again although nothing changed.
    pub wake_at: Option<Timestamp>,
}

/// A Job to make. Its making may be refused, as that of any Job; it is then to be tried again.
#[derive(Debug)]
pub struct Start {
    /// Complete except for uid, creation time, defaults and admission.
    pub job: Box<Job>,
    /// The time that it is made for.
    pub due: Timestamp,
}

/// What should happen to this CronJob now.
pub fn cron_job(view: &View, now: Timestamp) -> Plan {
    let status = view.cron_job.status.clone().unwrap_or_default();
    let mut plan = Plan { status, ..Plan::default() };
    plan.clean_history(view);
    plan.take_in_jobs(view);
    plan.drop_missing(view);
    if view.cron_job.metadata.deletion_timestamp.is_none() {
        plan.follow_schedule(view, now);
    }
    plan
}

/// What should happen when schedule or zone were changed: no Job is made for a time that the new
/// schedule would have had before, unless something else asks for a look at the CronJob.
pub fn rescheduled(view: &View, now: Timestamp) -> Plan {
    let spec = &view.cron_job.spec;
    let mut plan =
        Plan { status: view.cron_job.status.clone().unwrap_or_default(), ..Plan::default() };
    plan.warn_of_zone_in_schedule(view.cron_job);
    let zone = spec.time_zone.as_deref().and_then(|name| Zone::load(name).ok());
    let zone = zone.unwrap_or_else(|| view.zone.clone());
    match Schedule::parse(&spec.schedule) {
        Ok(schedule) => {
            let clock = Clock { schedule: &schedule, zone: &zone };
            plan.wake_at = due::look_again(view.cron_job, &plan.status, &clock, now);
        }
        Err(_) => plan.warn(
            "UnParseableCronJobSchedule",
            format!("unparseable schedule for cronjob: {}", spec.schedule),
        ),
    }
    plan
}

impl Plan {
    fn follow_schedule(&mut self, view: &View, now: Timestamp) {
        let spec = &view.cron_job.spec;
        let zone = match spec.time_zone.as_deref() {
            None => view.zone.clone(),
            Some(name) => match Zone::load(name) {
                Ok(zone) => zone,
                Err(error) => {
                    let text = format!("invalid timeZone: {name:?}: {error}");
                    return self.warn("UnknownTimeZone", text);
                }
            },
        };
        if spec.suspend == Some(true) {
            return;
        }
        self.warn_of_zone_in_schedule(view.cron_job);
        let schedule = match Schedule::parse(&spec.schedule) {
            Ok(schedule) => schedule,
            Err(error) => {
                let text = format!("unparseable schedule: {:?} : {error}", spec.schedule);
                return self.warn("UnparseableSchedule", text);
            }
        };
        let clock = Clock { schedule: &schedule, zone: &zone };
        match due::latest(view.cron_job, &self.status, &clock, due::Deadline::Counts, now) {
            Err(error) => {
                let text = format!("invalid schedule: {} : {error}", spec.schedule);
                self.warn("InvalidSchedule", text);
            }
            Ok(missed) => {
                self.wake_at = due::look_again(view.cron_job, &self.status, &clock, now);
                if let Some(due) = missed.latest {
                    if missed.many {
                        self.warn("TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
                    }
                    self.meet(view, due, &clock, now);
                }
            }
        }
    }

    /// A time has come: whether there is to be a Job for it.
    fn meet(&mut self, view: &View, due: Timestamp, clock: &Clock, now: Timestamp) {
        let name = job::name(view.cron_job, due);
        let active = self.status.active.as_deref().unwrap_or_default();
        let last = self.status.last_schedule_time.as_ref();
        if active.iter().any(|job| job.name.as_deref() == Some(&name))
            || last.is_some_and(|last| last.0 == due)
        {
            return;
        }
        match view.cron_job.spec.concurrency_policy.as_deref() {
            Some("Forbid") if !active.is_empty() => {
                return self.note("JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid");
            }
            Some("Replace") => self.delete_active(),
            _ => {}
        }
        let present = view.jobs.iter().find(|job| *job.name == *name && !self.deletes(&name));
        match present {
            // Made for this time already, and the status knows nothing of it.
            Some(child) => {
                started(&mut self.status, child.reference(view.cron_job), due);
                self.wake_at = if child.end.is_some() { Some(now) } else { clock.next(due) };
            }
            // Somebody else's: their name, their Job.
            None if (view.exists)(&name) && !self.deletes(&name) => {}
            None => {
                let job = Box::new(job::of(view.cron_job, name, due));
                self.start = Some(Start { job, due });
                self.wake_at = clock.next(due);
            }
        }
    }

    fn warn_of_zone_in_schedule(&mut self, cron_job: &CronJob) {
        let schedule = &cron_job.spec.schedule;
        if schedule.contains("TZ") {
            self.warn("UnsupportedSchedule", format!("CRON_TZ or TZ used in schedule {schedule:?} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"));
        }
    }

    fn note(&mut self, reason: &'static str, message: impl Into<String>) {
        let reason = Cow::Borrowed(reason);
        self.notes.push(Note { warning: false, reason, message: message.into() });
    }

    fn warn(&mut self, reason: &'static str, message: impl Into<String>) {
        let reason = Cow::Borrowed(reason);
        self.notes.push(Note { warning: true, reason, message: message.into() });
    }
}

/// Puts a Job that was made for a time into the status.
pub fn started(status: &mut CronJobStatus, job: ObjectReference, due: Timestamp) {
    status.active.get_or_insert_default().push(job);
    status.last_schedule_time = Some(kinds::api_time(due));
}
