//! Where plans become changes: the Job controller is asked with the state kept for a Job, and what it
//! answers is put into the pending transaction.

use std::collections::HashSet;

use jiff::Timestamp;
use kinds::{
    Draft, Key, Kind, Owner, RUN_ANNOTATION, Uid,
    metav1::ObjectMeta,
    names,
    types::{
        batch::v1::{Job, JobStatus},
        core::v1::Pod,
    },
};
use reconcile::{
    Note, Plan, TRACKING_FINALIZER, View, Write, garbage::strip_finalizer, owner_reference,
};

use crate::{
    Engine,
    engine::uid,
    history::{self, JobRecord, Outcome},
    jobs::{JobState, Refusals},
    notices::NOTIFY_ANNOTATION,
    recorder::{About, Happening},
    retry::Retry,
};

/// The waits before pods that were refused are created again.
const REFUSED_RETRY: Retry = Retry { first_s: 1, max_s: 60 };

impl Engine {
    /// Asks the Job controller and puts its plan into the pending transaction.
    pub(crate) fn reconcile_job(&mut self, key: &Key, now: Timestamp) {
        let Some(state) = self.jobs.get(key) else { return };
        if self.resting || !self.scope.covers(state.run.as_deref()) {
            return;
        }
        let orphans = self.jobs.orphans_for(key);
        let pods: Vec<_> = state.pods.values().chain(&orphans).collect();
        let view = View {
            job: &state.job,
            pods: &pods,
            indexes: &state.indexes,
            back_off: state.back_off,
        };
        let (random, pending, store) = (&mut self.random, &self.pending, &self.store);
        let mut given = HashSet::new();
        let mut fresh = |base: &str| loop {
            let name = names::generate(base, &names::suffix(random.u64(..)));
            let pod = Key::new(Kind::Pod, &key.namespace, &name);
            let taken =
                pending.get(&pod).map_or_else(|| store.get(&pod).is_some(), |p| p.is_some());
            if !taken && given.insert(pod) {
                return name;
            }
        };
        let plan = reconcile::job(&view, now, &mut fresh);
        self.apply(key, plan, now);
    }

    fn apply(&mut self, key: &Key, plan: Plan, now: Timestamp) {
        let Some(state) = self.jobs.get_mut(key) else { return };
        state.back_off = plan.back_off;
        let held_until = state.refusals.until.filter(|until| *until > now);
        let about = About { key: key.clone(), uid: state.uid, field_path: None };
        let pod = |name: &str| Key::new(Kind::Pod, &key.namespace, name);
        let mut notes = plan.notes;
        // By name. After a refusal the rest of them waits for the next try: one is like the other.
        let mut missing = HashSet::new();
        for write in plan.writes {
            match write {
                Write::CreatePod(new) => {
                    let name = new.metadata.name.clone().unwrap_or_default();
                    if held_until.is_some() || !missing.is_empty() {
                        missing.insert(name);
                        continue;
                    }
                    let refusal = self.create_pod(key, *new, now);
                    if let Some(state) = self.jobs.get(key) {
                        self.job_metrics.created(&state.job, refusal.is_some());
                    }
                    missing.extend(refusal.is_some().then_some(name));
                    notes.extend(refusal);
                }
                Write::DeletePod { name } => self.delete_now(&pod(&name), now),
                Write::RemoveFinalizer { name } => {
                    let rule = self.jobs.get(key).and_then(|state| state.rule_of(&name));
                    if let Some(action) = rule {
                        self.job_metrics.judged(action.name());
                    }
                    self.untrack(&pod(&name));
                }
                Write::AdoptPod { name } => self.adopt(key, &pod(&name)),
                Write::ReleasePod { name } => self.release(about.uid, &pod(&name)),
                Write::SetStatus(status) => {
                    let missing = i32::try_from(missing.len()).unwrap_or(i32::MAX);
                    self.set_job_status(key, *status, missing);
                }
            }
        }
        let again = self.again(key, !missing.is_empty(), now);
        // A plan that goes on at once would go on for ever while nothing comes of it.
        let wake_at = plan.wake_at.filter(|at| missing.is_empty() || *at > now);
        self.timers.set(key, wake_at.into_iter().chain(again).min());
        let untrue = |note: &Note| {
            let created = note.message.strip_prefix("Created pod: ");
            note.reason == "SuccessfulCreate" && created.is_some_and(|pod| missing.contains(pod))
        };
        notes.retain(|note| !untrue(note));
        for note in notes {
            let what = Happening {
                component: "job-controller",
                warning: note.warning,
                reason: note.reason.into_owned(),
                message: note.message,
            };
            self.note(&about, &what, now);
        }
    }

    /// When to create pods again that are `missing` because they were refused: the wait doubles.
    fn again(&mut self, key: &Key, missing: bool, now: Timestamp) -> Option<Timestamp> {
        let refusals = &mut self.jobs.get_mut(key)?.refusals;
        match missing {
            false => *refusals = Refusals::default(),
            true if refusals.until.is_none_or(|until| until <= now) => {
                refusals.until = Some(now + REFUSED_RETRY.wait(refusals.count));
                refusals.count += 1;
            }
            true => {}
        }
        refusals.until
    }

    /// Creates a pod of a Job. The refusal of a pod is an Event, as upstream has it.
    fn create_pod(&mut self, job: &Key, mut pod: Pod, now: Timestamp) -> Option<Note> {
        pod.metadata.namespace = Some(job.namespace.to_string());
        if let Some(run) = self.jobs.get(job).and_then(|state| state.run.clone()) {
            let annotations = pod.metadata.annotations.get_or_insert_default();
            annotations.insert(RUN_ANNOTATION.to_owned(), run);
        }
        match self.admit_pod(pod, now) {
            Ok((draft, pod)) => {
                self.urgent = true;
                self.put_typed(draft, Some(&pod));
                None
            }
            Err(why) => {
                let message = format!("Error creating: {why}");
                Some(Note { warning: true, reason: "FailedCreate".into(), message })
            }
        }
    }

    /// Takes the tracking finalizer off a pod: it is accounted for.
    pub(crate) fn untrack(&mut self, pod: &Key) {
        let stays = |draft: &Draft| draft.metadata.deletion_timestamp.is_none();
        if !self.pending.get(pod).flatten().is_some_and(stays) {
            return self.edit(pod, |meta| strip_finalizer(meta, TRACKING_FINALIZER));
        }
        // It was just reported on: nothing of it changes but this.
        let Some(mut draft) = self.reopen(pod) else { return };
        strip_finalizer(&mut draft.metadata, TRACKING_FINALIZER);
        self.urgent = true;
        self.index_pod(pod, &draft, None);
        self.write(pod.clone(), draft);
    }

    fn adopt(&mut self, job: &Key, pod: &Key) {
        let Some(state) = self.jobs.get(job) else { return };
        let owner = owner_reference(&state.job);
        self.edit(pod, |meta| {
            meta.owner_references.get_or_insert_default().push(owner);
            let finalizers = meta.finalizers.get_or_insert_default();
            if !finalizers.iter().any(|finalizer| finalizer == TRACKING_FINALIZER) {
                finalizers.push(TRACKING_FINALIZER.to_owned());
            }
        });
    }

    fn release(&mut self, job: Uid, pod: &Key) {
        self.edit(pod, |meta| {
            strip_finalizer(meta, TRACKING_FINALIZER);
            if let Some(owners) = &mut meta.owner_references {
                owners.retain(|owner| Uid::parse(&owner.uid) != Some(job));
            }
        });
    }

    /// Changes the metadata of an object that still exists; a change that changes nothing is none,
    /// or controllers that wake each other would never come to rest.
    pub(crate) fn edit(&mut self, key: &Key, change: impl FnOnce(&mut ObjectMeta)) {
        let Some(mut draft) = self.current(key) else { return };
        let before = draft.metadata.clone();
        change(&mut draft.metadata);
        if draft.metadata != before {
            self.urgent = true;
            self.put(draft);
        }
    }

    /// `missing` of the pods that the status takes for created were refused.
    fn set_job_status(&mut self, key: &Key, mut status: JobStatus, missing: i32) {
        let Some(state) = self.jobs.get(key) else { return };
        status.active = status.active.map(|active| active - missing).filter(|active| *active > 0);
        if state.job.status.as_ref() == Some(&status) {
            return;
        }
        self.job_metrics.changed(&state.job, &status);
        let spec = state.job.spec.clone();
        if let Some(mut draft) = self.reopen(key) {
            draft.set_job_status(&status);
            self.urgent = true;
            let job = Job { metadata: draft.metadata.clone(), spec, status: Some(status) };
            self.index_typed_job(key, &draft, job);
            self.write(key.clone(), draft);
        }
    }

    /// Keeps what is derived from a Job: the state of an unfinished one, the history of one that
    /// just finished.
    pub(crate) fn index_job(&mut self, key: &Key, draft: &Draft) {
        let job = draft.job().expect("a Job in the store was validated");
        self.index_typed_job(key, draft, job);
    }

    fn index_typed_job(&mut self, key: &Key, draft: &Draft, job: Job) {
        let Some(uid) = uid(draft) else { return };
        self.index_child(&job);
        match (self.jobs.get_mut(key), ending(&job)) {
            (Some(state), None) => state.update(job),
            (None, None) => {
                let run = draft.metadata.annotations.as_ref().and_then(|a| a.get(RUN_ANNOTATION));
                self.jobs.insert(key.clone(), JobState::new(uid, run.cloned(), job));
                self.gather_pods(uid);
            }
            (Some(_), Some((outcome, reason, message))) => {
                self.remember(draft, job_record(key, uid, &job, outcome, reason, message));
                self.let_go(key);
            }
            (None, Some(_)) => {}
        }
        self.woken.insert(key.clone());
    }

    /// A Job that goes before it finished was cancelled. It is put on record by the commit that
    /// removes it, which has the time.
    pub(crate) fn unindex_job(&mut self, key: &Key, owners: &[Owner]) {
        self.leave_cron_job(key, owners);
        let Some(state) = self.jobs.get(key) else { return };
        self.cancelled.push((key.clone(), state.uid, state.job.clone()));
        self.let_go(key);
    }

    /// Puts the Jobs on record that this transaction removes before they finished.
    pub(crate) fn record_cancelled(&mut self, now: Timestamp) {
        for (key, uid, job) in std::mem::take(&mut self.cancelled) {
            let message = "The job was deleted before it finished".to_owned();
            let record = job_record(&key, uid, &job, Outcome::Cancelled, "Deleted".into(), message);
            self.remember(&Draft::of_job(&job), JobRecord { finished: now, ..record });
        }
    }

    /// Drops what is kept for a Job; pods it still tracks are looked at by the collector.
    fn let_go(&mut self, key: &Key) {
        self.timers.set(key, None);
        if let Some(state) = self.jobs.remove(key) {
            let pods = state.pods.keys().map(|pod| Key::new(Kind::Pod, &key.namespace, pod));
            self.woken.extend(pods);
        }
    }

    /// Hands a new Job state the pods that already name it as their controller.
    fn gather_pods(&mut self, job: Uid) {
        for key in self.dependents.of(job) {
            let draft = self.current(&key).filter(|_| key.kind == Kind::Pod);
            if let Some(draft) = draft {
                self.index_pod(&key, &draft, None);
            }
        }
    }

    /// Puts a Job that is over on record, with what it was asked to do.
    fn remember(&mut self, job: &Draft, record: JobRecord) {
        let spec = history::spec_entry(record.uid, job).map(|(name, bytes)| (name, Some(bytes)));
        for (name, value) in spec.into_iter().chain([record.entry()]) {
            self.history_bytes += value.as_ref().map_or(0, |bytes| bytes.len());
            self.pending.record(name, value);
        }
        let annotations = job.metadata.annotations.as_ref();
        let url = annotations.and_then(|all| all.get(NOTIFY_ANNOTATION));
        self.announced.extend(url.map(|url| (url.clone(), record)));
    }

    /// The controller among an object's owners.
    pub(crate) fn controller(owners: &[Owner]) -> Option<Uid> {
        owners.iter().find(|owner| owner.controller).map(|owner| owner.uid)
    }
}

/// The terminal condition of a Job, if it has one.
fn ending(job: &Job) -> Option<(Outcome, String, String)> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().filter(|c| c.status == "True").find_map(|condition| {
        let outcome = match &*condition.type_ {
            "Complete" => Outcome::Complete,
            "Failed" => Outcome::Failed,
            _ => return None,
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Some((outcome, text(&condition.reason), text(&condition.message)))
    })
}

fn job_record(
    key: &Key,
    uid: Uid,
    job: &Job,
    outcome: Outcome,
    reason: String,
    message: String,
) -> JobRecord {
    let status = job.status.clone().unwrap_or_default();
    let spec = job.spec.as_ref();
    let ended = status.conditions.iter().flatten().filter_map(|c| c.last_transition_time.as_ref());
    let last = ended.map(|time| time.0).max();
    JobRecord {
        namespace: key.namespace.to_string(),
        job: key.name.to_string(),
        uid,
        outcome,
        reason,
        message,
        started: status.start_time.as_ref().map(|time| time.0),
        finished: last.or(status.start_time.map(|time| time.0)).unwrap_or_default(),
        completions: spec.and_then(|spec| spec.completions),
        succeeded: status.succeeded.unwrap_or(0),
        failed: status.failed.unwrap_or(0),
        completed_indexes: status.completed_indexes,
        failed_indexes: status.failed_indexes,
    }
}
