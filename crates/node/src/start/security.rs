//! Who a container runs as and what it may do. Where the spec says nothing, less is given than
//! upstream gives: no new privileges, and the default seccomp profile.

use kinds::types::core::v1::{Container as ContainerSpec, PodSpec, SecurityContext};

use super::seccomp;

/// Hidden from every container, if they exist.
const MASKED_PATHS: [&str; 12] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];

/// Read-only in every container, if they exist.
const READ_ONLY_PATHS: [&str; 5] =
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Linux capabilities by number, without their prefix.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What a container has unless it drops them. Not MKNOD, as with CRI-O: no control group stands between
/// a container and the devices of the machine, so who may make a node may read the disk.
const DEFAULT: [&str; 13] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

/// Whether the root file system is read-only.
pub(super) fn read_only_root(container: &ContainerSpec) -> bool {
    let own = container.security_context.as_ref();
    own.and_then(|c| c.read_only_root_filesystem).unwrap_or(false)
}

/// Whether it is set apart from the machine by little but its own view of it.
pub(super) fn privileged(container: &ContainerSpec) -> bool {
    let own = container.security_context.as_ref();
    own.and_then(|c| c.privileged).unwrap_or(false)
}

/// What is hidden: nothing from a privileged container.
pub(super) fn masked_paths(container: &ContainerSpec) -> Vec<String> {
    unless_privileged(container, &MASKED_PATHS)
}

/// What is read-only: nothing for a privileged container.
pub(super) fn read_only_paths(container: &ContainerSpec) -> Vec<String> {
    unless_privileged(container, &READ_ONLY_PATHS)
}

fn unless_privileged(container: &ContainerSpec, paths: &[&str]) -> Vec<String> {
    let paths = if privileged(container) { &[] } else { paths };
    paths.iter().map(|path| (*path).to_owned()).collect()
}

/// Whether programs are kept from gaining privileges; only `allowPrivilegeEscalation: true` lets
/// them, and a privileged container, which has them all.
pub(super) fn no_new_privileges(container: &ContainerSpec) -> bool {
    let own = container.security_context.as_ref();
    let escalation = own.and_then(|c| c.allow_privilege_escalation);
    !escalation.unwrap_or(privileged(container))
}

/// The capability set: the default one, or all there are if privileged, less `drop`, plus `add`.
pub(super) fn capabilities(container: &ContainerSpec) -> Result<u64, String> {
    let bit = |name: &str| {
        let name = name.strip_prefix("CAP_").unwrap_or(name);
        let number = CAPABILITIES.iter().position(|c| *c == name);
        number.map(|n| 1 << n).ok_or_else(|| format!("unknown capability \"{name}\""))
    };
    let all = match privileged(container) {
        true => u64::MAX,
        false => (1 << CAPABILITIES.len()) - 1,
    };
    let set = |name: &str| if name == "ALL" { Ok(all) } else { bit(name) };
    // Newer kernels have more than this version has names for.
    let mut mask = if privileged(container) { u64::MAX } else { 0 };
    for name in DEFAULT {
        mask |= bit(name)?;
    }
    let own = container.security_context.as_ref().and_then(|c| c.capabilities.as_ref());
    for name in own.and_then(|c| c.drop.as_deref()).unwrap_or_default() {
        mask &= !set(name)?;
    }
    for name in own.and_then(|c| c.add.as_deref()).unwrap_or_default() {
        mask |= set(name)?;
    }
    Ok(mask)
}

/// The seccomp program for a container with these capabilities: none only if it is privileged or the
/// spec says `Unconfined`.
pub(super) fn seccomp(
    spec: &PodSpec,
    container: &ContainerSpec,
    capabilities: u64,
) -> Result<Vec<u8>, String> {
    if privileged(container) {
        return Ok(Vec::new());
    }
    let own = container
        .security_context
        .as_ref()
        .and_then(|c: &SecurityContext| c.seccomp_profile.as_ref());
    let pod = spec.security_context.as_ref().and_then(|c| c.seccomp_profile.as_ref());
    match own.or(pod).map(|profile| profile.type_.as_str()) {
        None | Some("RuntimeDefault") => Ok(seccomp::profile(capabilities)),
        Some("Unconfined") => Ok(Vec::new()),
        Some(other) => Err(format!("seccomp profile type \"{other}\" does not work yet")),
    }
}
