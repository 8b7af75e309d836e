//! The notation of the rules of policies, one line each.
//!
//! `rule ACTION codes=In:1,2 container=main` or `rule ACTION condition=Type=Status,Type` of the
//! failure policy, `success indexes=0-2 count=1` of the success policy.

use kinds::types::batch::v1::{
    PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule, SuccessPolicyRule,
};

pub(crate) fn failure_rule(text: &str) -> PodFailurePolicyRule {
    let (action, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut rule = PodFailurePolicyRule { action: action.to_owned(), ..Default::default() };
    for word in rest.split_whitespace() {
        match word.split_once('=').unwrap_or((word, "")) {
            ("codes", value) => {
                let (operator, values) = value.split_once(':').expect("OPERATOR:CODES");
                let values = values.split(',').map(|code| code.parse().expect("a number"));
                rule.on_exit_codes = Some(PodFailurePolicyOnExitCodesRequirement {
                    operator: operator.to_owned(),
                    values: values.collect(),
                    container_name: None,
                });
            }
            ("container", name) => {
                rule.on_exit_codes.as_mut().expect("codes first").container_name =
                    Some(name.to_owned());
            }
            ("condition", value) => {
                rule.on_pod_conditions = Some(value.split(',').map(pattern).collect());
            }
            (other, _) => panic!("unknown word {other:?} of a rule"),
        }
    }
    rule
}

fn pattern(text: &str) -> PodFailurePolicyOnPodConditionsPattern {
    let (type_, status) = text.split_once('=').map_or((text, None), |(t, s)| (t, Some(s)));
    PodFailurePolicyOnPodConditionsPattern {
        type_: type_.to_owned(),
        status: status.map(str::to_owned),
    }
}

pub(crate) fn success_rule(text: &str) -> SuccessPolicyRule {
    let mut rule = SuccessPolicyRule::default();
    for word in text.split_whitespace() {
        match word.split_once('=').unwrap_or((word, "")) {
            ("indexes", value) => rule.succeeded_indexes = Some(value.to_owned()),
            ("count", value) => rule.succeeded_count = Some(value.parse().expect("a number")),
            (other, _) => panic!("unknown word {other:?} of a rule"),
        }
    }
    rule
}
