//! What a pidfd tells of a process that is no child: its end, on kernels from 6.15 on.

use super::check;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Ask for the exit status, and the answer's bit that says it is there.
const INFO_EXIT: u64 = 1 << 3;
/// `_IOWR(0xFF, 11, struct pidfd_info)` for the first version of the structure, 64 bytes.
const GET_INFO: u32 = (3 << 30) | (64 << 16) | (0xFF << 8) | 11;

/// `struct pidfd_info`, first version.
#[repr(C)]
struct Info {
    mask: u64,
    cgroup: u64,
    /// pid, tgid, ppid, then the eight user and group ids.
    ids: [u32; 11],
    /// As `wait` gives it.
    exit_code: i32,
}

/// A descriptor for a process by its number, readable when it has ended.
pub(crate) fn open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: no memory is involved; a non-negative answer is a new descriptor.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        Ok(OwnedFd::from_raw_fd(check(fd as libc::c_int)?))
    }
}

/// The exit code and the signal of a process that was reaped by whoever is its parent; `None` while
/// it is not.
///
/// # Errors
/// `ENOTTY` or `EINVAL` where the kernel cannot tell; `ESRCH` where it no longer can.
pub fn exit_status(pidfd: BorrowedFd) -> io::Result<Option<(Option<i32>, Option<i32>)>> {
    let mut info = Info { mask: INFO_EXIT, cgroup: 0, ids: [0; 11], exit_code: 0 };
    // SAFETY: the request names the size of `info`, which lives through the call and is all the
    // kernel writes to.
    check(unsafe { libc::ioctl(pidfd.as_raw_fd(), GET_INFO as libc::Ioctl, &raw mut info) })?;
    if info.mask & INFO_EXIT == 0 {
        return Ok(None);
    }
    let status = info.exit_code;
    Ok(Some(match libc::WIFSIGNALED(status) {
        true => (None, Some(libc::WTERMSIG(status))),
        false => (Some(libc::WEXITSTATUS(status)), None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::process::Command;

    /// A kernel before 6.15 cannot tell, and says so.
    #[test]
    fn the_end_of_a_process_is_told_after_it_was_reaped() {
        for (script, expected) in [("exit 7", (Some(7), None)), ("kill -9 $$", (None, Some(9)))] {
            let mut child = Command::new("sh").args(["-c", script]).spawn().unwrap();
            let pid = libc::pid_t::try_from(child.id()).unwrap();
            // The child is not reaped yet, so the pid is its own.
            let pidfd = open(pid).unwrap();
            child.wait().unwrap();
            match exit_status(pidfd.as_fd()) {
                Ok(status) => assert_eq!(status, Some(expected)),
                Err(error) => assert!(
                    matches!(error.raw_os_error(), Some(libc::ENOTTY | libc::EINVAL)),
                    "{error}"
                ),
            }
        }
    }
}
