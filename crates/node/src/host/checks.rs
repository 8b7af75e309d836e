//! The checks of `coracle doctor`: one table, each row decided from a [`Machine`] alone.

use super::Machine;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Something works less well.
    Warn,
    /// Something does not work.
    Fail,
}

/// One thing that the machine can do or cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found and what it means.
    pub finding: String,
    /// What to do about it; empty if there is nothing to do.
    pub mend: &'static str,
}

type Finding = (Verdict, String, &'static str);
type Test = fn(&Machine) -> Finding;

/// Every check, in the order in which they are shown.
const CHECKS: &[(&str, Test)] = &[
    ("user", user),
    ("capabilities", capabilities),
    ("kernel", kernel),
    ("namespaces", namespaces),
    ("overlay", overlay),
    ("seccomp", seccomp),
    ("memory limits", |machine| controller(machine, "memory")),
    ("cpu limits", |machine| controller(machine, "cpu")),
    ("process limits", |machine| controller(machine, "pids")),
    ("pods outlive the server", survival),
    ("cpus", |machine| (Verdict::Ok, machine.cpus.to_string(), "")),
    ("memory", memory),
    ("disk", disk),
];

/// Capabilities that containers cannot be made without, by number.
const NEEDED: &[(u32, &str)] = &[
    (0, "CHOWN"),
    (1, "DAC_OVERRIDE"),
    (3, "FOWNER"),
    (5, "KILL"),
    (6, "SETGID"),
    (7, "SETUID"),
    (8, "SETPCAP"),
    (18, "SYS_CHROOT"),
    (21, "SYS_ADMIN"),
    (27, "MKNOD"),
];
const SYS_RESOURCE: u32 = 24;
/// The oldest kernel that works, and the first one that tells exit codes to others than the parent.
const KERNEL_MIN: (u32, u32) = (5, 9);
const KERNEL_EXIT_INFO: (u32, u32) = (6, 15);
/// Less memory than this is little, bytes.
const MEMORY_LITTLE_BYTES: u64 = 512 << 20;
/// Less room than this is little, bytes; less than the other is none.
const DISK_LITTLE_BYTES: u64 = 1 << 30;
const DISK_MIN_BYTES: u64 = 64 << 20;

/// Runs every check.
pub fn checks(machine: &Machine) -> Vec<Check> {
    let check = |(name, test): &(&'static str, Test)| {
        let (verdict, finding, mend) = test(machine);
        Check { name, verdict, finding, mend }
    };
    CHECKS.iter().map(check).collect()
}

fn user(machine: &Machine) -> Finding {
    match machine.root {
        true => (Verdict::Ok, "root".into(), ""),
        false => (
            Verdict::Fail,
            "not root: this version makes containers only as root".into(),
            "run it with sudo",
        ),
    }
}

fn capabilities(machine: &Machine) -> Finding {
    let has = |number: u32| machine.capabilities & (1 << number) != 0;
    let missing: Vec<&str> =
        NEEDED.iter().filter(|(number, _)| !has(*number)).map(|(_, name)| *name).collect();
    if !missing.is_empty() {
        let finding = format!("without {}: no containers", missing.join(", "));
        return (
            Verdict::Fail,
            finding,
            "run it where root keeps these, such as outside a container",
        );
    }
    match has(SYS_RESOURCE) {
        true => (Verdict::Ok, "all that are needed".into(), ""),
        false => (
            Verdict::Warn,
            "without SYS_RESOURCE: Guaranteed pods are not spared when memory runs out".into(),
            "give the server CAP_SYS_RESOURCE",
        ),
    }
}

fn kernel(machine: &Machine) -> Finding {
    let mut numbers = machine.kernel.split(|c: char| !c.is_ascii_digit());
    let mut number = || numbers.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let version: (u32, u32) = (number(), number());
    let release = &machine.kernel;
    if version < KERNEL_MIN {
        return (Verdict::Fail, format!("{release} is too old"), "use Linux 5.9 or later");
    }
    match version < KERNEL_EXIT_INFO {
        true => (
            Verdict::Warn,
            format!("{release}: exit codes are lost if the spawner is killed (137 is reported)"),
            "Linux 6.15 or later keeps them",
        ),
        false => (Verdict::Ok, release.clone(), ""),
    }
}

fn namespaces(machine: &Machine) -> Finding {
    let needed = ["mnt", "pid", "ipc", "uts", "net"];
    let missing: Vec<&str> = needed
        .into_iter()
        .filter(|name| !machine.namespaces.iter().any(|have| have == name))
        .collect();
    match missing.is_empty() {
        true => (Verdict::Ok, needed.join(", "), ""),
        false => (
            Verdict::Fail,
            format!("the kernel has no {}: no containers", missing.join(", ")),
            "use a kernel with namespaces, or runtimeClassName: process",
        ),
    }
}

fn overlay(machine: &Machine) -> Finding {
    let has = machine.file_systems.iter().any(|name| name == "overlay");
    match has {
        true => (Verdict::Ok, "private writable layers".into(), ""),
        false => (
            Verdict::Fail,
            "the kernel has no overlay file system: no containers".into(),
            "modprobe overlay",
        ),
    }
}

fn seccomp(machine: &Machine) -> Finding {
    match machine.seccomp {
        true => (Verdict::Ok, "system call filters".into(), ""),
        false => (
            Verdict::Fail,
            "the kernel has no seccomp filters: no containers by default".into(),
            "use a kernel with CONFIG_SECCOMP_FILTER",
        ),
    }
}

fn controller(machine: &Machine, name: &str) -> Finding {
    let has = |list: &[String]| list.iter().any(|controller| controller == name);
    match (has(&machine.cgroup_v2), has(&machine.cgroup_v1)) {
        (true, _) => (Verdict::Ok, format!("controller {name} of cgroup v2"), ""),
        (false, true) => (Verdict::Ok, format!("controller {name} of cgroup v1"), ""),
        (false, false) => (
            Verdict::Warn,
            format!("no cgroup controller {name}: such limits are not enforced"),
            "mount cgroup2 on /sys/fs/cgroup with this controller enabled",
        ),
    }
}

/// What would end the pods together with the server.
fn survival(machine: &Machine) -> Finding {
    let in_session = machine.own_cgroups.contains("session-");
    match (machine.first_process, in_session) {
        (true, _) => (
            Verdict::Warn,
            "the server is process 1: when it ends, the container and its pods end".into(),
            "run it under an init, such as with docker run --init",
        ),
        (false, true) => (
            Verdict::Warn,
            "this login session ends its processes at logout if logind says KillUserProcesses=yes"
                .into(),
            "run the server as a unit with KillMode=process",
        ),
        (false, false) => (Verdict::Ok, "nothing ends them with it".into(), ""),
    }
}

fn memory(machine: &Machine) -> Finding {
    let finding = format!("{} MiB", machine.memory_bytes >> 20);
    match machine.memory_bytes < MEMORY_LITTLE_BYTES {
        true => (Verdict::Warn, format!("{finding}: little"), "give the machine more memory"),
        false => (Verdict::Ok, finding, ""),
    }
}

fn disk(machine: &Machine) -> Finding {
    let free = machine.disk_free_bytes;
    let finding = format!("{} MiB free under the data directory", free >> 20);
    let verdict = match free {
        0..DISK_MIN_BYTES => Verdict::Fail,
        DISK_MIN_BYTES..DISK_LITTLE_BYTES => Verdict::Warn,
        _ => return (Verdict::Ok, finding, ""),
    };
    (verdict, finding, "free some, or choose another place with --data-dir")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Machine {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        Machine {
            kernel: "6.18.0-1".into(),
            cpus: 2,
            memory_bytes: 4 << 30,
            disk_free_bytes: 10 << 30,
            root: true,
            capabilities: u64::MAX,
            namespaces: words("mnt pid ipc uts net user"),
            file_systems: words("ext4 overlay tmpfs"),
            seccomp: true,
            cgroup_v1: words("memory cpu"),
            cgroup_v2: words("pids"),
            ..Machine::default()
        }
    }

    fn verdict(machine: &Machine, name: &str) -> Verdict {
        checks(machine).into_iter().find(|check| check.name == name).unwrap().verdict
    }

    #[test]
    fn a_good_machine_has_nothing_to_mend() {
        for check in checks(&good()) {
            assert_eq!((check.verdict, check.mend), (Verdict::Ok, ""), "{check:?}");
        }
    }

    /// One row per way in which a machine falls short.
    #[test]
    fn each_shortcoming_is_found_and_has_a_mend() {
        type Spoil = fn(&mut Machine);
        let rows: &[(&str, Verdict, Spoil)] = &[
            ("user", Verdict::Fail, |m| m.root = false),
            ("capabilities", Verdict::Fail, |m| m.capabilities &= !(1 << 21)),
            ("capabilities", Verdict::Warn, |m| m.capabilities &= !(1 << 24)),
            ("kernel", Verdict::Fail, |m| m.kernel = "5.8.12".into()),
            ("kernel", Verdict::Warn, |m| m.kernel = "6.1.0-deb12".into()),
            ("namespaces", Verdict::Fail, |m| m.namespaces.retain(|n| n != "pid")),
            ("overlay", Verdict::Fail, |m| m.file_systems.retain(|n| n != "overlay")),
            ("seccomp", Verdict::Fail, |m| m.seccomp = false),
            ("memory limits", Verdict::Warn, |m| m.cgroup_v1.retain(|n| n != "memory")),
            ("cpu limits", Verdict::Warn, |m| m.cgroup_v1.retain(|n| n != "cpu")),
            ("process limits", Verdict::Warn, |m| m.cgroup_v2.clear()),
            ("pods outlive the server", Verdict::Warn, |m| m.first_process = true),
            ("pods outlive the server", Verdict::Warn, |m| {
                m.own_cgroups = "0::/user.slice/session-3.scope\n".into();
            }),
            ("memory", Verdict::Warn, |m| m.memory_bytes = 100 << 20),
            ("disk", Verdict::Warn, |m| m.disk_free_bytes = 500 << 20),
            ("disk", Verdict::Fail, |m| m.disk_free_bytes = 1 << 20),
        ];
        for (name, expected, spoil) in rows {
            let mut machine = good();
            spoil(&mut machine);
            assert_eq!(verdict(&machine, name), *expected, "{name}");
            let bad = checks(&machine).into_iter().filter(|c| c.verdict != Verdict::Ok);
            assert!(bad.clone().count() == 1 && bad.clone().all(|c| !c.mend.is_empty()), "{name}");
        }
    }
}
