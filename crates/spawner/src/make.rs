//! Files and directories that a mount needs, made where nobody's links lead them elsewhere. Nothing
//! here allocates or panics: it is the child that does it.

#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use crate::sys::{errno, files};
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Longest path component plus its end, bytes.
const NAME_BYTES_MAX: usize = 256;

/// The permission bits of directories in a container's root.
const DIRECTORY_MODE: u32 = 0o755;

/// What is made at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    File,
}

/// Open a path of the new root, making what is missing. Links are followed as the container would
/// follow them, so an image cannot lead a mount anywhere else.
pub(crate) fn below(path: &CStr, kind: Kind) -> io::Result<OwnedFd> {
    let open = |path: &CStr| files::open_below(libc::AT_FDCWD, path, libc::O_PATH);
    match open(path) {
        Err(error) if errno(&error) == libc::ENOENT => {}
        result => return result,
    }
    walk(open, path, |directory, name, is_last| match kind {
        Kind::File if is_last => {
            let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY;
            files::open(directory, name, flags, 0o644).map(drop)
        }
        _ => files::make_directory(directory, name, DIRECTORY_MODE),
    })
}

/// Open a path inside a directory, and if asked to, make directories that are missing: with the
/// directory's own mode, whatever the umask.
pub(crate) fn beneath(directory: BorrowedFd, path: &CStr, make: bool) -> io::Result<OwnedFd> {
    let top = directory.as_raw_fd();
    match files::open_beneath(top, path, libc::O_PATH) {
        Err(error) if make && errno(&error) == libc::ENOENT => {}
        result => return result,
    }
    let mode = files::mode(directory)?;
    let open = |path: &CStr| files::open_beneath(top, path, libc::O_PATH);
    walk(open, path, |parent, name, _| {
        files::make_directory(parent, name, mode)?;
        // Of what somebody put in its place meanwhile, nothing but a directory in here is touched.
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW;
        let made = files::open_beneath(parent, name, flags)?;
        files::set_mode(made.as_fd(), mode)
    })
}

/// Walk by prefixes of the path, not from directory to directory: a link inside must start over at
/// the top, which only the top's own descriptor can give. `make` is given where a name is missing,
/// the name, and whether it is the last.
#[inline(never)]
fn walk(
    open: impl Fn(&CStr) -> io::Result<OwnedFd>,
    path: &CStr,
    make: impl Fn(RawFd, &CStr, bool) -> io::Result<()>,
) -> io::Result<OwnedFd> {
    let mut at = open(c".")?;
    let mut names = path.to_bytes().split(|byte| *byte == b'/').filter(|name| !name.is_empty());
    let mut next = names.next();
    let mut end = 0;
    let mut prefix = [0_u8; libc::PATH_MAX as usize];
    while let Some(name) = next {
        next = names.next();
        let mut buffer = [0_u8; NAME_BYTES_MAX];
        let name_c = terminated(name, &mut buffer)?;
        let space = prefix.get_mut(end..end + name.len() + 2);
        let space = space.ok_or(io::Error::from_raw_os_error(libc::ENAMETOOLONG))?;
        for (place, letter) in space.iter_mut().zip(name) {
            *place = *letter;
        }
        let so_far = CStr::from_bytes_until_nul(&prefix);
        let so_far = so_far.map_err(|_| io::Error::from_raw_os_error(libc::ENAMETOOLONG))?;
        at = match open(so_far) {
            Err(error) if errno(&error) == libc::ENOENT => {
                make(at.as_raw_fd(), name_c, next.is_none())?;
                open(so_far)?
            }
            result => result?,
        };
        end += name.len();
        if let Some(place) = prefix.get_mut(end) {
            *place = b'/';
        }
        end += 1;
    }
    Ok(at)
}

fn terminated<'b>(name: &[u8], buffer: &'b mut [u8; NAME_BYTES_MAX]) -> io::Result<&'b CStr> {
    let too_long = || io::Error::from_raw_os_error(libc::ENAMETOOLONG);
    buffer.get_mut(..name.len()).ok_or_else(too_long)?.copy_from_slice(name);
    CStr::from_bytes_until_nul(buffer).map_err(|_| too_long())
}
