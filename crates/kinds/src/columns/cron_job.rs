//! CronJobs in tables.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Column, Row, Table,
    cells::{
        AGE, CONTAINERS, IMAGES, NAME, NONE, Template, age, name, plain, selector, text, view, wide,
    },
    time,
};
use crate::{Object, metav1::LabelSelector};

pub(super) static CRON_JOB: Table = Table {
    columns: &[
        NAME,
        text("Schedule", "When jobs are started, in cron's notation"),
        text("Timezone", "The time zone in which the schedule is read"),
        Column { kind: "boolean", ..text("Suspend", "Whether no more jobs are started") },
        Column { kind: "integer", ..text("Active", "Number of jobs that are running") },
        text("Last Schedule", "Time since a job was last due and started"),
        AGE,
        CONTAINERS,
        IMAGES,
        wide("Selector", "Selector of the job template"),
    ],
    row,
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct CronJob {
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    schedule: String,
    time_zone: Option<String>,
    suspend: Option<bool>,
    job_template: JobTemplate,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobTemplate {
    spec: JobSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobSpec {
    selector: Option<LabelSelector>,
    template: Template,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    active: Vec<Value>,
    last_schedule_time: Option<Timestamp>,
}

fn row(object: &Object, now: Timestamp) -> Row {
    let CronJob { spec, status } = view(object);
    let job = &spec.job_template.spec;
    plain([
        name(object),
        spec.schedule.into(),
        spec.time_zone.unwrap_or_else(|| NONE.to_owned()).into(),
        match spec.suspend {
            Some(true) => "True",
            Some(false) => "False",
            None => "<unset>",
        }
        .into(),
        status.active.len().into(),
        status
            .last_schedule_time
            .map_or_else(|| NONE.to_owned(), |at| time::since(Some(at), now))
            .into(),
        age(object, now),
        job.template.names(),
        job.template.images(),
        selector(job.selector.as_ref()),
    ])
}
