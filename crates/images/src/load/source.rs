//! Files by name, in a directory or in an archive.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Seek},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

use crate::{
    Error,
    error::{io_error, unwrap},
    limits::{ARCHIVE_ENTRIES_MAX, DOCUMENT_BYTES_MAX, LAYER_PACKED_BYTES_MAX, PATH_BYTES_MAX},
    store::Packed,
};

/// How many links of an archive are followed to a file.
const LINKS_MAX: usize = 8;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Where the files of images are.
pub(super) enum Source {
    Directory(PathBuf),
    Archive { file: File, entries: BTreeMap<String, Entry> },
}

/// A file of an archive.
pub(super) enum Entry {
    File { offset: u64, bytes: u64 },
    Link(String),
}

impl Source {
    /// Opens a directory or an archive, which is unpacked to `scratch` if it is compressed.
    pub(super) fn open(path: &Path, scratch: &Path) -> Result<Self, Error> {
        let trouble = || io_error(path.display());
        if fs::metadata(path).map_err(trouble())?.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let mut file = File::open(path).map_err(trouble())?;
        let mut start = Vec::new();
        file.by_ref().take(2).read_to_end(&mut start).map_err(trouble())?;
        file.rewind().map_err(trouble())?;
        if start == GZIP {
            let plain = scratch.join("archive");
            let mut to = File::options()
                .create_new(true)
                .read(true)
                .write(true)
                .open(&plain)
                .map_err(io_error(plain.display()))?;
            let mut from = flate2::read::MultiGzDecoder::new(file).take(LAYER_PACKED_BYTES_MAX);
            io::copy(&mut from, &mut to).map_err(trouble())?;
            to.rewind().map_err(trouble())?;
            file = to;
        }
        let entries = entries(&file).map_err(|error| unwrap(error, &path.display().to_string()))?;
        Ok(Self::Archive { file, entries })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Directory(directory) => directory.join(name).is_file(),
            Self::Archive { entries, .. } => entries.contains_key(name),
        }
    }

    /// A manifest, an index or a configuration.
    pub(super) fn document(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        let packed = self.file(name)?;
        if packed.bytes > DOCUMENT_BYTES_MAX {
            return Err(Error::Limit { what: "a document of an image", limit: DOCUMENT_BYTES_MAX });
        }
        let mut bytes = Vec::new();
        packed.reader.take(DOCUMENT_BYTES_MAX).read_to_end(&mut bytes).map_err(io_error(name))?;
        Ok(bytes)
    }

    /// Opens a file.
    pub(super) fn file(&self, name: &str) -> Result<Packed, Error> {
        match self {
            Self::Directory(directory) => in_directory(directory, name),
            Self::Archive { file, entries } => {
                let mut name = name.to_owned();
                for _ in 0..LINKS_MAX {
                    match entries.get(&name) {
                        Some(Entry::File { offset, bytes }) => {
                            let reader = Part {
                                file: file.try_clone().map_err(io_error(&name))?,
                                at: *offset,
                                end: offset + bytes,
                            };
                            return Ok(Packed { reader: Box::new(reader), bytes: *bytes });
                        }
                        Some(Entry::Link(to)) => name.clone_from(to),
                        None => break,
                    }
                }
                Err(Error::Broken(format!("{name} is not in the archive")))
            }
        }
    }
}

fn in_directory(directory: &Path, name: &str) -> Result<Packed, Error> {
    let trouble = |error: rustix::io::Errno| io_error(name)(error.into());
    let root = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, directory, root, Mode::empty()).map_err(trouble)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(&root, name, flags, Mode::empty(), resolve).map_err(trouble)?);
    let meta = file.metadata().map_err(io_error(name))?;
    if !meta.is_file() {
        return Err(Error::Broken(format!("{name} is no file")));
    }
    Ok(Packed { reader: Box::new(file), bytes: meta.len() })
}

fn entries(file: &File) -> io::Result<BTreeMap<String, Entry>> {
    let mut found = BTreeMap::new();
    let mut archive = tar::Archive::new(file);
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        if found.len() >= ARCHIVE_ENTRIES_MAX {
            let limit = ARCHIVE_ENTRIES_MAX as u64;
            return Err(Error::Limit { what: "the entries of the archive", limit }.into());
        }
        let name = plain(&entry.path_bytes());
        if name.len() > PATH_BYTES_MAX {
            return Err(Error::Limit {
                what: "a path in the archive",
                limit: PATH_BYTES_MAX as u64,
            }
            .into());
        }
        let kind = entry.header().entry_type();
        if kind.is_file() {
            let offset = entry.raw_file_position();
            found.insert(name, Entry::File { offset, bytes: entry.size() });
        } else if kind.is_symlink() || kind.is_hard_link() {
            let to = plain(&entry.link_name_bytes().unwrap_or_default());
            // Symbolic links start from where they are.
            let to = match name.rsplit_once('/').filter(|_| kind.is_symlink()) {
                Some((directory, _)) => joined(directory, &to),
                None => to,
            };
            found.insert(name, Entry::Link(to));
        }
    }
    Ok(found)
}

fn plain(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.trim_start_matches("./").trim_matches('/').to_owned()
}

fn joined(directory: &str, to: &str) -> String {
    let mut parts: Vec<&str> = directory.split('/').collect();
    for part in to.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A part of a file; several may be open at once.
struct Part {
    file: File,
    at: u64,
    end: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let count = std::os::unix::fs::FileExt::read_at(&self.file, &mut buffer[..most], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
