//! The small world with somebody beside it who counts what really ends, watching the pods alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use kinds::types::{
    batch::v1::JobSpec,
    core::v1::{Pod, PodCondition},
};
use reconcile::{BackOff, IndexSet, Plan, Write};

use crate::{
    draw::{Shape, Step},
    notation::{self, Input},
    world::{World, ended, index, tracked},
};

/// More rounds than any Job of these needs to end once its pods do.
const ROUNDS_MAX: usize = 200;

/// The world, and a count of what really ended, kept by somebody who watches the pods alone.
pub(crate) struct Watched {
    pub(crate) world: World,
    shape: Shape,
    succeeded: BTreeSet<String>,
    /// Pods whose failure counts.
    failed: BTreeSet<String>,
    /// Indexes that succeeded.
    indexes: BTreeSet<u32>,
    /// How often a pod of an index failed in a way that counts.
    failures: BTreeMap<u32, u32>,
    /// Indexes that a rule gave up.
    given_up: BTreeSet<u32>,
    /// The interim condition, once there is one.
    declared: Option<&'static str>,
}

impl Watched {
    pub(crate) fn new(shape: Shape) -> Self {
        let mut job = notation::job();
        let spec = job.spec.as_mut().unwrap();
        shape.policies(spec);
        spec.completion_mode = Some(shape.mode.to_owned());
        spec.completions = shape.completions;
        spec.parallelism = Some(shape.parallelism);
        spec.backoff_limit = Some(shape.backoff_limit);
        spec.active_deadline_seconds = shape.deadline;
        let policy = if shape.replace_failed_only { "Failed" } else { "TerminatingOrFailed" };
        spec.pod_replacement_policy = Some(policy.to_owned());
        let world = World::of(Input::of(job));
        Self {
            world,
            shape,
            succeeded: BTreeSet::new(),
            failed: BTreeSet::new(),
            indexes: BTreeSet::new(),
            failures: BTreeMap::new(),
            given_up: BTreeSet::new(),
            declared: None,
        }
    }

    pub(crate) fn take(&mut self, step: &Step) {
        let spec = self.world.job.spec.as_mut().unwrap();
        match step {
            Step::Wait(seconds) => self.world.now += SignedDuration::from_secs(*seconds),
            Step::Scale(parallelism) => spec.parallelism = Some(*parallelism),
            Step::Stretch(n) if self.shape.mode == "Indexed" => {
                (spec.completions, spec.parallelism) = (Some(*n), Some(*n));
                if !self.finished() {
                    let end = u32::try_from(*n).unwrap();
                    self.indexes.retain(|&index| index < end);
                    // A failed pod that was kept for its index is not counted any more.
                    let pods = &self.world.pods;
                    let out = |pod: &Pod| tracked(pod) && index(pod).is_some_and(|i| i >= end);
                    self.failed.retain(|name| !pods.get(name).is_some_and(out));
                }
            }
            Step::Stretch(_) => {}
            Step::Relabel(nth) => {
                if let Some(name) = self.nth(*nth, |_| true) {
                    self.world.pod(&name).metadata.labels = None;
                    // What was not counted yet never will be.
                    if tracked(&self.world.pods[&name]) {
                        self.failed.remove(&name);
                    }
                }
            }
            Step::Suspend => spec.suspend = Some(true),
            Step::Resume => spec.suspend = Some(false),
            Step::Restart => self.world.back_off = BackOff::default(),
            Step::Start(nth) => {
                if let Some(name) = self.nth(*nth, |pod| unbound(pod) && !ended(pod)) {
                    self.world.start(&name);
                }
            }
            Step::End(nth, code) => {
                if let Some(name) = self.nth(*nth, |pod| !ended(pod)) {
                    self.end(&name, *code);
                }
            }
            Step::Evict(nth) => {
                if let Some(name) = self.nth(*nth, |pod| !ended(pod)) {
                    self.evict(&name);
                }
            }
            Step::Delete(nth) => {
                if let Some(name) = self.nth(*nth, |_| true) {
                    self.delete(&name);
                }
            }
        }
        self.settle();
    }

    fn nth(&self, nth: usize, fit: impl Fn(&Pod) -> bool) -> Option<String> {
        let fitting: Vec<_> = self.world.pods.iter().filter(|(_, pod)| fit(pod)).collect();
        let count = fitting.len().max(1);
        fitting.get(nth % count).map(|(name, _)| (*name).clone())
    }

    /// Whether the end of this pod counts. Not if its index is beyond the completions: the Job was
    /// made shorter while the pod was already on its way out.
    fn counts(&self, pod: &Pod) -> bool {
        let completions = self.world.job.spec.as_ref().unwrap().completions;
        let end = completions.map_or(u32::MAX, |count| u32::try_from(count).unwrap());
        tracked(pod) && index(pod).is_none_or(|index| index < end)
    }

    /// A pod ends with this exit code. Its end counts if it is still tracked: what the Job dropped, or
    /// counted when its deletion began, is nobody's business any more.
    fn end(&mut self, name: &str, code: i32) {
        let pod = self.world.pods[name].clone();
        if self.counts(&pod) {
            let too_late = index(&pod).is_some_and(|index| self.failed_indexes().contains(index));
            self.failed.remove(name);
            if code != 0 {
                self.fail(name, &pod, self.shape.action(Some(code), evicted(&pod)));
            } else if !too_late {
                self.succeeded.insert(name.to_owned());
                self.indexes.extend(index(&pod));
            }
        }
        self.world.end(name, code);
    }

    /// Notes a failure about which the policy says this.
    fn fail(&mut self, name: &str, pod: &Pod, action: Option<&str>) {
        if action == Some("Ignore") {
            return;
        }
        self.failed.insert(name.to_owned());
        let Some(index) = index(pod) else { return };
        *self.failures.entry(index).or_default() += 1;
        if action == Some("FailIndex") {
            self.given_up.insert(index);
        }
    }

    fn delete(&mut self, name: &str) {
        let pod = self.world.pods[name].clone();
        let begun = pod.metadata.deletion_timestamp.is_some();
        let failed = self.counts(&pod) && !ended(&pod) && !begun;
        if failed && !self.shape.replace_failed_only {
            self.fail(name, &pod, None);
        }
        self.world.delete(name);
        // A pod without a node has nothing to end; the finalizer alone holds it, until the node's
        // place says that it failed.
        let pod = self.world.pods.get(name);
        let lingers = pod.is_some_and(|pod| unbound(pod) && !ended(pod));
        if lingers && self.shape.replace_failed_only {
            self.end(name, 1);
        }
    }

    /// The eviction API says why, then deletes.
    fn evict(&mut self, name: &str) {
        let status = self.world.pod(name).status.get_or_insert_default();
        status.conditions.get_or_insert_default().push(PodCondition {
            type_: "DisruptionTarget".to_owned(),
            status: "True".to_owned(),
            ..PodCondition::default()
        });
        self.delete(name);
    }

    pub(crate) fn settle(&mut self) {
        let before = self.world.pods.clone();
        let failing_before = self.condition("FailureTarget");
        let finished = self.finished();
        let frozen = self.world.job.status.clone();
        for plan in self.world.settle() {
            self.check_plan(&plan);
        }
        if finished {
            assert_eq!(self.world.job.status, frozen, "a finished Job changed");
        }
        if self.condition("FailureTarget") && !failing_before {
            // The Job gives up on whatever still ran, and counts it as failed.
            let alive = before.iter().filter(|(_, pod)| self.counts(pod) && !ended(pod));
            let counted =
                alive.filter(|(_, pod)| self.shape.action(None, evicted(pod)) != Some("Ignore"));
            let counted: Vec<_> = counted.map(|(name, _)| name.clone()).collect();
            self.failed.extend(counted);
        }
        self.check();
        self.check_declared();
    }

    fn finished(&self) -> bool {
        self.condition("Complete") || self.condition("Failed")
    }

    fn condition(&self, of_type: &str) -> bool {
        let status = self.world.job.status.iter();
        let mut all = status.flat_map(|status| status.conditions.iter().flatten());
        all.any(|c| c.type_ == of_type && c.status == "True")
    }

    /// No plan touches a pod in two ways that contradict each other, and its status comes last.
    fn check_plan(&self, plan: &Plan) {
        let status = plan.writes.iter().position(|write| matches!(write, Write::SetStatus(_)));
        assert!(status.is_none_or(|at| at + 1 == plan.writes.len()), "{plan:?}");
        let mut untracked = BTreeSet::new();
        for write in &plan.writes {
            if let Write::RemoveFinalizer { name } = write {
                assert!(untracked.insert(name), "{name} is let go twice");
            }
        }
    }

    fn check(&self) {
        let spec = self.world.job.spec.as_ref().unwrap();
        let status = self.world.job.status.clone().unwrap_or_default();
        let parallelism = usize::try_from(spec.parallelism.unwrap()).unwrap();
        let ours = |pod: &&Pod| pod.metadata.owner_references.is_some();
        let alive: Vec<_> =
            self.world.pods.values().filter(ours).filter(|pod| !ended(pod)).collect();
        let (deleting, active): (Vec<&Pod>, Vec<&Pod>) =
            alive.iter().partition(|pod| pod.metadata.deletion_timestamp.is_some());
        if self.shape.completions.is_some() || self.succeeded.is_empty() {
            assert!(active.len() <= parallelism, "{} active of {parallelism}", active.len());
        }
        if spec.suspend == Some(true) {
            assert!(active.is_empty(), "a suspended Job has pods");
        }
        assert_eq!(status.active.unwrap_or(0) as usize, active.len());
        let mut taken = BTreeMap::new();
        for index in active.iter().filter_map(|pod| index(pod)) {
            assert_eq!(taken.insert(index, ()), None, "two active pods of index {index}");
            assert!(!self.indexes.contains(&index), "index {index} runs although it is done");
            let failed = self.failed_indexes().contains(index);
            assert!(!failed, "index {index} runs although it failed");
        }
        let succeeded = match self.shape.mode {
            "Indexed" => self.indexes.len(),
            _ => self.succeeded.len(),
        };
        assert_eq!(status.succeeded.unwrap_or(0) as usize, succeeded, "succeeded");
        // The last failed pod of an index is not counted before its replacement is there.
        let kept = |name: &&String| self.world.pods.get(*name).is_some_and(tracked);
        let counted = self.failed.iter().filter(|name| !kept(name)).count();
        assert_eq!(status.failed.unwrap_or(0) as usize, counted, "failed");
        self.check_indexes(spec);
        if self.finished() {
            assert!(alive.is_empty() || deleting.is_empty(), "finished while {deleting:?} run");
            assert!(self.world.pods.values().all(|pod| !tracked(pod)), "left behind tracked");
        }
    }

    fn failed_indexes(&self) -> IndexSet {
        let status = self.world.job.status.as_ref();
        let text = status.and_then(|status| status.failed_indexes.as_deref()).unwrap_or_default();
        IndexSet::parse(text, u32::MAX)
    }

    /// An index failed only if its pods failed often enough, and none both failed and succeeded.
    fn check_indexes(&self, spec: &JobSpec) {
        let status = self.world.job.status.as_ref();
        let told = status.is_some_and(|status| status.failed_indexes.is_some());
        assert_eq!(told, spec.backoff_limit_per_index.is_some(), "failedIndexes");
        let limit = spec.backoff_limit_per_index.map_or(0, |limit| u32::try_from(limit).unwrap());
        let failed = self.failed_indexes();
        for index in (0..10).filter(|&index| failed.contains(index)) {
            let failures = self.failures.get(&index).copied().unwrap_or(0);
            let enough = failures > limit || self.given_up.contains(&index);
            assert!(enough, "index {index} failed after {failures} failures");
            assert!(!self.indexes.contains(&index), "index {index} failed and succeeded");
        }
    }

    /// What was declared stays, and nothing else beside it.
    fn check_declared(&mut self) {
        let ends = ["SuccessCriteriaMet", "FailureTarget"];
        let now: Vec<_> = ends.into_iter().filter(|end| self.condition(end)).collect();
        assert!(now.len() <= 1, "{now:?}");
        let now = now.first().copied();
        assert!(self.declared.is_none() || self.declared == now, "{:?}, {now:?}", self.declared);
        self.declared = now;
    }

    /// From here on every pod does its work.
    pub(crate) fn end_everything(&mut self) {
        let spec = self.world.job.spec.as_mut().unwrap();
        spec.suspend = Some(false);
        spec.parallelism = Some(spec.parallelism.unwrap().max(1));
        self.settle();
        for _ in 0..ROUNDS_MAX {
            if self.finished() {
                return;
            }
            if let Some(name) = self.nth(0, |pod| !ended(pod)) {
                self.end(&name, 0);
            } else {
                let wake = self.world.plan(false).wake_at;
                self.world.now = wake.expect("an unfinished Job without pods waits for a time");
            }
            self.settle();
        }
        panic!("the Job never ends: {:?}", self.world.job.status);
    }
}

fn unbound(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_none())
}

fn evicted(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.clone().any(|condition| condition.type_ == "DisruptionTarget")
}
