//! How things go: what clients say of dependents when they delete something, Jobs whose time runs out,
//! and what must hold of both.

use std::collections::BTreeSet;

use engine::Propagation;
use fastrand::Rng;
use kinds::{Kind, Uid, types::batch::v1::Job};
use store::{Change, ChangeKind};

use crate::{observer::is_inferred, world::World};

/// Seconds a Job stays after its end; mostly for ever.
pub(crate) fn draw_ttl_s(random: &mut Rng) -> Option<u32> {
    const CHOICES: [Option<u32>; 6] = [None, None, None, Some(0), Some(1), Some(30)];
    CHOICES[random.usize(..CHOICES.len())]
}

/// What a client says of dependents; `None`: nothing.
pub(crate) fn draw_propagation(random: &mut Rng) -> Option<Propagation> {
    const CHOICES: [Option<Propagation>; 4] = [
        None,
        Some(Propagation::Background),
        Some(Propagation::Foreground),
        Some(Propagation::Orphan),
    ];
    CHOICES[random.usize(..CHOICES.len())]
}

impl World {
    /// A Job goes that no client deleted: it must have finished, and so long ago. Gives the number of one
    /// that is gone. Of a Job that a list no longer had, end and deletion may both have been missed.
    pub(crate) fn check_going(&self, change: &Change) -> Result<Option<usize>, String> {
        let object = &change.object;
        let gone = change.kind == ChangeKind::Deleted;
        if object.key.kind != Kind::Job || !(gone || object.deleting()) {
            return Ok(None);
        }
        let jobs = &self.plan.jobs;
        let Some(number) = jobs.iter().position(|job| *job.name == *object.key.name) else {
            return Ok(None);
        };
        if self.deleted.contains(&number) {
            return Ok(None);
        }
        let expires_s = jobs[number].ttl_s.zip(finished_s(&object.job()));
        let expires_s = expires_s.map(|(ttl_s, finished_s)| finished_s + i64::from(ttl_s));
        if expires_s.is_none() && jobs[number].ttl_s.is_some() && is_inferred(change) {
            return Ok(Some(number));
        }
        match (expires_s, object.meta.deletion_s) {
            (Some(due), Some(at)) if at >= due => Ok(gone.then_some(number)),
            (due, at) => Err(format!("{} goes at {at:?}, due was {due:?}", object.key)),
        }
    }

    /// Whether a Job is there whose time still has to run out.
    pub(crate) fn awaits_an_end(&self) -> bool {
        let mortal =
            |name: &str| self.plan.jobs.iter().any(|job| *job.name == *name && job.ttl_s.is_some());
        self.observer.of_kind(Kind::Job).any(|job| mortal(&job.key.name))
    }

    /// When everything has come to rest, nothing names an owner that is no more.
    pub(crate) fn check_nothing_abandoned(&self) -> Result<(), String> {
        let jobs: BTreeSet<Uid> =
            self.observer.of_kind(Kind::Job).map(|job| job.meta.uid).collect();
        let mut pods = self.observer.of_kind(Kind::Pod);
        match pods.find(|pod| pod.meta.owners.iter().any(|owner| !jobs.contains(&owner.uid))) {
            Some(pod) => Err(format!("the owner of {} is gone", pod.key)),
            None => Ok(()),
        }
    }
}

fn finished_s(job: &Job) -> Option<i64> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let terminal = |type_: &str| matches!(type_, "Complete" | "Failed");
    let end = conditions.iter().find(|c| terminal(&c.type_) && c.status == "True")?;
    Some(end.last_transition_time.as_ref()?.0.as_second())
}
