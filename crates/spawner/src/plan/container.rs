//! The steps of an isolated container.

use super::privileges::{Rights, privileges};
use super::root::{mount, root};
use super::{Surroundings, oom_score, run_program};
use crate::base::Base;
use crate::devices::Device;
use crate::protocol::{Container, ContainerFile, Mount, MountSource, Propagation, Start, User};
use crate::step::{Step, Steps};
use crate::sys::mounts::Attributes;
use crate::sys::{c_path, c_string};
use std::ffi::CString;
use std::io;
use std::os::fd::RawFd;
use std::path::Path;
use std::rc::Rc;

/// Size of a container's /dev/shm, as Docker and the kubelet have it.
pub(crate) const SHM_OPTIONS: &str = "mode=1777,size=67108864";

/// The empty directory beside the place where roots are put together.
pub(crate) const EMPTY: &str = "empty";

/// Where the machine's control groups are, and a privileged container sees them.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// Namespaces of the pod that the spawner holds, to be entered instead of made.
#[derive(Clone, Debug)]
pub(crate) struct PodNamespaces {
    /// Descriptors, each with its `CLONE_NEW*` flag.
    pub(crate) held: Vec<(RawFd, libc::c_int)>,
    /// Where the /dev/shm that the pod's containers share is mounted; none if there is but one
    /// container, which then makes this and the host name for itself.
    pub(crate) shm: Option<String>,
}

/// What the spawner has for one container's file system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    /// The prepared lower layer.
    pub(crate) base: &'a Base,
    /// Where the root is put together.
    pub(crate) root: &'a Path,
    /// The file for its last words, if it has one.
    pub(crate) termination: Option<&'a Path>,
    /// What a privileged one finds in /dev.
    pub(crate) devices: &'a [Device],
}

/// The `CLONE_NEW*` flags a container's child is made with, beside that for mounts of its own.
pub(crate) fn new_namespaces(container: &Container) -> libc::c_int {
    let own = libc::CLONE_NEWPID;
    if container.keep_namespaces { own } else { own | libc::CLONE_NEWUTS }
}

/// What an isolated container does before its program. `cgroups` are the `cgroup.procs` files to
/// join. Where others may have its room after it, `look` tells what the room is like before.
pub(crate) fn container(
    start: &Start,
    container: &Container,
    around: &Surroundings,
    places: Places,
    pod: &PodNamespaces,
    cgroups: Vec<CString>,
    look: Option<Step>,
) -> io::Result<Steps> {
    let mut steps = begin(start, container, around, &pod.held, around.machine_mounts, cgroups)?;
    let Places { base, root: place, termination, devices } = places;
    let shm = pod.shm.as_deref().map(Path::new);
    let groups = container.privileged.then_some(Path::new(CONTROL_GROUPS));
    let own: Vec<&Path> = shm.into_iter().chain(groups).chain(termination).collect();
    let (sources, empty) = sources(container, around.machine_mounts, place, &own)?;
    steps.extend(sources);
    steps.extend(root(base, container, place, devices)?);
    steps.push(Step::Pivot);
    steps.push(Step::Attach { slot: empty, target: c"/proc".to_owned() });
    steps.push(Step::Proc);
    steps.extend(kernel_mounts(shm.is_some(), container.privileged)?);
    if groups.is_some() {
        let slot = usize::from(shm.is_some());
        steps.push(Step::Attach { slot, target: c_string(CONTROL_GROUPS)? });
    }
    steps.extend(targets(container, own.len())?);
    if let (Some(path), Some(_)) = (&container.termination_path, termination) {
        steps.push(Step::Attach { slot: own.len() - 1, target: c_string(path)? });
    }
    if container.read_only_root {
        for path in std::iter::once("/").chain(base.apart.iter().map(|tree| tree.path.as_str())) {
            steps.push(Step::ReadOnly { path: c_string(path)?, recursive: false });
        }
    }
    steps.extend(hidden(container, |_| true)?);
    steps.extend(look);
    let user = &start.user;
    steps.extend(around.terminal((user.uid != 0).then_some((user.uid, user.gid))));
    steps.extend(settle_in(start, container, around)?);
    Ok(Steps { first: steps, shared: None, last: run_program(&start.argv, &start.env)?.into() })
}

/// A room that is used again.
pub(crate) struct InRoom<'a> {
    /// Its mount namespace.
    pub(crate) room: RawFd,
    /// The files that have to hold something else now.
    pub(crate) files: Vec<&'a ContainerFile>,
    /// What is the same for all in this room: [`furnish`].
    pub(crate) shared: Rc<[Step]>,
}

/// The same for a container that gets the room of one before it: its mounts, all but /proc, which
/// shows the processes of one container only. `held` are the namespaces to enter before the room.
pub(crate) fn in_room(
    start: &Start,
    container: &Container,
    around: &Surroundings,
    held: &[(RawFd, libc::c_int)],
    room: InRoom,
    cgroups: Vec<CString>,
) -> io::Result<Steps> {
    let InRoom { room, files, shared } = room;
    let mut steps = begin(start, container, around, held, Some(room), cgroups)?;
    let mut written = Vec::new();
    let mut opened = 0;
    for file in files {
        // The machine's files are not to be seen any more once the room is entered.
        let then = file.then.as_deref().map(c_string).transpose()?.map(|path| {
            steps.push(Step::Source { path });
            opened += 1;
            opened - 1
        });
        let (text, end) = (file.text.clone().into_bytes(), file.end.clone().into_bytes());
        written.push(Step::Rewrite { path: c_string(&file.target)?, text, then, end });
    }
    steps.push(Step::Enter { namespace: room, kind: libc::CLONE_NEWNS });
    steps.extend(written);
    Ok(Steps {
        first: steps,
        shared: Some(shared),
        last: run_program(&start.argv, &start.env)?.into(),
    })
}

/// What a container does in a room that is used again, up to its program: mount and cover /proc, leave
/// behind what the room is like, give up privileges. The same for all that are alike in what
/// [`Room::fits`](crate::room::Room) and [`Manners`] compare.
pub(crate) fn furnish(
    start: &Start,
    container: &Container,
    around: &Surroundings,
    look: Step,
) -> io::Result<Rc<[Step]>> {
    let mut steps = vec![Step::Proc];
    steps.extend(hidden(container, |path| path.starts_with("/proc"))?);
    steps.push(look);
    steps.extend(settle_in(start, container, around)?);
    Ok(steps.into())
}

/// What [`furnish`] depends on beside the room.
#[derive(Debug, PartialEq)]
pub(crate) struct Manners {
    cwd: String,
    user: User,
    capabilities: u64,
    no_new_privileges: bool,
    seccomp: Vec<u8>,
}

impl Manners {
    pub(crate) fn of(start: &Start, container: &Container) -> Manners {
        Manners {
            cwd: start.cwd.clone(),
            user: start.user.clone(),
            capabilities: container.capabilities,
            no_new_privileges: container.no_new_privileges,
            seccomp: container.seccomp.clone(),
        }
    }

    /// Whether these are a container's.
    pub(crate) fn are(&self, start: &Start, container: &Container) -> bool {
        self.cwd == start.cwd
            && self.user == start.user
            && self.capabilities == container.capabilities
            && self.no_new_privileges == container.no_new_privileges
            && self.seccomp == container.seccomp
    }
}

/// Everything up to the mounts, for which a descriptor may have to be kept. Namespaces are entered in their
/// order, after the control groups, which the spawner's mounts show.
fn begin(
    start: &Start,
    container: &Container,
    around: &Surroundings,
    held: &[(RawFd, libc::c_int)],
    keep: Option<RawFd>,
    cgroups: Vec<CString>,
) -> io::Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::with_capacity(64);
    steps.extend(cgroups.into_iter().map(|procs| Step::JoinCgroup { procs }));
    steps.extend(oom_score(start.limits.oom_score_adj)?);
    steps.extend(held.iter().map(|&(namespace, kind)| Step::Enter { namespace, kind }));
    if !container.keep_namespaces {
        steps.push(Step::HostName { name: c_string(&container.hostname)? });
    }
    steps.push(Step::Session);
    let owner = (start.user.uid != 0).then_some((start.user.uid, start.user.gid));
    steps.push(around.output(around.keep(keep), owner));
    let (soft, hard) = around.file_limit;
    steps.push(Step::FileLimit { soft, hard });
    Ok(steps)
}

/// What is hidden and what is read-only.
fn hidden(container: &Container, wanted: impl Fn(&Path) -> bool) -> io::Result<Vec<Step>> {
    let mut steps = Vec::with_capacity(16);
    for path in container.masked_paths.iter().filter(|path| wanted(Path::new(path))) {
        steps.push(Step::Mask { path: c_string(path)? });
    }
    for path in container.read_only_paths.iter().filter(|path| wanted(Path::new(path))) {
        steps.push(Step::ReadOnly { path: c_string(path)?, recursive: true });
    }
    Ok(steps)
}

/// Working directory and privileges.
fn settle_in(start: &Start, container: &Container, around: &Surroundings) -> io::Result<Vec<Step>> {
    let mut steps = vec![Step::WorkingDirectory { path: c_string(&start.cwd)?, make: true }];
    let rights = Rights {
        capabilities: container.capabilities,
        no_new_privileges: container.no_new_privileges,
        seccomp: &container.seccomp,
    };
    steps.extend(privileges(&rights, &start.user, around)?);
    Ok(steps)
}

/// Copies of the machine's trees, taken while they can still be seen: what is the spawner's `own`,
/// then what is the machine's. Also the slot of an empty directory to hide others with.
fn sources(
    container: &Container,
    machine: Option<RawFd>,
    place: &Path,
    own: &[&Path],
) -> io::Result<(Vec<Step>, usize)> {
    let mut steps = Vec::new();
    for path in own {
        steps.push(Step::CopyTree { source: c_path(path)?, attributes: private(false) });
    }
    let binds = container.mounts.iter().filter_map(|mount| copy(mount).transpose());
    let binds: Vec<Step> = binds.collect::<io::Result<_>>()?;
    let empty = steps.len() + binds.len();
    if !binds.is_empty() {
        steps.extend(machine.map(|namespace| Step::MachineMounts { namespace }));
        steps.extend(binds);
        steps.push(Step::OwnMounts);
    }
    let source = c_path(&place.with_file_name(EMPTY))?;
    steps.push(Step::CopyTree { source, attributes: private(true) });
    Ok((steps, empty))
}

fn private(read_only: bool) -> Attributes {
    Attributes { read_only, propagation: Some(Propagation::Private) }
}

/// How a copy of what is mounted is got; `None` if there is nothing to copy.
fn copy(mount: &Mount) -> io::Result<Option<Step>> {
    let propagation = Some(mount.propagation);
    let attributes = Attributes { read_only: mount.read_only, propagation };
    match &mount.source {
        MountSource::Bind(path) => Ok(Some(Step::CopyTree { source: c_string(path)?, attributes })),
        MountSource::Within { directory, path, make, blame } => Ok(Some(Step::CopyWithin {
            directory: c_string(directory)?,
            path: c_string(path)?,
            make: *make,
            attributes,
            blame: blame.clone(),
        })),
        MountSource::Tmpfs(_) => Ok(None),
    }
}

/// /sys, /dev/pts and /dev/shm. The rest of /dev is in the base.
fn kernel_mounts(pod_shm: bool, privileged: bool) -> io::Result<Vec<Step>> {
    let quiet = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    let sys = if privileged { quiet } else { quiet | libc::MS_RDONLY };
    let no_exec = libc::MS_NOSUID | libc::MS_NOEXEC;
    let pts = c_string("newinstance,ptmxmode=0666,mode=0620,gid=5")?;
    let shm = c_string(SHM_OPTIONS)?;
    Ok(vec![
        mount(c"sysfs", c"/sys", Some(c"sysfs"), sys, None),
        mount(c"devpts", c"/dev/pts", Some(c"devpts"), no_exec, Some(pts)),
        if pod_shm {
            Step::Attach { slot: 0, target: c"/dev/shm".to_owned() }
        } else {
            mount(c"shm", c"/dev/shm", Some(c"tmpfs"), quiet, Some(shm))
        },
    ])
}

/// The container's own mounts at their places, in order; their trees are in the slots from `slot` on.
fn targets(container: &Container, mut slot: usize) -> io::Result<Vec<Step>> {
    let mut steps = Vec::new();
    for Mount { source, target, read_only, .. } in &container.mounts {
        let target = c_string(target)?;
        match source {
            MountSource::Bind(_) | MountSource::Within { .. } => {
                steps.push(Step::Attach { slot, target });
                slot += 1;
            }
            MountSource::Tmpfs(bytes) => {
                let mode = if *read_only { "ro," } else { "" };
                let data = c_string(&format!("{mode}mode=1777,size={bytes}"))?;
                steps.push(Step::Tmpfs { target, data });
            }
        }
    }
    Ok(steps)
}
