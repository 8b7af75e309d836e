//! Making a pod from the Job's template.

use kinds::{
    metav1::{ObjectMeta, OwnerReference},
    types::{
        batch::v1::Job,
        core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod, PodSpec},
    },
};

use super::{
    facts::PodFacts,
    names::{
        FAILURE_COUNT_KEY, IGNORED_FAILURE_COUNT_KEY, INDEX_KEY, INDEX_VARIABLE,
        TRACKING_FINALIZER, prefix,
    },
    per_index::Kept,
    spec::Terms,
    wanted::Wanted,
};
use crate::{Plan, Write};

/// Plans every pod that is wanted.
pub(super) fn create(
    terms: &Terms,
    wanted: &Wanted,
    kept: &Kept,
    fresh: &mut dyn FnMut(&str) -> String,
    plan: &mut Plan,
) {
    for &index in &wanted.create {
        let prefix = prefix(job_name(terms.job), index);
        let name = fresh(&prefix);
        plan.note("SuccessfulCreate", format!("Created pod: {name}"));
        let mut pod = make(terms, prefix, name, index);
        if let (Some(index), Some(_)) = (index, terms.limit_per_index) {
            set_failures(&mut pod, kept.replaced(index));
        }
        plan.writes.push(Write::CreatePod(Box::new(pod)));
    }
}

/// The reference by which a Job controls its pods.
pub fn owner_reference(job: &Job) -> OwnerReference {
    OwnerReference {
        api_version: "batch/v1".to_owned(),
        kind: "Job".to_owned(),
        name: job_name(job).to_owned(),
        uid: job.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

fn make(terms: &Terms, prefix: String, name: String, index: Option<u32>) -> Pod {
    let template = terms.spec.template.metadata.as_ref();
    let mut finalizers = template.and_then(|t| t.finalizers.clone()).unwrap_or_default();
    if !finalizers.iter().any(|f| f == TRACKING_FINALIZER) {
        finalizers.push(TRACKING_FINALIZER.to_owned());
    }
    let mut pod = Pod {
        metadata: ObjectMeta {
            name: Some(name),
            generate_name: Some(prefix),
            labels: template.and_then(|t| t.labels.clone()),
            annotations: template.and_then(|t| t.annotations.clone()),
            finalizers: Some(finalizers),
            owner_references: Some(vec![owner_reference(terms.job)]),
            ..ObjectMeta::default()
        },
        spec: terms.spec.template.spec.clone(),
        status: None,
    };
    if let Some(index) = index {
        set_index(terms.job, &mut pod, index);
    }
    pod
}

/// Tells the pod its index, in every way that workloads look for it.
fn set_index(job: &Job, pod: &mut Pod, index: u32) {
    let meta = &mut pod.metadata;
    for map in [meta.labels.get_or_insert_default(), meta.annotations.get_or_insert_default()] {
        map.insert(INDEX_KEY.to_owned(), index.to_string());
    }
    let spec: &mut PodSpec = pod.spec.get_or_insert_default();
    spec.hostname = Some(format!("{}-{index}", job_name(job)));
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        add_index_variable(container);
    }
}

/// Tells the pod how often its index failed before: once more than the pod that it replaces knew of.
fn set_failures(pod: &mut Pod, replaced: Option<&PodFacts>) {
    let mut failures = replaced.map(|pod| pod.failures).unwrap_or_default();
    if let Some(replaced) = replaced {
        let count = match replaced.failure_counts() {
            true => &mut failures.counted,
            false => &mut failures.ignored,
        };
        *count = count.saturating_add(1);
    }
    let annotations = pod.metadata.annotations.get_or_insert_default();
    annotations.insert(FAILURE_COUNT_KEY.to_owned(), failures.counted.to_string());
    if failures.ignored > 0 {
        annotations.insert(IGNORED_FAILURE_COUNT_KEY.to_owned(), failures.ignored.to_string());
    }
}

fn add_index_variable(container: &mut Container) {
    let env = container.env.get_or_insert_default();
    if env.iter().any(|variable| variable.name == INDEX_VARIABLE) {
        return;
    }
    let field_ref = ObjectFieldSelector {
        api_version: None,
        field_path: format!("metadata.labels['{INDEX_KEY}']"),
    };
    env.push(EnvVar {
        name: INDEX_VARIABLE.to_owned(),
        value_from: Some(EnvVarSource { field_ref: Some(field_ref), ..EnvVarSource::default() }),
        ..EnvVar::default()
    });
}

fn job_name(job: &Job) -> &str {
    job.metadata.name.as_deref().unwrap_or_default()
}
