//! Children that share the spawner's memory until they run their programs.
//!
//! A child with a copy of the memory costs its page tables, a copy of each page that it or the spawner
//! writes to meanwhile, and taking all that apart again: about a quarter of a small task. So children
//! get none. Each has a stack of its own, reads its steps where the spawner put them, and neither
//! allocates, nor takes a lock, nor touches a variable of a thread ([`raw`](super::raw)).
//!
//! `clone3` is not called by the spawner itself but by *starters*: threads that do nothing else. For
//! the kernel must know such a child for what it is (CLONE_VFORK). Otherwise its `oom_score_adj` would
//! be the spawner's too, and the OOM killer, which ends all that share a victim's memory, could pick it
//! when the container's limit is small. But who makes it is held up until the child has run its
//! program, and that may take for ever where a file system hangs. So a starter waits, and rings a bell
//! when the child is done; the spawner gives the order and goes on. Starters are threads for the kernel
//! only: the C library knows of none, which keeps the spawner's own calls as cheap as in a process of
//! one thread.
//!
//! Whoever can write to such a child can write to the spawner. Nobody can: its memory is not dumpable
//! ([`hide_memory`]), so that only CAP_SYS_PTRACE in the machine's own user namespace opens it (ptrace,
//! /proc/PID/mem, process_vm_writev), whatever user the child has become and whatever user namespace
//! the other is root of. A process class of the same user has no such capability. One that has, a
//! privileged container or one with CAP_SYS_PTRACE, does not see the child: it is the first of a new
//! PID namespace, beside that of any other container. For the same reason programs that are run in
//! containers which run already, next to whatever runs there, are made the other way
//! ([`clone_child`](super::process::clone_child)), with a copy.

#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, unused_imports, reason = "children get copies there")
)]

use super::process::{Child, hide_memory};
use super::{files, raw};
use crate::child::{self, Report};
use crate::step::Steps;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::{cell::UnsafeCell, ffi::c_void, io, num::NonZero, ptr};

/// The most starters. While all are busy, children get copies.
const STARTERS_MAX: usize = 64;

/// Busy starters per core from which on the spawner waits for one of them before the next order.
const CROWD_PER_CORE: usize = 2;

/// The longest such wait, milliseconds: those that hang hold up nobody longer.
const CROWD_WAIT_MS: i32 = 10;

/// The stack of a child, bytes: steps take a tenth of it.
const CHILD_STACK_BYTES: usize = 256 * 1024;

/// The stack of a starter, bytes.
const STARTER_STACK_BYTES: usize = 64 * 1024;

/// What lies below each stack and may not be touched, bytes.
const GUARD_BYTES: usize = 64 * 1024;

/// Start the child in the control group given (above the range of libc's constants).
pub(super) const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// The starter waits for an order.
const IDLE: u32 = 0;
/// It makes a child, or waits until one runs its program.
const BUSY: u32 = 1;
/// The child runs its program or is gone, and the spawner has not looked yet.
const DONE: u32 = 2;

/// No answer yet.
const NONE: u32 = 0;
/// There is a child. Every other answer is an `errno`.
const MADE: u32 = u32::MAX;

/// The threads that make children, made when there is something to do for them.
#[derive(Debug)]
pub(crate) struct Starters {
    desks: Vec<&'static Desk>,
    most: usize,
    /// So many busy ones are a crowd.
    crowd: usize,
    /// Rung whenever one is done; absent where there are none.
    bell: Option<OwnedFd>,
}

/// One of them, as long as it is busy for somebody.
#[derive(Debug)]
pub(crate) struct Starter(&'static Desk);

/// A child is done with its steps.
#[derive(Debug)]
pub(crate) struct Done {
    /// What the order was called.
    pub(crate) number: u32,
    /// The child, unless it was taken before.
    pub(crate) child: Option<io::Result<Child>>,
    /// The step that failed.
    pub(crate) failed: Option<Report>,
}

/// Where the spawner, a starter and its child meet.
struct Desk {
    /// [`IDLE`], [`BUSY`] or [`DONE`]. Whoever reads or writes the other fields takes turns by it.
    state: AtomicU32,
    /// The answer to the order.
    answer: AtomicU32,
    /// Whether somebody sleeps until there is an answer.
    awaited: AtomicBool,
    /// Whether the spawner has taken the child.
    taken: AtomicBool,
    /// The step that failed, packed.
    failed: AtomicU64,
    order: UnsafeCell<Order>,
    /// Filled in by the kernel: process id, pidfd.
    child: UnsafeCell<(i32, RawFd)>,
    child_stack: Stack,
    starter_stack: Stack,
    bell: RawFd,
}

/// What a starter is to do.
#[derive(Clone, Copy)]
struct Order {
    number: u32,
    flags: u64,
    cgroup: u64,
    steps: *const Steps,
}

// SAFETY: `order` and `child` are only touched by whoever's turn it is by `state` and `answer`.
unsafe impl Sync for Desk {}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Desk({})", self.state.load(Ordering::Relaxed))
    }
}

impl Starters {
    /// None yet; none ever where children must not share memory. Call it as the last thing before
    /// serving: starters live in the namespaces and the working directory of their maker.
    pub(crate) fn new() -> Starters {
        let bell = may_share().and_then(|may| may.then(files::event).transpose());
        let bell = bell.unwrap_or_else(|error| {
            complain!("children get copies of the memory: {error}");
            None
        });
        let most = if bell.is_some() { STARTERS_MAX } else { 0 };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Starters { desks: Vec::new(), most, crowd: CROWD_PER_CORE * cores, bell }
    }

    /// Readable when one is done.
    pub(crate) fn bell(&self) -> Option<BorrowedFd<'_>> {
        self.bell.as_ref().map(AsFd::as_fd)
    }

    /// One that waits for an order; `None` if a child has to be made another way. The one that was
    /// made first has its stacks in the cache.
    pub(crate) fn idle(&mut self) -> Option<Starter> {
        let is_idle = |desk: &&&'static Desk| desk.state.load(Ordering::Acquire) == IDLE;
        if let Some(desk) = self.desks.iter().find(is_idle) {
            return Some(Starter(desk));
        }
        let bell = self.bell.as_ref().filter(|_| self.desks.len() < self.most)?;
        match Desk::open(bell.as_raw_fd()) {
            Ok(desk) => {
                self.desks.push(desk);
                Some(Starter(desk))
            }
            Err(error) => {
                complain!("a thread that makes children: {error}");
                None
            }
        }
    }

    /// If many are busy, wait a moment until one is done; whether one is. Children that are many at once
    /// hinder each other.
    pub(crate) fn wait_if_crowded(&self) -> bool {
        let busy = |desk: &&&Desk| desk.state.load(Ordering::Acquire) != IDLE;
        let Some(bell) = &self.bell else { return false };
        self.desks.iter().filter(busy).count() >= self.crowd
            && files::has_input(bell.as_fd(), CROWD_WAIT_MS).unwrap_or(false)
    }

    /// Those that were done since the last time; they are idle then.
    pub(crate) fn done(&mut self) -> Vec<Done> {
        if let Some(bell) = &self.bell {
            // Before the look, so that who is done after it rings again.
            let _ = files::read(bell.as_fd(), &mut [0; 8]);
        }
        let mut done = Vec::new();
        for desk in &self.desks {
            if desk.state.load(Ordering::Acquire) == DONE {
                // SAFETY: the starter is done, so this thread alone knows of the field.
                let number = unsafe { *desk.order.get() }.number;
                let failed = Report::unpack(desk.failed.load(Ordering::Relaxed));
                done.push(Done { number, child: Starter(desk).child(), failed });
                desk.state.store(IDLE, Ordering::Relaxed);
            }
        }
        done
    }
}

impl Starter {
    /// Let it make a child in new namespaces (`CLONE_NEW*` in `flags`), on v2 straight in a control
    /// group, which does the steps. They must be kept until it has run its program or is gone, and
    /// whatever descriptors it needs until there is a child.
    pub(crate) fn order(
        &self,
        number: u32,
        flags: libc::c_int,
        cgroup: Option<BorrowedFd>,
        steps: &Rc<Steps>,
    ) {
        let desk = self.0;
        let shared = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD;
        let flags = (flags | shared | libc::CLONE_PARENT_SETTID) as u64;
        let mut order = Order { number, flags, cgroup: 0, steps: Rc::as_ptr(steps) };
        if let Some(group) = cgroup {
            order.flags |= CLONE_INTO_CGROUP;
            order.cgroup = group.as_raw_fd() as u64;
        }
        // SAFETY: the starter is idle and its last child has run its program or is gone, so this
        // thread alone knows of the field.
        unsafe { *desk.order.get() = order };
        desk.answer.store(NONE, Ordering::Relaxed);
        desk.awaited.store(false, Ordering::Relaxed);
        desk.taken.store(false, Ordering::Relaxed);
        desk.failed.store(0, Ordering::Relaxed);
        desk.state.store(BUSY, Ordering::Release);
        wake(&desk.state);
    }

    /// The child, as soon as there is one; `None` if it was taken before.
    pub(crate) fn child(&self) -> Option<io::Result<Child>> {
        let desk = self.0;
        if desk.taken.load(Ordering::Relaxed) {
            return None;
        }
        desk.awaited.store(true, Ordering::SeqCst);
        let answer = loop {
            match desk.answer.load(Ordering::SeqCst) {
                NONE => wait(&desk.answer, NONE),
                answer => break answer,
            }
        };
        if answer != MADE {
            return Some(Err(io::Error::from_raw_os_error(answer.cast_signed())));
        }
        desk.taken.store(true, Ordering::Relaxed);
        // SAFETY: the kernel filled both in before there was a child to answer, and nobody writes to
        // them until the next order.
        let (pid, pidfd) = unsafe { *desk.child.get() };
        // SAFETY: CLONE_PIDFD made a new descriptor that nothing else owns, and it is taken once.
        Some(Ok(Child { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } }))
    }
}

/// Whether children may share the memory of this process, which is then hidden from others. An ordinary
/// user's processes may look into each other anyway, but could not set their own `oom_score_adj` any
/// more.
fn may_share() -> io::Result<bool> {
    if !cfg!(target_arch = "x86_64") || super::process::identity().0 != 0 {
        return Ok(false);
    }
    hide_memory()?;
    // With 1, a child that becomes another user would make the memory of all dumpable.
    Ok(std::fs::read_to_string("/proc/sys/fs/suid_dumpable")?.trim() != "1")
}

impl Desk {
    /// Make a starter.
    fn open(bell: RawFd) -> io::Result<&'static Desk> {
        let child_stack = Stack::map(CHILD_STACK_BYTES)?;
        let starter_stack = Stack::map(STARTER_STACK_BYTES)?;
        let order = Order { number: 0, flags: 0, cgroup: 0, steps: ptr::null() };
        // It lives as long as the thread, which is as long as the process.
        let desk: &'static Desk = Box::leak(Box::new(Desk {
            state: AtomicU32::new(IDLE),
            answer: AtomicU32::new(NONE),
            awaited: AtomicBool::new(false),
            taken: AtomicBool::new(false),
            failed: AtomicU64::new(0),
            order: UnsafeCell::new(order),
            child: UnsafeCell::new((0, -1)),
            child_stack,
            starter_stack,
            bell,
        }));
        if let Err(error) = desk.hire() {
            // SAFETY: it was leaked above, and there is no thread that could know of it.
            drop(unsafe { Box::from_raw(ptr::from_ref(desk).cast_mut()) });
            return Err(error);
        }
        Ok(desk)
    }

    /// Begin the thread. It has a working directory of its own (no CLONE_FS), so that the spawner can
    /// go to other mount namespaces.
    #[cfg(target_arch = "x86_64")]
    fn hire(&'static self) -> io::Result<()> {
        // SAFETY: a clone_args of zeroes is valid: it asks for nothing.
        let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
        let same = libc::CLONE_VM | libc::CLONE_FILES | libc::CLONE_SYSVSEM;
        args.flags = (same | libc::CLONE_SIGHAND | libc::CLONE_THREAD) as u64;
        (args.stack, args.stack_size) = self.starter_stack.for_clone();
        // SAFETY: CLONE_VM, and a stack that was made for this thread; `starter` takes a desk.
        unsafe { raw::clone_on_stack(&args, starter, ptr::from_ref(self).cast()) }.map(drop)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn hire(&'static self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Make one child and wait until it has run its program or is gone. Done by the starter.
    #[cfg(target_arch = "x86_64")]
    fn serve(&self) {
        // SAFETY: an order was given, and is not changed before this one is done.
        let order = unsafe { *self.order.get() };
        // SAFETY: a clone_args of zeroes is valid: it asks for nothing.
        let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
        args.flags = order.flags;
        args.cgroup = order.cgroup;
        args.exit_signal = libc::SIGCHLD as u64;
        (args.stack, args.stack_size) = self.child_stack.for_clone();
        let child = self.child.get();
        // SAFETY: only addresses are taken, of fields of a live value.
        let (pid, pidfd) = unsafe { (&raw mut (*child).0, &raw mut (*child).1) };
        (args.parent_tid, args.pidfd) = (pid as u64, pidfd as u64);
        // SAFETY: CLONE_VM, and a stack that only the children of this starter have, one after the
        // other, because CLONE_VFORK comes back when the last is done with it; `in_child` takes a desk.
        let made = unsafe { raw::clone_on_stack(&args, in_child, ptr::from_ref(self).cast()) };
        // The child has said so itself, unless there is none or it was killed before it could.
        self.tell(made.map_or_else(|error| super::errno(&error).cast_unsigned(), |_| MADE));
        self.state.store(DONE, Ordering::Release);
        let _ = files::write(self.bell, &1_u64.to_ne_bytes());
    }

    /// Give the answer, if there was none.
    fn tell(&self, answer: u32) {
        let order = Ordering::SeqCst;
        let told = self.answer.compare_exchange(NONE, answer, order, Ordering::Relaxed).is_ok();
        if told && self.awaited.load(Ordering::SeqCst) {
            wake(&self.answer);
        }
    }
}

/// The life of a starter. `desk` is a [`Desk`] that lives as long.
#[cfg(target_arch = "x86_64")]
unsafe extern "C" fn starter(desk: *const c_void) -> ! {
    // SAFETY: what `hire` passes.
    let desk = unsafe { &*desk.cast::<Desk>() };
    loop {
        match desk.state.load(Ordering::Acquire) {
            BUSY => desk.serve(),
            other => wait(&desk.state, other),
        }
    }
}

/// The life of a child, up to its program. `desk` is the [`Desk`] of who made it.
#[cfg(target_arch = "x86_64")]
unsafe extern "C" fn in_child(desk: *const c_void) -> ! {
    // SAFETY: what `serve` passes.
    let desk = unsafe { &*desk.cast::<Desk>() };
    // SAFETY: the order is not changed while the child is in this memory.
    let order = unsafe { *desk.order.get() };
    desk.tell(MADE);
    // SAFETY: the spawner keeps the steps until the child has run its program or is gone.
    let failed = child::run(unsafe { &*order.steps });
    desk.failed.store(failed.pack(), Ordering::Release);
    super::process::exit_now(child::NOT_RUN)
}

/// Wait until somebody wakes, if the word still has a value. May come back without reason.
fn wait(word: &AtomicU32, value: u32) {
    let how = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: the word lives through the call; there is no time limit.
    let _ = unsafe { raw::call(libc::SYS_futex, [word.as_ptr() as usize, how, value as usize, 0]) };
}

/// Wake the one who waits for the word to change.
fn wake(word: &AtomicU32) {
    let how = (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: only the word's address matters.
    let _ = unsafe { raw::call(libc::SYS_futex, [word.as_ptr() as usize, how, 1]) };
}

/// Memory for a stack, with a guard below it.
struct Stack {
    begin: *mut c_void,
    bytes: usize,
}

impl Stack {
    fn map(bytes: usize) -> io::Result<Stack> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;
        let length = GUARD_BYTES + bytes;
        // SAFETY: asks for new memory anywhere; nothing that is mapped is touched.
        let begin = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, -1, 0) };
        if begin == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let stack = Stack { begin, bytes };
        // SAFETY: the lower part of the new mapping, of which nobody knows yet.
        super::check(unsafe { libc::mprotect(begin, GUARD_BYTES, libc::PROT_NONE) })?;
        Ok(stack)
    }

    /// Lowest address and length, as `clone3` takes them.
    #[cfg(target_arch = "x86_64")]
    fn for_clone(&self) -> (u64, u64) {
        ((self.begin as usize + GUARD_BYTES) as u64, self.bytes as u64)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own. A stack in use is never dropped: its desk is leaked.
        unsafe { libc::munmap(self.begin, GUARD_BYTES + self.bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Step;

    /// Orders and what came of them, with steps that fail at once and no program.
    #[test]
    fn a_starter_makes_one_child_after_the_other() {
        let mut starters = Starters::new();
        let Some(bell) = starters.bell().map(|bell| bell.as_raw_fd()) else { return };
        // SAFETY: the bell is open as long as `starters` lives.
        let bell = unsafe { BorrowedFd::borrow_raw(bell) };
        let first = vec![Step::Enterdir { path: c"/no such".to_owned() }];
        let steps = Steps { first, ..Steps::default() };
        let steps = Rc::new(steps);
        for number in 1..=3 {
            let starter = starters.idle().unwrap();
            starter.order(number, 0, None, &steps);
            let early = (number == 2).then(|| starter.child().unwrap().unwrap());
            assert!(files::has_input(bell, -1).unwrap());
            let done = starters.done();
            let [Done { number: of, child, failed: Some(failed) }] = done.as_slice() else {
                panic!("{done:?}");
            };
            assert_eq!((*of, failed.index, failed.errno), (number, 0, libc::ENOENT));
            assert_eq!(child.is_none(), early.is_some(), "it is given out once");
            let pidfd = early.as_ref().unwrap_or_else(|| child.as_ref().unwrap().as_ref().unwrap());
            assert!(files::has_input(pidfd.pidfd.as_fd(), -1).unwrap());
            let exit = super::super::process::reap(pidfd.pidfd.as_fd()).unwrap().unwrap();
            assert_eq!(exit.code, Some(child::NOT_RUN));
            assert_eq!(starters.desks.len(), 1, "it is idle again");
        }
    }
}
