//! What the Job controller did, counted under upstream's names. Time is not measured here: the engine
//! has no clock of its own, and a look at a Job takes microseconds.

use std::collections::BTreeMap;

use kinds::types::batch::v1::{Job, JobStatus};
use reconcile::IndexSet;

use crate::Engine;

/// Reasons of failed Jobs that are told one by one; whatever else somebody declared is told as
/// `Other`, so that their number stays small.
const REASONS: [&str; 7] = [
    "BackoffLimitExceeded",
    "CompletionsReached",
    "DeadlineExceeded",
    "FailedIndexes",
    "MaxFailedIndexesExceeded",
    "PodFailurePolicy",
    "SuccessPolicy",
];

/// A family of counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Counter {
    JobsFinished,
    PodsFinished,
    IndexesFinished,
    PodFailures,
    PodsCreated,
}

/// A family as it is told.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    counter: Counter,
    /// Its name.
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
    labels: [&'static str; 3],
}

/// All of them.
pub const JOB_FAMILIES: [Family; 5] = [
    Family {
        counter: Counter::JobsFinished,
        name: "job_controller_jobs_finished_total",
        help: "Jobs that finished.",
        labels: ["completion_mode", "result", "reason"],
    },
    Family {
        counter: Counter::PodsFinished,
        name: "job_controller_job_pods_finished_total",
        help: "Pods of Jobs that were counted.",
        labels: ["completion_mode", "result", ""],
    },
    Family {
        counter: Counter::IndexesFinished,
        name: "job_controller_job_finished_indexes_total",
        help: "Indexes that succeeded or failed.",
        labels: ["status", "backoffLimit", ""],
    },
    Family {
        counter: Counter::PodFailures,
        name: "job_controller_pod_failures_handled_by_failure_policy_total",
        help: "Failed pods that a rule of a failure policy matched.",
        labels: ["action", "", ""],
    },
    Family {
        counter: Counter::PodsCreated,
        name: "job_controller_job_pods_creation_total",
        help: "Pods that were made, or should have been.",
        labels: ["reason", "status", ""],
    },
];

impl Engine {
    /// What the Job controller did since the start: the samples of a family, each with its labels.
    pub fn job_samples(
        &self,
        family: &Family,
    ) -> impl Iterator<Item = (Vec<(&'static str, &'static str)>, u64)> {
        self.job_metrics.samples(family)
    }
}

/// The counters; labels that a family lacks are empty.
#[derive(Default)]
pub(crate) struct JobMetrics(BTreeMap<(Counter, [&'static str; 3]), u64>);

impl JobMetrics {
    /// The samples of a family: labels and values, and the count.
    pub(crate) fn samples(
        &self,
        family: &Family,
    ) -> impl Iterator<Item = (Vec<(&'static str, &'static str)>, u64)> {
        let counters = self.0.iter().filter(|((counter, _), _)| *counter == family.counter);
        counters.map(|((_, values), count)| {
            let labels = family.labels.into_iter().zip(*values);
            (labels.filter(|(label, _)| !label.is_empty()).collect(), *count)
        })
    }

    fn add(&mut self, counter: Counter, labels: [&'static str; 3], count: u64) {
        if count > 0 {
            *self.0.entry((counter, labels)).or_default() += count;
        }
    }

    /// A rule of a failure policy decided about a pod that ended.
    pub(crate) fn judged(&mut self, action: &'static str) {
        self.add(Counter::PodFailures, [action, "", ""], 1);
    }

    /// A pod was made for a Job, or refused.
    pub(crate) fn created(&mut self, job: &Job, refused: bool) {
        let status = if refused { "failed" } else { "succeeded" };
        let counts = job.status.as_ref();
        let above_zero = |field: fn(&JobStatus) -> Option<i32>| counts.and_then(field) > Some(0);
        let failed = above_zero(|status| status.failed);
        let policy = job.spec.as_ref().and_then(|spec| spec.pod_replacement_policy.as_deref());
        let reason = match policy {
            Some("Failed") if failed => "recreate_failed",
            _ if failed || above_zero(|status| status.terminating) => {
                "recreate_terminating_or_failed"
            }
            _ => "new",
        };
        self.add(Counter::PodsCreated, [reason, status, ""], 1);
    }

    /// A Job, as it was, gets this status.
    pub(crate) fn changed(&mut self, before: &Job, after: &JobStatus) {
        let Some(spec) = &before.spec else { return };
        let indexed = spec.completion_mode.as_deref() == Some("Indexed");
        let mode = if indexed { "Indexed" } else { "NonIndexed" };
        let old = before.status.clone().unwrap_or_default();
        let grown = |new: Option<i32>, old: Option<i32>| {
            u64::try_from(new.unwrap_or(0) - old.unwrap_or(0)).unwrap_or(0)
        };
        let pods = [
            ("succeeded", grown(after.succeeded, old.succeeded)),
            ("failed", grown(after.failed, old.failed)),
        ];
        for (result, count) in pods {
            self.add(Counter::PodsFinished, [mode, result, ""], count);
        }
        if indexed {
            let limit = match spec.backoff_limit_per_index {
                Some(_) => "perIndex",
                None => "global",
            };
            self.add(Counter::IndexesFinished, ["succeeded", limit, ""], pods[0].1);
            let failed = |status: &JobStatus| {
                let text = status.failed_indexes.as_deref().unwrap_or_default();
                u64::from(IndexSet::parse(text, u32::MAX).len())
            };
            let grown = if after.failed_indexes == old.failed_indexes {
                0
            } else {
                failed(after).saturating_sub(failed(&old))
            };
            self.add(Counter::IndexesFinished, ["failed", limit, ""], grown);
        }
        for condition in after.conditions.iter().flatten().filter(|c| c.status == "True") {
            let result = match &*condition.type_ {
                "Complete" => "succeeded",
                "Failed" => "failed",
                _ => continue,
            };
            let reason = condition.reason.as_deref().unwrap_or_default();
            let reason = REASONS.into_iter().find(|known| *known == reason).unwrap_or("Other");
            self.add(Counter::JobsFinished, [mode, result, reason], 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use kinds::types::batch::v1::{Job, JobCondition, JobSpec, JobStatus};

    use super::{JOB_FAMILIES, JobMetrics};

    fn told(metrics: &JobMetrics) -> Vec<String> {
        let samples = JOB_FAMILIES.iter().flat_map(|family| {
            metrics.samples(family).map(|(labels, count)| {
                let values: Vec<_> = labels.iter().map(|(_, value)| *value).collect();
                format!("{} {} {count}", family.name, values.join(","))
            })
        });
        samples.collect()
    }

    #[test]
    fn what_a_status_adds_is_counted() {
        let spec = JobSpec {
            completion_mode: Some("Indexed".to_owned()),
            backoff_limit_per_index: Some(1),
            ..JobSpec::default()
        };
        let before = JobStatus {
            succeeded: Some(1),
            failed: Some(2),
            failed_indexes: Some("3".to_owned()),
            ..JobStatus::default()
        };
        let condition = JobCondition {
            type_: "Failed".to_owned(),
            status: "True".to_owned(),
            reason: Some("Whim".to_owned()),
            ..JobCondition::default()
        };
        let after = JobStatus {
            succeeded: Some(4),
            failed: Some(4),
            failed_indexes: Some("3,5".to_owned()),
            conditions: Some(vec![condition]),
            ..JobStatus::default()
        };
        let job = Job { spec: Some(spec), status: Some(before), ..Job::default() };
        let mut metrics = JobMetrics::default();
        metrics.changed(&job, &after);
        metrics.created(&job, true);
        metrics.judged("Ignore");
        let expected = [
            "job_controller_jobs_finished_total Indexed,failed,Other 1",
            "job_controller_job_pods_finished_total Indexed,failed 2",
            "job_controller_job_pods_finished_total Indexed,succeeded 3",
            "job_controller_job_finished_indexes_total failed,perIndex 1",
            "job_controller_job_finished_indexes_total succeeded,perIndex 3",
            "job_controller_pod_failures_handled_by_failure_policy_total Ignore 1",
            "job_controller_job_pods_creation_total recreate_terminating_or_failed,failed 1",
        ];
        assert_eq!(told(&metrics), expected);
    }
}
