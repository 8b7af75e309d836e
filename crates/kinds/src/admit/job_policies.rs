//! What a Job says of failures and of success: podFailurePolicy and successPolicy.

use std::collections::BTreeSet;

use super::{job_indexes, job_spec::non_negative, meta::push_all};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::{
        batch::v1::{
            JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
            PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule, SuccessPolicy,
            SuccessPolicyRule,
        },
        core::v1::PodSpec,
    },
    validate,
};

/// Most rules of a podFailurePolicy, and of a successPolicy.
const RULES_MAX: usize = 20;

/// Most exit codes of a rule.
const EXIT_CODES_MAX: usize = 255;

/// Most patterns of pod conditions of a rule.
const PATTERNS_MAX: usize = 20;

/// Longest list of indexes of a rule, in bytes.
const SUCCEEDED_INDEXES_BYTES_MAX: usize = 64 << 10;

const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS: [&str; 2] = ["In", "NotIn"];
const STATUSES: [&str; 3] = ["False", "True", "Unknown"];

/// Everything wrong with what decides about failed pods.
pub(super) fn check_failure(
    policy: &PodFailurePolicy,
    spec: &JobSpec,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let at = at.field("rules");
    if policy.rules.len() > RULES_MAX {
        errors.push(FieldError::too_many(at, policy.rules.len(), RULES_MAX));
    }
    let containers: BTreeSet<&str> = spec.template.spec.iter().flat_map(containers).collect();
    for (i, rule) in policy.rules.iter().enumerate() {
        let at = at.index(i);
        check_action(rule, spec, at.field("action"), errors);
        if let Some(codes) = &rule.on_exit_codes {
            check_exit_codes(codes, &containers, at.field("onExitCodes"), errors);
        }
        let patterns = rule.on_pod_conditions.as_deref().unwrap_or_default();
        check_patterns(patterns, at.field("onPodConditions"), errors);
        let text = match (&rule.on_exit_codes, patterns) {
            (Some(_), [_, ..]) => {
                "specifying both OnExitCodes and OnPodConditions is not supported"
            }
            (None, []) => "specifying one of OnExitCodes and OnPodConditions is required",
            _ => continue,
        };
        errors.push(FieldError::invalid_whole(at, text));
    }
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = &str> {
    spec.containers.iter().chain(spec.init_containers.iter().flatten()).map(|c| &*c.name)
}

fn check_action(
    rule: &PodFailurePolicyRule,
    spec: &JobSpec,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let action = rule.action.as_str();
    one_of_listed(action, &ACTIONS, at, errors);
    if action == "FailIndex" && spec.backoff_limit_per_index.is_none() {
        let text = "requires the backoffLimitPerIndex to be set";
        errors.push(FieldError::invalid(at, action, text));
    }
}

/// One of a closed set of words; without any they are listed as Go lists them.
fn one_of_listed(value: &str, words: &[&str], at: Path<'_>, errors: &mut FieldErrors) {
    if value.is_empty() {
        let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        errors.push(FieldError::required(at, format!("valid values: [{}]", words.join(" "))));
    } else if !words.contains(&value) {
        errors.push(FieldError::not_supported(at, value, words));
    }
}

fn check_exit_codes(
    codes: &PodFailurePolicyOnExitCodesRequirement,
    containers: &BTreeSet<&str>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    one_of_listed(&codes.operator, &OPERATORS, at.field("operator"), errors);
    if let Some(name) = codes.container_name.as_deref().filter(|name| !containers.contains(name)) {
        let text = "must be one of the container or initContainer names in the pod template";
        errors.push(FieldError::invalid(at.field("containerName"), name, text));
    }
    let (at, values) = (at.field("values"), codes.values.as_slice());
    if values.is_empty() {
        let text = "at least one value is required";
        errors.push(FieldError::invalid(at, values.to_vec(), text));
    } else if values.len() > EXIT_CODES_MAX {
        errors.push(FieldError::too_many(at, values.len(), EXIT_CODES_MAX));
    }
    let mut seen = BTreeSet::new();
    for (i, code) in values.iter().enumerate() {
        if codes.operator == "In" && *code == 0 {
            let text = "must not be 0 for the In operator";
            errors.push(FieldError::invalid(at.index(i), 0, text));
        }
        if !seen.insert(code) {
            errors.push(FieldError::duplicate(at.index(i), *code));
        }
    }
    if !values.is_sorted() {
        errors.push(FieldError::invalid(at, values.to_vec(), "must be ordered"));
    }
}

fn check_patterns(
    patterns: &[PodFailurePolicyOnPodConditionsPattern],
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    if patterns.len() > PATTERNS_MAX {
        errors.push(FieldError::too_many(at, patterns.len(), PATTERNS_MAX));
    }
    for (i, pattern) in patterns.iter().enumerate() {
        let (at, ty) = (at.index(i), pattern.type_.as_str());
        push_all(errors, at.field("type"), ty, validate::qualified_name(ty));
        let status = pattern.status.as_deref().unwrap_or_default();
        one_of_listed(status, &STATUSES, at.field("status"), errors);
    }
}

/// Everything wrong with what is success enough. An Indexed Job without completions is an error of
/// its own; its rules then are not measured against them.
pub(super) fn check_success(
    policy: &SuccessPolicy,
    completions: Option<i32>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let (at, rules) = (at.field("rules"), policy.rules.as_slice());
    if rules.is_empty() {
        let text = "at least one rules must be specified when the successPolicy is specified";
        errors.push(FieldError::required(at, text));
    }
    if rules.len() > RULES_MAX {
        errors.push(FieldError::too_many(at, rules.len(), RULES_MAX));
    }
    for (i, rule) in rules.iter().enumerate() {
        check_success_rule(rule, completions.unwrap_or(i32::MAX), at.index(i), errors);
    }
}

fn check_success_rule(
    rule: &SuccessPolicyRule,
    completions: i32,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
        let text = "at least one of succeededCount or succeededIndexes must be specified";
        errors.push(FieldError::required(at, text));
    }
    let mut named = None;
    if let Some(indexes) = &rule.succeeded_indexes {
        let at = at.field("succeededIndexes");
        if indexes.len() > SUCCEEDED_INDEXES_BYTES_MAX {
            errors.push(FieldError::too_long(at, SUCCEEDED_INDEXES_BYTES_MAX));
        }
        let counted = job_indexes::count(indexes, completions);
        named = Some(*counted.as_ref().unwrap_or(&0));
        if let Err(wrong) = counted {
            let text = format!("error parsing succeededIndexes: {wrong}");
            errors.push(FieldError::invalid(at, indexes.as_str(), text));
        }
    }
    let Some(count) = rule.succeeded_count else { return };
    let at = at.field("succeededCount");
    non_negative(Some(i64::from(count)), at, errors);
    if count > completions {
        let text = format!(
            "must be less than or equal to {completions} (the number of specified completions)"
        );
        errors.push(FieldError::invalid(at, count, text));
    }
    if let Some(named) = named.filter(|named| count > *named) {
        let text = format!(
            "must be less than or equal to {named} (the number of indexes in the specified succeededIndexes field)"
        );
        errors.push(FieldError::invalid(at, count, text));
    }
}
