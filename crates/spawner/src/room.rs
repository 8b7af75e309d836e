//! The mounts of containers, used again when clean.
//!
//! To put a container's root together (overlay, tmpfs, /sys, /dev/pts, what is hidden) and to take it
//! apart again costs about as much as the program of a small task. So a container that changed
//! nothing leaves its mount namespace, its *room*, to the next one like it. What makes that safe:
//!
//! - Nobody in it could change mounts or namespaces ([`cannot_change`]), it had a network of its own
//!   that nobody else was in, and no volumes: every process that could hold anything of it open is
//!   gone, with its PID namespace.
//! - What it could write to looks as it did right before its program began: directories and files of
//!   the private layer, /dev/shm, /dev/pts, the file for its last words, blocks and inodes in use
//!   ([`look`](crate::sys::look)). Anything written to `/` changes at least a directory there. The
//!   child itself looked, and left the number in memory that it shares with the spawner.
//! - The next one is of the same kind: same layer, sizes, hidden and read-only paths. Files with other
//!   contents, such as /etc/hostname, are written anew; /proc is mounted anew.
//! - The overlay forgets the names it was asked for, so that programs installed meanwhile are found.
//!
//! Rooms are of the machine's own trees only, and of those only without mounts inside: an idle room
//! must not keep a file system from being unmounted that could otherwise be.

use crate::base::Base;
use crate::child::look;
use crate::namespaces::{FILES_PER_NAMESPACE, Kind, Namespace, cannot_change};
use crate::plan::{self, Manners, Surroundings};
use crate::protocol::{Container, ContainerFile, Start};
use crate::step::Step;
use crate::sys::shared::{Page, Word};
use crate::sys::{c_path, files, mounts, process};
use crate::termination::TerminationFile;
use std::collections::{BTreeSet, VecDeque};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::rc::Rc;

/// Rooms that are kept for containers to come. One costs the kernel about 150 KiB and the spawner
/// [`FILES_PER_ROOM`] descriptors; idle, it needs no time at all.
const IDLE_MAX: usize = 32;

/// Rooms may take one in so many of the spawner's descriptors.
const FILES_PART: u64 = 16;

/// Descriptors of one room: its mount namespace, a network.
const FILES_PER_ROOM: u64 = 1 + FILES_PER_NAMESPACE;

/// Rooms that are looked at for one container before a new one is made.
const LOOKS_MAX: usize = 2;

/// The only place of last words that a room can have: the layers have a file there.
const TERMINATION_PATH: &str = "/dev/termination-log";

/// A mount namespace and what belongs to it.
#[derive(Debug)]
pub(crate) struct Room {
    base: Rc<Base>,
    /// What it was made for; without what is different for each container.
    kind: Container,
    /// What its files hold.
    files: Vec<ContainerFile>,
    mounts: OwnedFd,
    /// The writable places, relative to its root.
    places: Rc<[CString]>,
    /// What they looked like before the last program began.
    word: Rc<Word>,
    /// What the last container in it did, and its manners.
    furnished: Option<(Manners, Rc<[Step]>)>,
    /// While idle: the network that its /sys shows.
    network: Option<Namespace>,
    /// While idle: the file that is mounted for last words.
    termination: Option<TerminationFile>,
}

/// A room to be: everything but the mounts, which the child makes.
#[derive(Debug)]
pub(crate) struct Blueprint {
    base: Rc<Base>,
    kind: Container,
    files: Vec<ContainerFile>,
    places: Rc<[CString]>,
    word: Rc<Word>,
}

/// The idle rooms.
#[derive(Debug)]
pub(crate) struct Rooms {
    /// The spawner's own mounts.
    home: OwnedFd,
    page: Rc<Page>,
    idle: VecDeque<Room>,
    idle_max: usize,
}

/// Whether a container can leave its room to others.
fn can_leave(base: &Base, container: &Container) -> bool {
    let plain = base.is_of_host() && base.apart.is_empty() && base.submounts.is_empty();
    let words = container.termination_path.as_deref().is_none_or(|path| path == TERMINATION_PATH);
    plain
        && words
        && container.mounts.is_empty()
        && !container.keep_namespaces
        && !container.host_network
        && cannot_change(container)
}

/// Everything of the private layers that is there before the program, and what else can be written.
/// Directories come after what is in them: looking up a name for the first time makes overlay note in
/// the directory where its lower part is, which changes it.
fn places(container: &Container) -> io::Result<Rc<[CString]>> {
    let mut paths = BTreeSet::from([Path::new("dev/shm"), Path::new("dev/pts")]);
    paths.insert(Path::new("dev/pts/ptmx"));
    if container.termination_path.is_some() {
        paths.insert(Path::new("dev/termination-log"));
    }
    for file in &container.files {
        let below = Path::new(file.target.trim_start_matches('/'));
        paths.extend(below.ancestors().filter(|path| *path != Path::new("")));
    }
    let here = std::iter::once(Ok(c".".to_owned()));
    paths.into_iter().rev().map(c_path).chain(here).collect()
}

/// A container without what is different for each.
fn kind_of(container: &Container) -> Container {
    let different = Container { hostname: String::new(), seccomp: Vec::new(), ..container.clone() };
    let files = container.files.iter().map(|file| ContainerFile {
        target: file.target.clone(),
        mode: file.mode,
        ..ContainerFile::default()
    });
    Container { files: files.collect(), capabilities: 0, no_new_privileges: true, ..different }
}

impl Blueprint {
    /// The step in which a child leaves behind what the room is like.
    pub(crate) fn look(&self) -> Step {
        Step::Look { places: Rc::clone(&self.places), word: Rc::clone(&self.word) }
    }

    /// The room, once a child is in a mount namespace of its own.
    pub(crate) fn of_child(self, pid: i32) -> io::Result<Room> {
        let mounts = OwnedFd::from(File::open(format!("/proc/{pid}/ns/mnt"))?);
        let Blueprint { base, kind, files, places, word } = self;
        Ok(Room {
            base,
            kind,
            files,
            mounts,
            places,
            word,
            furnished: None,
            network: None,
            termination: None,
        })
    }
}

impl Room {
    /// Whether it fits a container.
    fn fits(&self, base: &Rc<Base>, container: &Container) -> bool {
        let kind = &self.kind;
        let same_file = |(ours, file): (&ContainerFile, &ContainerFile)| {
            (&ours.target, ours.mode) == (&file.target, file.mode)
        };
        Rc::ptr_eq(&self.base, base)
            && kind.read_only_root == container.read_only_root
            && kind.writable_bytes == container.writable_bytes
            && kind.addresses == container.addresses
            && kind.termination_path == container.termination_path
            && kind.masked_paths == container.masked_paths
            && kind.read_only_paths == container.read_only_paths
            && kind.files.len() == container.files.len()
            && kind.files.iter().zip(&container.files).all(same_file)
    }

    /// Its mount namespace, to be entered.
    pub(crate) fn mounts(&self) -> RawFd {
        self.mounts.as_raw_fd()
    }

    /// What the next container does in it up to its program.
    pub(crate) fn furnish(
        &mut self,
        start: &Start,
        container: &Container,
        around: &Surroundings,
    ) -> io::Result<Rc<[Step]>> {
        self.word.set(0);
        if let Some((manners, steps)) = &self.furnished
            && manners.are(start, container)
        {
            return Ok(Rc::clone(steps));
        }
        let look = Step::Look { places: Rc::clone(&self.places), word: Rc::clone(&self.word) };
        let steps = plan::furnish(start, container, around, look)?;
        self.furnished = Some((Manners::of(start, container), Rc::clone(&steps)));
        Ok(steps)
    }

    /// Take out what the next container gets besides the mounts.
    pub(crate) fn take_rest(&mut self) -> (Option<Namespace>, Option<TerminationFile>) {
        (self.network.take(), self.termination.take())
    }

    /// The files that have to hold something else now.
    pub(crate) fn rewrite<'f>(&mut self, files: &'f [ContainerFile]) -> Vec<&'f ContainerFile> {
        let mut rewritten = Vec::with_capacity(files.len());
        for (old, file) in self.files.iter_mut().zip(files) {
            if *old != *file {
                old.clone_from(file);
                rewritten.push(file);
            } else if file.then.is_some() {
                rewritten.push(file);
            }
        }
        rewritten
    }
}

impl Rooms {
    /// None so far. The spawner must be in its own mount namespace; `files_max` is how many
    /// descriptors it may have.
    pub(crate) fn new(files_max: u64) -> io::Result<Rooms> {
        let home = OwnedFd::from(File::open("/proc/self/ns/mnt")?);
        let part = usize::try_from(files_max / (FILES_PER_ROOM * FILES_PART)).unwrap_or(IDLE_MAX);
        Ok(Rooms { home, page: Page::map()?, idle: VecDeque::new(), idle_max: IDLE_MAX.min(part) })
    }

    /// Descriptors in use here.
    pub(crate) fn files(&self) -> u64 {
        FILES_PER_ROOM * self.idle.len() as u64
    }

    /// What a container has to do so that its room can go to others; none if it cannot.
    pub(crate) fn blueprint(
        &self,
        base: &Rc<Base>,
        container: &Container,
    ) -> io::Result<Option<Blueprint>> {
        if !can_leave(base, container) {
            return Ok(None);
        }
        let Some(word) = self.page.word() else { return Ok(None) };
        Ok(Some(Blueprint {
            base: Rc::clone(base),
            kind: kind_of(container),
            files: container.files.clone(),
            places: places(container)?,
            word: Rc::new(word),
        }))
    }

    /// A clean room that fits: the one that has rested longest.
    pub(crate) fn take(&mut self, base: &Rc<Base>, container: &Container) -> Option<Room> {
        if !can_leave(base, container) {
            return None;
        }
        for _ in 0..LOOKS_MAX {
            let at = self.idle.iter().position(|room| room.fits(base, container))?;
            let mut room = self.idle.remove(at)?;
            // Some sockets are freed a moment after the process that had them.
            let Some(network) = &mut room.network else { continue };
            if network.is_clean() {
                return Some(room);
            }
            if !network.doubt() {
                self.idle.push_back(room);
            }
        }
        None
    }

    /// Take back the room of a container that is over. It keeps the network and the file; whatever it
    /// does not need is left to the caller.
    pub(crate) fn give(
        &mut self,
        mut room: Room,
        namespaces: &mut Vec<Namespace>,
        termination: Option<TerminationFile>,
    ) {
        match self.tidy(&room) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return complain!("a room cannot be used again: {error}"),
        }
        let network = namespaces.iter().position(|namespace| namespace.kind() == Kind::Network);
        room.network = network.map(|at| namespaces.remove(at));
        room.termination = termination;
        self.idle.push_back(room);
        if self.idle.len() > self.idle_max {
            self.idle.pop_front();
        }
    }

    /// Let go of all: what they were made from is no longer what it was.
    pub(crate) fn clear(&mut self) {
        self.idle.clear();
    }

    /// Whether nothing was changed in a room; if so, makes it ready for the next container.
    fn tidy(&self, room: &Room) -> io::Result<bool> {
        process::enter_namespace(room.mounts.as_raw_fd(), libc::CLONE_NEWNS)?;
        // The working directory is the room's root now.
        let tidied = look(&room.places).and_then(|seen| {
            if seen != room.word.get() {
                return Ok(false);
            }
            mounts::detach(c"/proc")?;
            mounts::forget_names(c"/")?;
            Ok(true)
        });
        let back = process::enter_namespace(self.home.as_raw_fd(), libc::CLONE_NEWNS);
        back.and_then(|()| files::change_directory(c"/"))
            .expect("a process that came from a namespace it holds can go back to it");
        tidied
    }
}
