//! One container's control groups: made, watched, killed, removed.

use super::layout::{Machine, Memory, Plan};
use crate::sys::{c_path, errno, process};
use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// How often a group is read and killed again before it is left for later, while its processes
/// make new ones.
const KILL_ROUNDS_MAX: u32 = 64;

/// The groups of one container.
#[derive(Debug, Default)]
pub(crate) struct Group {
    plan: Plan,
    into: Option<File>,
}

impl Group {
    /// Make the directories and write the limits.
    ///
    /// # Errors
    /// The file or directory, and why; nothing is left behind.
    pub(crate) fn make(plan: Plan) -> Result<Group, (PathBuf, io::Error)> {
        let mut group = Group { plan, into: None };
        match group.fill() {
            Ok(()) => Ok(group),
            Err(error) => {
                group.remove();
                Err(error)
            }
        }
    }

    fn fill(&mut self) -> Result<(), (PathBuf, io::Error)> {
        for directory in &self.plan.directories {
            match fs::create_dir(directory) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => result.map_err(|error| (directory.clone(), error))?,
            }
        }
        for write in &self.plan.writes {
            match fs::write(&write.path, &write.value) {
                Err(error) if write.optional && error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if write.optional && errno(&error) == libc::EACCES => {}
                result => result.map_err(|error| (write.path.clone(), error))?,
            }
        }
        if let Some(path) = &self.plan.into {
            self.into = Some(File::open(path).map_err(|error| (path.clone(), error))?);
        }
        Ok(())
    }

    /// The directory to clone into, on v2.
    pub(crate) fn target(&self) -> Option<BorrowedFd<'_>> {
        self.into.as_ref().map(AsFd::as_fd)
    }

    /// The files by which the child joins, on v1.
    pub(crate) fn joins(&self) -> io::Result<Vec<CString>> {
        self.plan.join.iter().map(|path| c_path(&path.join("cgroup.procs"))).collect()
    }

    /// Whether there is any group at all.
    pub(crate) fn exists(&self) -> bool {
        !self.plan.directories.is_empty()
    }

    /// Whether the kernel killed a process here because memory ran out.
    pub(crate) fn oom_killed(&self) -> bool {
        let (directory, file) = match &self.plan.memory {
            Some(Memory::V1(directory)) => (directory, "memory.oom_control"),
            Some(Memory::V2(directory)) => (directory, "memory.events"),
            None => return false,
        };
        let text = fs::read_to_string(directory.join(file)).unwrap_or_default();
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.is_some_and(|count| count.trim() != "0")
    }

    /// The most memory used, bytes.
    pub(crate) fn memory_peak(&self) -> Option<u64> {
        let path = match self.plan.memory.as_ref()? {
            Memory::V1(directory) => directory.join("memory.max_usage_in_bytes"),
            Memory::V2(directory) => directory.join("memory.peak"),
        };
        fs::read_to_string(path).ok()?.trim().parse().ok()
    }

    /// Kill every process in the groups: at once on v2; on v1 frozen first, so that none can fork
    /// away, and thawed to die.
    pub(crate) fn kill(&self) {
        if let Some(path) = &self.plan.into
            && fs::write(path.join("cgroup.kill"), "1").is_err()
        {
            kill_members(path);
        }
        let freeze = |state: &str| {
            if let Some(path) = &self.plan.freezer {
                let _ = fs::write(path.join("freezer.state"), state);
            }
        };
        if let Some(path) = self.plan.freezer.as_ref().or(self.plan.join.first()) {
            freeze("FROZEN");
            kill_members(path);
            freeze("THAWED");
        }
    }

    /// A process that is still in one of the groups.
    pub(crate) fn member(&self) -> Option<i32> {
        self.plan.directories.iter().find_map(|directory| {
            let text = fs::read_to_string(directory.join("cgroup.procs")).ok()?;
            text.lines().find_map(|line| line.parse().ok().filter(|pid| *pid > 0))
        })
    }

    /// Remove the directories; `false` if a process is still in one of them.
    pub(crate) fn remove(&mut self) -> bool {
        self.into = None;
        self.plan.directories.retain(|directory| match fs::remove_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            result => result.is_err(),
        });
        self.plan.directories.is_empty()
    }
}

/// Kill what is listed until nothing new appears.
fn kill_members(directory: &Path) {
    let mut killed: Vec<i32> = Vec::new();
    for _ in 0..KILL_ROUNDS_MAX {
        let text = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
        let members = text.lines().filter_map(|line| line.parse::<i32>().ok());
        let fresh: Vec<i32> = members.filter(|pid| *pid > 0 && !killed.contains(pid)).collect();
        if fresh.is_empty() {
            return;
        }
        for pid in fresh {
            let _ = process::signal_pid(pid, libc::SIGKILL);
            killed.push(pid);
        }
    }
}

/// Where this spawner's groups are: `coracle/<tag>` below every hierarchy it may use, made on the
/// way. A hierarchy in which that fails is not used. Moves the spawner itself into a group of its
/// own where an init system would otherwise kill it with the server.
pub(crate) fn settle(found: Machine, tag: &str) -> Machine {
    let mut settled = Machine::default();
    let below = Path::new("coracle").join(tag);
    for (controller, point) in found.v1 {
        let path = point.join(&below);
        if fs::create_dir_all(&path).is_ok() {
            settled.v1.insert(controller, path);
        }
    }
    if let Some(point) = found.v1_tracking {
        let _ = move_self(&point.join(&below));
        settled.v1_tracking = Some(point.join(&below));
    }
    if let Some((point, controllers)) = found.v2 {
        settled.v2 = settle_v2(&point, &below, controllers);
    }
    settled
}

fn settle_v2(
    point: &Path,
    below: &Path,
    controllers: Vec<super::layout::Controller>,
) -> Option<(PathBuf, Vec<super::layout::Controller>)> {
    let delegated = own_parent(point);
    for parent in std::iter::once(point.to_owned()).chain(delegated) {
        let path = parent.join(below);
        if fs::create_dir_all(&path).is_err() || move_self(&path.join("spawner")).is_err() {
            continue;
        }
        let wanted: Vec<_> = controllers
            .iter()
            .copied()
            .filter(|controller| enable(&parent, &path, *controller).is_ok())
            .collect();
        return Some((path, wanted));
    }
    None
}

/// Hand a controller down from `parent` to the children of `path`.
fn enable(parent: &Path, path: &Path, controller: super::layout::Controller) -> io::Result<()> {
    let value = format!("+{}", controller.name());
    let between = path.ancestors().take_while(|at| at.starts_with(parent)).collect::<Vec<_>>();
    for at in between.into_iter().rev() {
        fs::write(at.join("cgroup.subtree_control"), &value)?;
    }
    Ok(())
}

/// The parent of the v2 group this process was started in: an ordinary user's unit may be allowed
/// to make groups there.
fn own_parent(point: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(point.join(Path::new(own).parent()?))
}

fn move_self(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join("cgroup.procs"), "0")
}

/// Remove the groups made by [`settle`], as far as nothing is left in them. The spawner leaves its
/// own group by going back to the roots, which need not be allowed.
pub(crate) fn unsettle(settled: &Machine) {
    let joined = settled.v1_tracking.iter().chain(settled.v2.as_ref().map(|(path, _)| path));
    for root in joined.filter_map(|path| path.parent()?.parent()) {
        let _ = fs::write(root.join("cgroup.procs"), "0");
    }
    let all = settled.v1.values().chain(&settled.v1_tracking);
    for path in all.chain(settled.v2.as_ref().map(|(path, _)| path)) {
        let leaf = path.join("spawner");
        for directory in [Some(leaf.as_path()), Some(path), path.parent()].into_iter().flatten() {
            let _ = fs::remove_dir(directory);
        }
    }
}
