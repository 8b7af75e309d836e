//! What a plain process cannot have. It sees the machine as it is, so whatever would change its
//! view or take rights from it is refused by name, never silently left out. The one exception is a
//! host name: the Job controller gives one to every pod of an Indexed Job, so refusing it would
//! refuse those Jobs.

use kinds::types::core::v1::{Container as ContainerSpec, PodSpec};

use crate::{HOST_IMAGE, machine::is_host_image};

/// `Err` names everything in the pod that RuntimeClass `process` cannot give.
pub(super) fn check(spec: &PodSpec, container: &ContainerSpec) -> Result<(), String> {
    let mut refused = Vec::new();
    let image = container.image.as_deref().unwrap_or_default();
    if !is_host_image(image) {
        refused.push(format!("image \"{image}\" (only {HOST_IMAGE})"));
    }
    refused.extend(mounts(spec, container));
    refused.extend(security(spec, container));
    if refused.is_empty() {
        return Ok(());
    }
    let list = refused.join(", ");
    Err(format!("a plain process (RuntimeClass handler \"process\") cannot have: {list}"))
}

/// The only mount that needs no mounting is a directory of the machine at its own place.
fn mounts(spec: &PodSpec, container: &ContainerSpec) -> Vec<String> {
    let in_place = |mount: &&kinds::types::core::v1::VolumeMount| {
        let volume = spec.volumes.iter().flatten().find(|v| v.name == mount.name);
        let host_path = volume.and_then(|v| v.host_path.as_ref());
        let same = host_path.is_some_and(|h| {
            h.path.trim_end_matches('/') == mount.mount_path.trim_end_matches('/')
        });
        same && !mount.read_only.unwrap_or(false)
    };
    let refused = container.volume_mounts.iter().flatten().filter(|mount| !in_place(mount));
    refused
        .map(|mount| {
            format!(
                "volume \"{}\" at {} (only a writable hostPath at its own path)",
                mount.name, mount.mount_path
            )
        })
        .collect()
}

fn security(spec: &PodSpec, container: &ContainerSpec) -> Vec<String> {
    let mut refused = Vec::new();
    let mut refuse = |present: bool, what: &str| {
        if present {
            refused.push(what.to_owned());
        }
    };
    if let Some(own) = &container.security_context {
        refuse(own.privileged == Some(true), "securityContext.privileged");
        refuse(own.capabilities.is_some(), "securityContext.capabilities");
        refuse(
            own.read_only_root_filesystem == Some(true),
            "securityContext.readOnlyRootFilesystem",
        );
        refuse(
            own.allow_privilege_escalation == Some(false),
            "securityContext.allowPrivilegeEscalation: false",
        );
        let seccomp = own.seccomp_profile.as_ref();
        refuse(seccomp.is_some_and(|p| p.type_ != "Unconfined"), "securityContext.seccompProfile");
    }
    let pod = spec.security_context.as_ref();
    let seccomp = pod.and_then(|p| p.seccomp_profile.as_ref());
    refuse(seccomp.is_some_and(|p| p.type_ != "Unconfined"), "securityContext.seccompProfile");
    refuse(spec.host_aliases.is_some(), "hostAliases");
    refuse(spec.dns_config.is_some(), "dnsConfig");
    refused
}
