//! Runs of the command line: while a client lives, a private server acts on what it submitted.

use jiff::Timestamp;
use kinds::{Key, Kind, Object};

use crate::{Engine, Scope};

impl Engine {
    /// A client of this run is here: its objects are acted on from now.
    pub fn run_begins(&mut self, run: &str) {
        if let Scope::Runs(runs) = &mut self.scope {
            self.scope_grew |= runs.insert(run.to_owned());
        }
        let jobs = self.jobs.iter().filter(|(_, state)| state.run.as_deref() == Some(run));
        self.woken.extend(jobs.map(|(key, _)| key.clone()).collect::<Vec<_>>());
        self.woken.extend(self.mortal_jobs());
        self.woken.extend(self.strays.keys().cloned());
        self.placement.look_again();
    }

    /// Whether pods may have come into scope since the last call: the node has to be shown those that
    /// are bound to it.
    pub fn take_scope_grew(&mut self) -> bool {
        std::mem::take(&mut self.scope_grew)
    }

    /// The last client of this run vanished without a word and did not come back in time: what of it
    /// is unfinished is cancelled, as nobody is left to see it end, and what it submitted beside
    /// goes, as it would have with its client.
    pub fn run_vanished(&mut self, run: &str, now: Timestamp) {
        let beside = kinds::KINDS.iter().map(|info| info.kind);
        let beside = beside.filter(|kind| !matches!(kind, Kind::Job | Kind::Pod | Kind::Event));
        let beside = beside.flat_map(|kind| self.store.list(kind, None));
        let beside = beside.filter(|object| object.meta.run.as_deref() == Some(run));
        let beside: Vec<Key> = beside.map(|object| object.key.clone()).collect();
        for key in self.unfinished_of(run).into_iter().chain(beside) {
            self.delete_now(&key, now);
        }
    }

    /// A run is over and its client said so: nothing of it is acted on any more.
    pub fn run_ends(&mut self, run: &str) {
        if let Scope::Runs(runs) = &mut self.scope {
            runs.remove(run);
        }
    }

    /// The Jobs and Pods of a run that are not finished; pods of a Job are the Job's.
    pub fn unfinished_of(&self, run: &str) -> Vec<Key> {
        let of_run = |object: &&std::sync::Arc<Object>| object.meta.run.as_deref() == Some(run);
        let jobs = self.jobs.iter().filter(|(_, state)| state.run.as_deref() == Some(run));
        let jobs = jobs.map(|(key, _)| key.clone());
        let pods = self.store.list(Kind::Pod, None).filter(of_run).filter(|pod| unfinished(pod));
        let alone = pods.filter(|pod| Self::controller(&pod.meta.owners).is_none());
        jobs.chain(alone.map(|pod| pod.key.clone())).collect()
    }

    /// The unfinished Jobs and single Pods that no live run submitted: leftovers, in a private
    /// server, which are reported and left alone.
    pub fn leftovers(&self) -> Vec<Key> {
        let jobs = self.jobs.iter().filter(|(_, state)| !self.scope.covers(state.run.as_deref()));
        let jobs = jobs.map(|(key, _)| key.clone());
        let pods =
            self.store.list(Kind::Pod, None).filter(|pod| unfinished(pod) && !self.acts_on(pod));
        let alone = pods.filter(|pod| Self::controller(&pod.meta.owners).is_none());
        let mut keys: Vec<Key> = jobs.chain(alone.map(|pod| pod.key.clone())).collect();
        keys.sort();
        keys
    }
}

fn unfinished(pod: &Object) -> bool {
    match &pod.meta.facts {
        kinds::Facts::Pod { phase, .. } => phase != "Succeeded" && phase != "Failed",
        _ => false,
    }
}
