//! One Job of a run, or one Pod that was submitted as such: its shape, its pods, its counts.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use jiff::Timestamp;
use kinds::{
    Uid,
    types::{
        batch::v1::{Job, JobStatus},
        core::v1::{Pod, PodSpec},
    },
};

use reconcile::IndexSet;

use super::{
    attempts::Tracked,
    events::{Event, Happening},
    failures::{Failures, IndexEnds, Rules},
    outcome::{End, Exit, Result},
    pods::Stuck,
};

/// The annotation of a Job that says how many completions an earlier one had done when this began:
/// there are no pods for them.
pub(crate) const DONE_ANNOTATION: &str = "coracle.local/rerun-done";

/// The reason given for a Job that has no pod after the start timeout.
const NO_POD: &str = "NoPod";

/// Names a Job or Pod as `kubectl` does: `job/etl`, `pod/probe`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    /// Whether it is a Job.
    pub(crate) is_job: bool,
    /// Namespace.
    pub(crate) namespace: String,
    /// Name.
    pub(crate) name: String,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", if self.is_job { "job" } else { "pod" }, self.name)
    }
}

/// A failure worth telling: which attempt at what, and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    /// The pod's name.
    pub(crate) pod: String,
    /// The pod's uid.
    pub(crate) uid: Uid,
    /// Its completion index.
    pub(crate) index: Option<u32>,
    /// The container's name; empty when the pod failed as a whole.
    pub(crate) container: String,
    /// Which attempt, from 1.
    pub(crate) attempt: u32,
    /// How it ended.
    pub(crate) exit: Exit,
    /// Whether the pod was being deleted.
    pub(crate) put_down: bool,
}

/// A container of the template, with its memory limit as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) memory_limit: Option<String>,
}

/// A Job or Pod that is followed.
#[derive(Debug)]
pub(crate) struct Work {
    /// Its name.
    pub(crate) id: Id,
    /// `spec.completions`; `None` for a work queue. 1 for a Pod.
    pub(crate) completions: Option<i32>,
    /// `spec.parallelism`
    pub(crate) parallelism: i32,
    /// Whether each pod has a completion index.
    pub(crate) indexed: bool,
    /// Completions 1 or unset, parallelism 1; or a Pod.
    pub(crate) single_pod: bool,
    /// The containers of a pod, init containers first.
    pub(crate) containers: Vec<Container>,
    /// Pods that succeeded, as the Job counts them.
    pub(crate) succeeded: i32,
    /// Pods that failed, as the Job counts them.
    pub(crate) failed_pods: i32,
    /// Pods that run now.
    pub(crate) running: usize,
    /// Attempts that failed.
    pub(crate) failures: u32,
    /// Attempts that came after a failed one.
    pub(crate) retried: u32,
    /// The last failure.
    pub(crate) last_failure: Option<Failure>,
    /// Why it is ending while pods of it are still to end: a reason and its sentence.
    pub(crate) ending: Option<String>,
    /// How it ended, once it has.
    pub(crate) end: Option<End>,
    /// When it was submitted.
    pub(crate) submitted: Timestamp,
    /// When it ended.
    pub(crate) ended: Option<Timestamp>,
    /// The image that its pods wait for, as long as none of them runs.
    pub(crate) pulling: Option<String>,
    /// The images that were told of.
    pub(super) pulled: HashSet<String>,
    /// The reason of the trouble that was told last.
    pub(super) trouble_told: Option<String>,
    /// Pods that have not ended.
    pub(super) pods: HashMap<Uid, Tracked>,
    /// Pods that ended: 16 bytes each, kept so that a repeated word about one says nothing new.
    pub(super) over: HashSet<Uid>,
    /// Of these, and of those that the Job began with.
    pub(super) over_succeeded: i32,
    pub(super) over_failed: i32,
    /// What ends attempts.
    pub(super) rules: Rules,
    /// The attempts that failed, at what did not succeed since.
    pub(super) failed: Failures,
    /// Which indexes succeeded and failed in the end.
    pub(super) index_ends: IndexEnds,
    /// Failed pods so far, by index; all under 0 where there are no indexes.
    pub(super) failed_by_index: HashMap<u32, u32>,
}

impl Work {
    pub(crate) fn of_job(job: &Job, now: Timestamp) -> Self {
        let spec = job.spec.clone().unwrap_or_default();
        let parallelism = spec.parallelism.unwrap_or(1);
        let single_pod = parallelism == 1 && spec.completions.unwrap_or(1) == 1;
        let meta = &job.metadata;
        let annotations = meta.annotations.as_ref();
        let done_before = annotations.and_then(|all| all.get(DONE_ANNOTATION)?.parse().ok());
        let rules = Rules::of(&spec);
        let pod = spec.template.spec.unwrap_or_default();
        Self {
            completions: spec.completions,
            parallelism,
            indexed: spec.completion_mode.as_deref() == Some("Indexed"),
            single_pod,
            rules,
            over_succeeded: done_before.unwrap_or(0),
            ..Self::new(true, meta.namespace.as_deref(), meta.name.as_deref(), &pod, now)
        }
    }

    pub(crate) fn of_pod(pod: &Pod, now: Timestamp) -> Self {
        let meta = &pod.metadata;
        let spec = pod.spec.clone().unwrap_or_default();
        Self::new(false, meta.namespace.as_deref(), meta.name.as_deref(), &spec, now)
    }

    fn new(
        is_job: bool,
        namespace: Option<&str>,
        name: Option<&str>,
        pod: &PodSpec,
        now: Timestamp,
    ) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let early = pod.init_containers.iter().flatten();
        let containers = early.chain(&pod.containers).map(|container| {
            let limits = container.resources.as_ref().and_then(|r| r.limits.as_ref());
            let memory = limits.and_then(|limits| limits.get("memory"));
            Container { name: container.name.clone(), memory_limit: memory.map(|q| q.0.clone()) }
        });
        Self {
            id: Id { is_job, namespace: text(namespace), name: text(name) },
            completions: Some(1),
            parallelism: 1,
            indexed: false,
            single_pod: true,
            containers: containers.collect(),
            succeeded: 0,
            failed_pods: 0,
            running: 0,
            failures: 0,
            retried: 0,
            last_failure: None,
            ending: None,
            end: None,
            submitted: now,
            ended: None,
            pulling: None,
            pulled: HashSet::new(),
            trouble_told: None,
            pods: HashMap::new(),
            over: HashSet::new(),
            over_succeeded: 0,
            over_failed: 0,
            rules: Rules::default(),
            failed: Failures::default(),
            index_ends: IndexEnds::default(),
            failed_by_index: HashMap::new(),
        }
    }

    /// Takes which indexes succeeded and failed from the status of a Job that ended.
    pub(super) fn set_index_ends(&mut self, status: &JobStatus) {
        let completions = self.completions.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let set = |text: &Option<String>| {
            IndexSet::parse(text.as_deref().unwrap_or_default(), completions)
        };
        if self.indexed {
            let (completed, failed) = (set(&status.completed_indexes), set(&status.failed_indexes));
            self.index_ends = IndexEnds { completed, failed, completions };
        }
    }

    /// What the exit code is decided by.
    pub(crate) fn result(&self) -> Result<'_> {
        Result {
            single_pod: self.single_pod,
            end: self.end.as_ref(),
            last_failure: self.last_failure.as_ref().map(|failure| &failure.exit),
        }
    }

    /// The memory limit of a container, as written.
    pub(crate) fn memory_limit(&self, container: &str) -> Option<&str> {
        let found = self.containers.iter().find(|c| c.name == container)?;
        found.memory_limit.as_deref()
    }

    /// An event of this work.
    pub(crate) fn event(&self, happening: Happening, now: Timestamp) -> Event {
        let mut event = Event::new(happening, now, &self.id.namespace);
        match self.id.is_job {
            true => event.job = Some(self.id.name.clone()),
            false => event.pod = Some(self.id.name.clone()),
        }
        event
    }

    /// Marks the end, once.
    pub(crate) fn finish(&mut self, end: End, now: Timestamp) {
        if self.end.is_none() {
            self.end = Some(end);
            self.ended = Some(now);
        }
    }

    /// The event of the end, once there is one.
    pub(crate) fn finished_event(&self) -> Option<Event> {
        let end = self.end.as_ref()?;
        let mut event = self.event(Happening::Finished, self.ended?);
        let (reason, message) = match end {
            End::Complete => ("Complete", ""),
            End::Deleted => ("Deleted", "it was deleted before it finished"),
            End::Left => ("Left", "it goes on for others"),
            End::Failed { reason, message } | End::NotStarted { reason, message } => {
                (reason.as_str(), message.as_str())
            }
        };
        event.reason = Some(reason.to_owned());
        event.message = (!message.is_empty()).then(|| message.to_owned());
        let failed = self.single_pod && !matches!(end, End::Complete);
        event.exit_code = self.last_failure.as_ref().filter(|_| failed).map(|f| f.exit.code);
        Some(event)
    }

    /// It goes on without this client.
    pub(crate) fn leave(&mut self, now: Timestamp) {
        self.pods.clear();
        self.running = 0;
        self.finish(End::Left, now);
    }

    /// Whether none of its pods is left that has not ended.
    pub(crate) fn no_pods(&self) -> bool {
        self.pods.is_empty()
    }

    /// Whether every pod that the Job counted was seen to end here.
    pub(crate) fn all_pods_seen(&self) -> bool {
        match self.end {
            Some(End::Complete | End::Failed { .. }) if self.id.is_job => {
                self.over_succeeded >= self.succeeded && self.over_failed >= self.failed_pods
            }
            _ => true,
        }
    }

    /// Why it does not start, if it does not. `idle` is since when nothing of the run runs; `None`
    /// while something does, and then waiting for room is no trouble.
    pub(crate) fn stuck(&self, idle: Option<Timestamp>) -> Option<Stuck> {
        if self.end.is_some() {
            return None;
        }
        let nothing_yet = self.pods.is_empty() && self.over.is_empty();
        if nothing_yet {
            let message = "no pod was created for it".to_owned();
            let reason = NO_POD.to_owned();
            return Some(Stuck {
                work: self.id.clone(),
                pod: String::new(),
                since: self.submitted,
                reason,
                message,
            });
        }
        let waiting = self.pods.values().filter(|pod| pod.seen.iter().all(|seen| seen.0 == 0));
        let stuck = waiting.filter_map(|pod| {
            let (room, reason, message) = match &pod.trouble {
                Some(trouble) => (trouble.room, &*trouble.reason, &*trouble.message),
                None => (true, "Pending", "nothing started it"),
            };
            let since = if room { pod.since.max(idle?) } else { pod.since };
            Some(Stuck {
                work: self.id.clone(),
                pod: pod.name.clone(),
                since,
                reason: reason.to_owned(),
                message: message.to_owned(),
            })
        });
        stuck.min_by_key(|stuck| stuck.since)
    }
}
