//! What must never be, checked after every step against what a client saw and what really ran.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kinds::{Facts, Kind, Object, Uid, types::batch::v1::Job};
use store::{Change, ChangeKind};

use crate::{
    observer::{Observer, ended},
    spawner::{Real, Spawner},
};

/// What is remembered of Jobs and pods over the whole world.
#[derive(Default)]
pub(crate) struct Checks {
    /// Terminal phase of every pod that had one.
    phases: BTreeMap<Uid, String>,
    /// Pods (of Indexed Jobs: indexes) that succeeded, by Job.
    succeeded: BTreeMap<Uid, BTreeSet<String>>,
    /// Those of them that nobody was ending when they succeeded: each must be counted.
    countable: BTreeMap<Uid, BTreeSet<String>>,
    /// Pods ever seen, by Job.
    pods: BTreeMap<Uid, BTreeSet<Uid>>,
    /// The highest parallelism every Job ever had.
    parallelism: BTreeMap<Uid, i32>,
    /// The status of every finished Job.
    finished: BTreeMap<Uid, String>,
}

impl Checks {
    pub(crate) fn jobs_ended(&self) -> u64 {
        self.finished.len() as u64
    }

    /// One change that became durable.
    pub(crate) fn change(&mut self, change: &Change, spawner: &Spawner) -> Result<(), String> {
        match change.object.key.kind {
            Kind::Pod if change.kind != ChangeKind::Deleted => self.pod(&change.object, spawner),
            Kind::Job => self.job(&change.object),
            _ => Ok(()),
        }
    }

    fn pod(&mut self, pod: &Object, spawner: &Spawner) -> Result<(), String> {
        let uid = pod.meta.uid;
        let job = pod.meta.owners.iter().find(|owner| owner.controller).map(|owner| owner.uid);
        if let Some(job) = job {
            self.pods.entry(job).or_default().insert(uid);
        }
        let Facts::Pod { phase, .. } = &pod.meta.facts else { return Ok(()) };
        if let Some(before) = self.phases.get(&uid).filter(|before| *before != phase) {
            return Err(format!("{} was {before} and is {phase}", pod.key));
        }
        if !ended(pod) || self.phases.insert(uid, phase.clone()).is_some() || phase != "Succeeded" {
            return Ok(());
        }
        really_succeeded(pod, spawner)?;
        if let Some(job) = job {
            let index = pod.meta.labels.get("batch.kubernetes.io/job-completion-index");
            let what = index.cloned().unwrap_or_else(|| uid.to_string());
            self.succeeded.entry(job).or_default().insert(what.clone());
            if !pod.deleting() {
                self.countable.entry(job).or_default().insert(what);
            }
        }
        Ok(())
    }

    fn job(&mut self, object: &Object) -> Result<(), String> {
        let finished = matches!(object.meta.facts, Facts::Job { finished: true, .. });
        let parallelism = object.job().spec.and_then(|spec| spec.parallelism).unwrap_or(1);
        let most = self.parallelism.entry(object.meta.uid).or_default();
        *most = parallelism.max(*most);
        let before = self.finished.get(&object.meta.uid);
        if !finished {
            return match before {
                Some(_) => Err(format!("{} was finished and is not", object.key)),
                None => Ok(()),
            };
        }
        let job = object.job();
        let status = format!("{:?}", job.status);
        match before {
            Some(before) if *before != status => {
                Err(format!("{} changed after its end: {before} -> {status}", object.key))
            }
            Some(_) => Ok(()),
            None => {
                self.finished.insert(object.meta.uid, status);
                self.count(object, &job)
            }
        }
    }

    /// What a finished Job says it counted is what happened.
    fn count(&self, object: &Object, job: &Job) -> Result<(), String> {
        let uid = object.meta.uid;
        let status = job.status.clone().unwrap_or_default();
        let spec = job.spec.clone().unwrap_or_default();
        let size =
            |map: &BTreeMap<Uid, BTreeSet<String>>| map.get(&uid).map_or(0, BTreeSet::len) as i32;
        let pods = self.pods.get(&uid).map_or(0, BTreeSet::len) as i32;
        let (succeeded, failed) = (status.succeeded.unwrap_or(0), status.failed.unwrap_or(0));
        let (least, most) = (size(&self.countable), size(&self.succeeded));
        if succeeded < least || succeeded > most {
            return Err(format!(
                "{} counts {succeeded} successes of {most}, {least} of which nobody was ending",
                object.key
            ));
        }
        if failed > pods - least {
            return Err(format!("{} counts {failed} failures of {pods} pods", object.key));
        }
        let complete = status.conditions.iter().flatten().any(|c| c.type_ == "Complete");
        let wanted = spec.completions.unwrap_or(1);
        if complete && succeeded < wanted {
            return Err(format!("{} is Complete with {succeeded} of {wanted}", object.key));
        }
        Ok(())
    }

    /// What holds at every moment.
    pub(crate) fn now(&self, observer: &Observer, spawner: &Spawner) -> Result<(), String> {
        if let Some(id) = spawner.started_twice.first() {
            return Err(format!("{id:?} was started twice"));
        }
        for job in observer.of_kind(Kind::Job) {
            let most = self.parallelism.get(&job.meta.uid).copied().unwrap_or_default();
            parallelism(job, most, observer)?;
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

/// Every container of a pod that is said to have succeeded really exited with 0, in its last attempt.
fn really_succeeded(pod: &Object, spawner: &Spawner) -> Result<(), String> {
    let uid = pod.meta.uid.to_string();
    let mut last: BTreeMap<&str, (u32, Real)> = BTreeMap::new();
    let attempts = spawner.ran.iter().filter(|(id, _)| id.pod == uid);
    for (id, real) in attempts {
        let entry = last.entry(&id.container).or_insert((id.attempt, *real));
        if id.attempt >= entry.0 {
            *entry = (id.attempt, *real);
        }
    }
    let spec = pod.pod().spec.unwrap_or_default();
    for container in &spec.containers {
        match last.get(container.name.as_str()) {
            Some((_, Real::Exited(0))) => {}
            other => {
                return Err(format!(
                    "{} succeeded, but {} really: {other:?}",
                    pod.key, container.name
                ));
            }
        }
    }
    Ok(())
}

/// Never more pods at work than the Job allows, and one per index. `most` is the highest parallelism
/// the Job ever had: a Job scaled down may still have more pods that are being ended.
fn parallelism(job: &Object, most: i32, observer: &Observer) -> Result<(), String> {
    let spec = job.job().spec.unwrap_or_default();
    let limit = spec.parallelism.unwrap_or(1).max(0) as usize;
    let own = |pod: &&Arc<Object>| pod.meta.owners.iter().any(|o| o.uid == job.meta.uid);
    let open: Vec<_> = observer.of_kind(Kind::Pod).filter(own).filter(|pod| !ended(pod)).collect();
    let active: Vec<_> = open.iter().filter(|pod| !pod.deleting()).collect();
    if active.len() > limit {
        return Err(format!("{} has {} active pods, parallelism {limit}", job.key, active.len()));
    }
    if spec.pod_replacement_policy.as_deref() == Some("Failed") && open.len() > most.max(0) as usize
    {
        return Err(format!(
            "{} replaced pods that were still ending: {} open",
            job.key,
            open.len()
        ));
    }
    let mut indexes = BTreeSet::new();
    for pod in active {
        if let Some(index) = pod.meta.labels.get("batch.kubernetes.io/job-completion-index")
            && !indexes.insert(index)
        {
            return Err(format!("{} has two active pods of index {index}", job.key));
        }
    }
    Ok(())
}
