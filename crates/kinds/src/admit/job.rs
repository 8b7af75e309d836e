//! Jobs: defaults, the generated selector, and what makes a new Job wrong.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    job_spec::{self, COMPLETIONS_HIGH, HIGH_COMPLETIONS_MAX, indexed},
    meta, pod, pod_warnings, printed,
};
use crate::{
    FieldError, FieldErrors,
    metav1::LabelSelector,
    path::Path,
    selector::Selector,
    types::batch::v1::{Job, JobSpec},
    validate,
};

/// Failures before a Job fails.
const BACKOFF_LIMIT: i32 = 6;

/// The label of the generated selector.
const CONTROLLER_UID: &str = "batch.kubernetes.io/controller-uid";

/// The label with the name of the Job.
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// Fills in what the spec of a Job leaves out.
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
    template_defaults(spec);
}

/// Fills in what also the template of a CronJob gets: the rest waits until there is a Job.
pub(super) fn template_defaults(spec: &mut JobSpec) {
    for rule in spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules) {
        for pattern in rule.on_pod_conditions.iter_mut().flatten() {
            super::container::fill(&mut pattern.status, "True");
        }
    }
    pod::defaults(spec.template.spec.get_or_insert_default(), false);
}

/// The labels that tie pods to their Job, with the Job's name and uid in them; the last two are the
/// ones that Jobs of old may lack.
fn generated_labels<'a>(name: &'a str, uid: &'a str) -> [(&'static str, &'a str); 4] {
    [("controller-uid", uid), ("job-name", name), (CONTROLLER_UID, uid), (JOB_NAME, name)]
}

/// Generates selector and template labels of a new Job unless the user manages them; name and uid
/// are set. A Job without labels of its own shows those of its template, and what is wrong with them.
pub(super) fn prepare(job: &mut Job, new: bool, errors: &mut FieldErrors) {
    let (name, uid) = names(job);
    let spec = job.spec.get_or_insert_default();
    let labelled = template_labels(spec).is_some();
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
        let labels = template_labels(spec);
        let own = labels.filter(|_| labelled);
        meta::labels(own, Path::top("metadata").field("labels"), errors);
        job.metadata.labels = labels.cloned();
    }
}

fn names(job: &Job) -> (String, String) {
    let meta = &job.metadata;
    (meta.name.clone().unwrap_or_default(), meta.uid.clone().unwrap_or_default())
}

/// Everything wrong with a Job beyond its metadata. With `old` it replaces that one, and what a Job
/// of old may have stays allowed.
pub(super) fn check(job: &Job, old: Option<&Job>, errors: &mut FieldErrors) {
    let default = JobSpec::default();
    let spec = job.spec.as_ref().unwrap_or(&default);
    if spec.manual_selector != Some(true) {
        check_generated(job, spec, old.is_none_or(has_prefixed_labels), errors);
    }
    job_spec::check(spec, Path::top("spec"), errors);
    let tolerant = old.and_then(|old| old.spec.as_ref()?.selector.as_ref());
    check_selector(spec, tolerant.is_some_and(has_wrong_values), Path::top("spec"), errors);
    check_indexed_name(job, spec, errors);
}

/// The labels of the template, if there are any.
fn template_labels(spec: &JobSpec) -> Option<&BTreeMap<String, String>> {
    spec.template.metadata.as_ref().and_then(|m| m.labels.as_ref())
}

fn has_prefixed_labels(job: &Job) -> bool {
    let labels = job.spec.as_ref().and_then(template_labels);
    labels.is_some_and(|l| l.contains_key(CONTROLLER_UID) && l.contains_key(JOB_NAME))
}

fn check_generated(job: &Job, spec: &JobSpec, prefixed: bool, errors: &mut FieldErrors) {
    let Some(selector) = &spec.selector else { return };
    let (name, uid) = names(job);
    if uid.is_empty() {
        errors.push(FieldError::required(Path::top("metadata").field("uid"), ""));
    }
    let labels = template_labels(spec);
    let expected = generated_labels(&name, &uid);
    let expected = if prefixed { &expected[..] } else { &expected[..2] };
    for (key, value) in expected {
        let path = format!("spec.template.metadata.labels[{key}]");
        let text = format!("must be '{value}'");
        match labels.and_then(|labels| labels.get(*key)) {
            None => errors.push(FieldError::required(path, text)),
            Some(found) if found == value => {}
            Some(_) => errors.push(FieldError::invalid(path, json!(labels), text)),
        }
    }
    let expected = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    if selects(selector, &expected.collect()) == Some(false) {
        let at = Path::top("spec");
        let (value, text) = (printed::selector(Some(selector)), "`selector` not auto-generated");
        errors.push(FieldError::invalid_printed(at.field("selector"), value, text));
    }
}

/// Whether the selector selects these labels; `None` if it cannot be understood.
fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> Option<bool> {
    let mut wrong = FieldErrors::new();
    meta::label_selector(selector, Path::top(""), &mut wrong);
    wrong.is_empty().then(|| Selector::from_label_selector(Some(selector)).matches(labels))
}

fn check_selector(spec: &JobSpec, any_values: bool, at: Path<'_>, errors: &mut FieldErrors) {
    let at_selector = at.field("selector");
    if let Some(selector) = &spec.selector {
        let mut wrong = FieldErrors::new();
        meta::label_selector(selector, at_selector, &mut wrong);
        wrong.retain(|error| !(any_values && error.path.contains(".values[")));
        errors.append(&mut wrong);
    } else {
        errors.push(FieldError::required(at_selector, ""));
    }
    let labels = template_labels(spec);
    let empty = BTreeMap::new();
    let selector = spec.selector.as_ref();
    let selected = selector.map_or(Some(false), |s| selects(s, labels.unwrap_or(&empty)));
    if selected == Some(false) {
        let template = at.field("template");
        let metadata = template.field("metadata");
        let text = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid(metadata.field("labels"), json!(labels), text));
    }
}

/// Whether an expression of the selector has values that no label can have.
fn has_wrong_values(selector: &LabelSelector) -> bool {
    let expressions = selector.match_expressions.iter().flatten();
    let mut values = expressions.flat_map(|expression| expression.values.iter().flatten());
    values.any(|value| !validate::label_value(value).is_empty())
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

/// What the client should know of a name that is accepted all the same.
pub(super) fn name_warning(name: &str) -> Option<String> {
    let wrong = validate::dns_label(name);
    let text = "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended";
    (!wrong.is_empty()).then(|| format!("{text}: [{}]", wrong.join(" ")))
}

/// What the client should know of a spec that is accepted all the same.
pub(super) fn spec_warnings(spec: &JobSpec, at: Path<'_>) -> Vec<String> {
    let many = indexed(spec)
        && spec.completions > Some(COMPLETIONS_HIGH)
        && spec.parallelism > Some(HIGH_COMPLETIONS_MAX);
    let text = "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail";
    let many = many.then(|| format!("{at}: {text}"));
    many.into_iter()
        .chain(pod_warnings::of_template(&spec.template, at.field("template")))
        .collect()
}
