//! Mounts, by the old calls where one call does, by the new ones where a mount must not depend on a
//! path that somebody else controls.

use super::check;
use super::raw::call;
use crate::protocol::Propagation;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// `mount(2)`.
pub(crate) fn mount(
    source: &CStr,
    target: &CStr,
    kind: Option<&CStr>,
    flags: libc::c_ulong,
    data: Option<&CStr>,
) -> io::Result<()> {
    let pointer = |text: Option<&CStr>| text.map_or(ptr::null(), CStr::as_ptr) as usize;
    let (source, target) = (pointer(Some(source)), pointer(Some(target)));
    let (kind, data) = (pointer(kind), pointer(data));
    // SAFETY: every pointer is null where that is allowed, or a string that ends with a zero.
    unsafe { call(libc::SYS_mount, [source, target, kind, flags as usize, data]) }.map(drop)
}

/// Take a mount away; processes that use it keep it.
pub(crate) fn detach(target: &CStr) -> io::Result<()> {
    // SAFETY: `target` ends with a zero.
    unsafe { call(libc::SYS_umount2, [target.as_ptr() as usize, libc::MNT_DETACH as usize]) }
        .map(drop)
}

/// Make the working directory `/`, and let go of everything that was mounted before.
pub(crate) fn pivot_here() -> io::Result<()> {
    let here = c".";
    // SAFETY: the path ends with a zero. With both names the same the old root ends up on top of
    // the new one, where it is taken away.
    unsafe { call(libc::SYS_pivot_root, [here.as_ptr() as usize, here.as_ptr() as usize])? };
    detach(here)
}

/// A copy of the mount at `path` with all mounts below, attached nowhere yet; an empty path is the
/// open directory or file itself.
pub(crate) fn copy_tree(directory: Option<BorrowedFd>, path: &CStr) -> io::Result<OwnedFd> {
    let own = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC;
    let flags = own | (AT_RECURSIVE | libc::AT_EMPTY_PATH).cast_unsigned();
    let directory = directory.map_or(libc::AT_FDCWD, |fd| fd.as_raw_fd());
    // SAFETY: `path` ends with a zero; a non-negative answer is a new descriptor.
    unsafe {
        let (directory, path) = (directory as usize, path.as_ptr() as usize);
        let fd = call(libc::SYS_open_tree, [directory, path, flags as usize])?;
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// Attach a copied tree on top of an open directory or file.
pub(crate) fn attach(tree: BorrowedFd, target: BorrowedFd) -> io::Result<()> {
    const FROM_EMPTY_PATH: usize = 0x4;
    const TO_EMPTY_PATH: usize = 0x40;
    let (from, to) = (tree.as_raw_fd() as usize, target.as_raw_fd() as usize);
    let empty = c"".as_ptr() as usize;
    let flags = FROM_EMPTY_PATH | TO_EMPTY_PATH;
    // SAFETY: both paths are empty strings; the descriptors are open through the call.
    unsafe { call(libc::SYS_move_mount, [from, empty, to, empty, flags]) }.map(drop)
}

/// Forget all names that were looked up in the file system mounted at a path and are not in use: what
/// came or went below an overlay is seen then.
///
/// # Errors
/// What the file system says to being set up anew without any change.
pub(crate) fn forget_names(path: &CStr) -> io::Result<()> {
    // SAFETY: the path ends with a zero, null pointers are allowed where they stand, and a
    // non-negative answer is a new descriptor.
    unsafe {
        let (here, flags) = (libc::AT_FDCWD, libc::FSPICK_CLOEXEC);
        let picked = libc::syscall(libc::SYS_fspick, here, path.as_ptr(), flags);
        let context = OwnedFd::from_raw_fd(check(picked as libc::c_int)?);
        let none = ptr::null::<libc::c_char>();
        let (fd, again) = (context.as_raw_fd(), libc::FSCONFIG_CMD_RECONFIGURE);
        check(libc::syscall(libc::SYS_fsconfig, fd, again, none, none, 0) as libc::c_int)?;
    }
    Ok(())
}

/// The POSIX message queues of this process's IPC namespace, as a directory that is mounted nowhere.
///
/// # Errors
/// `ENODEV` where the kernel has none.
pub(crate) fn queues() -> io::Result<OwnedFd> {
    // SAFETY: the names end with a zero, null pointers are allowed where they stand, and each
    // non-negative answer is a new descriptor.
    unsafe {
        let opened = libc::syscall(libc::SYS_fsopen, c"mqueue".as_ptr(), libc::FSOPEN_CLOEXEC);
        let context = OwnedFd::from_raw_fd(check(opened as libc::c_int)?);
        let none = ptr::null::<libc::c_char>();
        let (fd, create) = (context.as_raw_fd(), libc::FSCONFIG_CMD_CREATE);
        check(libc::syscall(libc::SYS_fsconfig, fd, create, none, none, 0) as libc::c_int)?;
        let mounted = libc::syscall(libc::SYS_fsmount, fd, libc::FSMOUNT_CLOEXEC, 0);
        Ok(OwnedFd::from_raw_fd(check(mounted as libc::c_int)?))
    }
}

const AT_RECURSIVE: libc::c_int = 0x8000;

/// Which mounts [`set_attributes`] changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The one mount.
    One,
    /// It and all below.
    All,
}

/// What [`set_attributes`] sets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes {
    /// Read-only.
    pub(crate) read_only: bool,
    /// What becomes of its bond with the mounts it was copied from; it stays if `None`.
    pub(crate) propagation: Option<Propagation>,
}

/// Change mounts at a path, or the open tree itself if the path is empty.
pub(crate) fn set_attributes(
    directory: Option<BorrowedFd>,
    path: &CStr,
    extent: Extent,
    attributes: Attributes,
) -> io::Result<()> {
    // SAFETY: a mount_attr of zeroes is valid: it changes nothing.
    let mut change: libc::mount_attr = unsafe { std::mem::zeroed() };
    if attributes.read_only {
        change.attr_set = libc::MOUNT_ATTR_RDONLY;
    }
    change.propagation = match attributes.propagation {
        // A copy of what is shared is shared.
        None | Some(Propagation::Shared) => 0,
        Some(Propagation::Slave) => libc::MS_SLAVE,
        Some(Propagation::Private) => libc::MS_PRIVATE,
    };
    let below = if extent == Extent::All { AT_RECURSIVE } else { 0 };
    let flags = (below | libc::AT_EMPTY_PATH) as usize;
    let directory = directory.map_or(libc::AT_FDCWD, |fd| fd.as_raw_fd()) as usize;
    let (path, size) = (path.as_ptr() as usize, size_of::<libc::mount_attr>());
    let change = &raw mut change as usize;
    // SAFETY: `path` ends with a zero; `change` and its size belong together.
    unsafe { call(libc::SYS_mount_setattr, [directory, path, flags, change, size]) }.map(drop)
}
