//! What the engine keeps per unfinished Job, so that looking at a Job again costs what its active
//! pods cost, however many have finished: the typed Job, the pods still to be accounted for, the
//! lists of indexes and the back-off record.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use kinds::{
    Key, Uid,
    selector::Selector,
    types::{batch::v1::Job, core::v1::Pod},
};
use reconcile::{Action, BackOff, Indexes, Phase, PodFacts};

pub(crate) struct JobState {
    pub(crate) uid: Uid,
    pub(crate) run: Option<String>,
    pub(crate) job: Job,
    pub(crate) pods: BTreeMap<Box<str>, PodFacts>,
    /// `spec.selector`, which never changes; nor does the failure policy, which pods are read with.
    selector: Selector,
    pub(crate) indexes: Indexes,
    pub(crate) back_off: BackOff,
    pub(crate) refusals: Refusals,
}

/// Pods of a Job that could not be created, one refusal after another.
#[derive(Default)]
pub(crate) struct Refusals {
    pub(crate) count: u32,
    /// Until then no pod is created.
    pub(crate) until: Option<Timestamp>,
}

impl JobState {
    pub(crate) fn new(uid: Uid, run: Option<String>, job: Job) -> Self {
        let selector = job.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        let selector = Selector::from_label_selector(selector);
        let (indexes, back_off) = (Indexes::of(&job), BackOff::default());
        let (pods, refusals) = (BTreeMap::new(), Refusals::default());
        Self { uid, run, job, pods, selector, indexes, back_off, refusals }
    }

    /// Takes in a newer revision of the Job.
    pub(crate) fn update(&mut self, job: Job) {
        self.indexes.update(&self.job, &job);
        self.job = job;
    }

    /// Takes in a pod; one that is over and accounted for is let go.
    pub(crate) fn pod(&mut self, pod: &Pod) {
        let facts = self.facts(pod);
        let open = facts.tracked || !matches!(facts.phase, Phase::Succeeded | Phase::Failed);
        match open {
            true => drop(self.pods.insert(facts.name.clone(), facts)),
            false => drop(self.pods.remove(&facts.name)),
        }
    }

    /// A pod as this Job sees it.
    fn facts(&self, pod: &Pod) -> PodFacts {
        let policy = self.job.spec.as_ref().and_then(|spec| spec.pod_failure_policy.as_ref());
        PodFacts::of(pod, &self.selector, policy)
    }

    /// What a rule of the failure policy did about a pod that failed.
    pub(crate) fn rule_of(&self, pod: &str) -> Option<Action> {
        let pod = self.pods.get(pod).filter(|pod| pod.phase == Phase::Failed)?;
        pod.judgement.as_ref().map(|judgement| judgement.action)
    }

    /// Notes that a pod has a node now.
    pub(crate) fn bound(&mut self, name: &str) {
        if let Some(pod) = self.pods.get_mut(name) {
            pod.bound = true;
        }
    }

    /// Whether the Job's selector matches a pod's labels.
    pub(crate) fn selects(&self, pod: &Pod) -> bool {
        self.facts(pod).matches
    }

    pub(crate) fn pod_gone(&mut self, name: &str) {
        self.pods.remove(name);
    }
}

/// The unfinished Jobs, and the pods that nobody controls yet.
#[derive(Default)]
pub(crate) struct Jobs {
    by_key: HashMap<Key, JobState>,
    by_uid: HashMap<Uid, Key>,
    /// Pods without a controller: a Job whose selector matches adopts them.
    pub(crate) orphans: BTreeMap<Key, Pod>,
}

impl Jobs {
    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut JobState> {
        self.by_key.get_mut(key)
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&JobState> {
        self.by_key.get(key)
    }

    pub(crate) fn key_of(&self, uid: Uid) -> Option<&Key> {
        self.by_uid.get(&uid)
    }

    pub(crate) fn insert(&mut self, key: Key, state: JobState) {
        self.by_uid.insert(state.uid, key.clone());
        self.by_key.insert(key, state);
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<JobState> {
        let state = self.by_key.remove(key)?;
        self.by_uid.remove(&state.uid);
        Some(state)
    }

    /// The pods without controller that a Job's selector matches.
    pub(crate) fn orphans_for(&self, key: &Key) -> Vec<PodFacts> {
        let Some(state) = self.by_key.get(key) else { return Vec::new() };
        let near = self.orphans.iter().filter(|(orphan, _)| orphan.namespace == key.namespace);
        let facts = near.map(|(_, pod)| state.facts(pod));
        facts.filter(|facts| facts.matches).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &JobState)> {
        self.by_key.iter()
    }
}
