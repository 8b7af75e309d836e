//! Containers of a pod: defaults and validation.

use std::collections::{BTreeMap, BTreeSet};

use super::{downward, env, lifecycle, meta::push_all, mount, probe, resources, restart};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::core::v1::{Container, ContainerPort, SecurityContext, Volume},
    validate,
};

/// Where the container's last words are read from.
const TERMINATION_MESSAGE_PATH: &str = "/dev/termination-log";

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: [&str; 2] = ["File", "FallbackToLogsOnError"];
pub(super) const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// Volumes of the pod by name.
pub(super) type Volumes<'a> = BTreeMap<&'a str, &'a Volume>;

/// Fills in what a container leaves out. `in_pod` is false in the template of a Job.
pub(super) fn defaults(container: &mut Container, in_pod: bool, host_network: bool) {
    let latest = is_latest(container.image.as_deref().unwrap_or_default());
    let pull = if latest { "Always" } else { "IfNotPresent" };
    fill(&mut container.image_pull_policy, pull);
    fill(&mut container.termination_message_path, TERMINATION_MESSAGE_PATH);
    fill(&mut container.termination_message_policy, "File");
    for port in container.ports.iter_mut().flatten() {
        fill(&mut port.protocol, "TCP");
        if in_pod && host_network && port.host_port.unwrap_or(0) == 0 {
            port.host_port = Some(port.container_port);
        }
    }
    for var in container.env.iter_mut().flatten() {
        if let Some(source) = &mut var.value_from {
            let (field, resource) = (&mut source.field_ref, &mut source.resource_field_ref);
            downward::reference_defaults(field.as_mut(), resource.as_mut());
        }
    }
    probe::defaults(container);
    lifecycle::defaults(container);
    // Upstream's encoding always has it, and people compare what they get.
    resources::defaults(container.resources.get_or_insert_default(), in_pod);
}

/// Sets a text that is absent or empty.
pub(super) fn fill(field: &mut Option<String>, value: &str) {
    if field.as_deref().unwrap_or_default().is_empty() {
        *field = Some(value.to_owned());
    }
}

/// Whether the image's tag is `latest`, named or by default.
fn is_latest(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or_default();
    match last.split_once('@') {
        Some(_) => false,
        None => last.split_once(':').is_none_or(|(_, tag)| tag == "latest"),
    }
}

/// What is around the containers that are checked.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) volumes: &'a Volumes<'a>,
    /// False in a template.
    pub(super) in_pod: bool,
    /// `terminationGracePeriodSeconds` of the pod, seconds.
    pub(super) grace_s: Option<i64>,
}

/// Everything wrong with the regular containers.
pub(super) fn check(
    containers: &[Container],
    around: Around<'_>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    if containers.is_empty() {
        errors.push(FieldError::required(at, ""));
    }
    let mut names = BTreeSet::new();
    for (i, container) in containers.iter().enumerate() {
        let at = at.index(i);
        one(container, around, at, errors);
        if !names.insert(container.name.as_str()) && !container.name.is_empty() {
            errors.push(FieldError::duplicate(at.field("name"), container.name.as_str()));
        }
        of_long_running(container, around, at, errors);
        restart::check(container, at, errors);
    }
    host_ports(containers, at, errors);
}

/// Everything wrong with the init containers.
pub(super) fn check_init(
    containers: &[Container],
    regular: &[Container],
    around: Around<'_>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let mut names: BTreeSet<&str> = regular.iter().map(|c| c.name.as_str()).collect();
    for (i, container) in containers.iter().enumerate() {
        let here = at.index(i);
        one(container, around, here, errors);
        restart::check(container, here, errors);
        if !names.insert(container.name.as_str()) && !container.name.is_empty() {
            errors.push(FieldError::duplicate(here.field("name"), container.name.as_str()));
        }
        // They run one after the other, so each has the ports to itself; all are called the first.
        host_ports(std::slice::from_ref(container), at, errors);
        if container.restart_policy.as_deref() == Some("Always") {
            of_long_running(container, around, here, errors);
            continue;
        }
        for (field, present) in [
            ("lifecycle", container.lifecycle.is_some()),
            ("livenessProbe", container.liveness_probe.is_some()),
            ("readinessProbe", container.readiness_probe.is_some()),
            ("startupProbe", container.startup_probe.is_some()),
        ] {
            if present {
                let text = "may not be set for init containers without restartPolicy=Always";
                errors.push(FieldError::forbidden(here.field(field), text));
            }
        }
    }
}

/// What only containers may have that run beside others.
fn of_long_running(
    container: &Container,
    around: Around<'_>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    if let Some(hooks) = &container.lifecycle {
        lifecycle::check(hooks, around.grace_s, at.field("lifecycle"), errors);
    }
    probe::check(container, at, errors);
}

/// Two containers cannot have one port of the host.
fn host_ports(containers: &[Container], at: Path<'_>, errors: &mut FieldErrors) {
    let mut seen = BTreeSet::new();
    for (i, container) in containers.iter().enumerate() {
        for (j, port) in container.ports.iter().flatten().enumerate() {
            let Some(host_port) = port.host_port.filter(|p| *p != 0) else { continue };
            let text = format!(
                "{}/{}/{host_port}",
                port.protocol.as_deref().unwrap_or_default(),
                port.host_ip.as_deref().unwrap_or_default()
            );
            if !seen.insert(text.clone()) {
                let at = at.index(i);
                let at = at.field("ports");
                errors.push(FieldError::duplicate(at.index(j).field("hostPort"), text));
            }
        }
    }
}

/// What holds for every container.
pub(super) fn one(
    container: &Container,
    around: Around<'_>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    match container.name.as_str() {
        "" => errors.push(FieldError::required(at.field("name"), "")),
        name => push_all(errors, at.field("name"), name, validate::dns_label(name)),
    }
    if container.image.as_deref().unwrap_or_default().is_empty() {
        errors.push(FieldError::required(at.field("image"), ""));
    }
    let policy = container.termination_message_policy.as_deref();
    one_of(policy, &MESSAGE_POLICIES, at.field("terminationMessagePolicy"), errors);
    ports(container.ports.as_deref().unwrap_or_default(), at.field("ports"), errors);
    env::check(container.env.as_deref().unwrap_or_default(), at.field("env"), errors);
    env::check_from(container.env_from.as_deref().unwrap_or_default(), at.field("envFrom"), errors);
    mount::check(container, around.volumes, at.field("volumeMounts"), errors);
    let policy = container.image_pull_policy.as_deref();
    one_of(policy, &PULL_POLICIES, at.field("imagePullPolicy"), errors);
    if let Some(resources) = &container.resources {
        resources::check(resources, at.field("resources"), errors);
    }
    if let Some(context) = &container.security_context {
        security(context, at.field("securityContext"), errors);
    }
    let image = container.image.as_deref().unwrap_or_default();
    if around.in_pod && image.trim() != image {
        let text = "must not have leading or trailing whitespace";
        errors.push(FieldError::invalid(at.field("image"), image, text));
    }
}

/// A text that must be one of a few.
pub(super) fn one_of(
    value: Option<&str>,
    allowed: &[&str],
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    match value.unwrap_or_default() {
        "" => errors.push(FieldError::required(at, "")),
        value if allowed.contains(&value) => {}
        other => errors.push(FieldError::not_supported(at, other, allowed)),
    }
}

fn ports(ports: &[ContainerPort], at: Path<'_>, errors: &mut FieldErrors) {
    let mut names = BTreeSet::new();
    for (i, port) in ports.iter().enumerate() {
        let at = at.index(i);
        if let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            let wrong = validate::port_name(name);
            if wrong.is_empty() && !names.insert(name) {
                errors.push(FieldError::duplicate(at.field("name"), name));
            }
            push_all(errors, at.field("name"), name, wrong);
        }
        if port.container_port == 0 {
            errors.push(FieldError::required(at.field("containerPort"), ""));
        } else {
            port_number(port.container_port, at.field("containerPort"), errors);
        }
        if let Some(number) = port.host_port.filter(|number| *number != 0) {
            port_number(number, at.field("hostPort"), errors);
        }
        one_of(port.protocol.as_deref(), &PROTOCOLS, at.field("protocol"), errors);
    }
}

/// The number of a port.
pub(super) fn port_number(number: i32, at: Path<'_>, errors: &mut FieldErrors) {
    if !(1..=65535).contains(&number) {
        errors.push(FieldError::invalid(at, number, validate::range(1, 65535)));
    }
}

fn security(context: &SecurityContext, at: Path<'_>, errors: &mut FieldErrors) {
    id(context.run_as_user, at.field("runAsUser"), errors);
    id(context.run_as_group, at.field("runAsGroup"), errors);
    let added = context.capabilities.as_ref().and_then(|c| c.add.as_deref()).unwrap_or_default();
    if context.allow_privilege_escalation == Some(false) {
        let at = at.field("allowPrivilegeEscalation");
        if context.privileged == Some(true) {
            let text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.push(FieldError::invalid(at, false, text));
        }
        if added.iter().any(|c| c == "SYS_ADMIN" || c == "CAP_SYS_ADMIN") {
            let text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.push(FieldError::invalid(at, false, text));
        }
    }
}

/// A user or group id.
pub(super) fn id(id: Option<i64>, at: Path<'_>, errors: &mut FieldErrors) {
    let max = i64::from(i32::MAX);
    if let Some(id) = id.filter(|id| !(0..=max).contains(id)) {
        errors.push(FieldError::invalid(at, id, validate::range(0, max)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_decides_about_pulling() {
        for (image, latest) in [
            ("busybox", true),
            ("busybox:latest", true),
            ("busybox:1.37", false),
            ("localhost:5000/busybox", true),
            ("localhost:5000/busybox:1", false),
            ("busybox@sha256:00", false),
            ("busybox:latest@sha256:00", false),
        ] {
            assert_eq!(is_latest(image), latest, "{image}");
        }
    }
}
