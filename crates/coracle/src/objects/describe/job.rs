//! Jobs.

use serde_json::Value;

use super::{
    pod::{selector, template},
    writer::{Writer, moment, or, text},
};

/// How much of the completed indexes is shown, in characters; the index there is shown whole.
const INDEXES_SHOWN: usize = 50;

/// Everything about a Job but its events. `failure` is what `run` would say of it at its end.
pub(super) fn job(writer: &mut Writer, job: &Value, failure: &[String]) {
    let (metadata, spec, status) = (&job["metadata"], &job["spec"], &job["status"]);
    writer.field(0, "Name", &text(&metadata["name"]));
    writer.field(0, "Namespace", &text(&metadata["namespace"]));
    writer.field(0, "Selector", &selector(&spec["selector"]));
    writer.labels(0, "Labels", &metadata["labels"]);
    writer.annotations(0, "Annotations", &metadata["annotations"]);
    writer.controller(job);
    writer.given(0, "Parallelism", &spec["parallelism"]);
    writer.field(0, "Completions", &or(&spec["completions"], "<unset>"));
    writer.given(0, "Completion Mode", &spec["completionMode"]);
    writer.given(0, "Suspend", &spec["suspend"]);
    writer.given(0, "Backoff Limit", &spec["backoffLimit"]);
    writer.given(0, "TTL Seconds After Finished", &spec["ttlSecondsAfterFinished"]);
    writer.time(0, "Start Time", &status["startTime"]);
    writer.time(0, "Completed At", &status["completionTime"]);
    if let (Some(from), Some(to)) =
        (moment(&status["startTime"]), moment(&status["completionTime"]))
    {
        writer.field(0, "Duration", &kinds::columns::human_duration(from, to));
    }
    if let Some(seconds) = spec["activeDeadlineSeconds"].as_i64() {
        writer.field(0, "Active Deadline Seconds", &format!("{seconds}s"));
    }
    writer.field(0, "Pods Statuses", &pods(status));
    if spec["completionMode"] == "Indexed" {
        writer.field(0, "Completed Indexes", &indexes(&text(&status["completedIndexes"])));
    }
    template(writer, &spec["template"]);
    if !failure.is_empty() {
        writer.line(0, "Failure:");
        failure.iter().for_each(|line| writer.line(1, &line.replace('\t', "    ")));
    }
}

fn pods(status: &Value) -> String {
    let count = |field: &str| or(&status[field], "0");
    let ready = match text(&status["ready"]) {
        ready if ready.is_empty() => String::new(),
        ready => format!(" ({ready} Ready)"),
    };
    format!(
        "{} Active{ready} / {} Succeeded / {} Failed",
        count("active"),
        count("succeeded"),
        count("failed")
    )
}

fn indexes(all: &str) -> String {
    if all.is_empty() {
        return "<none>".to_owned();
    }
    let cut = all.get(INDEXES_SHOWN..).and_then(|rest| rest.find(','));
    match cut {
        Some(at) => format!("{}...", &all[..=INDEXES_SHOWN + at]),
        None => all.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_indexes_are_cut_at_a_comma() {
        assert_eq!(indexes(""), "<none>");
        assert_eq!(indexes("0-5,7"), "0-5,7");
        let long: Vec<String> = (10..60).map(|n| n.to_string()).collect();
        assert_eq!(
            indexes(&long.join(",")),
            "10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,..."
        );
    }
}
