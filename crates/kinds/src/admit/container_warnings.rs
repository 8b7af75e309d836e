//! What a client should know of the containers of a template: fractions of bytes, and variables and
//! ports that are there twice. The texts are upstream's.

use std::collections::BTreeMap;

use super::pod_warnings::Annotations;
use crate::{
    path::Path,
    quantity::{self, Quantity},
    types::core::v1::{Container, ContainerPort, EnvVar, PodSpec},
};

/// Before the name of a container: the annotations that once were its seccomp and AppArmor profiles.
const SECCOMP: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Everything to tell of the containers, init containers first.
pub(super) fn of_containers(
    spec: &PodSpec,
    annotations: &Annotations<'_>,
    at: Path<'_>,
    warnings: &mut Vec<String>,
) {
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let containers: Vec<(String, &Container)> =
        [("initContainers", init), ("containers", spec.containers.as_slice())]
            .into_iter()
            .flat_map(|(field, list)| {
                list.iter().enumerate().map(move |(i, c)| (format!("{at}.{field}[{i}]"), c))
            })
            .collect();
    let pod = spec.security_context.as_ref();
    let pod_profile = pod.is_some_and(|context| context.app_armor_profile.is_some());
    for (at, container) in &containers {
        let security = container.security_context.as_ref();
        if security.is_none_or(|context| context.seccomp_profile.is_none()) {
            let text = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
            annotations.warn(&format!("{SECCOMP}{}", container.name), text, warnings);
        }
        if !pod_profile && security.is_none_or(|context| context.app_armor_profile.is_none()) {
            let text = "deprecated since v1.30; use the \"appArmorProfile\" field instead";
            annotations.warn(&format!("{APP_ARMOR}{}", container.name), text, warnings);
        }
        fractions(container, at, warnings);
        variables(container.env.as_deref().unwrap_or_default(), at, warnings);
    }
    ports(&containers, warnings);
    port_names(&containers, warnings);
}

/// A byte has no thousandths.
fn fractions(container: &Container, at: &str, warnings: &mut Vec<String>) {
    let Some(resources) = &container.resources else { return };
    for resource in ["memory", "ephemeral-storage"] {
        for (field, amounts) in [("limits", &resources.limits), ("requests", &resources.requests)] {
            let amount = amounts.as_ref().and_then(|amounts| amounts.get(resource));
            let Some(amount) = amount.filter(|amount| !is_whole(amount)) else { continue };
            warnings.push(format!(
                "{at}.resources.{field}[{resource}]: fractional byte value {:?} is invalid, must be an integer",
                amount.0
            ));
        }
    }
}

fn is_whole(amount: &quantity::Text) -> bool {
    Quantity::parse(&amount.0).is_ok_and(Quantity::is_whole)
}

/// A variable that is there again is fine only if it builds on what it was before.
fn variables(variables: &[EnvVar], at: &str, warnings: &mut Vec<String>) {
    for (i, variable) in variables.iter().enumerate() {
        let name = &variable.name;
        let before = format!("$({name})");
        let value = variable.value.as_deref().unwrap_or_default();
        let builds = variable.value_from.is_none() && value != before && value.contains(&before);
        if !builds && variables[..i].iter().any(|earlier| earlier.name == *name) {
            warnings.push(format!(
                "{at}.env[{i}]: hides previous definition of {name:?}, which may be dropped when using apply"
            ));
        }
    }
}

fn ports(containers: &[(String, &Container)], warnings: &mut Vec<String>) {
    let mut seen: BTreeMap<(i32, &str), Vec<(String, i32)>> = BTreeMap::new();
    for (at, port) in all_ports(containers) {
        let protocol = port.protocol.as_deref().unwrap_or_default();
        let host = port.host_port.unwrap_or(0);
        let others = seen.entry((port.container_port, protocol)).or_default();
        for (other_at, other) in &*others {
            let how = match (host, *other) {
                (host, other) if host == other => "duplicate",
                (0, _) | (_, 0) => "overlapping",
                _ => continue,
            };
            warnings.push(format!("{at}: {how} port definition with {other_at}"));
        }
        others.push((at, host));
    }
}

fn port_names(containers: &[(String, &Container)], warnings: &mut Vec<String>) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for (at, port) in all_ports(containers) {
        let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) else { continue };
        if let Some(other) = seen.get(name) {
            warnings.push(format!(
                "{at}: duplicate port name {name:?} with {other}, services and probes that select ports by name will use {other}"
            ));
        } else {
            seen.insert(name, at);
        }
    }
}

fn all_ports<'a>(
    containers: &'a [(String, &'a Container)],
) -> impl Iterator<Item = (String, &'a ContainerPort)> {
    containers.iter().flat_map(|(at, container)| {
        let ports = container.ports.iter().flatten().enumerate();
        ports.map(move |(i, port)| (format!("{at}.ports[{i}]"), port))
    })
}
