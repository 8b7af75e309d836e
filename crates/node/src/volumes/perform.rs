//! Makes and removes what a plan says. Names in a plan come from objects that were validated; what
//! containers leave in their volumes may be anything, so nothing here follows a link.

use std::{
    collections::BTreeSet,
    ffi::CString,
    fs::{self, DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use kinds::Uid;
use rustix::mount::{MountFlags, UnmountFlags};
use tokens::Signer;

use super::{
    HostPathType, PlannedVolume, PrepareError, Travelling, VolumeKind, VolumePlan, group::give,
    paths, propagation, write::write,
};

/// Makes everything in the plan, tokens with the key of the server; what is there already stays, or changes to what the plan says.
pub fn perform(plan: &VolumePlan, signer: &Signer) -> Result<(), PrepareError> {
    let fail = |error: io::Error| PrepareError {
        volume: "pod".to_owned(),
        message: format!("{}: {error}", plan.directory.display()),
    };
    private_directory(&plan.directory.join("volumes")).map_err(fail)?;
    for volume in &plan.volumes {
        make(volume, plan, signer)
            .map_err(|message| PrepareError { volume: volume.name.clone(), message })?;
    }
    look_at_mounts(&plan.travelling)
}

fn look_at_mounts(travelling: &[Travelling]) -> Result<(), PrepareError> {
    if travelling.is_empty() {
        return Ok(());
    }
    let look = |Travelling { path, both_ways, .. }: &Travelling| {
        let io = |error: io::Error| format!("{}: {error}", path.display());
        let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(io)?;
        propagation::check(&mounts, &fs::canonicalize(path).map_err(io)?, *both_ways)
    };
    travelling.iter().try_for_each(|one| {
        look(one).map_err(|message| PrepareError { volume: one.volume.clone(), message })
    })
}

/// Removes everything that a pod has under the data directory, its logs excepted.
pub fn clean_up(data_dir: &Path, uid: Uid) -> io::Result<()> {
    let directory = paths::pods(data_dir).join(uid.to_string());
    unmount(&directory)?;
    match fs::remove_dir_all(&directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The pods that have a directory.
pub fn left_over(data_dir: &Path) -> io::Result<BTreeSet<Uid>> {
    let entries = match fs::read_dir(paths::pods(data_dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    let mut pods = BTreeSet::new();
    for entry in entries {
        pods.extend(entry?.file_name().to_str().and_then(Uid::parse));
    }
    Ok(pods)
}

/// Takes away the tmpfs mounts of a pod, so that removing its directory touches nothing else.
fn unmount(directory: &Path) -> io::Result<()> {
    let volumes = match fs::read_dir(directory.join("volumes")) {
        Ok(entries) => {
            entries.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<PathBuf>>>()?
        }
        Err(_) => Vec::new(),
    };
    for path in volumes {
        if is_mount(&path) {
            rustix::mount::unmount(&path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?;
        }
    }
    Ok(())
}

/// Whether a directory lies on another file system than its parent.
fn is_mount(path: &Path) -> bool {
    let device = |path: &Path| fs::symlink_metadata(path).map(|meta| meta.dev()).ok();
    match path.parent() {
        Some(parent) => device(path).is_some_and(|own| device(parent) != Some(own)),
        None => false,
    }
}

fn private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn make(volume: &PlannedVolume, plan: &VolumePlan, signer: &Signer) -> Result<(), String> {
    let (path, made) = match &volume.kind {
        VolumeKind::Empty { path } => (path, empty(path, plan.group)),
        VolumeKind::Tmpfs { path, bytes } => (path, tmpfs(path, *bytes, plan.group)),
        VolumeKind::Data { path, files, mountpoints } => {
            (path, write(path, files, mountpoints, plan, signer))
        }
        VolumeKind::HostPath { path, check } => return host_path(path, *check),
    };
    made.map_err(|error| format!("{}: {error}", path.display()))
}

/// A directory with exactly these permission bits, whatever the umask; one that is there stays.
/// Says whether it was made.
pub(super) fn directory(path: &Path, mode: u32) -> io::Result<bool> {
    match DirBuilder::new().create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        made => {
            made?;
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
            Ok(true)
        }
    }
}

/// A directory for everyone. Once it is there its owners are the containers' affair.
fn empty(path: &Path, group: Option<u32>) -> io::Result<()> {
    match (directory(path, 0o777)?, group) {
        (true, Some(group)) => give(path, group, false),
        _ => Ok(()),
    }
}

fn tmpfs(path: &Path, bytes: u64, group: Option<u32>) -> io::Result<()> {
    directory(path, 0o777)?;
    if is_mount(path) {
        return Ok(());
    }
    let options = CString::new(format!("mode=1777,size={bytes}"))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    rustix::mount::mount("tmpfs", path, "tmpfs", flags, Some(options.as_c_str()))?;
    group.map_or(Ok(()), |group| give(path, group, false))
}

fn host_path(path: &Path, check: HostPathType) -> Result<(), String> {
    let name = path.display();
    let io = |error: io::Error| format!("{name}: {error}");
    let meta = fs::metadata(path);
    if matches!(&meta, Err(error) if error.kind() == io::ErrorKind::NotFound) {
        let directory = || DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(io);
        match check {
            // As upstream's runtimes do with what is not there.
            HostPathType::Unset | HostPathType::DirectoryOrCreate => return directory(),
            HostPathType::FileOrCreate => {
                let mut options = OpenOptions::new();
                let file = options.write(true).create(true).mode(0o644).open(path);
                return file.map(drop).map_err(io);
            }
            _ => {}
        }
    }
    let kind = meta.map(|meta| meta.file_type()).ok();
    let is = |test: fn(&fs::FileType) -> bool| kind.as_ref().is_some_and(test);
    let (fits, what) = match check {
        HostPathType::Unset => return Ok(()),
        HostPathType::Directory | HostPathType::DirectoryOrCreate => {
            (is(fs::FileType::is_dir), "a directory")
        }
        HostPathType::File | HostPathType::FileOrCreate => (is(fs::FileType::is_file), "a file"),
        HostPathType::Socket => (is(FileTypeExt::is_socket), "a socket file"),
        HostPathType::CharDevice => (is(FileTypeExt::is_char_device), "a character device"),
        HostPathType::BlockDevice => (is(FileTypeExt::is_block_device), "a block device"),
    };
    match fits {
        true => Ok(()),
        false => Err(format!("hostPath type check failed: {name} is not {what}")),
    }
}
