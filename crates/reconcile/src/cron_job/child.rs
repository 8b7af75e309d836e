//! What the controller knows of a Job of a CronJob: small enough to be kept for each.

use jiff::Timestamp;
use kinds::types::{
    batch::v1::{CronJob, Job},
    core::v1::ObjectReference,
};

use super::reference;

/// A Job that a CronJob controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// `metadata.name`
    pub name: Box<str>,
    /// `metadata.uid`
    pub uid: Box<str>,
    /// Whether its deletion has begun.
    pub deleting: bool,
    /// How it ended, once it has.
    pub end: Option<End>,
    /// `status.startTime`
    pub started: Option<Timestamp>,
    /// `status.completionTime`
    pub completed: Option<Timestamp>,
}

/// The terminal condition of a Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `Complete`
    Complete,
    /// `Failed`
    Failed,
}

impl Child {
    /// What is known of a Job.
    pub fn of(job: &Job) -> Self {
        let (meta, status) = (&job.metadata, job.status.as_ref());
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
        let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        let end =
            conditions.iter().filter(|condition| condition.status == "True").find_map(|c| match c
                .type_
                .as_str()
            {
                "Complete" => Some(End::Complete),
                "Failed" => Some(End::Failed),
                _ => None,
            });
        Self {
            name: text(&meta.name),
            uid: text(&meta.uid),
            deleting: meta.deletion_timestamp.is_some(),
            end,
            started: status.and_then(|status| status.start_time.as_ref()).map(|time| time.0),
            completed: status.and_then(|status| status.completion_time.as_ref()).map(|time| time.0),
        }
    }

    pub(super) fn is(&self, reference: &ObjectReference) -> bool {
        reference.uid.as_deref() == Some(&self.uid)
    }

    pub(super) fn reference(&self, cron_job: &CronJob) -> ObjectReference {
        let namespace = cron_job.metadata.namespace.clone().unwrap_or_default();
        reference(&namespace, &self.name, &self.uid)
    }
}
