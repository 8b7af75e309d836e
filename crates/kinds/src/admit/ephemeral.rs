//! Ephemeral containers: defaults and validation. They are added to pods that run, by a way of their
//! own, and never changed or taken away.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    container::{self, Around},
    pod_update::differences,
};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::core::v1::{Container, EphemeralContainer, PodSpec},
};

/// An ephemeral container as any other: all its fields but the container whose processes it sees.
pub fn as_container(ephemeral: &EphemeralContainer) -> Container {
    // The types have the same fields, and unknown ones are passed over.
    serde_json::from_value(json!(ephemeral)).unwrap_or_default()
}

/// Fills in what an ephemeral container leaves out.
pub(super) fn defaults(ephemeral: &mut EphemeralContainer, host_network: bool) {
    let mut container = as_container(ephemeral);
    container::defaults(&mut container, true, host_network);
    let target = ephemeral.target_container_name.take();
    *ephemeral = serde_json::from_value(json!(container)).unwrap_or_default();
    ephemeral.target_container_name = target;
}

/// Everything wrong with the ephemeral containers of a pod.
pub(super) fn check(spec: &PodSpec, around: Around<'_>, at: Path<'_>, errors: &mut FieldErrors) {
    let others = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let others: BTreeSet<&str> = others.map(|c| c.name.as_str()).collect();
    let mut names = others.clone();
    for (i, ephemeral) in spec.ephemeral_containers.iter().flatten().enumerate() {
        let at = at.index(i);
        let container = as_container(ephemeral);
        container::one(&container, around, at, errors);
        let name = ephemeral.name.as_str();
        if !names.insert(name) && !name.is_empty() {
            errors.push(FieldError::duplicate(at.field("name"), name));
        }
        let target = ephemeral.target_container_name.as_deref().unwrap_or_default();
        if !target.is_empty() && !others.contains(target) {
            errors.push(FieldError::not_found(at.field("targetContainerName"), target));
        }
        service(&container, at, errors);
    }
}

/// Nothing may be relied upon that an ephemeral container does.
fn service(container: &Container, at: Path<'_>, errors: &mut FieldErrors) {
    let resources = container.resources.as_ref();
    let amounts = resources.is_some_and(|r| r.limits.is_some() || r.requests.is_some());
    for (field, present) in [
        ("ports", container.ports.is_some()),
        ("resources", amounts),
        ("resizePolicy", container.resize_policy.is_some()),
        ("restartPolicy", container.restart_policy.is_some()),
        ("restartPolicyRules", container.restart_policy_rules.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
        ("lifecycle", container.lifecycle.is_some()),
    ] {
        if present {
            let text = "cannot be set for an Ephemeral Container";
            errors.push(FieldError::forbidden(at.field(field), text));
        }
    }
    for (i, mount) in container.volume_mounts.iter().flatten().enumerate() {
        for (field, path) in [("subPath", &mount.sub_path), ("subPathExpr", &mount.sub_path_expr)] {
            if path.as_deref().is_some_and(|path| !path.is_empty()) {
                let text = "cannot be set for an Ephemeral Container";
                let at = at.field("volumeMounts");
                errors.push(FieldError::forbidden(at.index(i).field(field), text));
            }
        }
    }
}

/// What a change may not do to those that are there.
pub(super) fn check_update(old: &PodSpec, new: &PodSpec, errors: &mut FieldErrors) {
    for was in old.ephemeral_containers.iter().flatten() {
        let mut all = new.ephemeral_containers.iter().flatten();
        let path = "spec.ephemeralContainers";
        let name = &was.name;
        match all.find(|is| is.name == *name) {
            None => {
                let text = format!("existing ephemeral containers {name:?} may not be removed\n");
                errors.push(FieldError::forbidden(path, text));
            }
            Some(is) if is != was => {
                let text = format!(
                    "existing ephemeral containers {name:?} may not be changed\n{}",
                    differences(was, is)
                );
                errors.push(FieldError::forbidden(path, text));
            }
            Some(_) => {}
        }
    }
}
