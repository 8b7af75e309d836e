//! Admission: what an object must look like before it is stored. Defaults are filled in, what the
//! server owns is set, and everything wrong is reported at once.

mod container;
mod env;
mod job;
mod job_status;
mod meta;
mod others;
mod pod;
mod pod_update;
mod resources;
mod volume;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

pub use resources::qos_class;

use crate::{
    Draft, FieldError, FieldErrorKind, FieldErrors, Kind, Object, Uid, api_time, support,
    types::{
        batch::v1::{Job, JobSpec, JobStatus},
        core::v1::{ConfigMap, Event, Namespace, NodeStatus, PodSpec, PodStatus, Secret},
        node::v1::RuntimeClass,
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
}

/// Makes a decoded object ready to be stored for the first time. Its name and, where the kind has
/// one, its namespace are set by now. Gives the object and the warnings for the client.
///
/// # Errors
/// Everything wrong with the object.
pub fn create(mut draft: Draft, context: &Context) -> Result<(Draft, Vec<String>), FieldErrors> {
    let info = draft.kind.info();
    let metadata = &mut draft.metadata;
    metadata.uid = Some(context.uid.to_string());
    metadata.creation_timestamp = Some(api_time(context.now));
    metadata.deletion_timestamp = None;
    metadata.deletion_grace_period_seconds = None;
    metadata.self_link = None;
    metadata.resource_version = None;
    metadata.generation = info.generation.then_some(1);
    // A node reports its own status when it registers; all other statuses are the server's.
    if info.status && draft.kind != Kind::Node {
        draft.rest.remove("status");
    }
    let mut errors = Vec::new();
    let mut warnings = support::check(&draft, &mut errors);
    meta::check(&draft, &mut errors);
    finish(&mut draft, None, &mut warnings, &mut errors);
    if errors.is_empty() { Ok((draft, warnings)) } else { Err(errors) }
}

/// Makes a changed object ready to replace `old`: what this way of writing may not touch is kept
/// from the old one, the generation rises with the spec. Gives the object and the warnings.
///
/// # Errors
/// Everything wrong with the object or with the change.
pub fn update(
    old: &Object,
    mut new: Draft,
    subresource: Subresource,
) -> Result<(Draft, Vec<String>), FieldErrors> {
    let before = old.draft();
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    meta::update(&before.metadata, &mut new, &mut errors);
    let kept = if subresource == Subresource::Main { "status" } else { "spec" };
    if new.kind.info().status {
        match before.rest.get(kept) {
            Some(raw) => new.rest.insert(kept.to_owned(), raw.clone()),
            None => new.rest.remove(kept),
        };
    }
    if subresource == Subresource::Main {
        warnings = support::check(&new, &mut errors);
        meta::check(&new, &mut errors);
        finish(&mut new, Some(&before), &mut warnings, &mut errors);
    } else {
        meta::check(&new, &mut errors);
        status(&before, &mut new, &mut errors);
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

/// Puts a typed object back: the order of fields and of map keys is then always the same, and an
/// update that only turns them around changes nothing.
fn write_whole<T: Serialize>(draft: &mut Draft, typed: &T) {
    *draft = Draft::of(draft.kind, typed);
}

/// Defaults and validation of a kind. With `old` the object replaces that one.
fn finish(
    draft: &mut Draft,
    old: Option<&Draft>,
    warnings: &mut Vec<String>,
    errors: &mut FieldErrors,
) {
    match draft.kind {
        Kind::Job => finish_job(draft, old, warnings, errors),
        Kind::Pod => finish_pod(draft, old, errors),
        Kind::Namespace if old.is_none() => {
            let mut namespace: Namespace = read_whole(draft, errors);
            others::new_namespace(&mut namespace);
            write_whole(draft, &namespace);
        }
        Kind::Namespace => {}
        Kind::ConfigMap => {
            let map: ConfigMap = read_whole(draft, errors);
            others::check_config_map(&map, errors);
            if let Some(old) = old {
                others::check_config_map_update(&read_whole(old, errors), &map, errors);
            }
            write_whole(draft, &map);
        }
        Kind::Secret => {
            let mut secret: Secret = read_whole(draft, errors);
            others::secret_defaults(&mut secret);
            others::check_secret(&secret, errors);
            if let Some(old) = old {
                others::check_secret_update(&read_whole(old, errors), &secret, errors);
            }
            write_whole(draft, &secret);
        }
        Kind::RuntimeClass => {
            let class: RuntimeClass = read_whole(draft, errors);
            others::check_runtime_class(&class, errors);
            if let Some(old) = old {
                others::check_runtime_class_update(&read_whole(old, errors), &class, errors);
            }
            write_whole(draft, &class);
        }
        Kind::Event => others::check_event(&read_whole::<Event>(draft, errors), errors),
        Kind::Node => finish_node(draft, errors),
        Kind::ServiceAccount
        | Kind::Service
        | Kind::PriorityClass
        | Kind::Lease
        | Kind::LimitRange
        | Kind::ResourceQuota
        | Kind::PodTemplate => {}
    }
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
    job::prepare(&mut job, old.is_none());
    job::check(&job, errors);
    match old {
        None => warnings.extend(job::warnings(&job, true)),
        Some(old) => {
            let before = Job {
                metadata: old.metadata.clone(),
                spec: Some(read(old, "spec", errors)),
                status: Some(read(old, "status", errors)),
            };
            job::check_update(&before, &job, errors);
            let changed = before.spec != job.spec;
            raise_generation(&mut job.metadata.generation, changed);
            if changed {
                warnings.extend(job::warnings(&job, false));
            }
        }
    }
    draft.set("spec", &job.spec);
    draft.metadata = job.metadata;
}

fn raise_generation(generation: &mut Option<i64>, changed: bool) {
    if changed {
        *generation = Some(generation.unwrap_or(0) + 1);
    }
}

fn finish_pod(draft: &mut Draft, old: Option<&Draft>, errors: &mut FieldErrors) {
    let mut spec: PodSpec = read(draft, "spec", errors);
    pod::defaults(&mut spec, true);
    pod::check(&spec, errors);
    match old {
        None => draft.set_pod_status(&pod::new_status(&spec)),
        Some(old) => {
            let before: PodSpec = read(old, "spec", errors);
            pod_update::check(&before, &spec, errors);
            raise_generation(&mut draft.metadata.generation, before != spec);
        }
    }
    draft.set("spec", &spec);
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
        _ => {}
    }
}
