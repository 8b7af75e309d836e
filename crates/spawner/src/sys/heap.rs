//! Memory shared with children until they run their programs: the heap, and what the linker filled in.
//!
//! After a `clone3` without CLONE_VM each page that either side writes to is copied by the kernel, and
//! the child's page table is made, and taken apart again at its `execve`. In a spawner that goes on
//! with the next event at once, that was half of its work. A child only reads what was planned for
//! it, and needs no copy for that: so the heap becomes memory that is mapped shared, in its place, and
//! so do the tables of addresses that nobody writes to any more, a hundred pages of a large program.
//! The stack, the thread's own variables and all statics stay private, so whatever a child writes
//! stays its own.
//!
//! What that asks for: what a child reads must stay as it is until the child has run its program or
//! is gone ([`Container::steps`](crate::container::Container)), and a child must not allocate or
//! free, which it never did.

use super::check;
use std::io;
use std::ptr;

/// Bytes by which the heap grows at once: each growth is one more mapping for each child.
const GROWTH_BYTES: libc::c_int = 1024 * 1024;

/// Larger pieces of memory are mapped and unmapped apart, bytes, as is usual. Said aloud because the
/// limit otherwise rises by itself.
const APART_BYTES: libc::c_int = 128 * 1024;

/// What the C library keeps of a thread where `pthread_self` points to, bytes at most.
const OWN_BYTES: usize = 4096;

const PAGE_BYTES: usize = 4096;

/// How much of the heap is shared.
#[derive(Debug)]
pub(crate) struct Heap {
    /// Where that ends, and what came later begins.
    end: usize,
}

impl Heap {
    /// Share nothing of it yet. It does not shrink any more: what is unmapped of shared memory stays in
    /// use. The caller must be single-threaded.
    pub(crate) fn new() -> Heap {
        #[cfg(target_env = "gnu")]
        // SAFETY: only numbers are passed, and those are within what malloc takes.
        unsafe {
            libc::mallopt(libc::M_TOP_PAD, GROWTH_BYTES);
            libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
            libc::mallopt(libc::M_MMAP_THRESHOLD, APART_BYTES);
        }
        if let Err(error) = share_addresses() {
            complain!("share tables of addresses with children: {error}");
        }
        Heap { end: begin().unwrap_or(usize::MAX) }
    }

    /// Share what has been added since the last time. The caller must be single-threaded.
    pub(crate) fn share(&mut self) -> io::Result<()> {
        // SAFETY: an increment of 0 changes nothing.
        let end = unsafe { libc::sbrk(0) } as usize & !(PAGE_BYTES - 1);
        if end <= self.end {
            return Ok(());
        }
        // SAFETY: the range lies between the heap's begin and its end, so it is mapped, readable and
        // writable, and there is no other thread that could write to it meanwhile.
        unsafe { replace(self.end, end - self.end)? };
        self.end = end;
        Ok(())
    }
}

/// Where the part of the heap begins that can be shared; none if there is no such heap. In a static
/// program it is preceded by the thread's own variables: `errno`, and what the C library keeps.
fn begin() -> Option<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let heap = maps.lines().find(|line| line.ends_with("[heap]"))?;
    let (start, rest) = heap.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(rest.split(' ').next()?, 16).ok()?;
    // SAFETY: both only tell an address: of a variable of this thread, and of its description.
    let own = unsafe { [libc::__errno_location() as usize, libc::pthread_self() as usize] };
    let own = own.into_iter().filter(|own| (start..end).contains(own)).max();
    Some(own.map_or(start, |own| (own + OWN_BYTES).next_multiple_of(PAGE_BYTES)))
}

/// Share the tables of addresses that the linker filled in when the program was loaded and made
/// read-only then; a program that lies at a fixed place has none.
fn share_addresses() -> io::Result<()> {
    let mut found = (0, 0);
    // SAFETY: the function only writes to `found`, which lives through the call.
    unsafe { libc::dl_iterate_phdr(Some(addresses), (&raw mut found).cast()) };
    let (start, length) = found;
    if length == 0 {
        return Ok(());
    }
    // SAFETY: these are whole pages of the program's own that are mapped, and nobody writes to them.
    unsafe {
        replace(start, length)?;
        check(libc::mprotect(start as *mut libc::c_void, length, libc::PROT_READ))?;
    }
    Ok(())
}

/// Stores begin and length of the first program's tables in two `usize`.
unsafe extern "C" fn addresses(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    found: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the C library describes a loaded program, headers included; `found` is what
    // `share_addresses` passes.
    let (place, headers, found) = unsafe {
        let headers =
            std::slice::from_raw_parts((*info).dlpi_phdr, usize::from((*info).dlpi_phnum));
        ((*info).dlpi_addr, headers, &mut *found.cast::<(usize, usize)>())
    };
    if let Some(tables) = headers.iter().find(|header| header.p_type == libc::PT_GNU_RELRO) {
        let whole = |address: u64| address as usize & !(PAGE_BYTES - 1);
        let start = whole(place + tables.p_vaddr);
        *found = (start, whole(place + tables.p_vaddr + tables.p_memsz) - start);
    }
    // The first is the program itself, and that is enough.
    1
}

/// Put shared memory in the place of private memory, with the same contents.
///
/// # Safety
/// The range is whole pages that are mapped and readable, and nobody writes to it meanwhile. It is
/// readable and writable afterwards.
unsafe fn replace(start: usize, length: usize) -> io::Result<()> {
    let (access, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: asks for new memory anywhere; nothing that is mapped is touched.
    let fresh = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, -1, 0) };
    if fresh == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    for offset in (0..length).step_by(PAGE_BYTES) {
        // SAFETY: one page of the caller's range and the same one of the new memory, which nobody
        // else knows; both live through the copy and do not overlap.
        unsafe {
            let from = (start as *const [u64; PAGE_BYTES / 8]).byte_add(offset);
            // What was never written to needs no memory.
            if *from != [0; PAGE_BYTES / 8] {
                fresh
                    .cast::<[u64; PAGE_BYTES / 8]>()
                    .byte_add(offset)
                    .copy_from_nonoverlapping(from, 1);
            }
        }
    }
    let how = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: moves the new mapping over the caller's range, which holds the same bytes, in one step.
    let moved = unsafe { libc::mremap(fresh, length, length, how, start) };
    if moved == libc::MAP_FAILED {
        let error = io::Error::last_os_error();
        // SAFETY: the new memory is still where it was, and nothing refers to it.
        check(unsafe { libc::munmap(fresh, length) })?;
        return Err(error);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process::{clone_child, reap};
    use std::os::fd::{AsFd, AsRawFd};

    #[test]
    fn replaced_memory_holds_what_it_held_and_children_share_it() {
        let length = 3 * PAGE_BYTES;
        let (access, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: new memory anywhere, of which nobody else knows.
        let memory = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, -1, 0) };
        assert_ne!(memory, libc::MAP_FAILED);
        // SAFETY: the mapping is that long and is written to by this thread and its child only.
        let bytes = unsafe { std::slice::from_raw_parts_mut(memory.cast::<u8>(), length) };
        (bytes[0], bytes[2 * PAGE_BYTES + 9]) = (1, 2);
        // SAFETY: whole pages, just mapped.
        unsafe { replace(memory as usize, length).unwrap() };
        assert_eq!((bytes[0], bytes[PAGE_BYTES], bytes[2 * PAGE_BYTES + 9]), (1, 0, 2));
        let place = &raw mut bytes[PAGE_BYTES];
        let child = clone_child(0, None, || {
            // SAFETY: as above; the parent waits.
            unsafe { place.write_volatile(3) };
            0
        });
        let pidfd = child.unwrap().pidfd;
        let mut wait = libc::pollfd { fd: pidfd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: `wait` is one entry that lives through the call.
        assert_eq!(unsafe { libc::poll(&raw mut wait, 1, -1) }, 1);
        assert_eq!(reap(pidfd.as_fd()).unwrap().unwrap().code, Some(0));
        // SAFETY: as above; the child is gone.
        assert_eq!(unsafe { place.read_volatile() }, 3);
    }
}
