//! System calls without the C library.
//!
//! The library leaves the number of an error in a variable of the calling thread. A child that shares
//! the spawner's memory has no thread of the library's: its `errno` would be the spawner's own. So
//! whatever a child does between `clone3` and its program goes through [`call`], which answers with the
//! error itself. (Closing a descriptor by dropping it still does not; that leaves a number only if it
//! fails, which no file that a child closes has reason to.)

use std::io;
#[cfg(target_arch = "x86_64")]
use std::{arch::asm, ffi::c_void};

/// Errors are the negative numbers down to this one.
#[cfg(target_arch = "x86_64")]
const ERROR_MIN: isize = -4095;

/// Make a system call with up to six arguments.
///
/// # Safety
/// As for the call: its pointers are valid for what it does with them.
///
/// # Errors
/// What the kernel says.
#[inline]
pub(crate) unsafe fn call<const COUNT: usize>(
    number: libc::c_long,
    arguments: [usize; COUNT],
) -> io::Result<usize> {
    const { assert!(COUNT <= 6) };
    let mut all = [0; 6];
    for (place, argument) in all.iter_mut().zip(arguments) {
        *place = argument;
    }
    // SAFETY: the caller's.
    unsafe { call_with(number, all) }
}

#[cfg(target_arch = "x86_64")]
#[inline]
unsafe fn call_with(number: libc::c_long, arguments: [usize; 6]) -> io::Result<usize> {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    let result: isize;
    // SAFETY: the caller's; the kernel changes nothing but rax, rcx and r11.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            in("r10") fourth,
            in("r8") fifth,
            in("r9") sixth,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    answer(result)
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn answer(result: isize) -> io::Result<usize> {
    if (ERROR_MIN..0).contains(&result) {
        return Err(io::Error::from_raw_os_error(result.unsigned_abs() as i32));
    }
    Ok(result.cast_unsigned())
}

/// Where children have memory of their own, the library does as well.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
unsafe fn call_with(number: libc::c_long, arguments: [usize; 6]) -> io::Result<usize> {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    // SAFETY: the caller's.
    let result = unsafe { libc::syscall(number, first, second, third, fourth, fifth, sixth) };
    super::check_long(result).map(|result| result as usize)
}

/// Make a task by `clone3` that runs `entry` on a stack of its own; only the caller comes back.
///
/// # Safety
/// `args` asks for CLONE_VM and names a stack that is a multiple of 16 bytes long and aligned so, and
/// used by nobody else as long as the task runs in this memory. `entry` may be called with `argument`
/// from there, and touches no variable of a thread.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn clone_on_stack(
    args: &libc::clone_args,
    entry: unsafe extern "C" fn(*const c_void) -> !,
    argument: *const c_void,
) -> io::Result<usize> {
    let result: isize;
    // SAFETY: the caller's. The new task finds 0 in rax and an empty stack, on which it calls `entry`
    // as the ABI has it; it never gets to what follows, so it needs nothing of this frame.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 as isize => result,
            in("rdi") args,
            in("rsi") size_of::<libc::clone_args>(),
            in("r12") argument,
            in("r13") entry,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    answer(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_by_the_call_itself() {
        // SAFETY: no memory is involved.
        let error = unsafe { call(libc::SYS_close, [usize::MAX]) }.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
        // SAFETY: as above.
        let pid = unsafe { call(libc::SYS_getpid, []) }.unwrap();
        assert_eq!(pid, std::process::id() as usize);
    }
}
