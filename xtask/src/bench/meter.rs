//! The CPU that a set of processes has used, by a control group that they are all born into.
//!
//! The bench moves itself into a new group, so that whatever it starts is counted from its first
//! instruction, the client included. A spawner leaves that group for one of its own; what is counted
//! there is added. Not counted is what the kernel does for nobody in particular, such as taking down
//! a network namespace in a worker thread.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How every group that coracle makes begins, and so every group that may be counted or removed.
const PREFIX: &str = "coracle";

/// The version of control groups whose counter is read.
#[derive(Clone, Copy, PartialEq)]
enum Version {
    V1,
    V2,
}

/// The counter; dropping it moves the bench back and removes the group.
pub(super) struct Meter {
    version: Version,
    mount: PathBuf,
    home: PathBuf,
    group: PathBuf,
    /// Groups of spawners, outside ours.
    others: Vec<PathBuf>,
}

impl Meter {
    /// Makes the group and enters it.
    pub(super) fn new() -> Result<Meter> {
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let (version, mount) = hierarchy(&mounts).context("no control groups are mounted")?;
        let home = mount.join(relative(&fs::read_to_string("/proc/self/cgroup")?, version)?);
        let home = if home.is_dir() { home } else { mount.clone() };
        let group = mount.join(format!("{PREFIX}-bench-{}", std::process::id()));
        fs::create_dir(&group).with_context(|| format!("cannot make {}", group.display()))?;
        let meter = Meter { version, mount, home, group, others: Vec::new() };
        meter.enter(&meter.group)?;
        Ok(meter)
    }

    /// Counts also the group of process `pid`, which we started, if it has left ours.
    pub(super) fn include(&mut self, pid: u32) -> Result<()> {
        let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        let group = self.mount.join(relative(&cgroup, self.version)?);
        if group.starts_with(&self.group) || self.others.iter().any(|o| group.starts_with(o)) {
            return Ok(());
        }
        let top = group.strip_prefix(&self.mount)?.iter().next().unwrap_or_default();
        if !top.to_string_lossy().starts_with(PREFIX) {
            bail!("process {pid} is in {}, which holds others too", group.display());
        }
        self.others.push(group);
        Ok(())
    }

    /// User and system time of all so far.
    pub(super) fn usage(&self) -> Result<Duration> {
        let mut sum = Duration::ZERO;
        for group in std::iter::once(&self.group).chain(&self.others) {
            // The group of a spawner that ended is gone; readings never span two spawners.
            if group.is_dir() {
                sum += self.read(group)?;
            }
        }
        Ok(sum)
    }

    fn read(&self, group: &Path) -> Result<Duration> {
        let file =
            group.join(if self.version == Version::V1 { "cpuacct.usage" } else { "cpu.stat" });
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let number = match self.version {
            Version::V1 => text.trim().parse().map(Duration::from_nanos),
            Version::V2 => {
                let usage = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
                usage.context("no usage_usec in cpu.stat")?.parse().map(Duration::from_micros)
            }
        };
        number.with_context(|| format!("{}: {text:?}", file.display()))
    }

    fn enter(&self, group: &Path) -> Result<()> {
        let procs = group.join("cgroup.procs");
        fs::write(&procs, std::process::id().to_string())
            .with_context(|| format!("cannot enter {}", group.display()))
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let left = self.enter(&self.home).and_then(|()| Ok(fs::remove_dir(&self.group)?));
        if let Err(error) = left {
            eprintln!("{} is left behind: {error:#}", self.group.display());
        }
    }
}

/// Where CPU time is counted: version 1's `cpuacct` if mounted, because it holds the processes then.
fn hierarchy(mountinfo: &str) -> Option<(Version, PathBuf)> {
    let find = |kind: &str, option: &str| {
        mountinfo.lines().find_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            let mut right = right.split(' ');
            let fits = right.next()? == kind && right.nth(1)?.split(',').any(|o| o == option);
            fits.then(|| PathBuf::from(left.split(' ').nth(4).unwrap_or_default()))
        })
    };
    let v1 = find("cgroup", "cpuacct").map(|mount| (Version::V1, mount));
    v1.or_else(|| Some((Version::V2, find("cgroup2", "rw")?)))
}

/// The path of a process in the hierarchy, from `/proc/<pid>/cgroup`, without the leading slash.
fn relative(cgroup: &str, version: Version) -> Result<&str> {
    let path = cgroup.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let controllers = parts.next()?;
        let fits = match version {
            Version::V1 => controllers.split(',').any(|name| name == "cpuacct"),
            Version::V2 => controllers.is_empty(),
        };
        fits.then(|| parts.next()).flatten()
    });
    Ok(path.context("the process is in no group")?.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::{Version, hierarchy, relative};
    use std::path::Path;

    #[test]
    fn the_hierarchy_that_counts_cpu_is_found() {
        let v2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let (version, mount) = hierarchy(v2).expect("v2");
        assert!(version == Version::V2 && mount == Path::new("/sys/fs/cgroup"));
        let v1 = "31 23 0:27 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
        let (version, mount) = hierarchy(&format!("{v2}{v1}")).expect("v1");
        assert!(version == Version::V1 && mount == Path::new("/cg/cpu,cpuacct"));
        assert!(hierarchy("1 0 8:1 / / rw - ext4 /dev/vda rw\n").is_none());
    }

    #[test]
    fn the_group_of_a_process_is_read_for_either_version() {
        let both = "4:memory:/m\n2:cpu,cpuacct:/coracle/a\n0::/b\n";
        assert_eq!(relative(both, Version::V1).expect("v1"), "coracle/a");
        assert_eq!(relative(both, Version::V2).expect("v2"), "b");
        assert!(relative("4:memory:/m\n", Version::V2).is_err());
    }
}
