//! Where the CronJob controller's plans become changes: Jobs are deleted and made, the status is
//! written, and the timer is set, all in the pending transaction.

use jiff::Timestamp;
use kinds::{Draft, Key, Kind, StatusError, Uid, types::batch::v1::CronJobStatus};
use reconcile::{
    Note,
    cron_job::{self, Child, Plan, Start, View},
};

use crate::{
    Engine,
    cron_jobs::Skew,
    engine::uid,
    recorder::{About, Happening},
    retry::Retry,
};

/// The waits before a Job that was refused is made again.
const REFUSED_RETRY: Retry = Retry { first_s: 1, max_s: 1000 };

impl Engine {
    /// Asks the CronJob controller and puts its plan into the pending transaction.
    pub(crate) fn reconcile_cron_job(&mut self, key: &Key, now: Timestamp) {
        let Some(uid) = self.uid_of(key) else { return };
        let Some(state) = self.cron_jobs.get_mut(uid) else { return };
        if self.resting || !self.scope.covers(state.run.as_deref()) {
            return;
        }
        let rescheduled = std::mem::take(&mut state.rescheduled);
        let Some(draft) = self.current(key) else { return };
        let cron_job = draft.cron_job().expect("a CronJob in the store was validated");
        let children = self.cron_jobs.get(uid).map(|state| &state.children);
        let jobs: Vec<&Child> = children.into_iter().flat_map(|all| all.values()).collect();
        let view = View {
            cron_job: &cron_job,
            jobs: &jobs,
            exists: &|name| self.exists(&Key::new(Kind::Job, &key.namespace, name)),
            zone: &self.zone,
        };
        let plan = match rescheduled {
            true => cron_job::rescheduled(&view, now),
            false => cron_job::cron_job(&view, now),
        };
        let about = About { key: key.clone(), uid, field_path: None };
        self.apply_cron_job(&about, cron_job.status.unwrap_or_default(), plan, now);
    }

    fn apply_cron_job(&mut self, about: &About, before: CronJobStatus, plan: Plan, now: Timestamp) {
        let Plan { delete, start, mut status, mut notes, mut wake_at } = plan;
        for name in delete {
            self.delete_now(&Key::new(Kind::Job, &about.key.namespace, &name), now);
        }
        let refused = start.and_then(|start| match self.start_job(start, &mut status, now) {
            Ok(note) => {
                notes.push(note);
                None
            }
            Err(why) => Some(why),
        });
        let retry_at = self.retry_at(about.uid, refused.is_some(), now);
        if let Some(why) = refused {
            let message = format!("Error creating job: {why}");
            notes.push(Note { warning: true, reason: "FailedCreate".into(), message });
            wake_at = wake_at.into_iter().chain(retry_at).min();
        }
        if status != before
            && let Some(mut draft) = self.current(&about.key)
        {
            draft.set_cron_job_status(&status);
            self.urgent = true;
            self.write(about.key.clone(), draft);
        }
        self.timers.set(&about.key, wake_at);
        // What was just done is known.
        self.woken.remove(&about.key);
        for note in notes {
            let what = Happening {
                component: "cronjob-controller",
                warning: note.warning,
                reason: note.reason.into_owned(),
                message: note.message,
            };
            self.note(about, &what, now);
        }
    }

    /// Makes the Job as a client would, and puts it into the status.
    fn start_job(
        &mut self,
        start: Start,
        status: &mut CronJobStatus,
        now: Timestamp,
    ) -> Result<Note, StatusError> {
        let (draft, _) = self.admit(Draft::of_job(&start.job), now)?;
        let key = draft.key();
        if self.exists(&key) {
            return Err(StatusError::already_exists(key.kind, &key.name));
        }
        let uid = uid(&draft).map(|uid| uid.to_string()).unwrap_or_default();
        let reference = cron_job::reference(&key.namespace, &key.name, &uid);
        cron_job::started(status, reference, start.due);
        self.cron_jobs.skew.observe(now.duration_since(start.due).as_secs_f64());
        self.urgent = true;
        self.put(draft);
        let message = format!("Created job {}", key.name);
        Ok(Note { warning: false, reason: "SuccessfulCreate".into(), message })
    }

    /// How long after their time the Jobs of CronJobs were made.
    pub fn cron_job_skew(&self) -> &Skew {
        &self.cron_jobs.skew
    }

    /// When to make a Job again that was refused: the wait doubles.
    fn retry_at(&mut self, cron_job: Uid, refused: bool, now: Timestamp) -> Option<Timestamp> {
        let state = self.cron_jobs.get_mut(cron_job)?;
        if !refused {
            state.refusals = 0;
            return None;
        }
        let wait = REFUSED_RETRY.wait(state.refusals);
        state.refusals += 1;
        Some(now + wait)
    }
}
