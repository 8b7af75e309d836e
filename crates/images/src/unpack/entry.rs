//! One entry of a layer.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

use rustix::fs::{self, AtFlags, FileType, Gid, Mode, OFlags, Timespec, Uid, XattrFlags};
use tar::EntryType;

use super::{Place, place};
use crate::{
    Error,
    error::{io_error, unwrap},
};

/// What stands before the name of a file that is to be deleted.
const WHITEOUT: &[u8] = b".wh.";
/// The name that says that nothing below shows through.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// How archives name extended attributes.
const XATTR: &str = "SCHILY.xattr.";
/// Attributes that are the kernel's or the overlay's own business, by their prefixes.
const XATTRS_NOT_TAKEN: [&str; 3] = ["trusted.", "system.", "security."];
/// The one security attribute that belongs to a file.
const CAPABILITY: &str = "security.capability";
const PERMISSIONS: u32 = 0o7777;

/// Owner, mode and time of an entry.
struct Facts {
    uid: Uid,
    gid: Gid,
    mode: Mode,
    time: Timespec,
    /// Whether there is a right to give files away.
    own: bool,
}

/// Applies an entry; says how many bytes its file has.
pub(super) fn apply<R: Read>(entry: &mut tar::Entry<R>, place: &mut Place) -> Result<u64, Error> {
    let kind = entry.header().entry_type();
    if matches!(kind, EntryType::XGlobalHeader) {
        return Ok(0);
    }
    let name = entry.path_bytes().into_owned();
    let Some(path) = place::clean(&name)? else {
        if kind.is_dir() {
            let facts = facts(entry)?;
            place.at(Path::new(""), |spot| owner_and_mode(spot.parent, OsStr::new("."), &facts))?;
            place.note(Path::new(""), Some(facts.time));
        }
        return Ok(0);
    };
    if white_out(&path, place)? {
        return Ok(0);
    }
    let facts = facts(entry)?;
    let mut bytes = 0;
    match kind {
        EntryType::Directory => {
            directory(&path, &facts, place)?;
            attributes(entry, &path, place)?;
            place.note(&path, Some(facts.time));
            return Ok(0);
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            bytes = file(entry, &path, &facts, place)?;
        }
        EntryType::Symlink => {
            let target = target(entry, &path)?;
            place.clear(&path)?;
            let target = OsStr::from_bytes(&target);
            place.at(&path, |spot| {
                fs::symlinkat(target, spot.parent, spot.name)?;
                chown(spot.parent, spot.name, &facts)?;
                place::set_times(spot.parent, spot.name, facts.time)
            })?;
        }
        EntryType::Link => hard_link(entry, &path, place)?,
        EntryType::Fifo => {
            place.clear(&path)?;
            place.at(&path, |spot| {
                fs::mknodat(spot.parent, spot.name, FileType::Fifo, Mode::RWXU, 0)?;
                owner_and_mode(spot.parent, spot.name, &facts)
            })?;
        }
        // Containers get their devices from the node, whatever images hold.
        EntryType::Char | EntryType::Block => return Ok(0),
        other => {
            let path = path.display();
            let kind = char::from(other.as_byte());
            return Err(Error::Broken(format!("layer entry \"{path}\": unknown type '{kind}'")));
        }
    }
    place.note(&path, None);
    Ok(bytes)
}

/// Whether the entry says that something is to be deleted, which is then done.
fn white_out(path: &Path, place: &mut Place) -> Result<bool, Error> {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let parent = path.parent().unwrap_or(Path::new(""));
    if name == OPAQUE {
        place.hollow(parent)?;
        return Ok(true);
    }
    let Some(deleted) = name.strip_prefix(WHITEOUT) else { return Ok(false) };
    // What else begins like that is the bookkeeping of an old union file system.
    if deleted.is_empty() || deleted.starts_with(WHITEOUT) {
        return Ok(true);
    }
    if matches!(deleted, b"." | b"..") {
        let path = path.display().to_string();
        return Err(Error::Hostile { path, why: "it would delete its directory" });
    }
    place.white_out(&parent.join(OsStr::from_bytes(deleted)))?;
    Ok(true)
}

fn facts<R: Read>(entry: &tar::Entry<R>) -> Result<Facts, Error> {
    let header = entry.header();
    let broken = |error: io::Error| unwrap(error, "layer entry");
    let id = |id: u64| u32::try_from(id).ok().filter(|id| *id != u32::MAX);
    let too_large = || Error::Broken("layer entry: an owner exceeds 32 bits".to_owned());
    let old = header.as_old();
    let number = |found: io::Result<u64>, field: &[u8]| match found {
        // A field that nobody filled is zero.
        Err(_) if field.iter().all(|b| matches!(b, 0 | b' ')) => Ok(0),
        found => found.map_err(broken),
    };
    let uid = id(number(header.uid(), &old.uid)?).ok_or_else(too_large)?;
    let gid = id(number(header.gid(), &old.gid)?).ok_or_else(too_large)?;
    let mode = number(header.mode().map(u64::from), &old.mode)?;
    let mode = u32::try_from(mode).unwrap_or(0) & PERMISSIONS;
    let seconds = i64::try_from(number(header.mtime(), &old.mtime)?).unwrap_or(0);
    Ok(Facts {
        uid: Uid::from_raw(uid),
        gid: Gid::from_raw(gid),
        mode: Mode::from_raw_mode(mode),
        time: Timespec { tv_sec: seconds, tv_nsec: 0 },
        own: rustix::process::geteuid().is_root(),
    })
}

fn chown(parent: impl AsFd, name: &OsStr, facts: &Facts) -> rustix::io::Result<()> {
    if !facts.own {
        return Ok(());
    }
    fs::chownat(parent, name, Some(facts.uid), Some(facts.gid), AtFlags::SYMLINK_NOFOLLOW)
}

/// The mode comes last: giving a file away takes its set-user-id bit.
fn owner_and_mode(parent: impl AsFd, name: &OsStr, facts: &Facts) -> rustix::io::Result<()> {
    chown(&parent, name, facts)?;
    fs::chmodat(parent, name, facts.mode, AtFlags::empty())
}

fn directory(path: &Path, facts: &Facts, place: &mut Place) -> Result<(), Error> {
    let there = place.at(path, |spot| {
        match fs::statat(spot.parent, spot.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(FileType::from_raw_mode(found.st_mode) == FileType::Directory),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(error),
        }
    })?;
    if !there {
        place.clear(path)?;
        place.at(path, |spot| fs::mkdirat(spot.parent, spot.name, Mode::RWXU))?;
    }
    place.at(path, |spot| owner_and_mode(spot.parent, spot.name, facts))
}

fn file<R: Read>(
    entry: &mut tar::Entry<R>,
    path: &Path,
    facts: &Facts,
    place: &mut Place,
) -> Result<u64, Error> {
    place.clear(path)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = place
        .at(path, |spot| fs::openat(spot.parent, spot.name, flags, Mode::RUSR | Mode::WUSR))?;
    let mut opened = File::from(opened);
    let wanted = entry.size();
    let bytes =
        io::copy(entry, &mut opened).map_err(|error| unwrap(error, &path.display().to_string()))?;
    if bytes < wanted {
        return Err(Error::Broken(format!("layer entry \"{}\" is cut off", path.display())));
    }
    let trouble = |error: rustix::io::Errno| io_error(path.display())(error.into());
    if facts.own {
        fs::fchown(&opened, Some(facts.uid), Some(facts.gid)).map_err(trouble)?;
    }
    fs::fchmod(&opened, facts.mode).map_err(trouble)?;
    drop(opened);
    attributes(entry, path, place)?;
    place.at(path, |spot| place::set_times(spot.parent, spot.name, facts.time))?;
    Ok(bytes)
}

/// Extended attributes that a file of an image may have. A file system that has none loses them.
fn attributes<R: Read>(
    entry: &mut tar::Entry<R>,
    path: &Path,
    place: &mut Place,
) -> Result<(), Error> {
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    let extensions = entry.pax_extensions().map_err(|error| unwrap(error, "layer entry"))?;
    for extension in extensions.into_iter().flatten() {
        let extension = extension.map_err(|error| unwrap(error, "layer entry"))?;
        let Some(name) = extension.key().ok().and_then(|key| key.strip_prefix(XATTR)) else {
            continue;
        };
        let kept = name == CAPABILITY || !XATTRS_NOT_TAKEN.iter().any(|p| name.starts_with(p));
        if kept {
            found.push((name.to_owned(), extension.value_bytes().to_vec()));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = place.at(path, |spot| fs::openat(spot.parent, spot.name, flags, Mode::empty()))?;
    for (name, value) in found {
        match fs::fsetxattr(&opened, name.as_str(), &value, XattrFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOTSUP | rustix::io::Errno::PERM) => {}
            Err(error) => return Err(io_error(path.display())(error.into())),
        }
    }
    Ok(())
}

fn target<R: Read>(entry: &tar::Entry<R>, path: &Path) -> Result<Vec<u8>, Error> {
    let target = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
    let target = target.filter(|target| !target.is_empty() && !target.contains(&0));
    target.ok_or_else(|| Error::Broken(format!("layer entry \"{}\" links nowhere", path.display())))
}

/// A further name for a file that is there, of this layer or of one below. Never for what a link
/// leads to, nor for a directory, which Linux refuses.
fn hard_link<R: Read>(entry: &tar::Entry<R>, path: &Path, place: &mut Place) -> Result<(), Error> {
    let hostile = |why| Error::Hostile { path: path.display().to_string(), why };
    let linked: PathBuf = place::clean(&target(entry, path)?)?
        .ok_or_else(|| hostile("a hard link to the root directory"))?;
    if linked == path {
        return Err(hostile("a hard link to itself"));
    }
    let (from, name) = place.existing(&linked)?;
    match fs::statat(&from, &name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) if FileType::from_raw_mode(found.st_mode) != FileType::Directory => {}
        Ok(_) => return Err(hostile("a hard link to a directory")),
        Err(_) => return Err(hostile("what it links to is not in the image")),
    }
    place.clear(path)?;
    place.at(path, |spot| fs::linkat(&from, &name, spot.parent, spot.name, AtFlags::empty()))
}
