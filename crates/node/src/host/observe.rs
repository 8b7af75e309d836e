//! Reads what the machine says of itself, once. Everything else is decided from this value.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, UdpSocket},
    num::NonZero,
    path::{Path, PathBuf},
};

/// What the machine says of itself. A file that cannot be read is an empty text.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Its host name.
    pub host_name: String,
    /// Kernel release, such as `6.18.0`.
    pub kernel: String,
    /// `PRETTY_NAME` of its distribution.
    pub os_image: String,
    /// Architecture as Kubernetes and Go name it: `amd64`, `arm64`.
    pub architecture: String,
    /// Text that stays the same while the machine is installed; may be empty.
    pub machine_id: String,
    /// Text that stays the same while the machine is up.
    pub boot_id: String,
    /// CPUs that this process may use.
    pub cpus: u64,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Size of the file system of the data directory, bytes.
    pub disk_bytes: u64,
    /// What is free on it for this user, bytes.
    pub disk_free_bytes: u64,
    /// Whether this process is root.
    pub root: bool,
    /// Its effective capabilities as a bit mask.
    pub capabilities: u64,
    /// Names of the namespaces that the kernel has.
    pub namespaces: Vec<String>,
    /// Names of the file systems that the kernel has.
    pub file_systems: Vec<String>,
    /// Whether seccomp filters work.
    pub seccomp: bool,
    /// Controllers of the control groups of version 2 that are not taken by version 1.
    pub cgroup_v2: Vec<String>,
    /// Controllers of version 1 that are mounted.
    pub cgroup_v1: Vec<String>,
    /// Control groups of this process, as `/proc/self/cgroup` has them.
    pub own_cgroups: String,
    /// Whether it is the first process of its machine or container.
    pub first_process: bool,
    /// The addresses by which others reach it, IPv4 first; never empty.
    pub addresses: Vec<IpAddr>,
}

impl Machine {
    /// Reads everything. The data directory need not exist yet.
    pub fn observe(data_dir: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let uname = rustix::system::uname();
        let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        let mounts = read("/proc/self/mountinfo");
        let (disk_bytes, disk_free_bytes) = disk(data_dir).unwrap_or_default();
        Self {
            host_name: text(uname.nodename()),
            kernel: text(uname.release()),
            os_image: os_image(&read("/etc/os-release")),
            architecture: architecture(uname.machine().to_str().unwrap_or_default()).to_owned(),
            machine_id: read("/etc/machine-id").trim().to_owned(),
            boot_id: read("/proc/sys/kernel/random/boot_id").trim().to_owned(),
            cpus: std::thread::available_parallelism().map_or(1, NonZero::get) as u64,
            memory_bytes: memory_bytes(&read("/proc/meminfo")),
            disk_bytes,
            disk_free_bytes,
            root: rustix::process::geteuid().is_root(),
            capabilities: capabilities(&read("/proc/self/status")),
            namespaces: names(Path::new("/proc/self/ns")),
            file_systems: file_systems(&read("/proc/filesystems")),
            seccomp: Path::new("/proc/sys/kernel/seccomp/actions_avail").exists(),
            cgroup_v2: v2_controllers(&mounts),
            cgroup_v1: v1_controllers(&mounts),
            own_cgroups: read("/proc/self/cgroup"),
            first_process: std::process::id() == 1,
            addresses: addresses(),
        }
    }
}

/// Where packets to the world would come from, as the kubelet chooses; a machine that knows no way
/// out is at its loopback address. The remote ends are set aside for documentation (RFC 5737 and
/// 3849), and connecting a datagram socket sends nothing.
fn addresses() -> Vec<IpAddr> {
    let ways = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    let found = ways.into_iter().filter_map(|(local, remote)| {
        let socket = UdpSocket::bind(local).ok()?;
        socket.connect(remote).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified() && !ip.is_loopback())
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { found }
}

/// Size and free room of the file system that holds, or will hold, a directory.
fn disk(directory: &Path) -> io::Result<(u64, u64)> {
    let exists = directory.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let stat = rustix::fs::statvfs(exists)?;
    Ok((stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize))
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn os_image(os_release: &str) -> String {
    let value = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    value.unwrap_or("Linux").trim_matches('"').to_owned()
}

fn architecture(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn memory_bytes(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn capabilities(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0)
}

fn file_systems(list: &str) -> Vec<String> {
    list.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect()
}

/// Mount point and super block options of every mount of a file system.
fn mounts_of<'a>(
    mountinfo: &'a str,
    file_system: &'a str,
) -> impl Iterator<Item = (PathBuf, &'a str)> {
    mountinfo.lines().filter_map(move |line| {
        let (left, right) = line.split_once(" - ")?;
        let mut right = right.split(' ');
        let kind = right.next()?;
        let point = left.split(' ').nth(4)?;
        (kind == file_system).then(|| (PathBuf::from(point), right.next_back().unwrap_or_default()))
    })
}

fn v2_controllers(mountinfo: &str) -> Vec<String> {
    let point = mounts_of(mountinfo, "cgroup2").next();
    let list =
        point.and_then(|(point, _)| fs::read_to_string(point.join("cgroup.controllers")).ok());
    list.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

fn v1_controllers(mountinfo: &str) -> Vec<String> {
    let options = mounts_of(mountinfo, "cgroup").flat_map(|(_, options)| options.split(','));
    options.filter(|option| !matches!(*option, "rw" | "ro")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_prints_is_read() {
        assert_eq!(memory_bytes("MemFree: 1 kB\nMemTotal:       2048 kB\n"), 2048 * 1024);
        assert_eq!(capabilities("CapInh:\t0\nCapEff:\t000001ff\n"), 0x1ff);
        assert_eq!(os_image("ID=debian\nPRETTY_NAME=\"Debian 12\"\n"), "Debian 12");
        assert_eq!(file_systems("nodev\ttmpfs\n\text4\n"), ["tmpfs", "ext4"]);
        let mounts = "30 20 0:27 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
                      31 20 0:28 / /sys rw - sysfs sysfs rw\n";
        assert_eq!(v1_controllers(mounts), ["cpu", "cpuacct"]);
        assert_eq!(mounts_of(mounts, "cgroup2").count(), 0);
    }

    #[test]
    fn this_machine_tells_of_itself() {
        let machine = Machine::observe(Path::new("/nonexistent/directory"));
        assert!(machine.cpus > 0 && machine.memory_bytes > 0 && machine.disk_bytes > 0);
        assert!(machine.namespaces.iter().any(|name| name == "mnt"));
        assert!(!machine.kernel.is_empty() && !machine.boot_id.is_empty());
    }
}
