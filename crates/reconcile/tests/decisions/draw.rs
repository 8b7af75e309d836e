//! What the properties draw: a Job with every feature, and what happens to it.

use kinds::types::batch::v1::JobSpec;
use proptest::prelude::*;

use crate::policies;

#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) mode: &'static str,
    pub(crate) completions: Option<i32>,
    pub(crate) parallelism: i32,
    pub(crate) backoff_limit: i32,
    pub(crate) deadline: Option<i64>,
    pub(crate) replace_failed_only: bool,
    /// Lines of the failure policy, in the notation of the cases.
    pub(crate) failure: Vec<&'static str>,
    /// Lines of the success policy; only of an Indexed Job.
    pub(crate) success: Vec<String>,
    /// Only of an Indexed Job, with how many indexes may fail.
    pub(crate) per_index: Option<(i32, Option<i32>)>,
}

/// The rules that failure policies are made of. Each exit code means one action.
const RULES: [(&str, Option<i32>); 5] = [
    ("Ignore codes=In:3", Some(3)),
    ("FailIndex codes=In:4", Some(4)),
    ("FailJob codes=In:5", Some(5)),
    ("Count codes=In:6", Some(6)),
    ("Ignore condition=DisruptionTarget", None),
];

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The nth pod that has no node gets one.
    Start(usize),
    /// The nth pod that has not ended does, with this exit code.
    End(usize, i32),
    /// Somebody deletes the nth pod.
    Delete(usize),
    /// Somebody evicts the nth pod that has not ended.
    Evict(usize),
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

impl Shape {
    /// Writes the policies into a spec.
    pub(crate) fn policies(&self, spec: &mut JobSpec) {
        for line in &self.failure {
            let policy = spec.pod_failure_policy.get_or_insert_default();
            policy.rules.push(policies::failure_rule(line));
        }
        for line in &self.success {
            let policy = spec.success_policy.get_or_insert_default();
            policy.rules.push(policies::success_rule(line));
        }
        spec.backoff_limit_per_index = self.per_index.map(|(limit, _)| limit);
        spec.max_failed_indexes = self.per_index.and_then(|(_, max)| max);
    }

    /// What the failure policy says of a pod that ended with this code.
    pub(crate) fn action(&self, code: Option<i32>, evicted: bool) -> Option<&'static str> {
        let rules = self.failure.iter().filter_map(|line| RULES.iter().find(|r| r.0 == *line));
        let mut matching = rules.filter(|(_, means)| match means {
            Some(_) => *means == code,
            None => evicted,
        });
        matching.next().and_then(|(line, _)| line.split(' ').next())
    }
}

pub(crate) fn shape() -> impl Strategy<Value = Shape> {
    let mode = prop_oneof![Just("NonIndexed"), Just("Indexed"), Just("Indexed"), Just("Queue")];
    let deadline = prop::option::weighted(0.2, 1..200_i64);
    let limits = (0..6, 0..5, 0..4, deadline, any::<bool>());
    let rules: Vec<_> = RULES.iter().map(|rule| rule.0).collect();
    let failure =
        prop_oneof![Just(vec![]), prop::sample::subsequence(rules, 1..=RULES.len()).prop_shuffle()];
    let success = prop_oneof![Just(vec![]), prop::collection::vec(success(), 1..3)];
    let per_index = prop::option::of((0..3, prop::option::of(0..4)));
    (mode, limits, failure, success, per_index).prop_map(
        |(mode, limits, failure, success, per_index)| {
            let (completions, parallelism, backoff_limit, deadline, replace_failed_only) = limits;
            let indexed = mode == "Indexed";
            Shape {
                mode: if mode == "Queue" { "NonIndexed" } else { mode },
                completions: (mode != "Queue").then_some(completions),
                parallelism,
                backoff_limit,
                deadline,
                replace_failed_only: replace_failed_only || !failure.is_empty(),
                failure,
                success: if indexed { success } else { vec![] },
                per_index: per_index.filter(|_| indexed),
            }
        },
    )
}

fn success() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..4).prop_map(|count| format!("count={count}")),
        (0..4).prop_map(|index| format!("indexes={index}")),
        (0..3, 1..3).prop_map(|(index, count)| format!("indexes={index}-4 count={count}")),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let code = prop_oneof![6 => Just(0), 1 => Just(1), 4 => 3..7_i32];
    prop_oneof![
        4 => (0..8_usize).prop_map(Step::Start),
        5 => (0..8_usize, code).prop_map(|(n, code)| Step::End(n, code)),
        2 => (0..8_usize).prop_map(Step::Delete),
        1 => (0..8_usize).prop_map(Step::Evict),
        3 => (1..60_i64).prop_map(Step::Wait),
        1 => (0..5).prop_map(Step::Scale),
        1 => (0..6).prop_map(Step::Stretch),
        1 => (0..8_usize).prop_map(Step::Relabel),
        1 => Just(Step::Suspend),
        1 => Just(Step::Resume),
        1 => Just(Step::Restart),
    ]
}
