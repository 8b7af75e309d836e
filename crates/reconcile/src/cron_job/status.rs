//! What a CronJob keeps and knows of its Jobs: the history of those that ended, and the list of those
//! that run.

use jiff::Timestamp;
use kinds::{metav1::Time, types::core::v1::ObjectReference};

use super::{Child, End, Plan, View};

impl Plan {
    /// Deletes the oldest of the Jobs that ended, beyond the number that is kept of each kind. This
    /// comes first and needs no Job to be made, so that a quota of Jobs cannot stop it.
    pub(super) fn clean_history(&mut self, view: &View) {
        let spec = &view.cron_job.spec;
        for (end, limit) in [
            (End::Complete, spec.successful_jobs_history_limit),
            (End::Failed, spec.failed_jobs_history_limit),
        ] {
            let Some(limit) = limit else { continue };
            let ended = view.jobs.iter().filter(|job| job.end == Some(end) && !job.deleting);
            let mut ended: Vec<&Child> = ended.copied().collect();
            ended.sort_by_key(|job| (job.started.unwrap_or(Timestamp::MAX), &job.name));
            let surplus = ended.len().saturating_sub(limit.max(0) as usize);
            for job in &ended[..surplus] {
                self.forget(|active| job.is(active));
                self.delete(&job.name);
            }
        }
    }

    /// Takes Jobs that ended off the list of active ones, and notes when the last one went well.
    pub(super) fn take_in_jobs(&mut self, view: &View) {
        for job in view.jobs {
            let listed = self.status.active.iter().flatten().any(|active| job.is(active));
            match job.end {
                None if !listed => {
                    self.warn(
                        "UnexpectedJob",
                        format!(
                            "Saw a job that the controller did not create or forgot: {}",
                            job.name
                        ),
                    );
                }
                Some(end) if listed => {
                    self.forget(|active| job.is(active));
                    self.note(
                        "SawCompletedJob",
                        format!("Saw completed job: {}, condition: {end:?}", job.name),
                    );
                }
                _ => {}
            }
            let last = self.status.last_successful_time.as_ref().map(|time| time.0);
            if job.end == Some(End::Complete) && last < job.completed {
                self.status.last_successful_time = job.completed.map(Time);
            }
        }
    }

    /// Takes Jobs off the list that are no more.
    pub(super) fn drop_missing(&mut self, view: &View) {
        let missing = |active: &ObjectReference| {
            let name = active.name.as_deref().unwrap_or_default();
            !view.jobs.iter().any(|job| job.is(active)) && !(view.exists)(name)
        };
        let gone = self.status.active.iter().flatten().filter(|active| missing(active));
        let gone: Vec<_> = gone.map(|active| active.name.clone().unwrap_or_default()).collect();
        self.forget(missing);
        for name in gone {
            self.note("MissingJob", format!("Active job went missing: {name}"));
        }
    }

    /// Deletes every active Job, to make place for the next.
    pub(super) fn delete_active(&mut self) {
        for job in self.status.active.take().unwrap_or_default() {
            self.delete(job.name.as_deref().unwrap_or_default());
        }
    }

    pub(super) fn deletes(&self, name: &str) -> bool {
        self.delete.iter().any(|deleted| deleted == name)
    }

    fn delete(&mut self, name: &str) {
        self.delete.push(name.to_owned());
        self.note("SuccessfulDelete", format!("Deleted job {name}"));
    }

    fn forget(&mut self, gone: impl Fn(&ObjectReference) -> bool) {
        if let Some(active) = &mut self.status.active {
            active.retain(|job| !gone(job));
        }
        self.status.active.take_if(|active| active.is_empty());
    }
}
