//! What the engine keeps per CronJob: what little the controller asks of each of its Jobs, so that a
//! look at a CronJob reads none of them. One that has nothing to do costs its place in the timers.

use std::collections::{BTreeMap, HashMap};

use kinds::{
    Draft, Key, Owner, RUN_ANNOTATION, Uid,
    types::batch::v1::{CronJobSpec, Job},
};
use reconcile::cron_job::Child;

use crate::Engine;

pub(crate) struct CronJobState {
    pub(crate) key: Key,
    pub(crate) run: Option<String>,
    pub(crate) children: BTreeMap<Box<str>, Child>,
    timing: Timing,
    /// Schedule or zone were changed, and that is all: nothing is to be made up for.
    pub(crate) rescheduled: bool,
    /// How often in a row its Job was refused.
    pub(crate) refusals: u32,
}

/// What decides when a CronJob is due.
#[derive(PartialEq)]
struct Timing {
    schedule: String,
    zone: Option<String>,
}

impl Timing {
    fn of(spec: &CronJobSpec) -> Self {
        Self { schedule: spec.schedule.clone(), zone: spec.time_zone.clone() }
    }
}

/// Every CronJob.
#[derive(Default)]
pub(crate) struct CronJobs {
    by_uid: HashMap<Uid, CronJobState>,
    pub(crate) skew: Skew,
}

/// How long after their time Jobs were made, since the server started.
#[derive(Debug, Default)]
pub struct Skew {
    /// Jobs by the first of [`Skew::BUCKETS_S`] that is not exceeded; the last for those beyond.
    pub counts: [u64; Skew::BUCKETS_S.len() + 1],
    /// All of it together, in seconds.
    pub sum_s: f64,
}

impl Skew {
    /// Upper ends of upstream's buckets, in seconds.
    pub const BUCKETS_S: [u16; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

    pub(crate) fn observe(&mut self, seconds: f64) {
        let bucket = Self::BUCKETS_S.iter().position(|end| seconds <= f64::from(*end));
        self.counts[bucket.unwrap_or(Self::BUCKETS_S.len())] += 1;
        self.sum_s += seconds;
    }
}

impl CronJobs {
    pub(crate) fn get_mut(&mut self, uid: Uid) -> Option<&mut CronJobState> {
        self.by_uid.get_mut(&uid)
    }

    pub(crate) fn get(&self, uid: Uid) -> Option<&CronJobState> {
        self.by_uid.get(&uid)
    }

    pub(crate) fn key_of(&self, uid: Uid) -> Option<&Key> {
        self.by_uid.get(&uid).map(|state| &state.key)
    }
}

impl Engine {
    /// Keeps what is derived from a CronJob, and has it looked at.
    pub(crate) fn index_cron_job(&mut self, key: &Key, draft: &Draft) {
        let Some(uid) = crate::engine::uid(draft) else { return };
        let cron_job = draft.cron_job().expect("a CronJob in the store was validated");
        let timing = Timing::of(&cron_job.spec);
        match self.cron_jobs.get_mut(uid) {
            Some(state) => {
                state.rescheduled = state.timing != timing;
                state.timing = timing;
            }
            None => {
                let annotations = draft.metadata.annotations.as_ref();
                let state = CronJobState {
                    key: key.clone(),
                    run: annotations.and_then(|all| all.get(RUN_ANNOTATION)).cloned(),
                    children: BTreeMap::new(),
                    timing,
                    rescheduled: false,
                    refusals: 0,
                };
                self.cron_jobs.by_uid.insert(uid, state);
            }
        }
        self.woken.insert(key.clone());
    }

    pub(crate) fn unindex_cron_job(&mut self, uid: Uid) {
        self.cron_jobs.by_uid.remove(&uid);
    }

    /// Keeps what a CronJob is to know of a Job that it controls; has the CronJob looked at if it is
    /// anything new.
    pub(crate) fn index_child(&mut self, job: &Job) {
        let controller = Self::controller(&Owner::of(&job.metadata));
        let state = controller.and_then(|uid| self.cron_jobs.get_mut(uid));
        let Some(state) = state else { return };
        let child = Child::of(job);
        let before = state.children.insert(child.name.clone(), child.clone());
        if before.as_ref() != Some(&child) {
            self.woken.insert(state.key.clone());
        }
    }

    /// A Job is gone, or has other owners.
    pub(crate) fn leave_cron_job(&mut self, job: &Key, owners: &[Owner]) {
        let state = Self::controller(owners).and_then(|uid| self.cron_jobs.get_mut(uid));
        if let Some(state) = state
            && state.children.remove(&*job.name).is_some()
        {
            self.woken.insert(state.key.clone());
        }
    }
}
