//! The policies that a seed draws for a Job, and what they say of a task that ended.

use fastrand::Rng;
use kinds::types::batch::v1::{Job, PodFailurePolicyRule};
use serde_json::{Value, json};

/// The exit codes of tasks that fail. All but the first mean something to a failure policy that has
/// the rule for it.
pub(crate) const CODES: [i32; 5] = [1, 3, 4, 5, 6];

/// Limits and policies of one Job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    pub(crate) limit_per_index: Option<u32>,
    pub(crate) max_failed_indexes: Option<u32>,
    /// Rules of `podFailurePolicy`.
    pub(crate) failure: Vec<Value>,
    /// Rules of `successPolicy`.
    pub(crate) success: Vec<Value>,
}

impl Policies {
    /// `indexes`: how many an Indexed Job has; the others have fewer choices.
    pub(crate) fn draw(random: &mut Rng, indexes: Option<u32>, restarts: bool) -> Self {
        let mut policies = Self::default();
        if let Some(indexes) = indexes {
            policies.limit_per_index = (random.u32(0..3) == 0).then(|| random.u32(0..3));
            let limited = policies.limit_per_index.is_some() && random.bool();
            policies.max_failed_indexes = limited.then(|| random.u32(0..=indexes));
            if random.u32(0..4) == 0 {
                let rules = random.usize(1..3);
                policies.success = (0..rules).map(|_| success(random, indexes)).collect();
            }
        }
        if !restarts && random.u32(0..3) == 0 {
            let mut rules = rules(policies.limit_per_index.is_some());
            random.shuffle(&mut rules);
            rules.truncate(random.usize(1..=rules.len()));
            policies.failure = rules;
        }
        policies
    }

    /// Writes them into the spec of a manifest.
    pub(crate) fn write(&self, spec: &mut Value) {
        if let Some(limit) = self.limit_per_index {
            spec["backoffLimitPerIndex"] = limit.into();
        }
        if let Some(max) = self.max_failed_indexes {
            spec["maxFailedIndexes"] = max.into();
        }
        if !self.failure.is_empty() {
            spec["podFailurePolicy"] = json!({"rules": self.failure});
            spec["podReplacementPolicy"] = "Failed".into();
        }
        if !self.success.is_empty() {
            spec["successPolicy"] = json!({"rules": self.success});
        }
    }
}

fn rules(per_index: bool) -> Vec<Value> {
    let on_code = |action: &str, code: i32| json!({"action": action, "onExitCodes": {"operator": "In", "values": [code]}});
    let mut rules = vec![
        on_code("Ignore", 3),
        on_code("FailJob", 5),
        on_code("Count", 6),
        json!({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}),
    ];
    if per_index {
        rules.push(on_code("FailIndex", 4));
    }
    rules
}

fn success(random: &mut Rng, indexes: u32) -> Value {
    let first = random.u32(0..indexes);
    let list = match first + 1 == indexes {
        true => first.to_string(),
        false => format!("{first}-{}", indexes - 1),
    };
    match random.u32(0..3) {
        0 => json!({"succeededCount": random.u32(1..=indexes)}),
        1 => json!({"succeededIndexes": list}),
        _ => json!({
            "succeededIndexes": list,
            "succeededCount": random.u32(1..=indexes - first),
        }),
    }
}

/// Whether a failure is ignored by its exit code alone, whatever conditions its pod has: no rule on
/// conditions stands before the one on this code.
pub(crate) fn ignores(job: &Job, codes: &[i32]) -> bool {
    let policy = job.spec.as_ref().and_then(|spec| spec.pod_failure_policy.as_ref());
    let mut rules = policy.into_iter().flat_map(|policy| &policy.rules);
    let matching = rules.find(|rule| means(rule, codes) || rule.on_pod_conditions.is_some());
    matching.is_some_and(|rule| rule.action == "Ignore" && rule.on_pod_conditions.is_none())
}

/// Whether any rule could ignore this failure, now or when it is counted: a pod that waits to be
/// counted may still be evicted.
pub(crate) fn may_ignore(job: &Job, codes: &[i32]) -> bool {
    let policy = job.spec.as_ref().and_then(|spec| spec.pod_failure_policy.as_ref());
    let mut rules = policy.into_iter().flat_map(|policy| &policy.rules);
    rules.any(|rule| {
        rule.action == "Ignore" && (means(rule, codes) || rule.on_pod_conditions.is_some())
    })
}

fn means(rule: &PodFailurePolicyRule, codes: &[i32]) -> bool {
    let meant = rule.on_exit_codes.as_ref();
    meant.is_some_and(|meant| codes.iter().any(|code| meant.values.contains(code)))
}
