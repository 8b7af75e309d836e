//! The system calls this crate needs and std does not offer, each behind a safe function.
//!
//! Everything here may run in a child between `clone3` and `execve`: nothing allocates except where
//! the doc comment says so, and errors are `io::Error`s that only carry `errno`.

pub(crate) mod epoll;
pub(crate) mod files;
pub(crate) mod look;
pub(crate) mod mounts;
pub(crate) mod netlink;
pub(crate) mod pidfd;
pub(crate) mod privileges;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod shared;
pub(crate) mod socket;
pub(crate) mod starters;
pub(crate) mod terminal;

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The result of a C call that returns -1 and sets `errno` on failure.
pub(crate) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The same for calls through `syscall(2)`.
pub(crate) fn check_long(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The `errno` in an error; 0 if it did not come from a system call.
pub(crate) fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(0)
}

/// A string for the kernel. Allocates.
///
/// # Errors
/// `InvalidInput` if the text holds a zero byte.
pub(crate) fn c_string(text: &str) -> io::Result<CString> {
    CString::new(text).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// A path for the kernel. Allocates.
///
/// # Errors
/// `InvalidInput` if the path holds a zero byte.
pub(crate) fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Nanoseconds since the epoch, from the machine's clock.
pub(crate) fn now_ns() -> i64 {
    clock(libc::CLOCK_REALTIME)
}

/// Milliseconds of a clock that never steps back: for deadlines.
pub(crate) fn monotonic_ms() -> i64 {
    clock(libc::CLOCK_MONOTONIC) / 1_000_000
}

fn clock(id: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a live timespec, and both clock ids exist on every Linux.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Eight random bytes from the kernel.
pub(crate) fn random() -> u64 {
    let mut bytes = [0_u8; 8];
    // SAFETY: the pointer and length describe `bytes`; a short answer leaves zeroes, which is harmless.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    u64::from_ne_bytes(bytes)
}

/// The text of an `errno` as the machine's C library has it, in lower case as error texts here are.
pub(crate) fn errno_text(number: i32) -> String {
    let text = io::Error::from_raw_os_error(number).to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    text[..end].to_lowercase()
}

/// The directory entry's name in a C string, for messages.
pub(crate) fn lossy(text: &CStr) -> std::borrow::Cow<'_, str> {
    text.to_string_lossy()
}
