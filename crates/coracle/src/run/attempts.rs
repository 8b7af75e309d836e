//! What happens to the pods of a Job or Pod of the run: which attempts started, which ended and how,
//! and what a pod that does not start waits for. A pod's state may be told twice, or only the last
//! of several.

use std::collections::HashSet;

use jiff::Timestamp;
use kinds::Uid;

use super::{
    events::{Event, Happening},
    failures::Attempt,
    outcome::{End, Exit},
    pods::{ContainerView, LogRead, Phase, PodView, Stuck},
    progress::Changes,
    work::{Failure, Work},
};

/// What is known of a pod that has not ended.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) name: String,
    pub(super) since: Timestamp,
    pub(super) scheduled: bool,
    /// Whether it runs now.
    pub(super) running: bool,
    /// Earlier pods that failed at the same work.
    pub(super) attempts_before: u32,
    /// Per container: attempts that started, attempts that ended.
    pub(super) seen: Vec<(u32, u32)>,
    pub(super) trouble: Option<Trouble>,
}

/// What a pending pod waits for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trouble {
    /// Whether only room is missing, which other pods may give back.
    pub(super) room: bool,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Work {
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
            attempts_before: if self.same_work() { before } else { 0 },
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
        if pod.running {
            self.pulling = None;
        }
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
                if self.same_work() {
                    self.failed.forget(view.index);
                }
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
        let (matched, put_down) = (view.matched, view.deleting);
        // Once the end of its Job is decided, what still runs is ended, and does not count.
        self.failures += u32::from(!(put_down && self.ending.is_some()));
        let failed = Attempt { number: attempt, exit_code: exit.code, matched, put_down };
        self.failed.add(view.index, failed, self.same_work());
        self.last_failure = Some(Failure {
            pod: pod.name.clone(),
            uid,
            index: view.index,
            container: container.to_owned(),
            attempt,
            exit: exit.clone(),
            put_down,
        });
        event
    }

    /// Whether pods of one index, or of none, are attempts at the same work.
    fn same_work(&self) -> bool {
        self.indexed || self.single_pod
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

    /// Whether this is a pod of it that has not ended.
    pub(crate) fn has(&self, uid: Uid) -> bool {
        self.pods.contains_key(&uid)
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
}

/// What the status says against a start.
fn trouble(view: &PodView) -> Option<Trouble> {
    if let Some((reason, message)) = &view.unscheduled {
        return Some(Trouble { room: true, reason: reason.clone(), message: message.clone() });
    }
    let (reason, message) = view.containers.iter().find_map(|c| c.refused.clone())?;
    Some(Trouble { room: false, reason, message })
}
