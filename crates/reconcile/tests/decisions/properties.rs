//! What holds whatever happens, over a small world in which pods start, end, are deleted and lost, and
//! people scale, suspend and resume.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use kinds::types::core::v1::Pod;
use proptest::prelude::*;
use reconcile::{BackOff, Plan, Write};

use crate::{
    notation::{self, Input},
    world::{World, ended, index, tracked},
};

/// More rounds than any Job of these needs to end once its pods do.
const ROUNDS_MAX: usize = 200;

#[derive(Clone, Debug)]
struct Shape {
    mode: &'static str,
    completions: Option<i32>,
    parallelism: i32,
    backoff_limit: i32,
    deadline: Option<i64>,
    replace_failed_only: bool,
}

#[derive(Clone, Debug)]
enum Step {
    /// The nth pod that has no node gets one.
    Start(usize),
    /// The nth pod that has not ended does.
    End(usize, bool),
    /// Somebody deletes the nth pod.
    Delete(usize),
    Wait(i64),
    Scale(i32),
    /// An Indexed Job gets this many completions and as many places.
    Stretch(i32),
    /// The nth pod loses the labels by which the Job knows it.
    Relabel(usize),
    Suspend,
    Resume,
    /// The server restarts: what was only in memory is gone.
    Restart,
}

fn shape() -> impl Strategy<Value = Shape> {
    let mode = prop_oneof![Just("NonIndexed"), Just("Indexed"), Just("Queue")];
    let deadline = prop::option::weighted(0.2, 1..200_i64);
    (mode, 0..6, 0..5, 0..4, deadline, any::<bool>()).prop_map(
        |(mode, completions, parallelism, backoff_limit, deadline, replace_failed_only)| Shape {
            mode: if mode == "Queue" { "NonIndexed" } else { mode },
            completions: (mode != "Queue").then_some(completions),
            parallelism,
            backoff_limit,
            deadline,
            replace_failed_only,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..8_usize).prop_map(Step::Start),
        5 => (0..8_usize, prop::bool::weighted(0.6)).prop_map(|(n, well)| Step::End(n, well)),
        2 => (0..8_usize).prop_map(Step::Delete),
        3 => (1..60_i64).prop_map(Step::Wait),
        1 => (0..5).prop_map(Step::Scale),
        1 => (0..6).prop_map(Step::Stretch),
        1 => (0..8_usize).prop_map(Step::Relabel),
        1 => Just(Step::Suspend),
        1 => Just(Step::Resume),
        1 => Just(Step::Restart),
    ]
}

/// The world, and a count of what really ended, kept by somebody who watches the pods alone.
struct Watched {
    world: World,
    shape: Shape,
    succeeded: BTreeSet<String>,
    failed: BTreeSet<String>,
    indexes: BTreeSet<u32>,
}

impl Watched {
    fn new(shape: Shape) -> Self {
        let mut job = notation::job();
        let spec = job.spec.as_mut().unwrap();
        spec.completion_mode = Some(shape.mode.to_owned());
        spec.completions = shape.completions;
        spec.parallelism = Some(shape.parallelism);
        spec.backoff_limit = Some(shape.backoff_limit);
        spec.active_deadline_seconds = shape.deadline;
        let policy = if shape.replace_failed_only { "Failed" } else { "TerminatingOrFailed" };
        spec.pod_replacement_policy = Some(policy.to_owned());
        let world = World::of(Input::of(job));
        let (succeeded, failed) = (BTreeSet::new(), BTreeSet::new());
        Self { world, shape, succeeded, failed, indexes: BTreeSet::new() }
    }

    fn take(&mut self, step: &Step) {
        let spec = self.world.job.spec.as_mut().unwrap();
        match step {
            Step::Wait(seconds) => self.world.now += SignedDuration::from_secs(*seconds),
            Step::Scale(parallelism) => spec.parallelism = Some(*parallelism),
            Step::Stretch(n) if self.shape.mode == "Indexed" => {
                (spec.completions, spec.parallelism) = (Some(*n), Some(*n));
                if !self.finished() {
                    self.indexes.retain(|&index| index < u32::try_from(*n).unwrap());
                }
            }
            Step::Stretch(_) => {}
            Step::Relabel(nth) => {
                if let Some(name) = self.nth(*nth, |_| true) {
                    self.world.pod(&name).metadata.labels = None;
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
            Step::End(nth, well) => {
                if let Some(name) = self.nth(*nth, |pod| !ended(pod)) {
                    self.end(&name, *well);
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

    /// A pod ends. Its end counts if it is still tracked: what the Job dropped, or counted when its
    /// deletion began, is nobody's business any more.
    fn end(&mut self, name: &str, well: bool) {
        let pod = self.world.pods[name].clone();
        if self.counts(&pod) {
            match well {
                true => self.succeeded.insert(name.to_owned()),
                false => self.failed.insert(name.to_owned()),
            };
            self.indexes.extend(index(&pod).filter(|_| well));
        }
        self.world.end(name, if well { "Succeeded" } else { "Failed" });
    }

    fn delete(&mut self, name: &str) {
        let pod = &self.world.pods[name];
        let counts = self.counts(pod) && !ended(pod) && !self.shape.replace_failed_only;
        if counts {
            self.failed.insert(name.to_owned());
        }
        self.world.delete(name);
        // A pod without a node has nothing to end; the finalizer alone holds it, until the node's
        // place says that it failed.
        let pod = self.world.pods.get(name);
        let lingers = pod.is_some_and(|pod| unbound(pod) && !ended(pod));
        if lingers && self.shape.replace_failed_only {
            self.end(name, false);
        }
    }

    fn settle(&mut self) {
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
            let alive: Vec<_> = alive.map(|(name, _)| name.clone()).collect();
            self.failed.extend(alive);
        }
        self.check();
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
        }
        let succeeded = match self.shape.mode {
            "Indexed" => self.indexes.len(),
            _ => self.succeeded.len(),
        };
        assert_eq!(status.succeeded.unwrap_or(0) as usize, succeeded, "succeeded");
        assert_eq!(status.failed.unwrap_or(0) as usize, self.failed.len(), "failed");
        if self.finished() {
            assert!(alive.is_empty() || deleting.is_empty(), "finished while {deleting:?} run");
            assert!(self.world.pods.values().all(|pod| !tracked(pod)), "left behind tracked");
        }
    }

    /// From here on every pod does its work.
    fn end_everything(&mut self) {
        let spec = self.world.job.spec.as_mut().unwrap();
        spec.suspend = Some(false);
        spec.parallelism = Some(spec.parallelism.unwrap().max(1));
        self.settle();
        for _ in 0..ROUNDS_MAX {
            if self.finished() {
                return;
            }
            if let Some(name) = self.nth(0, |pod| !ended(pod)) {
                self.end(&name, true);
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_true_and_every_job_ends(shape in shape(), steps in prop::collection::vec(step(), 0..40)) {
        let mut watched = Watched::new(shape);
        watched.settle();
        for step in &steps {
            watched.take(step);
        }
        watched.end_everything();
    }

    #[test]
    fn places_of_terminating_pods_stay_taken_under_failed(
        parallelism in 0..5_i32,
        completions in 1..6_i32,
        indexed in any::<bool>(),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let mode = if indexed { "Indexed" } else { "NonIndexed" };
        let mut watched = Watched::new(Shape {
            mode,
            completions: Some(completions),
            parallelism,
            backoff_limit: 9,
            deadline: None,
            replace_failed_only: true,
        });
        watched.settle();
        // Scaling down leaves more terminating pods than there are places.
        let scales = |step: &&Step| matches!(step, Step::Scale(_) | Step::Stretch(_) | Step::Relabel(_));
        for step in steps.iter().filter(|step| !scales(step)) {
            watched.take(step);
            let alive = watched.world.pods.values().filter(|pod| !ended(pod)).count();
            prop_assert!(alive <= parallelism as usize, "{alive} of {parallelism}");
        }
    }
}
