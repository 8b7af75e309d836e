//! What a spawner takes hold of on its machine before it serves: mounts, control groups, limits.

use crate::base::mount_points;
use crate::cgroup::group::{settle, unsettle};
use crate::cgroup::layout::{Machine, discover};
use crate::namespaces::Pool;
use crate::room::Rooms;
use crate::sys::{c_path, files, mounts, privileges, process};
use crate::termination::Terminations;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The machine as one spawner uses it.
#[derive(Debug)]
pub(crate) struct Place {
    /// The data directory.
    pub(crate) data_dir: PathBuf,
    /// What isolated containers need; or why there can be none.
    pub(crate) isolation: Result<Isolated, io::Error>,
    /// Where control groups go.
    pub(crate) cgroups: Machine,
    /// The soft and hard limit of open descriptors that programs get.
    pub(crate) file_limit: (u64, u64),
    /// How many descriptors the spawner may have.
    pub(crate) files_max: u64,
    /// Its effective user and group.
    pub(crate) identity: (u32, u32),
    /// The capabilities it can pass on.
    pub(crate) capabilities: u64,
    /// Those that it and its children can ever have.
    pub(crate) bounding: u64,
}

/// What isolated containers need.
#[derive(Debug)]
pub(crate) struct Isolated {
    /// The mount namespace of the machine, which plain processes live in.
    pub(crate) machine_mounts: OwnedFd,
    /// Namespaces for containers.
    pub(crate) pool: Pool,
    /// Mounts for containers.
    pub(crate) rooms: Rooms,
    /// A small tmpfs of the spawner's for prepared layers.
    pub(crate) layers: PathBuf,
    /// Where each container puts its root together, in a mount namespace of its own.
    pub(crate) root: PathBuf,
    /// Where containers leave their last words.
    pub(crate) terminations: Terminations,
    /// What is mounted on the machine.
    pub(crate) mounts: MountPoints,
}

/// The machine's mount points, read again only after a change.
#[derive(Debug)]
pub(crate) struct MountPoints {
    mountinfo: File,
    /// Where the spawner's own are, which come and go.
    own: PathBuf,
    points: Rc<Vec<String>>,
}

impl MountPoints {
    fn open(own: &Path) -> io::Result<MountPoints> {
        let mountinfo = File::open("/proc/self/mountinfo")?;
        let mut mounts = MountPoints { mountinfo, own: own.to_owned(), points: Rc::default() };
        mounts.read()?;
        Ok(mounts)
    }

    /// In the order they were made.
    pub(crate) fn current(&mut self) -> io::Result<Rc<Vec<String>>> {
        if files::has_exception(self.mountinfo.as_fd())? {
            self.read()?;
        }
        Ok(Rc::clone(&self.points))
    }

    fn read(&mut self) -> io::Result<()> {
        let mut text = String::new();
        self.mountinfo.rewind()?;
        self.mountinfo.read_to_string(&mut text)?;
        let mut points = mount_points(&text);
        points.retain(|point| !Path::new(point).starts_with(&self.own));
        if *self.points != points {
            self.points = Rc::new(points);
        }
        Ok(())
    }
}

/// Size of the spawner's own tmpfs, bytes: prepared layers are some hundred small entries.
const LAYERS_OPTIONS: &str = "mode=0755,size=67108864";

impl Place {
    /// Settle down. What an ordinary user may not do is remembered, not fatal.
    pub(crate) fn take(data_dir: &Path) -> io::Result<Place> {
        let file_limit = process::file_limit();
        let raised = process::set_file_limit(file_limit.1, file_limit.1);
        let files_max = if raised.is_ok() { file_limit.1 } else { file_limit.0 };
        let mountinfo = fs::read_to_string("/proc/self/mountinfo")?;
        let controllers =
            |point: &Path| fs::read_to_string(point.join("cgroup.controllers")).unwrap_or_default();
        let cgroups = settle(discover(&mountinfo, controllers), &tag(data_dir));
        let isolation = Isolated::take(data_dir, files_max);
        if let Err(error) = &isolation {
            complain!("no isolated containers: {error}");
        }
        Ok(Place {
            data_dir: data_dir.to_owned(),
            isolation,
            cgroups,
            file_limit,
            files_max,
            identity: process::identity(),
            capabilities: privileges::permitted_capabilities(),
            bounding: privileges::bounding_capabilities(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        unsettle(&self.cgroups);
        let root = self.data_dir.join("root");
        if self.isolation.is_ok()
            && let Ok(path) = c_path(&root)
        {
            let _ = mounts::detach(&path);
        }
        let _ = fs::remove_dir(&root);
    }
}

impl Isolated {
    /// A mount namespace of the spawner's own: the machine's mounts go on arriving, its own never
    /// leave.
    fn take(data_dir: &Path, files_max: u64) -> io::Result<Isolated> {
        let machine_mounts = OwnedFd::from(File::open("/proc/self/ns/mnt")?);
        let pool = Pool::new(files_max)?;
        process::unshare(libc::CLONE_NEWNS)?;
        mounts::mount(c"none", c"/", None, libc::MS_REC | libc::MS_SLAVE, None)?;
        let rooms = Rooms::new(files_max)?;
        let place = data_dir.join("root");
        fs::create_dir_all(&place)?;
        let (flags, data) = (libc::MS_NOSUID, crate::sys::c_string(LAYERS_OPTIONS)?);
        mounts::mount(c"coracle", &c_path(&place)?, Some(c"tmpfs"), flags, Some(&data))?;
        let root = place.join("mnt");
        fs::create_dir(&root)?;
        fs::create_dir(place.join(crate::plan::EMPTY))?;
        let terminations = Terminations::mount(place.join("termination"))?;
        let mounts = MountPoints::open(&place)?;
        Ok(Isolated { machine_mounts, pool, rooms, layers: place, root, terminations, mounts })
    }
}

/// A short name for a data directory, so that two of them on one machine do not meet in the tree of
/// control groups: FNV-1a of its path.
fn tag(data_dir: &Path) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let bytes = data_dir.as_os_str().as_encoded_bytes();
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}
