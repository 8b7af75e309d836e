//! The Job that a CronJob makes for a time.

use jiff::Timestamp;
use kinds::{
    cron::Zone,
    metav1::{ObjectMeta, OwnerReference},
    types::{
        batch::v1::{CronJob, Job},
        core::v1::ObjectReference,
    },
};

/// The annotation that tells a Job for which time it was made.
pub const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// The name of the Job for a time: the same whoever asks, so that there cannot be two. A minute has
/// one, which is as fine as a schedule of five fields can be.
pub(super) fn name(cron_job: &CronJob, due: Timestamp) -> String {
    let name = cron_job.metadata.name.as_deref().unwrap_or_default();
    format!("{name}-{}", due.as_second().div_euclid(60))
}

/// The Job, as the template has it.
pub(super) fn of(cron_job: &CronJob, name: String, due: Timestamp) -> Job {
    let template = &cron_job.spec.job_template;
    let metadata = template.metadata.clone().unwrap_or_default();
    let mut annotations = metadata.annotations.unwrap_or_default();
    let zone = cron_job.spec.time_zone.as_deref().and_then(|zone| Zone::load(zone).ok());
    annotations.insert(SCHEDULED.to_owned(), zone.unwrap_or(Zone::UTC).rfc3339(due));
    let metadata = ObjectMeta {
        name: Some(name),
        namespace: cron_job.metadata.namespace.clone(),
        labels: metadata.labels,
        annotations: Some(annotations),
        owner_references: Some(vec![owner(cron_job)]),
        ..ObjectMeta::default()
    };
    Job { metadata, spec: Some(template.spec.clone().unwrap_or_default()), status: None }
}

fn owner(cron_job: &CronJob) -> OwnerReference {
    OwnerReference {
        api_version: "batch/v1".to_owned(),
        kind: "CronJob".to_owned(),
        name: cron_job.metadata.name.clone().unwrap_or_default(),
        uid: cron_job.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// How `status.active` names a Job. Its revision is not known before the transaction that makes it is
/// over, and nobody needs it.
pub fn reference(namespace: &str, name: &str, uid: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some("batch/v1".to_owned()),
        kind: Some("Job".to_owned()),
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        uid: Some(uid.to_owned()),
        ..ObjectReference::default()
    }
}

/// The Job that a CronJob makes for a time, by the name that it gives it.
pub fn job_for(cron_job: &CronJob, due: Timestamp) -> Job {
    of(cron_job, name(cron_job, due), due)
}
