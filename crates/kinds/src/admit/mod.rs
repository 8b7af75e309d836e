//! Admission: what an object must look like before it is stored. Defaults are filled in, what the
//! server owns is set, and everything wrong is reported at once.

use jiff::Timestamp;

use crate::{
    Draft, FieldErrors, Kind, Object, Uid, api_time,
    types::{batch::v1::Job, core::v1::PodSpec},
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
    if info.status {
        draft.rest.remove("status");
    }
    if draft.kind == Kind::Job {
        let mut job: Job = serde_json::from_slice(&draft.to_json()).map_err(|_| Vec::new())?;
        generate_selector(&mut job);
        draft = Draft::of_job(&job);
    }
    Ok((draft, Vec::new()))
}

fn generate_selector(job: &mut Job) {
    let uid = job.metadata.uid.clone().unwrap_or_default();
    let name = job.metadata.name.clone().unwrap_or_default();
    let spec = job.spec.get_or_insert_default();
    let labels = spec.template.metadata.get_or_insert_default().labels.get_or_insert_default();
    for (key, value) in [
        ("job-name", &name),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("batch.kubernetes.io/controller-uid", &uid),
    ] {
        labels.entry(key.to_owned()).or_insert_with(|| value.clone());
    }
    let wanted = spec.selector.get_or_insert_default().match_labels.get_or_insert_default();
    wanted.entry("batch.kubernetes.io/controller-uid".to_owned()).or_insert(uid);
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
    now: Timestamp,
) -> Result<(Draft, Vec<String>), FieldErrors> {
    let _ = now;
    let before = old.draft();
    let kept = if subresource == Subresource::Main { "status" } else { "spec" };
    if new.kind.info().status {
        match before.rest.get(kept) {
            Some(raw) => new.rest.insert(kept.to_owned(), raw.clone()),
            None => new.rest.remove(kept),
        };
    }
    Ok((new, Vec::new()))
}

/// The quality-of-service class of a pod: `Guaranteed`, `Burstable` or `BestEffort`.
pub fn qos_class(spec: &PodSpec) -> &'static str {
    let unset = |c: &crate::types::core::v1::Container| c.resources.is_none();
    if spec.containers.iter().all(unset) { "BestEffort" } else { "Burstable" }
}
