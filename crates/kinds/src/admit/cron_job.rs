//! CronJobs: defaults.

use super::pod;
use crate::{
    FieldErrors,
    types::batch::v1::{CronJob, CronJobSpec},
};

/// How many finished Jobs are kept of those that succeeded.
const SUCCESSFUL_JOBS_HISTORY_LIMIT: i32 = 3;

/// How many finished Jobs are kept of those that failed.
const FAILED_JOBS_HISTORY_LIMIT: i32 = 1;

/// Defaults and validation; with `old` the CronJob replaces that one.
pub(super) fn finish(
    cron_job: &mut CronJob,
    old: Option<&CronJob>,
    _warnings: &mut Vec<String>,
    _errors: &mut FieldErrors,
) {
    defaults(&mut cron_job.spec);
    let changed = old.is_some_and(|old| old.spec != cron_job.spec);
    super::raise_generation(&mut cron_job.metadata.generation, changed);
}

/// Fills in what the spec leaves out. What a Job leaves out stays open until there is one.
fn defaults(spec: &mut CronJobSpec) {
    spec.concurrency_policy.get_or_insert_with(|| "Allow".to_owned());
    spec.suspend.get_or_insert(false);
    spec.successful_jobs_history_limit.get_or_insert(SUCCESSFUL_JOBS_HISTORY_LIMIT);
    spec.failed_jobs_history_limit.get_or_insert(FAILED_JOBS_HISTORY_LIMIT);
    let job = spec.job_template.spec.get_or_insert_default();
    pod::defaults(job.template.spec.get_or_insert_default(), false);
}
