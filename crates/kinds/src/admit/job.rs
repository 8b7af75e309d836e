//! Jobs: defaults, the generated selector, validation of new and changed objects.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::{meta, meta::push_all, pod};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    selector::Selector,
    types::{
        batch::v1::{Job, JobSpec},
        core::v1::PodSpec,
    },
    validate,
};

/// Most pods of an Indexed Job at once.
const INDEXED_PARALLELISM_MAX: i32 = 100_000;

/// Longest `managedBy`, in bytes.
const MANAGED_BY_BYTES_MAX: usize = 63;

/// Failures before a Job fails.
const BACKOFF_LIMIT: i32 = 6;

/// The label of the generated selector.
const CONTROLLER_UID: &str = "batch.kubernetes.io/controller-uid";

/// Fills in what the spec leaves out.
pub(super) fn defaults(spec: &mut JobSpec) {
    if spec.completions.is_none() && spec.parallelism.is_none() {
        spec.completions = Some(1);
    }
    spec.parallelism.get_or_insert(1);
    let per_index = spec.backoff_limit_per_index.is_some();
    spec.backoff_limit.get_or_insert(if per_index { i32::MAX } else { BACKOFF_LIMIT });
    spec.completion_mode.get_or_insert_with(|| "NonIndexed".to_owned());
    spec.suspend.get_or_insert(false);
    spec.manual_selector.get_or_insert(false);
    let failed_only = spec.pod_failure_policy.is_some();
    let replacement = if failed_only { "Failed" } else { "TerminatingOrFailed" };
    spec.pod_replacement_policy.get_or_insert_with(|| replacement.to_owned());
    for rule in spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules) {
        for pattern in rule.on_pod_conditions.iter_mut().flatten() {
            super::container::fill(&mut pattern.status, "True");
        }
    }
    pod::defaults(spec.template.spec.get_or_insert_default(), false);
}

/// The labels that tie pods to their Job, with the Job's name and uid in them.
fn generated_labels<'a>(name: &'a str, uid: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("controller-uid", uid),
        ("job-name", name),
        (CONTROLLER_UID, uid),
        ("batch.kubernetes.io/job-name", name),
    ]
}

/// Generates selector and template labels of a new Job unless the user manages them; name and uid
/// are set. A Job without labels of its own shows those of its template.
pub(super) fn prepare(job: &mut Job, new: bool) {
    let (name, uid) = names(job);
    let spec = job.spec.get_or_insert_default();
    if new && spec.manual_selector != Some(true) {
        let metadata = spec.template.metadata.get_or_insert_default();
        let labels = metadata.labels.get_or_insert_default();
        for (key, value) in generated_labels(&name, &uid) {
            labels.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        }
        let wanted = spec.selector.get_or_insert_default().match_labels.get_or_insert_default();
        wanted.entry(CONTROLLER_UID.to_owned()).or_insert(uid);
    }
    if job.metadata.labels.as_ref().is_none_or(BTreeMap::is_empty) {
        job.metadata.labels = spec.template.metadata.as_ref().and_then(|m| m.labels.clone());
    }
}

fn names(job: &Job) -> (String, String) {
    let meta = &job.metadata;
    (meta.name.clone().unwrap_or_default(), meta.uid.clone().unwrap_or_default())
}

/// Everything wrong with a Job beyond its metadata.
pub(super) fn check(job: &Job, errors: &mut FieldErrors) {
    let default = JobSpec::default();
    let spec = job.spec.as_ref().unwrap_or(&default);
    let at = Path::top("spec");
    if spec.manual_selector != Some(true) {
        check_generated(job, spec, errors);
    }
    check_indexed_name(job, spec, errors);
    check_numbers(spec, at, errors);
    check_managed_by(spec.managed_by.as_deref(), at.field("managedBy"), errors);
    check_mode(spec, at, errors);
    check_selector(spec, at, errors);
    pod::check_template(&spec.template, at.field("template"), errors);
    check_restart_policy(spec, at, errors);
    let replacement = spec.pod_replacement_policy.as_deref().unwrap_or_default();
    let policies = ["Failed", "TerminatingOrFailed"];
    if !policies.contains(&replacement) {
        let at = at.field("podReplacementPolicy");
        errors.push(FieldError::not_supported(at, replacement, &policies));
    }
}

/// The labels of the template; an absent map and an empty one are the same.
fn template_labels(spec: &JobSpec) -> BTreeMap<String, String> {
    spec.template.metadata.as_ref().and_then(|m| m.labels.clone()).unwrap_or_default()
}

fn check_generated(job: &Job, spec: &JobSpec, errors: &mut FieldErrors) {
    let Some(selector) = &spec.selector else { return };
    let (name, uid) = names(job);
    if uid.is_empty() {
        errors.push(FieldError::required(Path::top("metadata").field("uid"), ""));
    }
    let labels = template_labels(spec);
    let expected = generated_labels(&name, &uid);
    for (key, value) in expected {
        let path = format!("spec.template.metadata.labels[{key}]");
        let text = format!("must be '{value}'");
        match labels.get(key) {
            None => errors.push(FieldError::required(path, text)),
            Some(found) if found == value => {}
            Some(_) => errors.push(FieldError::invalid(path, json!(labels), text)),
        }
    }
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    if !Selector::from_label_selector(Some(selector)).matches(&expected) {
        let at = Path::top("spec");
        let text = "`selector` not auto-generated";
        errors.push(FieldError::invalid(at.field("selector"), json!(selector), text));
    }
}

fn indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_deref() == Some("Indexed")
}

/// The highest index must still give a host name.
fn check_indexed_name(job: &Job, spec: &JobSpec, errors: &mut FieldErrors) {
    let Some(completions) = spec.completions.filter(|c| *c > 0 && indexed(spec)) else { return };
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let highest = format!("{name}-{}", completions - 1);
    if !name.is_empty() && !validate::dns_label(&highest).is_empty() {
        let text = format!("will not able to create pod with invalid DNS label: {highest}");
        errors.push(FieldError::invalid(Path::top("metadata").field("name"), name, text));
    }
}

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
}

/// A count that may be absent but not below zero.
pub(super) fn non_negative(number: Option<i64>, at: Path<'_>, errors: &mut FieldErrors) {
    if let Some(number) = number.filter(|n| *n < 0) {
        errors.push(FieldError::invalid(at, number, "must be greater than or equal to 0"));
    }
}

fn check_managed_by(managed_by: Option<&str>, at: Path<'_>, errors: &mut FieldErrors) {
    let Some(name) = managed_by else { return };
    if name.is_empty() {
        return errors.push(FieldError::required(at, ""));
    }
    match name.split_once('/') {
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
    let mode = spec.completion_mode.as_deref().unwrap_or_default();
    if !modes.contains(&mode) {
        errors.push(FieldError::not_supported(at.field("completionMode"), mode, &modes));
    }
    if !indexed(spec) {
        return;
    }
    if spec.completions.is_none() {
        let text = "when completion mode is Indexed";
        errors.push(FieldError::required(at.field("completions"), text));
    }
    let parallelism = spec.parallelism.filter(|p| *p > INDEXED_PARALLELISM_MAX);
    if let Some(parallelism) = parallelism {
        let text = format!(
            "must be less than or equal to {INDEXED_PARALLELISM_MAX} when completion mode is Indexed"
        );
        errors.push(FieldError::invalid(at.field("parallelism"), parallelism, text));
    }
}

fn check_selector(spec: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    let Some(selector) = &spec.selector else {
        return errors.push(FieldError::required(at.field("selector"), ""));
    };
    meta::label_selector(selector, at.field("selector"), errors);
    let labels = template_labels(spec);
    if !Selector::from_label_selector(Some(selector)).matches(&labels) {
        let template = at.field("template");
        let metadata = template.field("metadata");
        let text = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid(metadata.field("labels"), json!(labels), text));
    }
}

fn check_restart_policy(spec: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    let policy = spec.template.spec.as_ref().and_then(|s| s.restart_policy.as_deref());
    let (template, policies) = (at.field("template"), ["OnFailure", "Never"]);
    let spec = template.field("spec");
    let policy = policy.unwrap_or_default();
    if !policies.contains(&policy) {
        let at = spec.field("restartPolicy");
        errors.push(FieldError::not_supported(at, policy, &policies));
    }
}

/// What an update changed and may not change. The new object was validated as if it were new.
pub(super) fn check_update(old: &Job, new: &Job, errors: &mut FieldErrors) {
    let default = JobSpec::default();
    let before = old.spec.as_ref().unwrap_or(&default);
    let after = new.spec.as_ref().unwrap_or(&default);
    let at = Path::top("spec");
    check_completions(before, after, at, errors);
    for (field, changed, value) in [
        change("selector", &before.selector, &after.selector),
        change("completionMode", &before.completion_mode, &after.completion_mode),
        change("podFailurePolicy", &before.pod_failure_policy, &after.pod_failure_policy),
        change(
            "backoffLimitPerIndex",
            &before.backoff_limit_per_index,
            &after.backoff_limit_per_index,
        ),
        change("managedBy", &before.managed_by, &after.managed_by),
        change("successPolicy", &before.success_policy, &after.success_policy),
    ] {
        if changed {
            errors.push(FieldError::immutable(at.field(field), &value));
        }
    }
    check_template_update(old, before, after, errors);
}

fn change<T: PartialEq + Serialize>(
    field: &'static str,
    old: &T,
    new: &T,
) -> (&'static str, bool, serde_json::Value) {
    let changed = old != new;
    (field, changed, if changed { json!(new) } else { serde_json::Value::Null })
}

fn check_completions(before: &JobSpec, after: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    if before.completions == after.completions {
        return;
    }
    let at = at.field("completions");
    if !indexed(before) {
        errors.push(FieldError::immutable(at, &after.completions));
    } else if after.completions.is_some() && after.completions != after.parallelism {
        let text = "can only be modified in tandem with spec.parallelism";
        errors.push(FieldError::invalid(at, json!(after.completions), text));
    }
}

/// The template stands still, except for what decides where pods of a suspended Job will run.
fn check_template_update(old: &Job, before: &JobSpec, after: &JobSpec, errors: &mut FieldErrors) {
    if !template_open(old, before) {
        if before.template != after.template {
            errors.push(FieldError::immutable("spec.template", &after.template));
        }
        return;
    }
    let default = PodSpec::default();
    let was = before.template.spec.as_ref().unwrap_or(&default);
    let mut is = after.template.spec.clone().unwrap_or_default();
    is.node_selector.clone_from(&was.node_selector);
    is.tolerations.clone_from(&was.tolerations);
    is.scheduling_gates.clone_from(&was.scheduling_gates);
    let node_affinity = was.affinity.as_ref().and_then(|a| a.node_affinity.clone());
    let affinity = is.affinity.get_or_insert_default();
    affinity.node_affinity = node_affinity;
    if was.affinity.is_none() && *affinity == Default::default() {
        is.affinity = None;
    }
    for (new, old) in is.containers.iter_mut().zip(&was.containers) {
        new.resources.clone_from(&old.resources);
    }
    if is != *was {
        errors.push(FieldError::immutable("spec.template.spec", &after.template.spec));
    }
}

/// Whether the old Job is suspended and none of its pods is left.
fn template_open(old: &Job, spec: &JobSpec) -> bool {
    let status = old.status.clone().unwrap_or_default();
    let suspended = status
        .conditions
        .iter()
        .flatten()
        .find(|c| c.type_ == "Suspended")
        .is_some_and(|c| c.status == "True");
    spec.suspend == Some(true)
        && status.active.unwrap_or(0) == 0
        && (status.start_time.is_none() || suspended)
}

/// What the client should know of a Job that is accepted all the same. The name is of interest only
/// when the Job is new.
pub(super) fn warnings(job: &Job, new: bool) -> Vec<String> {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let wrong = validate::dns_label(name);
    let mut warnings = Vec::new();
    if new && !wrong.is_empty() {
        warnings.push(format!(
            "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [{}]",
            wrong.join(" ")
        ));
    }
    let spec = job.spec.as_ref().filter(|spec| indexed(spec));
    if spec.is_some_and(|s| s.completions > Some(100_000) && s.parallelism > Some(10_000)) {
        warnings.push("spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail".to_owned());
    }
    warnings
}
