//! What must never be, checked with every change that becomes durable, against what a client saw and
//! against what really ran.

mod indexes;
mod job_status;
mod known;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use kinds::{
    Facts, Kind, Object, Uid,
    types::core::v1::{ContainerStatus, Pod},
};
use spawner::protocol::ContainerId;
use store::{Change, ChangeKind};

use crate::{
    observer::{Observer, ended},
    plan::{INIT, JobPlan, SIDECAR},
    policies,
    spawner::{Real, Spawner},
};
use known::Known;

/// What is remembered of Jobs and pods over the whole world.
#[derive(Default)]
pub(crate) struct Checks {
    /// Terminal phase of every pod that had one.
    phases: HashMap<Uid, String>,
    /// The pods that say they are ready.
    ready: BTreeSet<Uid>,
    /// The attempts that are durably intended: the newest of each container of each pod that is bound.
    intents: HashMap<Uid, HashMap<String, u32>>,
    jobs: HashMap<Uid, Known>,
    /// Times no longer tell what came before what.
    pub(crate) clock_was_set: bool,
}

impl Checks {
    pub(crate) fn jobs_ended(&self) -> u64 {
        self.jobs.values().filter(|known| known.finished).count() as u64
    }

    /// One change that became durable.
    pub(crate) fn change(&mut self, change: &Change, spawner: &Spawner) -> Result<(), String> {
        let gone = change.kind == ChangeKind::Deleted;
        match change.object.key.kind {
            Kind::Pod if gone => self.pod_gone(&change.object, spawner),
            Kind::Pod => self.pod(&change.object, spawner),
            Kind::Job if !gone => self.job(&change.object),
            _ => Ok(()),
        }
    }

    fn pod(&mut self, object: &Object, spawner: &Spawner) -> Result<(), String> {
        let uid = object.meta.uid;
        let (pod, Facts::Pod { phase, node_name }) = (object.pod(), &object.meta.facts) else {
            return Ok(());
        };
        if !node_name.is_empty() {
            let attempts = statuses(&pod).map(|s| (s.name.clone(), s.restart_count as u32));
            self.intents.entry(uid).or_default().extend(attempts);
        }
        match condition(&pod, "Ready") {
            true => self.ready.insert(uid),
            false => self.ready.remove(&uid),
        };
        if let Some(job) = controller(object) {
            self.jobs.entry(job).or_default().saw(object);
        }
        if let Some(before) = self.phases.get(&uid).filter(|before| *before != phase) {
            return Err(format!("{} was {before} and is {phase}", object.key));
        }
        if !ended(object) || self.phases.insert(uid, phase.clone()).is_some() {
            return Ok(());
        }
        attempts_fit(object, &pod, spawner)?;
        if phase == "Succeeded" {
            if !really_succeeded(uid, &pod, spawner) {
                return Err(format!("{} succeeded, but not all its containers did", object.key));
            }
            self.success(object);
        } else if !object.deleting() {
            self.failure(object, &pod);
        }
        Ok(())
    }

    /// A pod failed that nobody was ending: its exit codes say whether that counts.
    fn failure(&mut self, object: &Object, pod: &Pod) {
        let Some(job) = controller(object) else { return };
        let known = self.jobs.entry(job).or_default();
        let codes = exit_codes(pod);
        if policies::ignores(&known.job, &codes) {
            known.ignored += 1;
        } else if !policies::may_ignore(&known.job, &codes) {
            known.failed += 1;
        }
    }

    /// The spawner is asked to start an attempt: that it is meant to be has to be durable, and what
    /// comes before it has to be done.
    pub(crate) fn start(
        &self,
        id: &ContainerId,
        plan: Option<&JobPlan>,
        spawner: &Spawner,
    ) -> Result<(), String> {
        let early = id.container == INIT || id.container == SIDECAR;
        let done = |name: &str, how: fn(&Real) -> bool| {
            spawner.ran_of(&id.pod).any(|(id, real)| id.container == name && how(real))
        };
        let init = id.container == INIT || done(INIT, |real| *real == Real::Exited(0));
        if plan.is_some_and(|plan| {
            plan.init && !init || plan.sidecar && !early && !done(SIDECAR, |_| true)
        }) {
            return Err(format!("{id:?} is started before what comes before it"));
        }
        let intents = Uid::parse(&id.pod).and_then(|pod| self.intents.get(&pod));
        let newest = intents.map(|newest| newest.get(&id.container).copied().unwrap_or(0));
        match newest {
            Some(newest) if newest >= id.attempt => Ok(()),
            _ => Err(format!("{id:?} is started, but durably intended is {newest:?}")),
        }
    }

    fn success(&mut self, pod: &Object) {
        let Some(job) = controller(pod) else { return };
        self.jobs.entry(job).or_default().success(pod);
    }

    /// A pod that is being deleted may end well in the very transaction that removes it: what it came
    /// to is then known from what really ran.
    fn pod_gone(&mut self, object: &Object, spawner: &Spawner) -> Result<(), String> {
        let uid = object.meta.uid;
        self.ready.remove(&uid);
        if !self.phases.contains_key(&uid) && really_succeeded(uid, &object.pod(), spawner) {
            self.success(object);
        }
        Ok(())
    }

    fn job(&mut self, object: &Object) -> Result<(), String> {
        let job = object.job();
        job_status::well_formed(&object.key, &job)?;
        if !self.clock_was_set {
            job_status::in_order(&object.key, &job)?;
        }
        let finished = matches!(object.meta.facts, Facts::Job { finished: true, .. });
        let known = self.jobs.entry(object.meta.uid).or_default();
        if known.finished && (!finished || known.job.status != job.status) {
            return Err(format!("{} changed after its end: {:?}", object.key, job.status));
        }
        let just_finished = finished && !known.finished;
        known.finished = finished;
        known.update(&object.key, job)?;
        if just_finished { known.count(object) } else { Ok(()) }
    }

    /// What holds at every moment. `settled`: nothing is on its way between server and client.
    pub(crate) fn now(&self, observer: &Observer, settled: bool) -> Result<(), String> {
        let mut pods: HashMap<Uid, Vec<&Arc<Object>>> = HashMap::new();
        for pod in observer.of_kind(Kind::Pod).filter(|pod| !ended(pod)) {
            if let Some(job) = controller(pod) {
                pods.entry(job).or_default().push(pod);
            }
        }
        for job in observer.of_kind(Kind::Job) {
            let open = pods.remove(&job.meta.uid).unwrap_or_default();
            let Some(known) = self.jobs.get(&job.meta.uid) else { continue };
            known.within_parallelism(job, &open)?;
            if settled && !known.finished && !job.deleting() {
                job_status::counts(job, &known.job, &open, &self.ready)?;
            }
        }
        Ok(())
    }

    /// What holds when everything has come to rest.
    pub(crate) fn end(&self, observer: &Observer) -> Result<(), String> {
        let tracked = observer.of_kind(Kind::Pod).find(|pod| !pod.meta.finalizers.is_empty());
        match tracked {
            Some(pod) => Err(format!("{} keeps {:?}", pod.key, pod.meta.finalizers)),
            None => Ok(()),
        }
    }
}

fn controller(object: &Object) -> Option<Uid> {
    object.meta.owners.iter().find(|owner| owner.controller).map(|owner| owner.uid)
}

fn condition(pod: &Pod, of_type: &str) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.clone().any(|condition| condition.type_ == of_type && condition.status == "True")
}

/// The exit codes other than 0 of the containers that ended.
fn exit_codes(pod: &Pod) -> Vec<i32> {
    let ends = statuses(pod).filter_map(|status| status.state.as_ref()?.terminated.as_ref());
    ends.map(|end| end.exit_code).filter(|code| *code != 0).collect()
}

/// What a pod says of each of its containers.
fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().flat_map(|status| {
        let early = status.init_container_statuses.iter().flatten();
        early.chain(status.container_statuses.iter().flatten())
    })
}

/// The newest attempt of each container of a pod that really ran.
fn last_attempts(pod: Uid, spawner: &Spawner) -> BTreeMap<&str, (u32, Real)> {
    let pod = pod.to_string();
    // The attempts of one container come in order.
    let attempts = spawner.ran_of(&pod);
    attempts.map(|(id, real)| (&*id.container, (id.attempt, *real))).collect()
}

/// Every container of the pod that is no sidecar exited with 0 in its last attempt.
fn really_succeeded(uid: Uid, pod: &Pod, spawner: &Spawner) -> bool {
    let last = last_attempts(uid, spawner);
    let all = pod
        .spec
        .iter()
        .flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers));
    let mut all = all.filter(|c| c.name != SIDECAR);
    all.all(|c| matches!(last.get(&*c.name), Some((_, Real::Exited(0)))))
}

/// A pod that ended says of each container how often it was restarted: no attempt ran beyond that,
/// and of one that succeeded the last one did.
fn attempts_fit(object: &Object, pod: &Pod, spawner: &Spawner) -> Result<(), String> {
    let last = last_attempts(object.meta.uid, spawner);
    let succeeded = matches!(&object.meta.facts, Facts::Pod { phase, .. } if phase == "Succeeded");
    for status in statuses(pod) {
        let restarts = status.restart_count as u32;
        let Some((attempt, real)) = last.get(&*status.name) else { continue };
        if *real == Real::Runs {
            return Err(format!("{} ended, but {} runs", object.key, status.name));
        }
        // The pod may end before the next attempt of a sidecar begins.
        let last_counts = succeeded && status.name != SIDECAR;
        if *attempt > restarts || (last_counts && *attempt != restarts) {
            return Err(format!(
                "{} says {restarts} restarts of {}, which ran attempt {attempt}",
                object.key, status.name
            ));
        }
    }
    Ok(())
}
