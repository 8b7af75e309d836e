//! One epoll set: the only thing the spawner ever waits on.

use super::check;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// An epoll set whose entries are told apart by a number of the caller's choice.
pub(crate) struct Epoll(OwnedFd);

/// Room for what one wait returns.
pub(crate) type Events = [libc::epoll_event; EVENTS_MAX];

/// The most events taken in one wait.
pub(crate) const EVENTS_MAX: usize = 128;

impl Epoll {
    /// A new, empty set.
    pub(crate) fn new() -> io::Result<Epoll> {
        // SAFETY: no pointers; a non-negative answer is a new descriptor that nothing else owns.
        let fd = unsafe { OwnedFd::from_raw_fd(check(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
        Ok(Epoll(fd))
    }

    /// Room for [`Epoll::wait`].
    pub(crate) fn events() -> Events {
        [libc::epoll_event { events: 0, u64: 0 }; EVENTS_MAX]
    }

    /// Wait for input (or a hang-up) on a descriptor; `token` comes back with each event.
    pub(crate) fn add(&self, fd: BorrowedFd, token: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, libc::EPOLLIN, token)
    }

    /// Wait for room to write too, or no longer.
    pub(crate) fn want_output(&self, fd: BorrowedFd, token: u64, wanted: bool) -> io::Result<()> {
        let events = if wanted { libc::EPOLLIN | libc::EPOLLOUT } else { libc::EPOLLIN };
        self.control(libc::EPOLL_CTL_MOD, fd, events, token)
    }

    /// Take a descriptor out. Closing it is not enough: a child that has not reached its `execve`
    /// yet, or a server that was given a pidfd, keeps the open file and with it the entry alive.
    pub(crate) fn remove(&self, fd: BorrowedFd) {
        let _ = self.control(libc::EPOLL_CTL_DEL, fd, 0, 0);
    }

    fn control(&self, op: i32, fd: BorrowedFd, events: i32, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: events.cast_unsigned(), u64: token };
        let (set, fd) = (self.0.as_raw_fd(), fd.as_raw_fd());
        // SAFETY: both descriptors are open for the call, and `event` lives through it.
        check(unsafe { libc::epoll_ctl(set, op, fd, &raw mut event) })?;
        Ok(())
    }

    /// Wait until something happens, at most `timeout_ms` (-1: for ever); returns how many events.
    pub(crate) fn wait(&self, events: &mut Events, timeout_ms: i32) -> io::Result<usize> {
        let room = i32::try_from(EVENTS_MAX).expect("a small constant");
        // SAFETY: the pointer and the count describe `events`, which the kernel fills.
        let count = check(unsafe {
            libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), room, timeout_ms)
        })?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}
