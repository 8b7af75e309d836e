//! CronJobs.

use serde_json::Value;

use super::{
    pod::{selector, template},
    writer::{Writer, capital, list, long_time, moment, or, text},
};

const UNSET: &str = "<unset>";

/// Everything about a CronJob but its events.
pub(super) fn cron_job(writer: &mut Writer, cron_job: &Value) {
    let (spec, status) = (&cron_job["spec"], &cron_job["status"]);
    writer.head(cron_job);
    writer.field(0, "Schedule", &text(&spec["schedule"]));
    writer.field(0, "Concurrency Policy", &text(&spec["concurrencyPolicy"]));
    let suspend = if spec["suspend"].is_null() { UNSET } else { capital(&spec["suspend"]) };
    writer.field(0, "Suspend", suspend);
    writer.field(0, "Time Zone", &or(&spec["timeZone"], UNSET));
    let limit = |field: &str| or(&spec[field], UNSET);
    writer.field(0, "Successful Job History Limit", &limit("successfulJobsHistoryLimit"));
    writer.field(0, "Failed Job History Limit", &limit("failedJobsHistoryLimit"));
    let deadline = seconds(&spec["startingDeadlineSeconds"]);
    writer.field(0, "Starting Deadline Seconds", deadline.as_deref().unwrap_or(UNSET));
    jobs(writer, &spec["jobTemplate"]["spec"]);
    let last = moment(&status["lastScheduleTime"]).map(long_time);
    writer.field(0, "Last Schedule Time", last.as_deref().unwrap_or(UNSET));
    let active: Vec<String> =
        list(&status["active"]).iter().map(|job| text(&job["name"])).collect();
    let active = if active.is_empty() { "<none>".to_owned() } else { active.join(", ") };
    writer.field(0, "Active Jobs", &active);
}

/// What its Jobs are made from.
fn jobs(writer: &mut Writer, job: &Value) {
    let labels = match &job["selector"] {
        Value::Null => UNSET.to_owned(),
        labels => selector(labels),
    };
    writer.field(0, "Selector", &labels);
    writer.field(0, "Parallelism", &or(&job["parallelism"], UNSET));
    writer.field(0, "Completions", &or(&job["completions"], UNSET));
    if let Some(deadline) = seconds(&job["activeDeadlineSeconds"]) {
        writer.field(0, "Active Deadline Seconds", &deadline);
    }
    template(writer, &job["template"]);
}

fn seconds(value: &Value) -> Option<String> {
    value.as_i64().map(|seconds| format!("{seconds}s"))
}
