//! The root directory that layers are applied to: every name is looked up by the kernel as if the
//! root were `/`, so that neither `..` nor a link of an earlier entry leads out of it.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{self, AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Timespec, Timestamps},
    io::Errno,
};

use crate::{Error, error::io_error};

/// The mode of directories that no layer describes.
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o755);

/// A root directory while one layer is applied to it.
pub(crate) struct Place {
    root: OwnedFd,
    /// What this layer made, with the times of directories, which later entries would change: what
    /// it deletes is only what earlier layers made.
    made: BTreeMap<PathBuf, Option<Timespec>>,
    /// The directory that was looked up last, which most entries are in.
    last: Option<(PathBuf, OwnedFd)>,
}

/// Where an entry goes: an open directory and a name in it.
pub(super) struct Spot<'p> {
    pub(super) parent: &'p OwnedFd,
    pub(super) name: &'p OsStr,
}

impl Place {
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root = fs::openat(CWD, root, flags, Mode::empty())
            .map_err(|error| io_error(root.display())(error.into()))?;
        Ok(Self { root, made: BTreeMap::new(), last: None })
    }

    /// Lets `act` work on a path whose parents are there after this.
    pub(super) fn at<T>(
        &mut self,
        path: &Path,
        act: impl FnOnce(&Spot) -> rustix::io::Result<T>,
    ) -> Result<T, Error> {
        let name = path.file_name().unwrap_or(OsStr::new("."));
        let parent = path.parent().unwrap_or(Path::new(""));
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            let opened = self.directory(parent)?;
            self.last = Some((parent.to_owned(), opened));
        }
        let (_, parent) = self.last.as_ref().expect("it was just set");
        act(&Spot { parent, name }).map_err(|error| io_error(path.display())(error.into()))
    }

    /// A directory, made with its parents where it is missing.
    fn directory(&mut self, path: &Path) -> Result<OwnedFd, Error> {
        match self.look(path) {
            Ok(found) => return Ok(found),
            Err(Errno::NOENT) => {}
            Err(error) => return Err(refused(path, error)),
        }
        let parent = self.directory(path.parent().unwrap_or(Path::new("")))?;
        let name = path.file_name().unwrap_or(OsStr::new("."));
        match fs::mkdirat(&parent, name, DIRECTORY_MODE) {
            Ok(()) => fs::chmodat(&parent, name, DIRECTORY_MODE, AtFlags::empty())
                .map_err(|error| refused(path, error))?,
            Err(error) => return Err(refused(path, error)),
        }
        self.made.insert(path.to_owned(), None);
        self.look(path).map_err(|error| refused(path, error))
    }

    /// Looks up a directory; links lead where they would in the container.
    fn look(&self, path: &Path) -> rustix::io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        fs::openat2(&self.root, path, flags, Mode::empty(), resolve)
    }

    /// The directory of a path that must be there already, and the name in it.
    pub(super) fn existing(&self, path: &Path) -> Result<(OwnedFd, OsString), Error> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let opened = self.look(parent).map_err(|error| refused(path, error))?;
        Ok((opened, path.file_name().unwrap_or(OsStr::new(".")).to_owned()))
    }

    /// Notes that this layer made what is at a path, and all that leads there.
    pub(super) fn note(&mut self, path: &Path, time: Option<Timespec>) {
        self.made.insert(path.to_owned(), time);
        for way in path.ancestors().skip(1) {
            if self.made.contains_key(way) {
                break;
            }
            self.made.insert(way.to_owned(), None);
        }
    }

    /// Makes room for an entry: whatever is there goes, a directory only if another comes for it.
    pub(super) fn clear(&mut self, path: &Path) -> Result<(), Error> {
        self.last.take_if(|(last, _)| last.starts_with(path));
        self.at(path, |spot| remove(spot.parent, spot.name))
    }

    /// A whiteout: removes what earlier layers have there.
    pub(super) fn white_out(&mut self, path: &Path) -> Result<(), Error> {
        if !self.made.contains_key(path) {
            return self.clear(path);
        }
        self.hollow(path)
    }

    /// An opaque directory: removes what earlier layers have in it.
    pub(super) fn hollow(&mut self, path: &Path) -> Result<(), Error> {
        let Ok(directory) = self.look(path) else { return Ok(()) };
        let trouble = |error: Errno| refused(path, error);
        let entries = Dir::read_from(&readable(&directory).map_err(trouble)?).map_err(trouble)?;
        self.last = None;
        for entry in entries {
            let entry = entry.map_err(trouble)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let below = path.join(name);
            if !self.made.contains_key(&below) {
                remove(&directory, name).map_err(trouble)?;
            } else if entry.file_type() == FileType::Directory {
                self.hollow(&below)?;
            }
        }
        Ok(())
    }

    /// The layer is complete: directories get their times.
    pub(crate) fn finish(self) -> Result<(), Error> {
        for (path, time) in &self.made {
            let Some(time) = *time else { continue };
            // One that went again, or became something else, has no time to get.
            let Ok(directory) = self.look(path) else { continue };
            set_times(&directory, OsStr::new("."), time)
                .map_err(|error| io_error(path.display())(error.into()))?;
        }
        Ok(())
    }
}

fn refused(path: &Path, error: Errno) -> Error {
    let path = path.display().to_string();
    match error {
        Errno::NOTDIR => Error::Hostile { path, why: "its parent is no directory" },
        Errno::LOOP => Error::Hostile { path, why: "its parent is a loop of links" },
        Errno::EXIST => Error::Hostile { path, why: "its parent is a link that leads nowhere" },
        Errno::NOENT => Error::Hostile { path, why: "what it links to is not in the image" },
        error => io_error(path)(error.into()),
    }
}

/// Sets both times of what is at a name, itself a link or not.
pub(super) fn set_times(parent: &OwnedFd, name: &OsStr, time: Timespec) -> rustix::io::Result<()> {
    let times = Timestamps { last_access: time, last_modification: time };
    fs::utimensat(parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)
}

fn readable(directory: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(directory, ".", flags, Mode::empty())
}

/// Removes whatever is at a name with everything below it; nothing is no error.
pub(crate) fn remove(parent: &OwnedFd, name: &OsStr) -> rustix::io::Result<()> {
    match fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = match fs::openat(parent, name, flags, Mode::empty()) {
        // Who may not read an own directory makes it readable first.
        Err(Errno::ACCESS) => {
            fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
            fs::openat(parent, name, flags, Mode::empty())?
        }
        opened => opened?,
    };
    for entry in Dir::read_from(&directory)? {
        let entry = entry?;
        let below = OsStr::from_bytes(entry.file_name().to_bytes());
        if below != "." && below != ".." {
            remove(&directory, below)?;
        }
    }
    fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
}

/// A name of a layer as a path below the root; `None` for the root itself.
pub(super) fn clean(name: &[u8]) -> Result<Option<PathBuf>, Error> {
    let hostile = |why| Error::Hostile { path: String::from_utf8_lossy(name).into_owned(), why };
    if name.contains(&0) {
        return Err(hostile("a name cannot hold a zero byte"));
    }
    let mut path = PathBuf::new();
    for part in Path::new(OsStr::from_bytes(name)).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::ParentDir => return Err(hostile("it leads out of its directory by \"..\"")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok((!path.as_os_str().is_empty()).then_some(path))
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
