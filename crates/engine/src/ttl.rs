//! Finished Jobs that go by themselves: each has a timer for the second at which its time is over,
//! and nothing is looked at before.

use jiff::Timestamp;
use kinds::{Facts, Key, Kind};
use reconcile::{
    deletion::Propagation,
    ttl::{Expiry, ttl},
};

use crate::Engine;

/// Where a Job's JSON does not have this name, nothing has to be decoded to know that it stays.
const FIELD: &str = "\"ttlSecondsAfterFinished\"";

impl Engine {
    /// Deletes a Job whose time is over, or sees to being woken when it is.
    pub(crate) fn expire(&mut self, key: &Key, now: Timestamp) {
        if self.resting || self.jobs.get(key).is_some() {
            return;
        }
        let expiry = self.expiry(key, now);
        let at = if let Expiry::At(at) = expiry { Some(at) } else { None };
        self.timers.set(key, at);
        if expiry == Expiry::Over {
            self.begin_deletion(key, None, Some(Propagation::Foreground), now);
        }
    }

    fn expiry(&self, key: &Key, now: Timestamp) -> Expiry {
        let untouched = self.pending.get(key).is_none();
        if untouched && !self.store.get(key).is_some_and(|job| may_expire(job)) {
            return Expiry::Stays;
        }
        let draft = self.current(key).filter(|draft| self.covers(draft));
        let job = draft.map(|draft| draft.job().expect("a Job in the store was validated"));
        job.map_or(Expiry::Stays, |job| ttl(&job, now))
    }

    /// The finished Jobs of a store that was just opened whose time may run out.
    pub(crate) fn mortal_jobs(&self) -> Vec<Key> {
        let jobs = self.store.list(Kind::Job, None).filter(|job| may_expire(job));
        jobs.map(|job| job.key.clone()).collect()
    }
}

fn may_expire(job: &kinds::Object) -> bool {
    let finished = matches!(job.meta.facts, Facts::Job { finished: true, .. });
    finished && std::str::from_utf8(&job.json()).is_ok_and(|json| json.contains(FIELD))
}
