//! A Job's spec as the controller reads it: every default filled in.

use jiff::SignedDuration;
use kinds::types::batch::v1::{Job, JobSpec};

use super::{
    facts::{Phase, PodFacts},
    names::OWN_MANAGER,
};

/// Upstream's default of `spec.backoffLimit`.
const BACKOFF_LIMIT_DEFAULT: i32 = 6;

/// How the ends of pods make up the end of the Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// So many successes, whichever pods they come from.
    Count(u32),
    /// One success for each index below this.
    Indexed(u32),
    /// A work queue: the first success means that the queue is empty.
    Queue,
}

/// What the Job asks for.
pub(super) struct Terms<'a> {
    pub(super) job: &'a Job,
    pub(super) spec: &'a JobSpec,
    pub(super) mode: Mode,
    pub(super) parallelism: usize,
    pub(super) backoff_limit: i32,
    pub(super) deadline: Option<SignedDuration>,
    pub(super) suspended: bool,
    /// The Job is being deleted: it gets no new pods and lets go of those it has.
    pub(super) deleting: bool,
    /// A terminating pod occupies its place until it has ended.
    pub(super) replace_failed_only: bool,
    /// How often a pod of one index may be tried again; only Indexed Jobs have such a limit.
    pub(super) limit_per_index: Option<u32>,
    /// How many indexes may fail before the Job does.
    pub(super) max_failed_indexes: Option<u32>,
    /// Containers are restarted in their pod, and those restarts count.
    pub(super) restarts_in_place: bool,
}

/// `spec.completionMode` is none that this controller knows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownMode;

impl<'a> Terms<'a> {
    pub(super) fn of(job: &'a Job) -> Result<Self, UnknownMode> {
        let spec = job.spec.as_ref().expect("a stored Job has a spec");
        let number = |n: i32| u32::try_from(n).unwrap_or(0);
        let completions = spec.completions.map(number);
        let mode = match (spec.completion_mode.as_deref(), completions) {
            (None | Some("NonIndexed"), None) => Mode::Queue,
            (None | Some("NonIndexed"), Some(n)) => Mode::Count(n),
            (Some("Indexed"), n) => Mode::Indexed(n.unwrap_or(0)),
            _ => return Err(UnknownMode),
        };
        let indexed = matches!(mode, Mode::Indexed(_));
        let pod = spec.template.spec.as_ref();
        Ok(Self {
            job,
            spec,
            mode,
            parallelism: usize::try_from(spec.parallelism.unwrap_or(1)).unwrap_or(0),
            backoff_limit: spec.backoff_limit.unwrap_or(BACKOFF_LIMIT_DEFAULT),
            deadline: spec.active_deadline_seconds.map(SignedDuration::from_secs),
            suspended: spec.suspend == Some(true),
            deleting: job.metadata.deletion_timestamp.is_some(),
            replace_failed_only: spec.pod_replacement_policy.as_deref() == Some("Failed")
                || spec.pod_failure_policy.is_some(),
            limit_per_index: spec.backoff_limit_per_index.filter(|_| indexed).map(number),
            max_failed_indexes: spec.max_failed_indexes.map(number),
            restarts_in_place: pod.and_then(|s| s.restart_policy.as_deref()) == Some("OnFailure"),
        })
    }

    /// Whether a pod with this index can count: any pod does unless the Job is Indexed.
    pub(super) fn counts(&self, index: Option<u32>) -> bool {
        match self.mode {
            Mode::Indexed(completions) => index.is_some_and(|index| index < completions),
            Mode::Count(_) | Mode::Queue => true,
        }
    }

    /// How this pod ended, if it did. A pod that is being deleted has failed, since it may never
    /// reach a phase of its own, unless its place is only given away when it has ended.
    pub(super) fn end(&self, pod: &PodFacts) -> Option<End> {
        match pod.phase {
            Phase::Succeeded => Some(End::Succeeded),
            Phase::Failed => Some(End::Failed),
            _ if pod.deleting && !self.replace_failed_only => Some(End::Failed),
            _ => None,
        }
    }
}

/// How a pod ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    Failed,
}

/// Whether another controller looks after this Job.
pub(super) fn managed_elsewhere(job: &Job) -> bool {
    let manager = job.spec.as_ref().and_then(|spec| spec.managed_by.as_deref());
    manager.is_some_and(|manager| manager != OWN_MANAGER)
}
