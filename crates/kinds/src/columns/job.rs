//! Jobs in tables.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Row, Table,
    cells::{
        AGE, CONTAINERS, IMAGES, NAME, Template, age, name, plain, selector, text, view, wide,
    },
    time,
};
use crate::{Object, metav1::LabelSelector};

pub(super) static JOB: Table = Table {
    columns: &[
        NAME,
        text("Status", "Complete, Failed, or what keeps the job from either"),
        text("Completions", "Successful pods out of those that are wanted"),
        text("Duration", "Time from the start of the job to its completion, or up to now"),
        AGE,
        CONTAINERS,
        IMAGES,
        wide("Selector", "Labels of the pods that count for the job"),
    ],
    row,
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Job {
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    completions: Option<i32>,
    parallelism: i32,
    selector: Option<LabelSelector>,
    template: Template,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    conditions: Vec<Condition>,
    succeeded: i32,
    start_time: Option<Timestamp>,
    completion_time: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
}

fn row(object: &Object, now: Timestamp) -> Row {
    let job: Job = view(object);
    plain([
        name(object),
        job.state(object.deleting()).into(),
        job.completions().into(),
        job.duration(now),
        age(object, now),
        job.spec.template.names(),
        job.spec.template.images(),
        selector(job.spec.selector.as_ref()),
    ])
}

impl Job {
    fn state(&self, deleting: bool) -> &'static str {
        let holds = |wanted: &str| {
            let first = self.status.conditions.iter().find(|c| c.r#type == wanted);
            first.is_some_and(|c| c.status == "True")
        };
        let state = |wanted: &'static str| holds(wanted).then_some(wanted);
        state("Complete")
            .or_else(|| state("Failed"))
            .or_else(|| deleting.then_some("Terminating"))
            .or_else(|| state("Suspended"))
            .or_else(|| state("FailureTarget"))
            .or_else(|| state("SuccessCriteriaMet"))
            .unwrap_or("Running")
    }

    fn completions(&self) -> String {
        let succeeded = self.status.succeeded;
        match (self.spec.completions, self.spec.parallelism) {
            (Some(wanted), _) => format!("{succeeded}/{wanted}"),
            (None, parallelism @ 2..) => format!("{succeeded}/1 of {parallelism}"),
            (None, _) => format!("{succeeded}/1"),
        }
    }

    /// A Job that failed has no completion time and goes on counting, as upstream's does.
    fn duration(&self, now: Timestamp) -> Value {
        let Some(start) = self.status.start_time else { return "".into() };
        time::human_duration(start, self.status.completion_time.unwrap_or(now)).into()
    }
}
