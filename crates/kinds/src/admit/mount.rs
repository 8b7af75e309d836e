//! Volumes in containers: validation of `volumeMounts`.

use std::collections::BTreeSet;

use super::{container::Volumes, volume::descending_path};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::core::v1::{Container, VolumeMount},
};

const PROPAGATIONS: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE_READ_ONLY: [&str; 3] = ["Disabled", "Enabled", "IfPossible"];

/// Everything wrong with the mounts of a container. Where upstream names no item of the list, this
/// does neither.
pub(super) fn check(
    container: &Container,
    volumes: &Volumes<'_>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let mut paths = BTreeSet::new();
    for (i, mount) in container.volume_mounts.iter().flatten().enumerate() {
        let item = at.index(i);
        if mount.name.is_empty() {
            errors.push(FieldError::required(item.field("name"), ""));
        }
        if !volumes.contains_key(mount.name.as_str()) {
            errors.push(FieldError::not_found(item.field("name"), mount.name.as_str()));
        }
        if mount.mount_path.is_empty() {
            errors.push(FieldError::required(item.field("mountPath"), ""));
        }
        if !paths.insert(mount.mount_path.as_str()) {
            let path = mount.mount_path.as_str();
            errors.push(FieldError::invalid(item.field("mountPath"), path, "must be unique"));
        }
        sub_path(mount, at, item, errors);
        propagation(mount, container, at.field("mountPropagation"), errors);
        recursive_read_only(mount, at.field("recursiveReadOnly"), errors);
    }
}

fn sub_path(mount: &VolumeMount, list: Path<'_>, item: Path<'_>, errors: &mut FieldErrors) {
    let path = mount.sub_path.as_deref().unwrap_or_default();
    let expression = mount.sub_path_expr.as_deref().unwrap_or_default();
    descending_path(path, list.field("subPath"), errors);
    if !path.is_empty() && !expression.is_empty() {
        let text = "subPathExpr and subPath are mutually exclusive";
        errors.push(FieldError::invalid(item.field("subPathExpr"), expression, text));
    }
    descending_path(expression, list.field("subPathExpr"), errors);
}

fn propagation(mount: &VolumeMount, container: &Container, at: Path<'_>, errors: &mut FieldErrors) {
    let Some(propagation) = mount.mount_propagation.as_deref() else { return };
    if !PROPAGATIONS.contains(&propagation) {
        errors.push(FieldError::not_supported(at, propagation, &PROPAGATIONS));
    }
    let security = container.security_context.as_ref();
    let privileged = security.and_then(|context| context.privileged) == Some(true);
    if propagation == "Bidirectional" && !privileged {
        let text = "Bidirectional mount propagation is available only to privileged containers";
        errors.push(FieldError::forbidden(at, text));
    }
}

fn recursive_read_only(mount: &VolumeMount, at: Path<'_>, errors: &mut FieldErrors) {
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                let text = "may only be specified when readOnly is true";
                errors.push(FieldError::forbidden(at, text));
            }
            if mount.mount_propagation.as_deref().is_some_and(|p| p != "None") {
                let text = "may only be specified when mountPropagation is None or not specified";
                errors.push(FieldError::forbidden(at, text));
            }
        }
        Some(other) => {
            errors.push(FieldError::not_supported(at, other, &RECURSIVE_READ_ONLY));
        }
    }
}
