//! The lists of indexes of an Indexed Job, parsed. Whoever keeps Jobs keeps this beside each, so that
//! a look at a Job costs the same however long its lists are.

use kinds::types::batch::v1::{Job, JobStatus};

use super::success_policy::{Rule, rules};
use crate::IndexSet;

/// What the lists of a Job say below its completions; all empty unless it is Indexed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes {
    /// `status.completedIndexes`
    pub completed: IndexSet,
    /// `status.failedIndexes`
    pub failed: IndexSet,
    /// `spec.successPolicy`
    pub(super) rules: Vec<Rule>,
}

impl Indexes {
    /// Parses the lists of a Job.
    pub fn of(job: &Job) -> Self {
        let limit = completions(job);
        Self {
            completed: IndexSet::parse(completed(job), limit),
            failed: IndexSet::parse(failed(job), limit),
            rules: job.spec.as_ref().map(|spec| rules(spec, limit)).unwrap_or_default(),
        }
    }

    /// Takes in a newer revision of the Job, parsing only what changed.
    pub fn update(&mut self, old: &Job, new: &Job) {
        let limit = completions(new);
        if completions(old) != limit {
            *self = Self::of(new);
            return;
        }
        if completed(old) != completed(new) {
            self.completed = IndexSet::parse(completed(new), limit);
        }
        if failed(old) != failed(new) {
            self.failed = IndexSet::parse(failed(new), limit);
        }
    }
}

fn completions(job: &Job) -> u32 {
    let completions = job.spec.as_ref().and_then(|spec| spec.completions);
    completions.map_or(0, |n| u32::try_from(n).unwrap_or(0))
}

fn completed(job: &Job) -> &str {
    text(job, |status| status.completed_indexes.as_deref())
}

fn failed(job: &Job) -> &str {
    text(job, |status| status.failed_indexes.as_deref())
}

fn text(job: &Job, list: impl Fn(&JobStatus) -> Option<&str>) -> &str {
    job.status.as_ref().and_then(list).unwrap_or_default()
}
