//! Files and descriptors, without allocating.

use super::check;
use super::raw::call;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// A pipe, closed by `execve` at both ends: (read, write).
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    // SAFETY: pipe2 fills an array of two; both descriptors are new and owned by nothing else.
    unsafe {
        check(libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC))?;
        Ok((OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])))
    }
}

/// Something to be rung by writing to it: reads as the number of times, and does not wait.
pub(crate) fn event() -> io::Result<OwnedFd> {
    // SAFETY: no memory is involved; a non-negative answer is a new descriptor.
    unsafe {
        let fd = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
        Ok(OwnedFd::from_raw_fd(check(fd)?))
    }
}

/// Read once.
pub(crate) fn read(fd: BorrowedFd, bytes: &mut [u8]) -> io::Result<usize> {
    // SAFETY: pointer and length describe `bytes`.
    unsafe {
        let fd = fd.as_raw_fd() as usize;
        call(libc::SYS_read, [fd, bytes.as_mut_ptr() as usize, bytes.len()])
    }
}

/// Write once.
pub(crate) fn write(fd: RawFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: pointer and length describe `bytes`; a number that is not open is refused.
    unsafe { call(libc::SYS_write, [fd as usize, bytes.as_ptr() as usize, bytes.len()]) }
}

/// Write everything.
pub(crate) fn write_all(fd: RawFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = write(fd, bytes)?;
        bytes = bytes.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// Make `to` another name of `from`, which must be another number; kept open by `execve`.
pub(crate) fn duplicate(from: RawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: no memory is involved; whatever `to` was is replaced on purpose.
    unsafe { call(libc::SYS_dup3, [from as usize, to as usize, 0]) }.map(drop)
}

/// Close all descriptors from `first` to `last`.
pub(crate) fn close_range(first: RawFd, last: u32) -> io::Result<()> {
    let first = u32::try_from(first).unwrap_or(0);
    if first > last {
        return Ok(());
    }
    // SAFETY: only called where nothing in that range is owned by a value that still gets used.
    unsafe { call(libc::SYS_close_range, [first as usize, last as usize]) }.map(drop)
}

/// Write a short value to an existing file, in one go.
pub(crate) fn write_file(path: &CStr, value: &[u8]) -> io::Result<()> {
    let file = open(libc::AT_FDCWD, path, libc::O_WRONLY, 0)?;
    write(file.as_raw_fd(), value)?;
    Ok(())
}

/// Open relative to a directory.
pub(crate) fn open(directory: RawFd, path: &CStr, flags: i32, mode: u32) -> io::Result<OwnedFd> {
    // SAFETY: `path` ends with a zero; a non-negative answer is a new descriptor.
    unsafe {
        let (path, flags) = (path.as_ptr() as usize, (flags | libc::O_CLOEXEC) as usize);
        let fd = call(libc::SYS_openat, [directory as usize, path, flags, mode as usize])?;
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// Open `path` below the directory as if that were `/`: links lead nowhere else, and the links of
/// /proc that jump to open files are refused.
pub(crate) fn open_below(directory: RawFd, path: &CStr, flags: i32) -> io::Result<OwnedFd> {
    open_resolved(directory, path, flags, libc::RESOLVE_IN_ROOT)
}

/// Open `path` below the directory. A link that leads out of it, if only on its way back into it, is
/// refused with `EXDEV`, one of /proc that jumps to an open file with `ELOOP`.
pub(crate) fn open_beneath(directory: RawFd, path: &CStr, flags: i32) -> io::Result<OwnedFd> {
    open_resolved(directory, path, flags, libc::RESOLVE_BENEATH)
}

fn open_resolved(directory: RawFd, path: &CStr, flags: i32, within: u64) -> io::Result<OwnedFd> {
    // SAFETY: an open_how of zeroes is valid: it asks for nothing.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = u64::from((flags | libc::O_CLOEXEC).cast_unsigned());
    how.resolve = within | libc::RESOLVE_NO_MAGICLINKS;
    let size = size_of::<libc::open_how>();
    // SAFETY: `path` ends with a zero, `how` and its size belong together; a non-negative answer is
    // a new descriptor.
    unsafe {
        let (path, how) = (path.as_ptr() as usize, &raw const how as usize);
        let fd = call(libc::SYS_openat2, [directory as usize, path, how, size])?;
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// Make a file that must not be there yet, with exactly this mode, for writing.
pub(crate) fn make_file(path: &CStr, mode: u32) -> io::Result<OwnedFd> {
    let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY;
    let file = open(libc::AT_FDCWD, path, flags, mode)?;
    // SAFETY: no memory is involved.
    unsafe { call(libc::SYS_fchmod, [file.as_raw_fd() as usize, mode as usize])? };
    Ok(file)
}

/// Make a directory.
pub(crate) fn make_directory(directory: RawFd, path: &CStr, mode: u32) -> io::Result<()> {
    // SAFETY: `path` ends with a zero.
    unsafe { call(libc::SYS_mkdirat, [directory as usize, path.as_ptr() as usize, mode as usize]) }
        .map(drop)
}

/// Make a device node (kind and mode in `mode`), or with device 0:0 an overlay's whiteout.
pub(crate) fn make_node(path: &CStr, mode: u32, device: (u32, u32)) -> io::Result<()> {
    let device = libc::makedev(device.0, device.1) as usize;
    let (here, path) = (libc::AT_FDCWD as usize, path.as_ptr() as usize);
    // SAFETY: `path` ends with a zero.
    unsafe { call(libc::SYS_mknodat, [here, path, mode as usize, device]) }.map(drop)
}

/// The major and minor number in a device's combined one.
pub(crate) fn device_number(device: u64) -> (u32, u32) {
    (libc::major(device), libc::minor(device))
}

/// Give a file, which is no link, to a user, with exactly this mode.
pub(crate) fn hand_over(path: &CStr, (uid, gid): (u32, u32), mode: u32) -> io::Result<()> {
    let (here, path) = (libc::AT_FDCWD as usize, path.as_ptr() as usize);
    let (uid, gid, mode) = (uid as usize, gid as usize, (mode & 0o7777) as usize);
    // SAFETY: `path` ends with a zero.
    unsafe {
        call(libc::SYS_fchownat, [here, path, uid, gid, libc::AT_SYMLINK_NOFOLLOW as usize])?;
        call(libc::SYS_fchmodat, [here, path, mode]).map(drop)
    }
}

/// Set an extended attribute.
pub(crate) fn set_attribute(path: &CStr, name: &CStr, value: &[u8]) -> io::Result<()> {
    // SAFETY: both strings end with a zero; pointer and length describe `value`.
    check(unsafe {
        libc::lsetxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0)
    })?;
    Ok(())
}

/// Whether an open file is a directory.
pub(crate) fn is_directory(fd: BorrowedFd) -> io::Result<bool> {
    Ok(status(fd)?.st_mode & libc::S_IFMT == libc::S_IFDIR)
}

/// The permission bits of an open file, those for setuid, setgid and sticky included.
pub(crate) fn mode(fd: BorrowedFd) -> io::Result<u32> {
    Ok(status(fd)?.st_mode & 0o7777)
}

/// Set the permission bits of an open file.
pub(crate) fn set_mode(fd: BorrowedFd, mode: u32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    unsafe { call(libc::SYS_fchmod, [fd.as_raw_fd() as usize, mode as usize]) }.map(drop)
}

/// The number of the character device that an open file is, if it is one.
pub(crate) fn device(fd: BorrowedFd) -> io::Result<Option<(u32, u32)>> {
    let status = status(fd)?;
    let is_device = status.st_mode & libc::S_IFMT == libc::S_IFCHR;
    Ok(is_device.then(|| device_number(status.st_rdev)))
}

/// The size of an open file, bytes; of a directory, whatever its file system counts.
pub(crate) fn size(fd: BorrowedFd) -> io::Result<u64> {
    Ok(u64::try_from(status(fd)?.st_size).unwrap_or(0))
}

fn status(fd: BorrowedFd) -> io::Result<libc::stat> {
    // SAFETY: a stat of zeroes is valid, and the call fills it.
    unsafe {
        let mut status: libc::stat = std::mem::zeroed();
        call(libc::SYS_fstat, [fd.as_raw_fd() as usize, &raw mut status as usize])?;
        Ok(status)
    }
}

/// Give an open file to a user.
pub(crate) fn change_owner(fd: RawFd, uid: u32, gid: u32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    unsafe { call(libc::SYS_fchown, [fd as usize, uid as usize, gid as usize]) }.map(drop)
}

/// Set the working directory.
pub(crate) fn change_directory(path: &CStr) -> io::Result<()> {
    // SAFETY: `path` ends with a zero.
    unsafe { call(libc::SYS_chdir, [path.as_ptr() as usize]) }.map(drop)
}

/// Set the working directory to an open one.
pub(crate) fn change_directory_to(fd: BorrowedFd) -> io::Result<()> {
    // SAFETY: no memory is involved.
    unsafe { call(libc::SYS_fchdir, [fd.as_raw_fd() as usize]) }.map(drop)
}

/// Whether a file of the kernel's has something exceptional to tell: its content has changed.
pub(crate) fn has_exception(fd: BorrowedFd) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLPRI, revents: 0 };
    // SAFETY: `poll` is one entry that lives through the call, which does not wait.
    Ok(check(unsafe { libc::poll(&raw mut poll, 1, 0) })? > 0)
}

/// Whether nobody holds the other end of a pipe that is written to.
pub(crate) fn is_broken(fd: BorrowedFd) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: 0, revents: 0 };
    // SAFETY: `poll` is one entry that lives through the call, which does not wait.
    Ok(check(unsafe { libc::poll(&raw mut poll, 1, 0) })? > 0)
}

/// Have reads and writes fail with `WouldBlock` where they would wait.
pub(crate) fn set_nonblocking(fd: BorrowedFd) -> io::Result<()> {
    // SAFETY: no memory is involved.
    unsafe {
        let flags = check(libc::fcntl(fd.as_raw_fd(), libc::F_GETFL))?;
        check(libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK))?;
    }
    Ok(())
}

/// Whether a read would not wait, within so many milliseconds: there are bytes, or the other end is
/// closed.
pub(crate) fn has_input(fd: BorrowedFd, within_ms: i32) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: `poll` is one entry that lives through the call.
    Ok(check(unsafe { libc::poll(&raw mut poll, 1, within_ms) })? > 0)
}

/// Take the exclusive lock of a file: wait for it, or `WouldBlock` if another process has it.
pub(crate) fn lock(fd: BorrowedFd, wait: bool) -> io::Result<()> {
    let how = if wait { libc::LOCK_EX } else { libc::LOCK_EX | libc::LOCK_NB };
    // SAFETY: no memory is involved.
    check(unsafe { libc::flock(fd.as_raw_fd(), how) })?;
    Ok(())
}
