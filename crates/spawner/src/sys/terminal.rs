//! Terminals: a child opens its own, in the devpts of its own mounts, so that the programs in it find
//! it by its name there.

use super::raw::call;
use super::{files, socket};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// What every devpts calls its multiplexer: the device number of /dev/ptmx.
const MULTIPLEXER: (u32, u32) = (5, 2);

/// Open a new terminal, send its controlling side to whoever holds the other end of the socket that is
/// on descriptor 1, and put its other side, owned by a user, on the standard streams. It becomes the
/// terminal of the session, which must have none yet.
pub(crate) fn take(owner: Option<u32>) -> io::Result<()> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK;
    let control = files::open(libc::AT_FDCWD, c"/dev/ptmx", flags, 0)?;
    if files::device(control.as_fd())? != Some(MULTIPLEXER) {
        // Whatever a container has put there, nobody outside is to talk to it.
        return Err(io::Error::from_raw_os_error(libc::ENOTTY));
    }
    let side = other_side(&control)?;
    if let Some(uid) = owner {
        // u32::MAX leaves the group as devpts gave it.
        files::change_owner(side.as_raw_fd(), uid, u32::MAX)?;
    }
    // SAFETY: descriptor 1 is open: it was put there by the step before, and stays for the call.
    let away = unsafe { BorrowedFd::borrow_raw(1) };
    socket::send(away, &[0], &[control.as_raw_fd()])?;
    // SAFETY: no memory is involved.
    unsafe { call(libc::SYS_ioctl, [side.as_raw_fd() as usize, libc::TIOCSCTTY as usize, 0])? };
    for number in 0..=2 {
        files::duplicate(side.as_raw_fd(), number)?;
    }
    Ok(())
}

/// The side of a terminal that programs see, unlocked; not looked up by a name, which may be anybody's.
fn other_side(control: &OwnedFd) -> io::Result<OwnedFd> {
    let unlocked: libc::c_int = 0;
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the pointer is to an int that lives through the call; a non-negative answer of the second
    // is a new descriptor that nothing else owns.
    unsafe {
        let (control, unlocked) = (control.as_raw_fd() as usize, &raw const unlocked as usize);
        call(libc::SYS_ioctl, [control, libc::TIOCSPTLCK as usize, unlocked])?;
        let side = call(libc::SYS_ioctl, [control, libc::TIOCGPTPEER as usize, flags as usize])?;
        Ok(OwnedFd::from_raw_fd(side as RawFd))
    }
}
