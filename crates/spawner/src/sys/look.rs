//! What a file system looks like at certain places, as one number: if it is the same later, nothing
//! was changed there.

use super::raw::call;
use std::ffi::CStr;
use std::hash::Hasher;
use std::io;

/// Bytes of attribute names that tell whether there are any.
const NAMES_BYTES: usize = 256;

/// Add a file or directory: its owner, mode, size and links, when it was changed last, and the names
/// of its extended attributes (access lists among them). Relative paths are the working directory's;
/// links are looked at, not followed.
///
/// The time of the last change moves with every change of a directory's entries, but only with the
/// kernel's tick (some milliseconds on older kernels); the rest is what could change within one.
pub(crate) fn add_file(hash: &mut impl Hasher, path: &CStr) -> io::Result<()> {
    // SAFETY: a statx of zeroes is a valid value.
    let mut found: libc::statx = unsafe { std::mem::zeroed() };
    let flags = libc::AT_SYMLINK_NOFOLLOW;
    // SAFETY: `path` ends with a zero; the call fills `found`, which lives through it.
    unsafe {
        let (here, name, flags) = (libc::AT_FDCWD as usize, path.as_ptr() as usize, flags as usize);
        let (mask, found) = (libc::STATX_BASIC_STATS as usize, &raw mut found as usize);
        call(libc::SYS_statx, [here, name, flags, mask, found])?;
    }
    hash.write_u64(found.stx_ino);
    hash.write_u64(found.stx_size);
    hash.write_u64(found.stx_attributes);
    hash.write_u32(u32::from(found.stx_mode));
    hash.write_u32(found.stx_uid);
    hash.write_u32(found.stx_gid);
    hash.write_u32(found.stx_nlink);
    hash.write_i64(found.stx_ctime.tv_sec);
    hash.write_u32(found.stx_ctime.tv_nsec);
    let mut names = [0_u8; NAMES_BYTES];
    // SAFETY: `path` ends with a zero; pointer and length describe `names`.
    let length = unsafe {
        let (path, names, size) =
            (path.as_ptr() as usize, names.as_mut_ptr() as usize, NAMES_BYTES);
        call(libc::SYS_llistxattr, [path, names, size])
    };
    hash.write_usize(*length.as_ref().unwrap_or(&usize::MAX));
    hash.write(names.get(..length.unwrap_or(0)).unwrap_or_default());
    Ok(())
}

/// Add how much of a file system is taken: blocks and inodes.
pub(crate) fn add_use(hash: &mut impl Hasher, path: &CStr) -> io::Result<()> {
    // SAFETY: a statfs of zeroes is a valid value.
    let mut found: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: `path` ends with a zero; the call fills `found`, which lives through it.
    unsafe { call(libc::SYS_statfs, [path.as_ptr() as usize, &raw mut found as usize])? };
    hash.write_u64(found.f_bfree);
    hash.write_u64(found.f_ffree);
    Ok(())
}
