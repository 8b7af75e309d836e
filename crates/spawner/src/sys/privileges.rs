//! Who a process is and what it may do: ids, capabilities, seccomp.

use super::raw::call;
use std::io;

/// Set the supplementary groups.
pub(crate) fn set_groups(groups: &[u32]) -> io::Result<()> {
    // SAFETY: pointer and length describe `groups`.
    unsafe { call(libc::SYS_setgroups, [groups.len(), groups.as_ptr() as usize]) }.map(drop)
}

/// Set the real, effective and saved group id.
pub(crate) fn set_group(gid: u32) -> io::Result<()> {
    let gid = gid as usize;
    // SAFETY: no memory is involved.
    unsafe { call(libc::SYS_setresgid, [gid, gid, gid]) }.map(drop)
}

/// Set the real, effective and saved user id. Leaving 0 gives up all capabilities.
pub(crate) fn set_user(uid: u32) -> io::Result<()> {
    let uid = uid as usize;
    // SAFETY: no memory is involved.
    unsafe { call(libc::SYS_setresuid, [uid, uid, uid]) }.map(drop)
}

/// The capabilities that this process and its children can ever have.
pub(crate) fn bounding_capabilities() -> u64 {
    // SAFETY: no memory is involved; a number that is no capability is refused.
    let there = |number: &u64| unsafe { libc::prctl(libc::PR_CAPBSET_READ, *number, 0, 0, 0) } == 1;
    (0..64).filter(there).fold(0, |set, number| set | 1 << number)
}

/// Take capabilities out of the bounding set, for ever.
pub(crate) fn drop_bounding_capabilities(dropped: u64) -> io::Result<()> {
    for number in (0..64_usize).filter(|number| dropped & 1 << number != 0) {
        // SAFETY: no memory is involved.
        unsafe { call(libc::SYS_prctl, [libc::PR_CAPBSET_DROP as usize, number])? };
    }
    Ok(())
}

/// The header of `capget` and `capset`: version 3, this process.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// One half (32 capabilities) of the three sets.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const VERSION_3: u32 = 0x2008_0522;

/// The capabilities this process may use.
pub(crate) fn permitted_capabilities() -> u64 {
    let mut header = Header { version: VERSION_3, pid: 0 };
    let mut sets = [Sets::default(); 2];
    // SAFETY: version 3 reads the header and fills two halves, all of which live through the call.
    unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) };
    u64::from(sets[0].permitted) | u64::from(sets[1].permitted) << 32
}

/// Set the effective and permitted capabilities; the inheritable and ambient ones become empty.
pub(crate) fn set_capabilities(mask: u64) -> io::Result<()> {
    let mut header = Header { version: VERSION_3, pid: 0 };
    let half = |bits: u64| {
        let bits = (bits & 0xffff_ffff) as u32;
        Sets { effective: bits, permitted: bits, inheritable: 0 }
    };
    let sets = [half(mask), half(mask >> 32)];
    let (header, sets) = (&raw mut header as usize, sets.as_ptr() as usize);
    // SAFETY: version 3 reads the header and two halves, all of which live through the call.
    unsafe { call(libc::SYS_capset, [header, sets]) }.map(drop)
}

/// Promise never to gain privileges by an `execve`.
pub(crate) fn no_new_privileges() -> io::Result<()> {
    // SAFETY: no memory is involved.
    unsafe { call(libc::SYS_prctl, [libc::PR_SET_NO_NEW_PRIVS as usize, 1]) }.map(drop)
}

/// Install a seccomp program: `sock_filter` instructions of 8 bytes each.
pub(crate) fn filter_calls(program: &[u64]) -> io::Result<()> {
    let Ok(len) = u16::try_from(program.len()) else {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    };
    let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: `program` describes a live array of 8-byte instructions, aligned at least as strictly
    // as sock_filter; the kernel copies and checks it.
    unsafe {
        let mode = libc::SECCOMP_MODE_FILTER as usize;
        call(libc::SYS_prctl, [libc::PR_SET_SECCOMP as usize, mode, &raw const program as usize])
    }
    .map(drop)
}
