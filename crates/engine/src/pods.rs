//! Pods as the engine sees them: waiting for the node, bound to it, reported on by it, over.

use jiff::Timestamp;
use kinds::{
    Draft, Facts, Key, Kind, Owner, Uid, api_time,
    types::core::v1::{ContainerStatus, Pod, PodCondition, PodSpec, PodStatus},
};
use reconcile::{INDEX_KEY, TRACKING_FINALIZER, terminated::evicted};

use crate::{
    Engine,
    history::{self, PodRecord},
    recorder::{About, Happening},
    room::Placed,
};

impl Engine {
    /// The node reports a pod's whole status. Ignored if this pod is gone or was replaced.
    pub fn pod_status(&mut self, key: &Key, pod_uid: Uid, status: PodStatus) {
        if self.uid_of(key) != Some(pod_uid) {
            return;
        }
        let Some(mut draft) = self.reopen(key) else { return };
        draft.set_pod_status(&status);
        // Nothing else of the spec is asked for after a pod is bound, but what its init containers
        // are: restartable ones count as containers.
        let plain = status.init_container_statuses.as_ref().is_none_or(Vec::is_empty);
        let spec = PodSpec { node_name: Some(self.node_name.clone()), ..Default::default() };
        let metadata = std::mem::take(&mut draft.metadata);
        let pod = Pod { metadata, spec: Some(spec), status: Some(status) };
        self.urgent |= !only_runs(&pod);
        self.reported.push((pod_uid, key.clone()));
        self.record_end(key, pod_uid, &pod);
        if plain {
            self.index_typed_pod(key, pod_uid, &pod);
        }
        draft.metadata = pod.metadata;
        if !plain {
            self.index_pod(key, &draft, None);
        }
        self.write(key.clone(), draft);
    }

    /// The node reports what happened to a pod.
    pub fn pod_event(&mut self, about: &About, what: &Happening, now: Timestamp) {
        self.note(about, what, now);
    }

    /// The node gave everything of a pod back: the object may go, once its finalizers let it.
    pub fn pod_given_back(&mut self, key: &Key, pod_uid: Uid) {
        if self.uid_of(key) != Some(pod_uid) {
            return;
        }
        let deleting =
            self.current(key).filter(|draft| draft.metadata.deletion_timestamp.is_some());
        if deleting.is_some() {
            self.edit(key, |meta| meta.deletion_grace_period_seconds = Some(0));
        }
    }

    /// One pod's end goes into the history with the transaction that reports it.
    pub(crate) fn record_end(&mut self, key: &Key, pod_uid: Uid, pod: &Pod) {
        let owners = Owner::of(&pod.metadata);
        let (Some(job), true) = (Self::controller(&owners), over(pod)) else { return };
        if self.finished.contains(pod_uid) {
            return;
        }
        let record = pod_record(key, pod_uid, pod);
        self.history_bytes += history::add(&self.store, &mut self.pending, job, &record);
    }

    /// Keeps what is derived from a pod. `typed` spares decoding where the caller has it; its spec
    /// then needs to hold no more than the node's name.
    pub(crate) fn index_pod(&mut self, key: &Key, draft: &Draft, typed: Option<&Pod>) {
        if typed.is_none() && self.is_over_and_accounted(draft) {
            return self.leave_job(key, &Owner::of(&draft.metadata));
        }
        let Some(pod_uid) = crate::engine::uid(draft) else { return };
        match typed {
            Some(pod) => self.index_typed_pod(key, pod_uid, pod),
            None => {
                let pod = draft.pod().expect("a Pod in the store was validated");
                self.index_typed_pod(key, pod_uid, &pod);
            }
        }
    }

    fn index_typed_pod(&mut self, key: &Key, pod_uid: Uid, pod: &Pod) {
        self.index_room(key, pod_uid, pod);
        let owner = Self::controller(&Owner::of(&pod.metadata));
        let job = owner.and_then(|owner| self.jobs.key_of(owner)).cloned();
        match (owner, job) {
            (None, _) => self.index_orphan(key, pod),
            (_, Some(job)) => {
                self.jobs.orphans.remove(key);
                if let Some(state) = self.jobs.get_mut(&job) {
                    state.pod(pod);
                }
                self.woken.insert(job);
            }
            // Its Job is not there or over: the collector sees to its finalizer.
            (_, None) => drop(self.woken.insert(key.clone())),
        }
    }

    /// A pod that was seen to end and has lost its finalizer: nothing of it is kept any more.
    fn is_over_and_accounted(&self, draft: &Draft) -> bool {
        let tracked = draft.metadata.finalizers.iter().flatten().any(|f| f == TRACKING_FINALIZER);
        !tracked && crate::engine::uid(draft).is_some_and(|uid| self.finished.contains(uid))
    }

    fn index_room(&mut self, key: &Key, pod_uid: Uid, pod: &Pod) {
        let spec = pod.spec.as_ref();
        let node = spec.and_then(|s| s.node_name.as_deref()).filter(|node| !node.is_empty());
        let created_s = pod.metadata.creation_timestamp.as_ref().map_or(0, |t| t.0.as_second());
        if over(pod) {
            self.placement.release(pod_uid);
            self.placement.forget_waiting(key);
            self.strays.remove(key);
            let evicted = pod.status.as_ref().is_some_and(evicted);
            if self.finished.insert(key.clone(), pod_uid, evicted, created_s) {
                self.close_log(key, pod_uid);
            }
        } else if let Some(node) = node {
            self.placement.forget_waiting(key);
            match spec.filter(|_| node == self.node_name) {
                Some(spec) => self.placement.occupy(pod_uid, spec),
                None => {
                    self.strays.entry(key.clone()).or_default();
                    self.woken.insert(key.clone());
                }
            }
        } else if pod.metadata.deletion_timestamp.is_some() {
            self.placement.forget_waiting(key);
        } else {
            self.placement.wait(key.clone(), created_s, spec.cloned().unwrap_or_default());
        }
    }

    /// A pod without a controller wakes the Jobs that might adopt it.
    fn index_orphan(&mut self, key: &Key, pod: &Pod) {
        let same = self.jobs.iter().filter(|(job, _)| job.namespace == key.namespace);
        let wakes: Vec<Key> =
            same.filter(|(_, state)| state.selects(pod)).map(|(job, _)| job.clone()).collect();
        match over(pod) {
            true => drop(self.jobs.orphans.remove(key)),
            false => drop(self.jobs.orphans.insert(key.clone(), pod.clone())),
        }
        self.woken.extend(wakes);
    }

    pub(crate) fn unindex_pod(&mut self, key: &Key, pod_uid: Uid, owners: &[Owner]) {
        self.placement.release(pod_uid);
        self.placement.forget_waiting(key);
        let ended = self.finished.contains(pod_uid);
        self.finished.remove(key, pod_uid);
        self.strays.remove(key);
        self.jobs.orphans.remove(key);
        self.leave_job(key, owners);
        self.forget_log_of_removed(key, pod_uid, owners, ended);
    }

    /// The Job among these owners has one pod less, or a pod that it has to take in anew.
    pub(crate) fn leave_job(&mut self, key: &Key, owners: &[Owner]) {
        let job = Self::controller(owners).and_then(|owner| self.jobs.key_of(owner)).cloned();
        if let Some(job) = job {
            if let Some(state) = self.jobs.get_mut(&job) {
                state.pod_gone(&key.name);
            }
            self.woken.insert(job);
        }
    }

    /// One pass of placement. True if a pod was bound.
    pub(crate) fn place(&mut self, now: Timestamp) -> bool {
        if self.resting {
            return false;
        }
        let (pending, store) = (&self.pending, &self.store);
        let facts = |key: &Key| -> Option<(Uid, bool)> {
            let run = |draft: &Draft| {
                let annotations = draft.metadata.annotations.as_ref()?;
                annotations.get(kinds::RUN_ANNOTATION).cloned()
            };
            let (pod_uid, run) = match pending.get(key) {
                Some(draft) => (crate::engine::uid(draft?)?, run(draft?)),
                None => store.get(key).map(|o| (o.meta.uid, o.meta.run.clone()))?,
            };
            Some((pod_uid, self.scope.covers(run.as_deref())))
        };
        let results = self.placement.pass(&self.node, facts);
        let bound = results.iter().any(|result| matches!(result, Placed::Bound(_)));
        for result in results {
            match result {
                Placed::Bound(key) => self.assign(&key, now),
                Placed::Waits(key, why) => self.explain(&key, &why, now),
            }
        }
        bound
    }

    fn assign(&mut self, key: &Key, now: Timestamp) {
        let Some(mut draft) = self.reopen(key) else { return };
        let node = self.node_name.clone();
        draft.set_node_name(&node);
        Self::set_scheduled(&mut draft, now, None);
        let message = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
        self.scheduler_says(key, &draft, false, "Scheduled", message, now);
        self.urgent = true;
        // Nothing is derived from a binding but this, and the room, which the pass has taken.
        let owner = Self::controller(&Owner::of(&draft.metadata));
        let job = owner.and_then(|owner| self.jobs.key_of(owner)).cloned();
        if let Some(state) = job.and_then(|job| self.jobs.get_mut(&job)) {
            state.bound(&key.name);
        }
        self.write(key.clone(), draft);
    }

    fn explain(&mut self, key: &Key, why: &str, now: Timestamp) {
        let Some(mut draft) = self.reopen(key) else { return };
        Self::set_scheduled(&mut draft, now, Some(why));
        self.scheduler_says(key, &draft, true, "FailedScheduling", why.to_owned(), now);
        self.write(key.clone(), draft);
    }

    pub(crate) fn set_scheduled(draft: &mut Draft, now: Timestamp, why_not: Option<&str>) {
        let mut status = draft.pod_status().expect("a Pod in the store was validated");
        let conditions = status.conditions.get_or_insert_default();
        conditions.retain(|condition| condition.type_ != "PodScheduled");
        conditions.push(PodCondition {
            type_: "PodScheduled".to_owned(),
            status: if why_not.is_some() { "False" } else { "True" }.to_owned(),
            reason: why_not.map(|_| "Unschedulable".to_owned()),
            message: why_not.map(str::to_owned),
            last_transition_time: Some(api_time(now)),
            observed_generation: draft.metadata.generation,
            ..Default::default()
        });
        draft.set_pod_status(&status);
    }

    fn scheduler_says(
        &mut self,
        key: &Key,
        draft: &Draft,
        warning: bool,
        reason: &str,
        message: String,
        now: Timestamp,
    ) {
        let Some(pod_uid) = crate::engine::uid(draft) else { return };
        let about = About { key: key.clone(), uid: pod_uid, field_path: None };
        let reason = reason.to_owned();
        self.note(
            &about,
            &Happening { component: "default-scheduler", warning, reason, message },
            now,
        );
    }

    /// Ends every pod, because the server stops for good: controllers and placement rest from now,
    /// and as with a suspended Job nothing of it counts as a failure.
    pub fn stop_pods(&mut self, now: Timestamp) {
        self.resting = true;
        let pods: Vec<Key> = self.bound_pods().map(|pod| pod.key.clone()).collect();
        for pod in pods {
            self.untrack(&pod);
            self.delete_now(&pod, now);
        }
    }

    /// Pods bound to this node that are in scope and not over, or over but being deleted: what the
    /// node has to know of when it starts.
    pub fn bound_pods(&self) -> impl Iterator<Item = &std::sync::Arc<kinds::Object>> {
        self.store.list(Kind::Pod, None).filter(|pod| {
            let Facts::Pod { node_name, phase } = &pod.meta.facts else { return false };
            let over = phase == "Succeeded" || phase == "Failed";
            node_name == &self.node_name && (!over || pod.deleting()) && self.acts_on(pod)
        })
    }

    /// Whether an object is within this engine's scope.
    pub fn acts_on(&self, object: &kinds::Object) -> bool {
        self.scope.covers(object.meta.run.as_deref())
    }
}

/// Whether a status says no more than that containers run: news that may ride along with the next
/// write, as losing it in a crash loses nothing.
fn only_runs(pod: &Pod) -> bool {
    let Some(status) = &pod.status else { return true };
    let early = status.init_container_statuses.iter().flatten();
    let regular = status.container_statuses.iter().flatten();
    status.phase.as_deref() == Some("Running")
        && early.chain(regular.clone()).all(|c| c.restart_count == 0)
        && regular.clone().all(|c| c.state.as_ref().is_some_and(|s| s.running.is_some()))
}

pub(crate) fn over(pod: &Pod) -> bool {
    phase(pod) == "Succeeded" || phase(pod) == "Failed"
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

fn pod_record(key: &Key, pod_uid: Uid, pod: &Pod) -> PodRecord {
    let regular = pod.status.iter().flat_map(|s| s.container_statuses.iter().flatten());
    let early = pod.status.iter().flat_map(|s| s.init_container_statuses.iter().flatten());
    let statuses: Vec<_> = regular.collect();
    let ended = |status: &&ContainerStatus| {
        status.state.as_ref().and_then(|state| state.terminated.clone())
    };
    let bad = |s: &&&ContainerStatus| ended(s).is_some_and(|end| end.exit_code != 0);
    let failed = statuses.iter().find(bad).copied();
    // Where no regular container did, the init container that got furthest decided.
    let broken = statuses.iter().all(|s| ended(s).is_none());
    let init = early.clone().rfind(|s| broken && ended(s).is_some());
    let decisive = failed.or(init).or(statuses.first().copied());
    let end = decisive.and_then(|s| ended(&s));
    PodRecord {
        pod: key.name.to_string(),
        uid: pod_uid,
        index: completion_index(pod),
        succeeded: phase(pod) == "Succeeded",
        container: decisive.map(|s| s.name.clone()).unwrap_or_default(),
        exit_code: end.as_ref().map_or(0, |end| end.exit_code),
        reason: end.as_ref().and_then(|end| end.reason.clone()).unwrap_or_default(),
        restarts: early.chain(statuses).map(|s| s.restart_count).sum(),
        started: end.as_ref().and_then(|end| end.started_at.as_ref()).map(|time| time.0),
        finished: end.as_ref().and_then(|end| end.finished_at.as_ref()).map(|time| time.0),
    }
}

fn completion_index(pod: &Pod) -> Option<u32> {
    pod.metadata.annotations.as_ref()?.get(INDEX_KEY)?.parse().ok()
}
