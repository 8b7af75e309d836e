//! What makes the spec of a Job wrong, wherever it stands: in a Job or in the template of a CronJob.

use super::{job_policies, meta::push_all, pod, printed};
use crate::{FieldError, FieldErrors, path::Path, types::batch::v1::JobSpec, validate};

/// Most pods of an Indexed Job at once.
const INDEXED_PARALLELISM_MAX: i32 = 100_000;

/// Most indexes of a Job that may fail before it does.
const FAILED_INDEXES_MAX: i32 = 100_000;

/// Completions above which an Indexed Job is held to lower limits.
pub(super) const COMPLETIONS_HIGH: i32 = 100_000;

/// Most pods at once and most failed indexes with that many completions.
pub(super) const HIGH_COMPLETIONS_MAX: i32 = 10_000;

/// Longest `managedBy`, in bytes.
const MANAGED_BY_BYTES_MAX: usize = 63;

/// Whether the pods of the Job have indexes.
pub(super) fn indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_deref() == Some("Indexed")
}

/// Everything wrong with the spec but its selector.
pub(super) fn check(spec: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    check_numbers(spec, at, errors);
    check_managed_by(spec.managed_by.as_deref(), at.field("managedBy"), errors);
    check_mode(spec, at, errors);
    if let Some(policy) = &spec.pod_failure_policy {
        job_policies::check_failure(policy, spec, at.field("podFailurePolicy"), errors);
    }
    if let Some(policy) = &spec.success_policy {
        let at = at.field("successPolicy");
        if indexed(spec) {
            job_policies::check_success(policy, spec.completions, at, errors);
        } else {
            let value = printed::success_policy(Some(policy));
            errors.push(FieldError::invalid_printed(at, value, REQUIRES_INDEXES));
        }
    }
    check_replacement(spec, at.field("podReplacementPolicy"), errors);
    pod::check_template(&spec.template, at.field("template"), errors);
    check_restart_policy(spec, at, errors);
}

const REQUIRES_INDEXES: &str = "requires indexed completion mode";

fn check_numbers(spec: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    for (field, number) in [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ] {
        non_negative(number, at.field(field), errors);
    }
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        let text = "when maxFailedIndexes is specified";
        errors.push(FieldError::required(at.field("backoffLimitPerIndex"), text));
    }
}

/// A count that may be absent but not below zero.
pub(super) fn non_negative(number: Option<i64>, at: Path<'_>, errors: &mut FieldErrors) {
    if let Some(number) = number.filter(|n| *n < 0) {
        errors.push(FieldError::invalid(at, number, "must be greater than or equal to 0"));
    }
}

fn check_managed_by(managed_by: Option<&str>, at: Path<'_>, errors: &mut FieldErrors) {
    let Some(name) = managed_by else { return };
    match name.split_once('/') {
        _ if name.is_empty() => errors.push(FieldError::required(at, "")),
        Some((host, path)) if !host.is_empty() && !path.is_empty() => {
            push_all(errors, at, host, validate::dns_subdomain(host));
            push_all(errors, at, path, validate::http_path(path));
        }
        _ => {
            let text = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            errors.push(FieldError::invalid(at, name, text));
        }
    }
    if name.len() > MANAGED_BY_BYTES_MAX {
        errors.push(FieldError::too_long(at, MANAGED_BY_BYTES_MAX));
    }
}

fn check_mode(spec: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    let modes = ["NonIndexed", "Indexed"];
    let mode = spec.completion_mode.as_deref().unwrap_or(modes[0]);
    match mode {
        "Indexed" => check_indexed(spec, at, errors),
        "NonIndexed" => {
            for (field, number) in [
                ("backoffLimitPerIndex", spec.backoff_limit_per_index),
                ("maxFailedIndexes", spec.max_failed_indexes),
            ] {
                if let Some(number) = number {
                    errors.push(FieldError::invalid(at.field(field), number, REQUIRES_INDEXES));
                }
            }
        }
        _ => errors.push(FieldError::not_supported(at.field("completionMode"), mode, &modes)),
    }
}

fn check_indexed(spec: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    if spec.completions.is_none() {
        let text = "when completion mode is Indexed";
        errors.push(FieldError::required(at.field("completions"), text));
    }
    let mut at_most = |field: &str, number: Option<i32>, max: i32, text: String| {
        if let Some(number) = number.filter(|number| *number > max) {
            let text = format!("must be less than or equal to {text}");
            errors.push(FieldError::invalid(at.field(field), number, text));
        }
    };
    let text = format!("{INDEXED_PARALLELISM_MAX} when completion mode is Indexed");
    at_most("parallelism", spec.parallelism, INDEXED_PARALLELISM_MAX, text);
    let failed = spec.max_failed_indexes;
    let completions = spec.completions.unwrap_or(i32::MAX);
    at_most("maxFailedIndexes", failed, completions, "completions".to_owned());
    at_most("maxFailedIndexes", failed, FAILED_INDEXES_MAX, FAILED_INDEXES_MAX.to_string());
    if spec.completions.is_none_or(|completions| completions <= COMPLETIONS_HIGH)
        || spec.backoff_limit_per_index.is_none()
    {
        return;
    }
    if failed.is_none() {
        let text = format!("must be specified when completions is above {COMPLETIONS_HIGH}");
        errors.push(FieldError::required(at.field("maxFailedIndexes"), text));
    }
    for (field, number) in [("parallelism", spec.parallelism), ("maxFailedIndexes", failed)] {
        if let Some(number) = number.filter(|number| *number > HIGH_COMPLETIONS_MAX) {
            let text = format!(
                "must be less than or equal to {HIGH_COMPLETIONS_MAX} when completions are above {COMPLETIONS_HIGH} and used with backoff limit per index"
            );
            errors.push(FieldError::invalid(at.field(field), number, text));
        }
    }
}

/// Failures are judged by how pods ended, so with a policy only pods that did end are replaced.
fn check_replacement(spec: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    let Some(policy) = spec.pod_replacement_policy.as_deref() else { return };
    let policies = ["Failed", "TerminatingOrFailed"];
    let policies = if spec.pod_failure_policy.is_some() { &policies[..1] } else { &policies[..] };
    if !policies.contains(&policy) {
        errors.push(FieldError::not_supported(at, policy, policies));
    }
}

fn check_restart_policy(spec: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    let policy = spec.template.spec.as_ref().and_then(|s| s.restart_policy.as_deref());
    let template = at.field("template");
    let pod = template.field("spec");
    let at = pod.field("restartPolicy");
    match policy.unwrap_or_default() {
        "" | "Always" => {
            errors.push(FieldError::required(at, "valid values: \"OnFailure\", \"Never\""));
        }
        "OnFailure" if spec.pod_failure_policy.is_some() => {
            let text = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.push(FieldError::invalid(at, "OnFailure", text));
        }
        "OnFailure" | "Never" => {}
        other => errors.push(FieldError::not_supported(at, other, &["OnFailure", "Never"])),
    }
}
