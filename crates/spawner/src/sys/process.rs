//! Processes: making, signalling, reaping them, and what they may do.

use super::raw::call;
use super::starters::CLONE_INTO_CGROUP;
use super::{check, check_long};
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// A child that was made.
#[derive(Debug)]
pub(crate) struct Child {
    /// Its process id.
    pub(crate) pid: i32,
    /// A descriptor that becomes readable when it exits.
    pub(crate) pidfd: OwnedFd,
}

/// How a process ended and what it used, children that it reaped included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    /// Exit code, when it exited.
    pub(crate) code: Option<i32>,
    /// The signal that killed it, when one did.
    pub(crate) signal: Option<i32>,
    /// User and system time, microseconds.
    pub(crate) cpu_us: u64,
    /// Largest resident size of one process, bytes.
    pub(crate) memory_peak_bytes: u64,
}

/// Make a child in new namespaces (`CLONE_NEW*` in `flags`), on v2 straight in a control group, and
/// run `work` in it, with a copy of the memory. Of this process's threads the child has the caller
/// only, so `work` takes no lock and does not allocate.
pub(crate) fn clone_child(
    flags: libc::c_int,
    cgroup: Option<BorrowedFd>,
    work: impl FnOnce() -> i32,
) -> io::Result<Child> {
    let mut pidfd: RawFd = -1;
    // SAFETY: a clone_args of zeroes is valid: it asks for nothing.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = u64::try_from(flags | libc::CLONE_PIDFD).expect("flags are positive");
    args.exit_signal = u64::try_from(libc::SIGCHLD).expect("17");
    args.pidfd = (&raw mut pidfd) as u64;
    if let Some(group) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = u64::try_from(group.as_raw_fd()).expect("descriptors are positive");
    }
    // SAFETY: without CLONE_VM the child has a copy of the stack and returns here like fork's. What it
    // does there needs nothing of another thread, as the caller promises.
    let pid = check_long(unsafe {
        libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>())
    })?;
    if pid == 0 {
        exit_now(work());
    }
    // SAFETY: CLONE_PIDFD stored a new descriptor there that nothing else owns.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Child { pid: i32::try_from(pid).expect("process ids fit"), pidfd })
}

/// Split off: the parent gets `false`, the child `true`. The caller must be single-threaded.
pub(crate) fn fork() -> io::Result<bool> {
    // SAFETY: the process has one thread, so the child finds every lock free.
    Ok(check(unsafe { libc::fork() })? == 0)
}

/// End this process at once.
pub(crate) fn exit_now(code: i32) -> ! {
    loop {
        // SAFETY: no handlers run and nothing returns.
        let _ = unsafe { call(libc::SYS_exit_group, [code as usize]) };
    }
}

/// Reap a child that has ended; `None` if it has not.
pub(crate) fn reap(pidfd: BorrowedFd) -> io::Result<Option<Exit>> {
    // SAFETY: a siginfo_t and a rusage of zeroes are valid values.
    let (mut info, mut usage): (libc::siginfo_t, libc::rusage) = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG;
    // SAFETY: the raw call (libc's wrapper has no rusage) fills two values that live through it.
    check_long(unsafe {
        libc::syscall(
            libc::SYS_waitid,
            libc::P_PIDFD,
            pidfd.as_raw_fd(),
            &raw mut info,
            flags,
            &raw mut usage,
        )
    })?;
    // SAFETY: waitid filled the SIGCHLD part of the union, or left zeroes.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    let exited = info.si_code == libc::CLD_EXITED;
    let us = |time: libc::timeval| time.tv_sec * 1_000_000 + time.tv_usec;
    Ok(Some(Exit {
        code: exited.then_some(status),
        signal: (!exited).then_some(status),
        cpu_us: (us(usage.ru_utime) + us(usage.ru_stime)).cast_unsigned(),
        memory_peak_bytes: usage.ru_maxrss.cast_unsigned() * 1024,
    }))
}

/// A live process of a group whose leader is gone: the first that /proc shows, zombies apart. Reads
/// all of /proc only if the group is not plainly empty. Allocates.
pub(crate) fn group_member(leader: i32) -> Option<i32> {
    if signal_group(leader, 0).is_err_and(|error| super::errno(&error) == libc::ESRCH) {
        return None;
    }
    let entries = std::fs::read_dir("/proc").ok()?;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.into_iter().find(|pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        in_group(&stat, leader)
    })
}

/// Whether a line of /proc/PID/stat is of a live process of the group. The name in parentheses may
/// hold anything, parentheses too.
fn in_group(stat: &str, group: i32) -> bool {
    let Some((_, rest)) = stat.rsplit_once(") ") else { return false };
    let mut fields = rest.split(' ');
    let (state, of) = (fields.next(), fields.nth(1));
    !matches!(state, Some("Z" | "X")) && of.and_then(|text| text.parse().ok()) == Some(group)
}

/// Whether a process has begun to end, or is gone. Allocates.
pub(crate) fn is_exiting(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let Some((_, rest)) = stat.rsplit_once(") ") else { return true };
    let flags = rest.split(' ').nth(6).and_then(|flags| flags.parse::<u32>().ok());
    flags.is_none_or(|flags| flags & PF_EXITING != 0)
}

/// The kernel's flag of a process that ends, in /proc/PID/stat.
const PF_EXITING: u32 = 0x4;

/// Send a signal to one process.
pub(crate) fn signal(pidfd: BorrowedFd, number: i32) -> io::Result<()> {
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo asks for what kill(2) would send.
    check_long(unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), number, none, 0)
    })?;
    Ok(())
}

/// Send a signal to a process group. Its leader must not have been reaped, so that the number is
/// still its own; signal 0 only asks whether there is such a group.
pub(crate) fn signal_group(leader: i32, number: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::kill(-leader, number) })?;
    Ok(())
}

/// Send a signal to a process by its number.
pub(crate) fn signal_pid(pid: i32, number: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::kill(pid, number) })?;
    Ok(())
}

/// Begin a session (and with it a process group) of this process's own.
pub(crate) fn new_session() -> io::Result<()> {
    // SAFETY: no memory is involved.
    unsafe { call(libc::SYS_setsid, []) }.map(drop)
}

/// Move the calling thread to new namespaces.
pub(crate) fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::unshare(flags) })?;
    Ok(())
}

/// Move the calling thread to an existing namespace of type `kind` (a `CLONE_NEW*` flag).
pub(crate) fn enter_namespace(fd: RawFd, kind: libc::c_int) -> io::Result<()> {
    // SAFETY: no memory is involved; a number that is no namespace is refused by the kernel.
    unsafe { call(libc::SYS_setns, [fd as usize, kind as usize]) }.map(drop)
}

/// Do something in a namespace that a process is in; `home` is the name of our own. Of PID namespaces
/// it is the children made meanwhile that are in it.
pub(crate) fn within<T>(
    process: BorrowedFd,
    kind: libc::c_int,
    home: &CStr,
    work: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let home = super::files::open(libc::AT_FDCWD, home, libc::O_RDONLY, 0)?;
    enter_namespace(process.as_raw_fd(), kind)?;
    let made = work();
    enter_namespace(home.as_raw_fd(), kind).expect("one can go back to where one was");
    made
}

/// Set the host name of this process's UTS namespace.
pub(crate) fn set_hostname(name: &CStr) -> io::Result<()> {
    // SAFETY: pointer and length describe `name`.
    unsafe { call(libc::SYS_sethostname, [name.as_ptr() as usize, name.count_bytes()]) }.map(drop)
}

/// Bring the loopback interface of this process's network namespace up.
pub(crate) fn loopback_up() -> io::Result<()> {
    // SAFETY: no memory is involved; the new descriptor is owned by nothing else.
    let socket = unsafe {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        OwnedFd::from_raw_fd(check(libc::socket(libc::AF_INET, kind, 0))?)
    };
    // SAFETY: an ifreq of zeroes is valid: an empty name.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l'.cast_signed();
    request.ifr_name[1] = b'o'.cast_signed();
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads an ifreq, which lives through the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw mut request) })?;
    Ok(())
}

/// Block every signal, or none, in this process. The raw call, as in [`default_signals`].
pub(crate) fn block_signals(blocked: bool) -> io::Result<()> {
    let set: u64 = if blocked { u64::MAX } else { 0 };
    let (how, size) = (libc::SIG_SETMASK as usize, size_of_val(&set));
    // SAFETY: the kernel's set is one bit for each of 64 signals, and lives through the call; nothing
    // is to be told of the one before.
    unsafe { call(libc::SYS_rt_sigprocmask, [how, &raw const set as usize, 0, size]) }.map(drop)
}

/// Give every signal its default action, whatever the parent of this process had chosen. The raw
/// call, because the C library hides the two signals that it uses itself.
pub(crate) fn default_signals() {
    const SIGNAL_MAX: libc::c_int = 64;
    // Handler, flags, restorer, mask: all zero is the default action.
    let action = [0_u64; 4];
    let none = std::ptr::null_mut::<u64>();
    for number in 1..=SIGNAL_MAX {
        // SAFETY: `action` is at least as large as the kernel's struct and installs no code; the
        // numbers that may not be set are refused.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, number, action.as_ptr(), none, 8) };
    }
}

/// The soft and hard limit of open descriptors.
pub(crate) fn file_limit() -> (u64, u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` lives through the call, which cannot fail for a valid resource.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    (limit.rlim_cur, limit.rlim_max)
}

/// Set the soft limit of open descriptors.
pub(crate) fn set_file_limit(soft: u64, hard: u64) -> io::Result<()> {
    let limit = libc::rlimit64 { rlim_cur: soft, rlim_max: hard };
    let (resource, limit) = (libc::RLIMIT_NOFILE as usize, &raw const limit as usize);
    // SAFETY: `limit` lives through the call, and nothing is to be told of the one before.
    unsafe { call(libc::SYS_prlimit64, [0, resource, limit, 0]) }.map(drop)
}

/// Set the file mode mask.
pub(crate) fn umask(mask: u32) {
    // SAFETY: cannot fail; no memory is involved.
    unsafe { libc::umask(mask) };
}

/// Let nobody look into this process's memory, nor write to it, who has not CAP_SYS_PTRACE in the user
/// namespace that it was started in; its children likewise, until they run their programs.
pub(crate) fn hide_memory() -> io::Result<()> {
    // SAFETY: no memory is involved.
    unsafe { call(libc::SYS_prctl, [libc::PR_SET_DUMPABLE as usize, 0]) }.map(drop)
}

/// The effective user and group id of this process.
pub(crate) fn identity() -> (u32, u32) {
    // SAFETY: cannot fail; no memory is involved.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// Run a program in place of this process. Returns only if that failed. The pointers must come from
/// [`crate::plan::Strings`], which ends both arrays with a null.
pub(crate) fn execute(
    program: &CStr,
    argv: &crate::plan::Strings,
    envp: &crate::plan::Strings,
) -> io::Error {
    let (program, argv, envp) = (program.as_ptr(), argv.as_ptr(), envp.as_ptr());
    // SAFETY: `Strings` keeps its zero-terminated strings and null-terminated array alive.
    let result =
        unsafe { call(libc::SYS_execve, [program as usize, argv as usize, envp as usize]) };
    result.err().unwrap_or(io::Error::from_raw_os_error(libc::ENOEXEC))
}

#[cfg(test)]
mod tests {
    use super::in_group;

    #[test]
    fn members_of_a_group_are_told_by_their_status() {
        assert!(in_group("12 (sh) S 1 77 77 0", 77));
        assert!(in_group("12 (a) Z 1 5) (b) R 1 77 77 0", 77));
        assert!(!in_group("12 (sh) Z 1 77 77 0", 77));
        assert!(!in_group("12 (sh) S 77 1 1 0", 77));
        assert!(!in_group("", 77));
    }
}
