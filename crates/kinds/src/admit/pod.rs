//! Pods and pod templates: defaults and validation.

use super::{
    container::{self, fill, id, one_of},
    ephemeral, host_aliases,
    meta::{self, push_all},
    resources, volume,
};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::core::v1::{
        PodSecurityContext, PodSpec, PodStatus, PodTemplateSpec, ResourceRequirements, Toleration,
    },
    validate,
};

/// Seconds between SIGTERM and SIGKILL.
const GRACE_PERIOD_S: i64 = 30;
/// What a negative grace period becomes, in seconds (upstream's conversion of pods).
const NEGATIVE_GRACE_PERIOD_S: i64 = 1;

const RESTART_POLICIES: [&str; 3] = ["Always", "OnFailure", "Never"];
const DNS_POLICIES: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

/// Fills in what the spec leaves out. `in_pod` is false in the template of a Job: some defaults are
/// given only when the pod itself is made.
pub(super) fn defaults(spec: &mut PodSpec, in_pod: bool) {
    fill(&mut spec.restart_policy, "Always");
    fill(&mut spec.dns_policy, "ClusterFirst");
    fill(&mut spec.scheduler_name, "default-scheduler");
    spec.security_context.get_or_insert_default();
    let grace_s = spec.termination_grace_period_seconds.get_or_insert(GRACE_PERIOD_S);
    if *grace_s < 0 {
        *grace_s = NEGATIVE_GRACE_PERIOD_S;
    }
    service_account(spec, in_pod);
    if in_pod {
        spec.enable_service_links.get_or_insert(true);
    }
    let host_network = spec.host_network.unwrap_or(false);
    for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        container::defaults(container, in_pod, host_network);
    }
    for ephemeral in spec.ephemeral_containers.iter_mut().flatten() {
        ephemeral::defaults(ephemeral, host_network);
    }
    for volume in spec.volumes.iter_mut().flatten() {
        volume::defaults(volume);
    }
}

/// The deprecated field and its successor always say the same; a pod has at least `default`.
fn service_account(spec: &mut PodSpec, in_pod: bool) {
    if let Some(name) = spec.service_account.clone().filter(|name| !name.is_empty()) {
        fill(&mut spec.service_account_name, &name);
    }
    if in_pod {
        fill(&mut spec.service_account_name, "default");
    }
    spec.service_account.clone_from(&spec.service_account_name);
}

/// The status of a pod that was just made.
pub(super) fn new_status(spec: &PodSpec) -> PodStatus {
    PodStatus {
        phase: Some("Pending".to_owned()),
        qos_class: Some(resources::qos_class(spec).to_owned()),
        ..PodStatus::default()
    }
}

/// Everything wrong with a pod beyond its metadata.
pub(super) fn check(spec: &PodSpec, errors: &mut FieldErrors) {
    self::spec(spec, true, Path::top("spec"), errors);
}

/// Everything wrong with a pod template.
pub(super) fn check_template(template: &PodTemplateSpec, at: Path<'_>, errors: &mut FieldErrors) {
    if let Some(metadata) = &template.metadata {
        meta::labels(metadata.labels.as_ref(), at.field("labels"), errors);
        meta::annotations(metadata.annotations.as_ref(), at.field("annotations"), errors);
    }
    let default = PodSpec::default();
    if template.spec.as_ref().is_some_and(|spec| spec.ephemeral_containers.is_some()) {
        let at = at.field("spec");
        let text = "ephemeral containers not allowed in pod template";
        errors.push(FieldError::forbidden(at.field("ephemeralContainers"), text));
    }
    spec(template.spec.as_ref().unwrap_or(&default), false, at.field("spec"), errors);
}

fn spec(spec: &PodSpec, in_pod: bool, at: Path<'_>, errors: &mut FieldErrors) {
    let volumes = spec.volumes.as_deref().unwrap_or_default();
    let volumes = volume::check(volumes, at.field("volumes"), errors);
    let grace_s = spec.termination_grace_period_seconds;
    let around = container::Around { volumes: &volumes, in_pod, grace_s };
    container::check(&spec.containers, around, at.field("containers"), errors);
    let early = spec.init_containers.as_deref().unwrap_or_default();
    let early_at = at.field("initContainers");
    container::check_init(early, &spec.containers, around, early_at, errors);
    ephemeral::check(spec, around, at.field("ephemeralContainers"), errors);
    host_ports(spec, in_pod, at.field("containers"), errors);
    one_of(spec.restart_policy.as_deref(), &RESTART_POLICIES, at.field("restartPolicy"), errors);
    one_of(spec.dns_policy.as_deref(), &DNS_POLICIES, at.field("dnsPolicy"), errors);
    meta::labels(spec.node_selector.as_ref(), at.field("nodeSelector"), errors);
    if let Some(context) = &spec.security_context {
        security(context, at.field("securityContext"), errors);
    }
    let deadline = spec.active_deadline_seconds;
    if let Some(deadline) = deadline.filter(|d| !(1..=i64::from(i32::MAX)).contains(d)) {
        let text = validate::range(1, i64::from(i32::MAX));
        errors.push(FieldError::invalid(at.field("activeDeadlineSeconds"), deadline, text));
    }
    for (field, value) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        if let Some(value) = value.as_deref().filter(|v| !v.is_empty()) {
            push_all(errors, at.field(field), value, validate::dns_label(value));
        }
    }
    let aliases = spec.host_aliases.as_deref().unwrap_or_default();
    host_aliases::check(aliases, at.field("hostAliases"), errors);
    for (field, value) in [
        ("serviceAccountName", &spec.service_account_name),
        ("nodeName", &spec.node_name),
        ("priorityClassName", &spec.priority_class_name),
    ] {
        if let Some(value) = value.as_deref().filter(|v| !v.is_empty()) {
            push_all(errors, at.field(field), value, validate::dns_subdomain(value));
        }
    }
    if let Some(name) = &spec.runtime_class_name {
        push_all(errors, at.field("runtimeClassName"), name, validate::dns_subdomain(name));
    }
    if let Some(overhead) = &spec.overhead {
        let limits = ResourceRequirements { limits: Some(overhead.clone()), ..Default::default() };
        resources::check(&limits, at.field("overhead"), errors);
    }
    tolerations(spec.tolerations.as_deref().unwrap_or_default(), at.field("tolerations"), errors);
    if let Some(policy) = &spec.preemption_policy {
        preemption_policy(policy, at.field("preemptionPolicy"), errors);
    }
}

/// Whether pods of lower priority make room.
pub(super) fn preemption_policy(policy: &str, at: Path<'_>, errors: &mut FieldErrors) {
    one_of(Some(policy), &["PreemptLowerPriority", "Never"], at, errors);
}

fn host_ports(spec: &PodSpec, in_pod: bool, at: Path<'_>, errors: &mut FieldErrors) {
    if spec.host_network != Some(true) {
        return;
    }
    for (i, container) in spec.containers.iter().enumerate() {
        for (j, port) in container.ports.iter().flatten().enumerate() {
            let host = port.host_port.unwrap_or(0);
            if (in_pod || host != 0) && host != port.container_port {
                let text = "must match `containerPort` when `hostNetwork` is true";
                let at = at.index(i);
                let at = at.field("ports");
                errors.push(FieldError::invalid(at.index(j).field("hostPort"), host, text));
            }
        }
    }
}

fn security(context: &PodSecurityContext, at: Path<'_>, errors: &mut FieldErrors) {
    id(context.run_as_user, at.field("runAsUser"), errors);
    id(context.run_as_group, at.field("runAsGroup"), errors);
    id(context.fs_group, at.field("fsGroup"), errors);
    if let Some(policy) = context.fs_group_change_policy.as_deref() {
        let at = at.field("fsGroupChangePolicy");
        one_of(Some(policy), &["Always", "OnRootMismatch"], at, errors);
    }
    if let Some(policy) = context.supplemental_groups_policy.as_deref() {
        let at = at.field("supplementalGroupsPolicy");
        one_of(Some(policy), &["Merge", "Strict"], at, errors);
    }
    for (i, group) in context.supplemental_groups.iter().flatten().enumerate() {
        id(Some(*group), at.field("supplementalGroups").index(i), errors);
    }
}

pub(super) fn tolerations(tolerations: &[Toleration], at: Path<'_>, errors: &mut FieldErrors) {
    for (i, toleration) in tolerations.iter().enumerate() {
        let at = at.index(i);
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let (key, operator) = (text(&toleration.key), text(&toleration.operator));
        let (value, effect) = (text(&toleration.value), text(&toleration.effect));
        if !key.is_empty() {
            push_all(errors, at.field("key"), &key, validate::qualified_name(&key));
        } else if operator != "Exists" {
            let text = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.push(FieldError::invalid(at.field("operator"), operator.as_str(), text));
        }
        if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
            let text = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.push(FieldError::invalid(at.field("effect"), effect.as_str(), text));
        }
        match operator.as_str() {
            "" | "Equal" => {
                push_all(errors, at.field("operator"), &value, validate::label_value(&value));
            }
            "Exists" if value.is_empty() => {}
            "Exists" => {
                let text = "value must be empty when `operator` is 'Exists'";
                errors.push(FieldError::invalid(at.field("operator"), value.as_str(), text));
            }
            other => {
                let at = at.field("operator");
                errors.push(FieldError::not_supported(at, other, &["Equal", "Exists"]));
            }
        }
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        if !effect.is_empty() && !effects.contains(&&*effect) {
            errors.push(FieldError::not_supported(at.field("effect"), effect, &effects));
        }
    }
}
