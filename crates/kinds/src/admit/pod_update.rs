//! What may change of a pod after it was made: hardly anything.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    FieldError, FieldErrors,
    types::core::v1::{PodSpec, Toleration},
};

/// Upstream's words, without the differences that follow them.
const TEXT: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// What an update changed and may not change. The new spec was validated as if it were new.
pub(super) fn check(old: &PodSpec, new: &PodSpec, errors: &mut FieldErrors) {
    let early = |spec: &PodSpec| spec.init_containers.as_ref().map_or(0, Vec::len);
    for (field, was, is) in [
        ("spec.containers", old.containers.len(), new.containers.len()),
        ("spec.initContainers", early(old), early(new)),
    ] {
        if was != is {
            let text = "pod updates may not add or remove containers";
            return errors.push(FieldError::forbidden(field, text));
        }
    }
    deadline(old.active_deadline_seconds, new.active_deadline_seconds, errors);
    tolerations(
        old.tolerations.as_deref().unwrap_or_default(),
        new.tolerations.as_deref().unwrap_or_default(),
        errors,
    );
    let mut rest = new.clone();
    rest.active_deadline_seconds = old.active_deadline_seconds;
    rest.tolerations.clone_from(&old.tolerations);
    let early = rest.init_containers.iter_mut().flatten();
    let old_early = old.init_containers.iter().flatten();
    let early = early.zip(old_early);
    for (container, was) in rest.containers.iter_mut().zip(&old.containers).chain(early) {
        container.image.clone_from(&was.image);
    }
    if rest != *old {
        let text = format!("{TEXT}\n{}", differences(old, &rest));
        errors.push(FieldError::forbidden("spec", text));
    }
}

/// A deadline may be set, and brought forward.
fn deadline(old: Option<i64>, new: Option<i64>, errors: &mut FieldErrors) {
    let path = "spec.activeDeadlineSeconds";
    match (old, new) {
        (Some(_), None) => {
            let text = "must not update from a positive integer to nil value";
            errors.push(FieldError::invalid(path, Value::Null, text));
        }
        (Some(old), Some(new)) if new > old => {
            let text = "must be less than or equal to previous value";
            errors.push(FieldError::invalid(path, new, text));
        }
        _ => {}
    }
}

/// Tolerations may be added, and change how long they last.
fn tolerations(old: &[Toleration], new: &[Toleration], errors: &mut FieldErrors) {
    let kept = |old: &Toleration| {
        new.iter().any(|new| {
            let seconds = new.toleration_seconds;
            Toleration { toleration_seconds: seconds, ..old.clone() } == *new
        })
    };
    if !old.iter().all(kept) {
        let text = "existing toleration can not be modified except its tolerationSeconds";
        errors.push(FieldError::forbidden("spec.tolerations", text));
    }
}

/// The top-level fields that differ, old and new: of pods' specs, and of their ephemeral containers.
pub(super) fn differences(old: &impl Serialize, new: &impl Serialize) -> String {
    let (old, new) = (json!(old), json!(new));
    let empty = serde_json::Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    let mut lines = Vec::new();
    for field in old.keys().chain(new.keys().filter(|k| !old.contains_key(*k))) {
        let (before, after) = (old.get(field), new.get(field));
        if before != after {
            lines.extend(before.map(|v| format!("- {field}: {v}")));
            lines.extend(after.map(|v| format!("+ {field}: {v}")));
        }
    }
    lines.join("\n")
}
