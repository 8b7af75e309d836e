//! What `spec.podFailurePolicy` says of a pod.

use kinds::types::{
    batch::v1::{
        PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
        PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
    },
    core::v1::{ContainerStatus, Pod, PodStatus},
};

/// What a rule does about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The Job fails.
    FailJob,
    /// The pod's index fails.
    FailIndex,
    /// The failure does not count.
    Ignore,
    /// The failure counts.
    Count,
}

impl Action {
    /// As the API and the metrics spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FailJob => "FailJob",
            Self::FailIndex => "FailIndex",
            Self::Ignore => "Ignore",
            Self::Count => "Count",
        }
    }
}

/// The rule that matched a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What the rule does.
    pub action: Action,
    /// Where the rule stands in the policy, from 0.
    pub rule: usize,
    /// What matched, with the pod's name: the first half of the message of a Job that fails by it.
    pub why: Box<str>,
}

/// The first rule that matches a pod as it stands; `None` if none does, and a failure of it counts.
/// A rule whose action is not known is none.
pub(super) fn judge(policy: &PodFailurePolicy, pod: &Pod) -> Option<Judgement> {
    let status = pod.status.as_ref()?;
    policy.rules.iter().enumerate().find_map(|(rule, terms)| {
        let action = action(terms)?;
        let why = match (&terms.on_exit_codes, &terms.on_pod_conditions) {
            (Some(codes), _) => exited(codes, pod, status)?,
            (None, Some(patterns)) => conditioned(patterns, pod, status)?,
            (None, None) => return None,
        };
        Some(Judgement { action, rule, why: why.into() })
    })
}

fn action(rule: &PodFailurePolicyRule) -> Option<Action> {
    let all = [Action::FailJob, Action::FailIndex, Action::Ignore, Action::Count];
    all.into_iter().find(|action| action.name() == rule.action)
}

/// The first container that ended badly in a way that the rule means: containers come before init
/// containers.
fn exited(
    rule: &PodFailurePolicyOnExitCodesRequirement,
    pod: &Pod,
    status: &PodStatus,
) -> Option<String> {
    let all = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
    let mut meant = all.filter(|c| rule.container_name.as_ref().is_none_or(|name| *name == c.name));
    let (container, code) = meant.find_map(|container| {
        let code = exit_code(container).filter(|code| *code != 0)?;
        let listed = rule.values.contains(&code);
        let matches = match &*rule.operator {
            "In" => listed,
            "NotIn" => !listed,
            _ => false,
        };
        matches.then_some((&container.name, code))
    })?;
    Some(format!("Container {container} for pod {} failed with exit code {code}", full_name(pod)))
}

fn exit_code(container: &ContainerStatus) -> Option<i32> {
    Some(container.state.as_ref()?.terminated.as_ref()?.exit_code)
}

/// The first condition of the pod that one of the patterns means.
fn conditioned(
    patterns: &[PodFailurePolicyOnPodConditionsPattern],
    pod: &Pod,
    status: &PodStatus,
) -> Option<String> {
    let condition = status.conditions.iter().flatten().find(|condition| {
        patterns.iter().any(|p| {
            p.type_ == condition.type_ && p.status.as_deref().unwrap_or("True") == condition.status
        })
    })?;
    Some(format!("Pod {} has condition {}", full_name(pod), condition.type_))
}

fn full_name(pod: &Pod) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    format!("{}/{}", part(&pod.metadata.namespace), part(&pod.metadata.name))
}
