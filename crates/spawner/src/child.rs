//! The child between `clone3` and its program: does the prepared steps, reports the first failure.
//!
//! It makes system calls on data that was laid out before it existed. That lies in the spawner's own
//! memory, which most children share ([`starters`](crate::sys::starters)), so a child only reads what
//! is not on its own stack: it allocates and frees nothing, takes no lock, touches no variable of a
//! thread, and nothing in it can panic, for a panic does all of that. The last the compiler checks.

#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used
)]

use crate::make::{self, Kind};
use crate::step::{Output, Step, Steps};
use crate::sys::mounts::{Attributes, Extent};
use crate::sys::{errno, files, look, mounts, privileges, process, socket, terminal};
use std::ffi::{CStr, CString};
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// The step that failed, by its position, and its `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) index: u32,
    pub(crate) errno: i32,
}

/// What a child that could not run its program exits with; nobody sees it.
pub(crate) const NOT_RUN: i32 = 127;

/// The most mounts one container has; their copied trees wait in as many slots.
pub(crate) const MOUNTS_MAX: usize = 256;

/// The most that is taken of an answer, bytes: less than what a pipe holds.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Bytes of a file that are copied at once.
const COPY_BYTES: usize = 4096;

impl Report {
    /// As one number, never 0.
    pub(crate) fn pack(self) -> u64 {
        (u64::from(self.index) + 1) << 32 | u64::from(self.errno.cast_unsigned())
    }

    /// From that; nothing from 0.
    pub(crate) fn unpack(packed: u64) -> Option<Report> {
        let index = ((packed >> 32) as u32).checked_sub(1)?;
        Some(Report { index, errno: (packed as u32).cast_signed() })
    }
}

/// Do all steps. The last runs the program, so coming back means failure.
pub(crate) fn run(steps: &Steps) -> Report {
    let mut hands = Hands::new();
    for (index, step) in (0..).zip(steps.iter()) {
        if let Err(error) = hands.act(step) {
            return Report { index, errno: errno(&error) };
        }
    }
    Report { index: u32::MAX - 1, errno: 0 }
}

/// The same for a child that has a pipe to report by.
pub(crate) fn run_and_report(steps: &Steps, report: RawFd) -> i32 {
    let _ = files::write(report, &run(steps).pack().to_ne_bytes());
    NOT_RUN
}

/// What the pipe says; nothing if it was closed without a word, by the program that runs now. What
/// cannot be read is a failure of no step.
pub(crate) fn read_report(report: BorrowedFd) -> Option<Report> {
    let mut bytes = [0; 8];
    match files::read(report, &mut bytes) {
        Ok(count) if count < bytes.len() => None,
        Ok(_) => Report::unpack(u64::from_ne_bytes(bytes)),
        Err(error) => Some(Report { index: u32::MAX - 1, errno: errno(&error) }),
    }
}

/// What the child holds between steps.
struct Hands {
    trees: [Option<OwnedFd>; MOUNTS_MAX],
    held: usize,
    /// The empty directory below /proc.
    empty: Option<OwnedFd>,
    /// Whether /dev/null was found to be there.
    null: bool,
    /// Its own mount namespace, while it is in the machine's.
    own: Option<OwnedFd>,
}

impl Hands {
    fn new() -> Hands {
        let trees = [const { None }; MOUNTS_MAX];
        Hands { trees, held: 0, empty: None, null: false, own: None }
    }

    fn act(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::JoinCgroup { procs } => files::write_file(procs, b"0"),
            Step::OomScore { value } => set_oom_score(value),
            Step::Enter { namespace, kind } => process::enter_namespace(*namespace, *kind),
            Step::Session => process::new_session(),
            Step::Output(streams) => output(*streams),
            Step::Terminal { owner } => terminal::take(*owner),
            Step::MachineMounts { namespace } => {
                let own = files::open(libc::AT_FDCWD, c"/proc/self/ns/mnt", libc::O_RDONLY, 0)?;
                self.own = Some(own);
                process::enter_namespace(*namespace, libc::CLONE_NEWNS)
            }
            Step::OwnMounts => match self.own.take() {
                Some(own) => process::enter_namespace(own.as_raw_fd(), libc::CLONE_NEWNS),
                None => Ok(()),
            },
            Step::HostName { name } => process::set_hostname(name),
            Step::Mount { source, target, kind, flags, data } => {
                mounts::mount(source, target, kind.as_deref(), *flags, data.as_deref())
            }
            Step::Directory { path, mode } => files::make_directory(libc::AT_FDCWD, path, *mode),
            Step::Node { path, mode, number, owner } => node(path, *mode, *number, *owner),
            Step::File { path, mode, text, then, end } => {
                let file = files::make_file(path, *mode)?;
                let from = then.as_deref().map(open_if_there).transpose()?.flatten();
                write_parts(file.as_raw_fd(), text, from, end)
            }
            Step::Source { path } => {
                let file = open_if_there(path)?;
                self.hold(file)
            }
            Step::Rewrite { path, text, then, end } => {
                let flags = libc::O_WRONLY | libc::O_TRUNC | libc::O_NOFOLLOW;
                let file = files::open(libc::AT_FDCWD, path, flags, 0)?;
                let from = then.and_then(|slot| self.trees.get_mut(slot)?.take());
                write_parts(file.as_raw_fd(), text, from, end)
            }
            Step::Proc => self.proc(),
            Step::Look { places, word } => look(places).map(|seen| word.set(seen)),
            Step::CopyTree { source, attributes } => {
                mounts::copy_tree(None, source).and_then(|tree| self.keep_tree(tree, *attributes))
            }
            Step::CopyWithin { directory, path, make, attributes, .. } => {
                self.copy_within(directory, path, *make, *attributes)
            }
            Step::Enterdir { path } => files::change_directory(path),
            Step::Pivot => mounts::pivot_here(),
            Step::Attach { slot, target } => self.attach(*slot, target),
            Step::Tmpfs { target, data } => tmpfs(target, data),
            Step::Mask { path } => self.mask(path),
            Step::ReadOnly { path, recursive } => read_only(path, *recursive),
            Step::WorkingDirectory { path, make } => working_directory(path, *make),
            Step::FileLimit { soft, hard } => process::set_file_limit(*soft, *hard),
            Step::DropCapabilities { dropped } => privileges::drop_bounding_capabilities(*dropped),
            Step::User { uid, gid, groups } => user(*uid, *gid, groups),
            Step::Capabilities { mask } => privileges::set_capabilities(*mask),
            Step::NoNewPrivileges => privileges::no_new_privileges(),
            Step::Seccomp { program } => privileges::filter_calls(program),
            Step::Dial { port } => self.hold(Some(socket::dial_loopback(*port)?)),
            Step::Talk { send, until } => {
                talk(self.take_tree(0)?.as_fd(), send, until)?;
                process::exit_now(0)
            }
            Step::AcceptSignals => process::block_signals(false),
            Step::Execute { programs, argv, envp } => {
                let run = |program: &CStr| process::execute(program, argv, envp);
                Err(first_that_exists(programs, run))
            }
        }
    }

    /// What was found is what is copied, by its descriptor.
    fn copy_within(
        &mut self,
        directory: &CStr,
        path: &CStr,
        make: bool,
        attributes: Attributes,
    ) -> io::Result<()> {
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        let directory = files::open(libc::AT_FDCWD, directory, flags, 0)?;
        let found = make::beneath(directory.as_fd(), path, make)?;
        self.keep_tree(mounts::copy_tree(Some(found.as_fd()), c"")?, attributes)
    }

    fn keep_tree(&mut self, tree: OwnedFd, attributes: Attributes) -> io::Result<()> {
        mounts::set_attributes(Some(tree.as_fd()), c"", Extent::All, attributes)?;
        self.hold(Some(tree))
    }

    /// Keep a tree or a file in the next slot.
    fn hold(&mut self, what: Option<OwnedFd>) -> io::Result<()> {
        let slot =
            self.trees.get_mut(self.held).ok_or(io::Error::from_raw_os_error(libc::E2BIG))?;
        *slot = what;
        self.held += 1;
        Ok(())
    }

    fn take_tree(&mut self, slot: usize) -> io::Result<OwnedFd> {
        let tree = self.trees.get_mut(slot).and_then(Option::take);
        tree.ok_or(io::Error::from_raw_os_error(libc::EBADF))
    }

    fn attach(&mut self, slot: usize, target: &CStr) -> io::Result<()> {
        let tree = self.take_tree(slot)?;
        let kind = if files::is_directory(tree.as_fd())? { Kind::Directory } else { Kind::File };
        mounts::attach(tree.as_fd(), make::below(target, kind)?.as_fd())
    }

    fn proc(&mut self) -> io::Result<()> {
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        self.empty = Some(files::open(libc::AT_FDCWD, c"/proc", flags, 0)?);
        let quiet = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        mounts::mount(c"proc", c"/proc", Some(c"proc"), quiet, None)
    }

    /// A file is hidden by /dev/null, a directory by an empty one. Most are files, so that is tried
    /// first. What is not there needs none; but if it is /dev/null that is not there, that must not go
    /// unseen.
    fn mask(&mut self, path: &CStr) -> io::Result<()> {
        let hidden = mounts::mount(c"/dev/null", path, None, libc::MS_BIND, None);
        let error = match hidden {
            Ok(()) => return Ok(()),
            Err(error) if !is_absent(&error) => return Err(error),
            Err(error) => error,
        };
        if !self.null {
            files::open(libc::AT_FDCWD, c"/dev/null", libc::O_PATH, 0)?;
            self.null = true;
        }
        // A directory is told by ENOTDIR, but so is a file on the way to what is not there.
        if errno(&error) == libc::ENOENT {
            return Ok(());
        }
        let found = match files::open(libc::AT_FDCWD, path, libc::O_PATH, 0) {
            Err(error) if is_absent(&error) => return Ok(()),
            result => result?,
        };
        if !files::is_directory(found.as_fd())? {
            return Err(error);
        }
        let empty = self.empty.as_ref().ok_or(io::Error::from_raw_os_error(libc::EBADF))?;
        let mut buffer = [0; FD_PATH_BYTES];
        mounts::mount(fd_path(empty.as_raw_fd(), &mut buffer)?, path, None, libc::MS_BIND, None)
    }
}

/// What the writable places look like.
pub(crate) fn look(places: &[CString]) -> io::Result<u64> {
    let mut hash = DefaultHasher::new();
    for place in places {
        look::add_file(&mut hash, place)?;
    }
    for whole in [c".", c"dev/shm"] {
        look::add_use(&mut hash, whole)?;
    }
    // 0 stands for: not looked at.
    Ok(hash.finish().max(1))
}

/// Room for `/proc/self/fd/` and a number.
const FD_PATH_BYTES: usize = 32;

/// The name of an open descriptor. Written from its end, and not by `write!`, whose code and tables
/// are half a dozen pages that a child would touch for nothing else.
fn fd_path(fd: RawFd, buffer: &mut [u8; FD_PATH_BYTES]) -> io::Result<&CStr> {
    const DIRECTORY: &[u8] = b"/proc/self/fd/";
    let mut rest = fd.unsigned_abs();
    let mut length = 1;
    let mut places = buffer.iter_mut().rev().skip(1);
    for place in &mut places {
        *place = b'0' + (rest % 10) as u8;
        length += 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    for (place, letter) in places.zip(DIRECTORY.iter().rev()) {
        *place = *letter;
        length += 1;
    }
    let path = buffer.get(buffer.len().saturating_sub(length)..).unwrap_or_default();
    CStr::from_bytes_until_nul(path).map_err(|_| io::Error::from_raw_os_error(libc::ENAMETOOLONG))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(errno(error), libc::ENOENT | libc::ENOTDIR)
}

fn user(uid: u32, gid: u32, groups: &[u32]) -> io::Result<()> {
    privileges::set_groups(groups)?;
    privileges::set_group(gid)?;
    privileges::set_user(uid)
}

fn set_oom_score(value: &CStr) -> io::Result<()> {
    match files::write_file(c"/proc/self/oom_score_adj", value.to_bytes()) {
        Err(error) if matches!(errno(&error), libc::EACCES | libc::EPERM) => Ok(()),
        result => result,
    }
}

fn output(Output { input, out, err, keep, owner }: Output) -> io::Result<()> {
    if let Some(input) = input {
        files::duplicate(input, 0)?;
    }
    files::duplicate(out, 1)?;
    files::duplicate(err, 2)?;
    let mut first = 3;
    for kept in keep.into_iter().flatten() {
        files::close_range(first, u32::try_from(kept - 1).unwrap_or(0))?;
        first = kept + 1;
    }
    files::close_range(first, u32::MAX)?;
    if let Some((uid, gid)) = owner {
        if input.is_some() {
            files::change_owner(0, uid, gid)?;
        }
        files::change_owner(1, uid, gid)?;
        files::change_owner(2, uid, gid)?;
    }
    Ok(())
}

fn open_if_there(path: &CStr) -> io::Result<Option<OwnedFd>> {
    match files::open(libc::AT_FDCWD, path, libc::O_RDONLY, 0) {
        Err(error) if is_absent(&error) => Ok(None),
        result => result.map(Some),
    }
}

/// Write a text, the rest of a file if there is one, another text.
#[inline(never)]
fn write_parts(to: RawFd, text: &[u8], from: Option<OwnedFd>, end: &[u8]) -> io::Result<()> {
    files::write_all(to, text)?;
    if let Some(from) = from {
        let mut buffer = [0_u8; COPY_BYTES];
        loop {
            match files::read(from.as_fd(), &mut buffer)? {
                0 => break,
                count => files::write_all(to, buffer.get(..count).unwrap_or_default())?,
            }
        }
    }
    files::write_all(to, end)
}

fn node(path: &CStr, mode: u32, number: (u32, u32), owner: (u32, u32)) -> io::Result<()> {
    files::make_node(path, mode, number)?;
    files::hand_over(path, owner, mode)
}

/// Send, and print what comes back. Not inlined, like others with large buffers: that keeps the stack
/// of a child small.
#[inline(never)]
fn talk(socket: BorrowedFd, send: &[u8], until: &[u8]) -> io::Result<()> {
    if send.is_empty() {
        return Ok(());
    }
    files::write_all(socket.as_raw_fd(), send)?;
    let mut answer = [0_u8; ANSWER_BYTES_MAX];
    let mut length = 0;
    while length < ANSWER_BYTES_MAX {
        match files::read(socket, answer.get_mut(length..).unwrap_or_default())? {
            0 => break,
            count => {
                let from = length.saturating_sub(until.len());
                length += count;
                let ended = |part: &[u8]| part == until;
                let new = answer.get(from..length).unwrap_or_default();
                if !until.is_empty() && new.windows(until.len()).any(ended) {
                    break;
                }
            }
        }
    }
    files::write_all(1, answer.get(..length).unwrap_or_default())
}

fn tmpfs(target: &CStr, data: &CStr) -> io::Result<()> {
    let place = make::below(target, Kind::Directory)?;
    files::change_directory_to(place.as_fd())?;
    let flags = libc::MS_NOSUID | libc::MS_NODEV;
    mounts::mount(c"tmpfs", c".", Some(c"tmpfs"), flags, Some(data))?;
    files::change_directory(c"/")
}

fn read_only(path: &CStr, recursive: bool) -> io::Result<()> {
    let extent = if recursive { Extent::All } else { Extent::One };
    let attributes = Attributes { read_only: true, propagation: None };
    if recursive {
        match mounts::mount(path, path, None, libc::MS_BIND | libc::MS_REC, None) {
            Err(error) if is_absent(&error) => return Ok(()),
            result => result?,
        }
    }
    mounts::set_attributes(None, path, extent, attributes)
}

fn working_directory(path: &CStr, make: bool) -> io::Result<()> {
    match files::change_directory(path) {
        Err(error) if make && errno(&error) == libc::ENOENT => {
            files::change_directory_to(make::below(path, Kind::Directory)?.as_fd())
        }
        result => result,
    }
}

/// As `execvp` does: the next one if a program is absent or may not be run, but an `EACCES` on the
/// way is what is reported.
fn first_that_exists<T: AsRef<CStr>>(
    programs: &[T],
    run: impl Fn(&CStr) -> io::Error,
) -> io::Error {
    let mut refused = None;
    for program in programs {
        let error = run(program.as_ref());
        match errno(&error) {
            libc::EACCES => refused = Some(error),
            libc::ENOENT | libc::ENOTDIR => {}
            _ => return error,
        }
    }
    refused.unwrap_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_numbers_and_nothing_is_none() {
        for report in [Report { index: 0, errno: 0 }, Report { index: 70_000, errno: libc::ENOENT }]
        {
            assert_eq!(Report::unpack(report.pack()), Some(report));
        }
        assert_eq!(Report::unpack(0), None);
    }

    #[test]
    fn descriptors_have_names() {
        for fd in [0, 9, 10, 1024, RawFd::MAX] {
            let mut buffer = [0; FD_PATH_BYTES];
            let name = fd_path(fd, &mut buffer).unwrap().to_str().unwrap();
            assert_eq!(name, format!("/proc/self/fd/{fd}"));
        }
    }
}
