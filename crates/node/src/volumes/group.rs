//! `fsGroup`: a volume is given to a group, so that everybody in it can read it, and write to it
//! unless it is mounted read-only. What lies in it may change meanwhile, so no name is looked up
//! twice and no link is followed.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
};

use rustix::{
    fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, chownat, fstat, openat},
};

/// The most directories inside each other that are gone through; each takes two descriptors.
const DEPTH_MAX: usize = 200;

/// Bits of permission that files gain.
const READ: u32 = 0o440;
const READ_WRITE: u32 = 0o660;
/// Bits that directories gain besides, so that new files are the group's too.
const SEARCH_AND_SETGID: u32 = 0o2110;

/// Gives everything at the path to the group.
pub(super) fn give(path: &Path, group: u32, read_only: bool) -> io::Result<()> {
    let bits = if read_only { READ } else { READ_WRITE };
    give_one(CWD, path, Gid::from_raw(group), bits, 0)
}

fn give_one(
    parent: BorrowedFd,
    name: &Path,
    group: Gid,
    bits: u32,
    depth: usize,
) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(parent, name, flags, Mode::empty())?;
    let status = fstat(&file)?;
    let kind = FileType::from_raw_mode(status.st_mode);
    let mut mode = status.st_mode & 0o7777 | bits;
    if kind == FileType::Directory {
        mode |= SEARCH_AND_SETGID;
        give_entries(&file, group, bits, depth)?;
    }
    chownat(&file, "", None, Some(group), AtFlags::EMPTY_PATH)?;
    if kind != FileType::Symlink {
        let own = format!("/proc/self/fd/{}", file.as_raw_fd());
        fs::set_permissions(own, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn give_entries(directory: &OwnedFd, group: Gid, bits: u32, depth: usize) -> io::Result<()> {
    if depth == DEPTH_MAX {
        return Err(io::Error::other(format!("more than {DEPTH_MAX} directories in each other")));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = openat(directory, ".", flags, Mode::empty())?;
    for entry in Dir::read_from(&opened)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let name = Path::new(OsStr::from_bytes(name.to_bytes()));
        match give_one(opened.as_fd(), name, group, bits, depth + 1) {
            // It went away meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            given => given?,
        }
    }
    Ok(())
}
