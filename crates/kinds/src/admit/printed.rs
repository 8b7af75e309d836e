//! Bad values as upstream's errors print them: JSON of the types its server works with, whose fields
//! bear Go's own names and come in the order of their declaration, and where what is absent is null.

use serde::Serialize;

use crate::{
    metav1::{LabelSelector, LabelSelectorRequirement},
    types::batch::v1::{
        PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
        PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule, SuccessPolicy,
        SuccessPolicyRule, UncountedTerminatedPods,
    },
};

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rules<T> {
    rules: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FailureRule<'a> {
    action: &'a str,
    on_exit_codes: Option<ExitCodes<'a>>,
    on_pod_conditions: Option<Vec<Pattern<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExitCodes<'a> {
    container_name: Option<&'a str>,
    operator: &'a str,
    values: &'a [i32],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pattern<'a> {
    r#type: &'a str,
    status: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SuccessRule<'a> {
    succeeded_indexes: Option<&'a str>,
    succeeded_count: Option<i32>,
}

/// `null`, or a policy such as `{"Rules":[…]}`.
pub(super) fn failure_policy(policy: Option<&PodFailurePolicy>) -> String {
    json(&policy.map(|policy| Rules { rules: policy.rules.iter().map(failure_rule).collect() }))
}

fn failure_rule(rule: &PodFailurePolicyRule) -> FailureRule<'_> {
    FailureRule {
        action: &rule.action,
        on_exit_codes: rule.on_exit_codes.as_ref().map(exit_codes),
        on_pod_conditions: rule.on_pod_conditions.as_ref().map(|p| p.iter().map(pattern).collect()),
    }
}

fn exit_codes(codes: &PodFailurePolicyOnExitCodesRequirement) -> ExitCodes<'_> {
    ExitCodes {
        container_name: codes.container_name.as_deref(),
        operator: &codes.operator,
        values: &codes.values,
    }
}

fn pattern(pattern: &PodFailurePolicyOnPodConditionsPattern) -> Pattern<'_> {
    Pattern { r#type: &pattern.type_, status: pattern.status.as_deref().unwrap_or_default() }
}

/// `null`, or a policy such as `{"Rules":[…]}`.
pub(super) fn success_policy(policy: Option<&SuccessPolicy>) -> String {
    json(&policy.map(|policy| Rules { rules: policy.rules.iter().map(success_rule).collect() }))
}

fn success_rule(rule: &SuccessPolicyRule) -> SuccessRule<'_> {
    SuccessRule {
        succeeded_indexes: rule.succeeded_indexes.as_deref(),
        succeeded_count: rule.succeeded_count,
    }
}

/// The uids of pods that ended and are not counted yet.
pub(super) fn uncounted(pods: &UncountedTerminatedPods) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Uncounted<'a> {
        succeeded: Option<&'a [String]>,
        failed: Option<&'a [String]>,
    }
    json(&Uncounted { succeeded: pods.succeeded.as_deref(), failed: pods.failed.as_deref() })
}

/// `null`, or a selector; it has its ordinary names, but not their order.
pub(super) fn selector(selector: Option<&LabelSelector>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Ordered<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        match_labels: Option<&'a std::collections::BTreeMap<String, String>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        match_expressions: Option<&'a [LabelSelectorRequirement]>,
    }
    json(&selector.map(|selector| Ordered {
        match_labels: selector.match_labels.as_ref().filter(|labels| !labels.is_empty()),
        match_expressions: selector.match_expressions.as_deref().filter(|list| !list.is_empty()),
    }))
}
