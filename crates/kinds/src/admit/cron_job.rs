//! CronJobs: defaults, and what makes a new or changed one wrong.

use serde_json::json;

use super::{
    job,
    job_spec::{self, non_negative},
    printed, semantic,
};
use crate::{
    FieldError, FieldErrors, Kind,
    cron::{Schedule, Zone},
    path::Path,
    types::batch::v1::{CronJob, CronJobSpec, JobSpec},
};

/// How many finished Jobs are kept of those that succeeded.
const SUCCESSFUL_JOBS_HISTORY_LIMIT: i32 = 3;

/// How many finished Jobs are kept of those that failed.
const FAILED_JOBS_HISTORY_LIMIT: i32 = 1;

/// Longest name, so that a hyphen and the minute may follow in the names of Jobs.
const NAME_BYTES_MAX: usize = 52;

/// Longest part of the name of a time zone, in bytes.
const ZONE_PART_BYTES_MAX: usize = 14;

/// What names a time zone in a schedule.
const ZONE_MARK: &str = "TZ";

const CONCURRENCY_POLICIES: [&str; 3] = ["Allow", "Forbid", "Replace"];

/// Defaults and validation; with `old` the CronJob replaces that one.
pub(super) fn finish(
    cron_job: &mut CronJob,
    old: Option<&CronJob>,
    warnings: &mut Vec<String>,
    errors: &mut FieldErrors,
) {
    let spec = &mut cron_job.spec;
    defaults(spec);
    let before = old.map(|old| &old.spec);
    check(spec, before, errors);
    let name = cron_job.metadata.name.as_deref().unwrap_or_default();
    let changed =
        before.is_none_or(|before| !semantic::same(Kind::CronJob, &["spec"], before, spec));
    if old.is_none() {
        if name.len() > NAME_BYTES_MAX {
            let text = format!("must be no more than {NAME_BYTES_MAX} characters");
            errors.push(FieldError::invalid(Path::top("metadata").field("name"), name, text));
        }
        warnings.extend(job::name_warning(name));
    } else {
        super::raise_generation(&mut cron_job.metadata.generation, changed);
    }
    if let Some(job) = spec.job_template.spec.as_ref().filter(|_| changed) {
        let template = Path::top("spec");
        let template = template.field("jobTemplate");
        warnings.extend(job::spec_warnings(job, template.field("spec")));
    }
    if old.is_some() && spec.schedule.contains(ZONE_MARK) {
        warnings.push("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details".to_owned());
    }
}

/// Fills in what the spec leaves out. What a Job leaves out stays open until there is one.
fn defaults(spec: &mut CronJobSpec) {
    super::container::fill(&mut spec.concurrency_policy, "Allow");
    spec.suspend.get_or_insert(false);
    spec.successful_jobs_history_limit.get_or_insert(SUCCESSFUL_JOBS_HISTORY_LIMIT);
    spec.failed_jobs_history_limit.get_or_insert(FAILED_JOBS_HISTORY_LIMIT);
    job::template_defaults(spec.job_template.spec.get_or_insert_default());
}

fn check(spec: &CronJobSpec, old: Option<&CronJobSpec>, errors: &mut FieldErrors) {
    let at = Path::top("spec");
    check_schedule(spec, old, at.field("schedule"), errors);
    let deadline = at.field("startingDeadlineSeconds");
    non_negative(spec.starting_deadline_seconds, deadline, errors);
    if old.is_none_or(|old| old.time_zone != spec.time_zone) {
        check_zone(spec.time_zone.as_deref(), at.field("timeZone"), errors);
    }
    let policy = spec.concurrency_policy.as_deref().unwrap_or_default();
    if !CONCURRENCY_POLICIES.contains(&policy) {
        let at = at.field("concurrencyPolicy");
        errors.push(FieldError::not_supported(at, policy, &CONCURRENCY_POLICIES));
    }
    let template = at.field("jobTemplate");
    let default = JobSpec::default();
    let job = spec.job_template.spec.as_ref().unwrap_or(&default);
    check_job(job, template.field("spec"), errors);
    for (field, limit) in [
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ] {
        non_negative(limit.map(i64::from), at.field(field), errors);
    }
}

/// A zone in the schedule is tolerated where there was one before.
fn check_schedule(
    spec: &CronJobSpec,
    old: Option<&CronJobSpec>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let schedule = spec.schedule.as_str();
    if schedule.is_empty() {
        return errors.push(FieldError::required(at, ""));
    }
    if let Err(wrong) = Schedule::parse(schedule) {
        errors.push(FieldError::invalid(at, schedule, wrong));
    }
    if !schedule.contains(ZONE_MARK) {
        return;
    }
    if !old.is_some_and(|old| old.schedule.contains(ZONE_MARK)) {
        let text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        errors.push(FieldError::invalid(at, schedule, text));
    } else if spec.time_zone.is_some() {
        let text = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
        errors.push(FieldError::invalid(at, schedule, text));
    }
}

fn check_zone(zone: Option<&str>, at: Path<'_>, errors: &mut FieldErrors) {
    let Some(zone) = zone else { return };
    let mut wrong = |text: &str| errors.push(FieldError::invalid(at, zone, text));
    if zone.is_empty() {
        return wrong("timeZone must be nil or non-empty string");
    }
    if !zone.split('/').all(is_zone_part) {
        return wrong(&format!("unknown time zone {zone}"));
    }
    if zone.eq_ignore_ascii_case("Local") {
        wrong(
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        );
    }
    if let Err(unknown) = Zone::load(zone)
        && zone != "Local"
    {
        wrong(&unknown);
    }
}

fn is_zone_part(part: &str) -> bool {
    let letters = part.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_+".contains(&b));
    letters
        && (1..=ZONE_PART_BYTES_MAX).contains(&part.len())
        && !matches!(part, "." | "..")
        && !part.starts_with('-')
}

/// The template of a Job gets its selector when there is a Job, so it may not have one of its own.
fn check_job(spec: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    job_spec::check(spec, at, errors);
    if let Some(selector) = &spec.selector {
        let (value, text) =
            (printed::selector(Some(selector)), "`selector` will be auto-generated");
        errors.push(FieldError::invalid_printed(at.field("selector"), value, text));
    }
    if spec.manual_selector == Some(true) {
        let (at, values) = (at.field("manualSelector"), ["nil", "false"]);
        errors.push(FieldError::not_supported(at, json!(true), &values));
    }
}
