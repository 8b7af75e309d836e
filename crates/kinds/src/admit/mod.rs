//! Admission: what an object must look like before it is stored. Defaults are filled in, what the
//! server owns is set, and everything wrong is reported at once.

mod container;
mod container_warnings;
mod cron_job;
mod data;
mod downward;
mod env;
mod ephemeral;
mod host_aliases;
mod job;
mod job_indexes;
mod job_policies;
mod job_spec;
mod job_status;
mod job_update;
mod lifecycle;
mod limits;
mod meta;
mod mount;
mod others;
mod pod;
mod pod_update;
mod pod_warnings;
mod printed;
mod probe;
mod projected;
mod quota;
mod resources;
mod restart;
mod semantic;
mod service;
mod volume;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

pub use ephemeral::as_container;
pub use resources::qos_class;

use crate::{
    Draft, FieldError, FieldErrorKind, FieldErrors, Kind, Object, Uid, api_time,
    metav1::ObjectMeta,
    path::Path,
    support,
    types::{
        batch::v1::{Job, JobSpec, JobStatus},
        core::v1::{Event, NodeStatus, Pod, PodSpec, PodStatus},
    },
};

/// What the caller gives to a creation.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The new object's identity.
    pub uid: Uid,
    /// The time of creation.
    pub now: Timestamp,
}

/// Which part of an object an update may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subresource {
    /// Everything but the status.
    Main,
    /// The status (and metadata such as labels and finalizers).
    Status,
    /// What a namespace waits for before it goes (and metadata).
    Finalize,
    /// The ephemeral containers of a pod, and nothing else.
    EphemeralContainers,
}

/// Makes a decoded object ready to be stored for the first time. Its name and, where the kind has
/// one, its namespace are set by now. Gives the object and the warnings for the client.
///
/// # Errors
/// Everything wrong with the object.
pub fn create(draft: Draft, context: &Context) -> Result<(Draft, Vec<String>), FieldErrors> {
    create_with(draft, context, &mut |_, _| {})
}

/// What changes a Pod's metadata and spec once its defaults are in and before it is checked.
pub type Adjust<'a> = &'a mut dyn FnMut(&mut ObjectMeta, &mut PodSpec);

/// As [`create`]; a Pod goes through `adjust` on its way.
///
/// # Errors
/// Everything wrong with the object.
pub fn create_with(
    mut draft: Draft,
    context: &Context,
    adjust: Adjust<'_>,
) -> Result<(Draft, Vec<String>), FieldErrors> {
    let info = draft.kind.info();
    begin(&mut draft.metadata, draft.kind, context);
    // A node reports its own status when it registers; all other statuses are the server's.
    if info.status && draft.kind != Kind::Node {
        // Clients are shown one from the start, if only an empty one.
        draft.set("status", &serde_json::Map::new());
    }
    let mut errors = Vec::new();
    let mut warnings = support::check(&draft, None, &mut errors);
    meta::check(&draft, &mut errors);
    finish(&mut draft, None, adjust, &mut warnings, &mut errors);
    if errors.is_empty() { Ok((draft, warnings)) } else { Err(errors) }
}

/// As [`create_with`], for a Pod that a controller makes of a template. The template was admitted, so
/// nothing in it is unsupported, and nobody reads warnings. Gives the Pod as it is, too.
///
/// # Errors
/// Everything wrong with the Pod.
pub fn create_pod(
    pod: Pod,
    context: &Context,
    adjust: Adjust<'_>,
) -> Result<(Draft, Pod), FieldErrors> {
    let Pod { mut metadata, spec, .. } = pod;
    begin(&mut metadata, Kind::Pod, context);
    let mut spec = spec.unwrap_or_default();
    pod::defaults(&mut spec, true);
    adjust(&mut metadata, &mut spec);
    let mut draft = Draft { kind: Kind::Pod, metadata, rest: BTreeMap::new() };
    let mut errors = Vec::new();
    meta::check(&draft, &mut errors);
    pod::check(&spec, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let status = pod::new_status(&spec);
    draft.set("spec", &spec);
    draft.set_pod_status(&status);
    let metadata = draft.metadata.clone();
    Ok((draft, Pod { metadata, spec: Some(spec), status: Some(status) }))
}

/// What the server gives to every new object.
fn begin(metadata: &mut ObjectMeta, kind: Kind, context: &Context) {
    metadata.uid = Some(context.uid.to_string());
    metadata.creation_timestamp = Some(api_time(context.now));
    metadata.deletion_timestamp = None;
    metadata.deletion_grace_period_seconds = None;
    metadata.self_link = None;
    metadata.resource_version = None;
    metadata.generation = kind.info().generation.then_some(1);
}

/// Makes a changed object ready to replace `old`: what this way of writing may not touch is kept
/// from the old one, the generation rises with the spec. Gives the object and the warnings.
///
/// # Errors
/// Everything wrong with the object or with the change.
pub fn update(
    old: &Object,
    new: Draft,
    subresource: Subresource,
) -> Result<(Draft, Vec<String>), FieldErrors> {
    update_with(old, new, subresource, &mut |_, _| {})
}

/// As [`update`]; a Pod whose spec may change goes through `adjust` on its way.
///
/// # Errors
/// Everything wrong with the object or with the change.
pub fn update_with(
    old: &Object,
    mut new: Draft,
    subresource: Subresource,
    adjust: Adjust<'_>,
) -> Result<(Draft, Vec<String>), FieldErrors> {
    let before = old.draft();
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    meta::update(&before.metadata, &mut new, &mut errors);
    let kept = if subresource == Subresource::Status { "spec" } else { "status" };
    if new.kind.info().status {
        match before.rest.get(kept) {
            Some(raw) => new.rest.insert(kept.to_owned(), raw.clone()),
            None => new.rest.remove(kept),
        };
    }
    match subresource {
        Subresource::Main => {
            warnings = support::check(&new, Some(&before), &mut errors);
            meta::check(&new, &mut errors);
            finish(&mut new, Some(&before), adjust, &mut warnings, &mut errors);
        }
        Subresource::Status => {
            meta::check(&new, &mut errors);
            status(&before, &mut new, &mut errors);
        }
        Subresource::EphemeralContainers => {
            warnings = finish_ephemeral(&mut new, &before, &mut errors);
        }
        Subresource::Finalize => {
            meta::check(&new, &mut errors);
            others::check_finalize(&read(&new, "spec", &mut errors), &mut errors);
        }
    }
    if errors.is_empty() { Ok((new, warnings)) } else { Err(errors) }
}

/// A top-level field as its type; the default when it is absent. Decoding has checked the types, so
/// failing here is an error of the server's own.
fn read<T: DeserializeOwned + Default>(draft: &Draft, field: &str, errors: &mut FieldErrors) -> T {
    let Some(raw) = draft.rest.get(field) else { return T::default() };
    serde_json::from_str(raw.get()).unwrap_or_else(|error| {
        internal(field, &error, errors);
        T::default()
    })
}

fn read_whole<T: DeserializeOwned + Default>(draft: &Draft, errors: &mut FieldErrors) -> T {
    serde_json::from_slice(&draft.to_json()).unwrap_or_else(|error| {
        internal("", &error, errors);
        T::default()
    })
}

fn internal(field: &str, error: &serde_json::Error, errors: &mut FieldErrors) {
    let (path, detail) = (field.to_owned(), error.to_string());
    errors.push(FieldError { kind: FieldErrorKind::Internal, path, value: None, detail });
}

/// Defaults and validation of a kind. With `old` the object replaces that one.
fn finish(
    draft: &mut Draft,
    old: Option<&Draft>,
    adjust: Adjust<'_>,
    warnings: &mut Vec<String>,
    errors: &mut FieldErrors,
) {
    match draft.kind {
        Kind::Job => finish_job(draft, old, warnings, errors),
        Kind::Pod => finish_pod(draft, old, adjust, errors),
        Kind::Namespace => whole(draft, old, errors, others::namespace),
        Kind::Node => finish_node(draft, errors),
        Kind::Event => others::check_event(&read_whole::<Event>(draft, errors), errors),
        Kind::ConfigMap => whole(draft, old, errors, data::config_map),
        Kind::Secret => whole(draft, old, errors, data::secret),
        Kind::RuntimeClass => whole(draft, old, errors, others::runtime_class),
        Kind::ServiceAccount => whole(draft, old, errors, others::service_account),
        Kind::Service => whole(draft, old, errors, service::finish),
        Kind::PriorityClass => whole(draft, old, errors, others::priority_class),
        Kind::Lease => whole(draft, old, errors, others::lease),
        Kind::LimitRange => whole(draft, old, errors, limits::finish),
        Kind::ResourceQuota => whole(draft, old, errors, quota::finish),
        Kind::PodTemplate => whole(draft, old, errors, others::pod_template),
        Kind::CronJob => whole(draft, old, errors, |new, old, errors| {
            cron_job::finish(new, old, warnings, errors);
        }),
    }
}

/// Reads the object as its type, has it finished, and puts it back: the order of fields and of map
/// keys is then always the same, and an update that only turns them around changes nothing.
fn whole<T: DeserializeOwned + Serialize + Default>(
    draft: &mut Draft,
    old: Option<&Draft>,
    errors: &mut FieldErrors,
    finish: impl FnOnce(&mut T, Option<&T>, &mut FieldErrors),
) {
    let mut object: T = read_whole(draft, errors);
    let old: Option<T> = old.map(|old| read_whole(old, errors));
    finish(&mut object, old.as_ref(), errors);
    *draft = Draft::of(draft.kind, &object);
}

fn finish_node(draft: &mut Draft, errors: &mut FieldErrors) {
    let mut status: NodeStatus = read(draft, "status", errors);
    others::node_defaults(&mut status);
    draft.set_node_status(&status);
}

fn finish_job(
    draft: &mut Draft,
    old: Option<&Draft>,
    warnings: &mut Vec<String>,
    errors: &mut FieldErrors,
) {
    let mut spec: JobSpec = read(draft, "spec", errors);
    job::defaults(&mut spec);
    let metadata = std::mem::take(&mut draft.metadata);
    let mut job = Job { metadata, spec: Some(spec), status: None };
    job::prepare(&mut job, old.is_none(), errors);
    let before = old.map(|old| Job {
        metadata: old.metadata.clone(),
        spec: Some(read(old, "spec", errors)),
        status: Some(read(old, "status", errors)),
    });
    job::check(&job, before.as_ref(), errors);
    let changed = before
        .as_ref()
        .is_none_or(|before| !semantic::same(Kind::Job, &["spec"], &before.spec, &job.spec));
    match &before {
        None => {
            warnings.extend(job::name_warning(job.metadata.name.as_deref().unwrap_or_default()))
        }
        Some(before) => {
            job_update::check(before, &job, errors);
            raise_generation(&mut job.metadata.generation, changed);
        }
    }
    if let Some(spec) = job.spec.as_ref().filter(|_| changed) {
        warnings.extend(job::spec_warnings(spec, Path::top("spec")));
    }
    draft.set("spec", &job.spec);
    draft.metadata = job.metadata;
}

fn raise_generation(generation: &mut Option<i64>, changed: bool) {
    if changed {
        *generation = Some(generation.unwrap_or(0) + 1);
    }
}

fn finish_pod(
    draft: &mut Draft,
    old: Option<&Draft>,
    adjust: Adjust<'_>,
    errors: &mut FieldErrors,
) {
    let mut spec: PodSpec = read(draft, "spec", errors);
    pod::defaults(&mut spec, true);
    adjust(&mut draft.metadata, &mut spec);
    pod::check(&spec, errors);
    match old {
        None => {
            if spec.ephemeral_containers.is_some() {
                let text = "cannot be set on create";
                errors.push(FieldError::forbidden("spec.ephemeralContainers", text));
            }
            draft.set_pod_status(&pod::new_status(&spec));
        }
        Some(old) => {
            let before: PodSpec = read(old, "spec", errors);
            pod_update::check(&before, &spec, errors);
            raise_generation(&mut draft.metadata.generation, before != spec);
        }
    }
    draft.set("spec", &spec);
}

/// A write to the ephemeral containers of a pod: all else stays as it is.
fn finish_ephemeral(new: &mut Draft, old: &Draft, errors: &mut FieldErrors) -> Vec<String> {
    let mut spec: PodSpec = read(old, "spec", errors);
    let before = spec.clone();
    let sent: PodSpec = read(new, "spec", errors);
    spec.ephemeral_containers = sent.ephemeral_containers.filter(|list| !list.is_empty());
    pod::defaults(&mut spec, true);
    new.set("spec", &spec);
    let warnings = support::check(new, Some(old), errors);
    pod::check(&spec, errors);
    ephemeral::check_update(&before, &spec, errors);
    let meta = &mut new.metadata;
    meta.labels.clone_from(&old.metadata.labels);
    meta.annotations.clone_from(&old.metadata.annotations);
    meta.finalizers.clone_from(&old.metadata.finalizers);
    meta.owner_references.clone_from(&old.metadata.owner_references);
    raise_generation(&mut meta.generation, before != spec);
    warnings
}

/// A write to the status: only shapes and the rules of the kind are checked.
fn status(old: &Draft, new: &mut Draft, errors: &mut FieldErrors) {
    match new.kind {
        Kind::Job => {
            let spec: JobSpec = read(old, "spec", errors);
            let before: JobStatus = read(old, "status", errors);
            job_status::check(&spec, &before, &read(new, "status", errors), errors);
        }
        Kind::Pod => {
            new.metadata.owner_references.clone_from(&old.metadata.owner_references);
            let mut status: PodStatus = read(new, "status", errors);
            let before: PodStatus = read(old, "status", errors);
            if before.qos_class.is_some() {
                status.qos_class = before.qos_class;
            }
            new.set_pod_status(&status);
        }
        Kind::Node => finish_node(new, errors),
        Kind::Namespace => {
            let deleting = old.metadata.deletion_timestamp.is_some();
            others::check_namespace_status(deleting, &read(new, "status", errors), errors);
        }
        Kind::Service => service::check_status(&read(new, "status", errors), errors),
        Kind::ResourceQuota => quota::check_status(&read(new, "status", errors), errors),
        _ => {}
    }
}
