//! A container's own restart policy and its rules: validation.

use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::core::v1::{Container, ContainerRestartRule},
};

/// Most rules of a container.
const RULES_MAX: usize = 20;
/// Most exit codes of a rule.
const EXIT_CODES_MAX: usize = 255;

const POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];
const ACTIONS: [&str; 2] = ["Restart", "RestartAllContainers"];
const OPERATORS: [&str; 2] = ["In", "NotIn"];

/// Everything wrong with `restartPolicy` and `restartPolicyRules` of a container.
pub(super) fn check(container: &Container, at: Path<'_>, errors: &mut FieldErrors) {
    let rules = container.restart_policy_rules.as_deref().unwrap_or_default();
    let policy = container.restart_policy.as_deref();
    match policy {
        None if rules.is_empty() => {}
        None => {
            let text = "must specify restartPolicy when restart rules are used";
            errors.push(FieldError::required(at.field("restartPolicy"), text));
        }
        Some(policy) if !POLICIES.contains(&policy) => {
            errors.push(FieldError::not_supported(at.field("restartPolicy"), policy, &POLICIES));
        }
        Some(_) => {}
    }
    let at = at.field("restartPolicyRules");
    if rules.len() > RULES_MAX {
        errors.push(FieldError::too_many(at, rules.len(), RULES_MAX));
    }
    for (i, rule) in rules.iter().enumerate() {
        self::rule(rule, at.index(i), errors);
    }
}

fn rule(rule: &ContainerRestartRule, at: Path<'_>, errors: &mut FieldErrors) {
    if !ACTIONS.contains(&&*rule.action) {
        errors.push(FieldError::not_supported(at.field("action"), rule.action.as_str(), &ACTIONS));
    }
    let at = at.field("exitCodes");
    let Some(codes) = &rule.exit_codes else {
        return errors.push(FieldError::required(at, "must be specified"));
    };
    if !OPERATORS.contains(&&*codes.operator) {
        let operator = codes.operator.as_str();
        errors.push(FieldError::not_supported(at.field("operator"), operator, &OPERATORS));
    }
    let count = codes.values.as_ref().map_or(0, Vec::len);
    if count > EXIT_CODES_MAX {
        errors.push(FieldError::too_many(at.field("values"), count, EXIT_CODES_MAX));
    }
}
