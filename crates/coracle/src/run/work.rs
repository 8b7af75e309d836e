//! One Job of a run, or one Pod that was submitted as such: its shape, its pods, its counts.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use jiff::Timestamp;
use kinds::{
    Uid,
    types::{
        batch::v1::Job,
        core::v1::{Pod, PodSpec},
    },
};

use super::{
    events::{Event, Happening},
    outcome::{End, Exit, Result},
    pods::{ContainerView, LogRead, Phase, PodView, Stuck},
    progress::Changes,
};

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
    /// The containers of a pod.
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
    /// How it ended, once it has.
    pub(crate) end: Option<End>,
    /// When it was submitted.
    pub(crate) submitted: Timestamp,
    /// When it ended.
    pub(crate) ended: Option<Timestamp>,
    /// The reason of the trouble that was told last.
    trouble_told: Option<String>,
    /// Pods that have not ended.
    pods: HashMap<Uid, Tracked>,
    /// Pods that ended: 16 bytes each, kept so that a repeated word about one says nothing new.
    over: HashSet<Uid>,
    over_succeeded: i32,
    over_failed: i32,
    /// Failed pods so far, by index; all under 0 where there are no indexes.
    failed_by_index: HashMap<u32, u32>,
}

/// What is known of a pod that has not ended.
#[derive(Debug)]
struct Tracked {
    name: String,
    since: Timestamp,
    scheduled: bool,
    /// Whether it runs now.
    running: bool,
    /// Earlier pods that failed at the same work.
    attempts_before: u32,
    /// Per container: attempts that started, attempts that ended.
    seen: Vec<(u32, u32)>,
    trouble: Option<Trouble>,
}

/// What a pending pod waits for.
#[derive(Clone, Debug, PartialEq)]
struct Trouble {
    /// Whether only room is missing, which other pods may give back.
    room: bool,
    reason: String,
    message: String,
}

impl Work {
    pub(crate) fn of_job(job: &Job, now: Timestamp) -> Self {
        let spec = job.spec.clone().unwrap_or_default();
        let parallelism = spec.parallelism.unwrap_or(1);
        let single_pod = parallelism == 1 && spec.completions.unwrap_or(1) == 1;
        let meta = &job.metadata;
        let pod = spec.template.spec.unwrap_or_default();
        Self {
            completions: spec.completions,
            parallelism,
            indexed: spec.completion_mode.as_deref() == Some("Indexed"),
            single_pod,
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
        let containers = pod.containers.iter().map(|container| {
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
            end: None,
            submitted: now,
            ended: None,
            trouble_told: None,
            pods: HashMap::new(),
            over: HashSet::new(),
            over_succeeded: 0,
            over_failed: 0,
            failed_by_index: HashMap::new(),
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

    /// Takes one of its pods as it is now.
    pub(crate) fn pod(&mut self, uid: Uid, view: &PodView, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        if self.over.contains(&uid) {
            return changes;
        }
        let work_index = view.index.unwrap_or(0);
        let before = self.failed_by_index.get(&work_index).copied().unwrap_or(0);
        let mut pod = self.pods.remove(&uid).unwrap_or_else(|| Tracked {
            name: view.name.clone(),
            since: now,
            scheduled: false,
            running: false,
            attempts_before: if self.indexed || self.single_pod { before } else { 0 },
            seen: vec![(0, 0); view.containers.len()],
            trouble: None,
        });
        self.running -= usize::from(pod.running);
        pod.seen.resize(view.containers.len(), (0, 0));
        if view.scheduled && !pod.scheduled {
            pod.scheduled = true;
            changes.events.push(self.pod_event(Happening::Scheduled, &pod, view, now));
        }
        for (at, container) in view.containers.iter().enumerate() {
            self.container(uid, &mut pod, view, (at, container), &mut changes, now);
        }
        pod.running = view.phase == Phase::Running && view.containers.iter().any(|c| c.running);
        pod.trouble = trouble(view);
        changes.waits = self.tell_trouble(&pod);
        match view.phase {
            Phase::Pending | Phase::Running => {
                self.running += usize::from(pod.running);
                self.pods.insert(uid, pod);
            }
            Phase::Succeeded => {
                self.over.insert(uid);
                self.over_succeeded += 1;
                changes.events.push(self.pod_event(Happening::Succeeded, &pod, view, now));
                if !self.id.is_job {
                    self.succeeded = 1;
                    self.finish(End::Complete, now);
                }
            }
            Phase::Failed => self.pod_failed(uid, &pod, view, &mut changes, now),
        }
        changes
    }

    /// The pod's trouble, if it is not the one that was told last.
    fn tell_trouble(&mut self, pod: &Tracked) -> Option<Stuck> {
        let trouble = pod.trouble.as_ref()?;
        if self.trouble_told.as_ref() == Some(&trouble.reason) {
            return None;
        }
        self.trouble_told = Some(trouble.reason.clone());
        Some(Stuck {
            work: self.id.clone(),
            pod: pod.name.clone(),
            since: pod.since,
            reason: trouble.reason.clone(),
            message: trouble.message.clone(),
        })
    }

    fn pod_failed(
        &mut self,
        uid: Uid,
        pod: &Tracked,
        view: &PodView,
        changes: &mut Changes,
        now: Timestamp,
    ) {
        self.over.insert(uid);
        self.over_failed += 1;
        *self.failed_by_index.entry(view.index.unwrap_or(0)).or_default() += 1;
        let told = self.last_failure.as_ref().is_some_and(|last| last.uid == uid);
        if !told {
            // No container of it failed: the pod did, as by a deadline.
            let exit = Exit {
                code: view.containers.iter().find_map(|c| c.exit.as_ref()).map_or(1, |e| e.code),
                reason: view.reason.clone(),
                message: view.message.clone(),
                signal: None,
            };
            changes.events.push(self.failed(uid, pod, view, ("", 1, &exit), now));
        }
        if !self.id.is_job {
            self.failed_pods = 1;
            let (reason, message) = (view.reason.clone(), view.message.clone());
            let reason = if reason.is_empty() { "Failed".to_owned() } else { reason };
            self.finish(End::Failed { reason, message }, now);
        }
    }

    /// Takes one container: what started and what ended since it was seen last.
    fn container(
        &mut self,
        uid: Uid,
        pod: &mut Tracked,
        view: &PodView,
        (at, container): (usize, &ContainerView),
        changes: &mut Changes,
        now: Timestamp,
    ) {
        let first = pod.seen.iter().all(|seen| seen.0 == 0);
        let (started, mut ended) = pod.seen[at];
        for attempt in started + 1..=container.started {
            if ended < attempt - 1 {
                // Ended and started again between two looks: in the order in which it happened.
                self.ended(uid, pod, view, (container, attempt - 1), changes, now);
                ended = attempt - 1;
            }
            let again = attempt > 1 || pod.attempts_before > 0;
            if again || first {
                let happening = if again { Happening::Retried } else { Happening::Started };
                self.retried += u32::from(again);
                let mut event = self.pod_event(happening, pod, view, now);
                event.attempt = Some(pod.attempts_before + attempt);
                changes.events.push(event);
            }
            changes.logs.push(LogRead {
                work: self.id.clone(),
                namespace: self.id.namespace.clone(),
                pod: view.name.clone(),
                uid,
                index: view.index,
                container: container.name.clone(),
                restarts: attempt - 1,
                attempt: pod.attempts_before + attempt,
            });
        }
        if container.ended > ended {
            self.ended(uid, pod, view, (container, container.ended), changes, now);
        }
        pod.seen[at] = (container.started.max(started), container.ended.max(ended));
    }

    /// One attempt ended. Only the last one's exit is in the status, as the present or previous one.
    fn ended(
        &mut self,
        uid: Uid,
        pod: &Tracked,
        view: &PodView,
        (container, attempt): (&ContainerView, u32),
        changes: &mut Changes,
        now: Timestamp,
    ) {
        let exit = container.exit.as_ref().filter(|_| attempt == container.ended);
        if let Some(exit) = exit.filter(|exit| exit.code != 0) {
            let what = (container.name.as_str(), attempt, exit);
            changes.events.push(self.failed(uid, pod, view, what, now));
        }
    }

    fn failed(
        &mut self,
        uid: Uid,
        pod: &Tracked,
        view: &PodView,
        (container, attempt, exit): (&str, u32, &Exit),
        now: Timestamp,
    ) -> Event {
        let mut event = self.pod_event(Happening::Failed, pod, view, now);
        let attempt = pod.attempts_before + attempt;
        event.attempt = Some(attempt);
        event.exit_code = Some(exit.code);
        event.signal = exit.killed_by();
        event.reason = (!exit.reason.is_empty()).then(|| exit.reason.clone());
        event.message = (!exit.message.is_empty()).then(|| exit.message.clone());
        self.failures += 1;
        self.last_failure = Some(Failure {
            pod: pod.name.clone(),
            uid,
            index: view.index,
            container: container.to_owned(),
            attempt,
            exit: exit.clone(),
        });
        event
    }

    fn pod_event(
        &self,
        happening: Happening,
        pod: &Tracked,
        view: &PodView,
        now: Timestamp,
    ) -> Event {
        let mut event = self.event(happening, now);
        event.pod = Some(pod.name.clone());
        event.index = view.index;
        event
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

    /// One of its pods is gone from the store.
    pub(crate) fn pod_gone(&mut self, uid: Uid) {
        if let Some(pod) = self.pods.remove(&uid) {
            self.running -= usize::from(pod.running);
            self.over.insert(uid);
            self.over_failed += 1;
        }
    }

    /// Of its pods that have not ended only these are there.
    pub(crate) fn only_pods(&mut self, there: &HashSet<Uid>) {
        let missing: Vec<Uid> =
            self.pods.keys().filter(|uid| !there.contains(uid)).copied().collect();
        missing.into_iter().for_each(|uid| self.pod_gone(uid));
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

/// What the status says against a start.
fn trouble(view: &PodView) -> Option<Trouble> {
    if let Some((reason, message)) = &view.unscheduled {
        return Some(Trouble { room: true, reason: reason.clone(), message: message.clone() });
    }
    let (reason, message) = view.containers.iter().find_map(|c| c.refused.clone())?;
    Some(Trouble { room: false, reason, message })
}
