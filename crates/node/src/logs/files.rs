//! The files of one log in the order in which they were written, also while they are rotated: the
//! current file `x.log` becomes `x.log.1`, that one `x.log.2`, and so on. Files are known by inode.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Bytes asked for in one read.
const BLOCK_BYTES: usize = 64 * 1024;
/// More rotated files than this are not looked for.
const FILES_MAX: u32 = 1000;

/// The files of a log, from the place that is read next.
#[derive(Debug)]
pub(super) struct Files {
    path: PathBuf,
    /// Not read to their ends, the oldest first. The first one is being read.
    pub(super) open: VecDeque<LogFile>,
    /// The inode of the newest file that was opened.
    newest: Option<u64>,
    /// Whether the first file has given nothing yet.
    fresh: bool,
}

#[derive(Debug)]
pub(super) struct LogFile {
    pub(super) file: File,
    inode: u64,
}

/// Bytes of one file.
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// Whether they are the first of their file.
    pub(super) new_file: bool,
}

impl Files {
    /// All files of the log at `path`; none if nothing was written yet.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut files =
            Self { path: path.to_owned(), open: VecDeque::new(), newest: None, fresh: true };
        files.open_newer()?;
        Ok(files)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the files that are newer than those that were opened. From the newest to the oldest: a
    /// rotation in between shows a file twice, and never hides one.
    fn open_newer(&mut self) -> io::Result<()> {
        let mut newer: VecDeque<LogFile> = VecDeque::new();
        for number in 0..FILES_MAX {
            let mut name = self.path.clone().into_os_string();
            if number > 0 {
                name.push(format!(".{number}"));
            }
            let file = match File::open(&name) {
                // Between two steps of a rotation the current file is not there.
                Err(error) if absent(&error) && number == 0 => continue,
                Err(error) if absent(&error) => break,
                file => file?,
            };
            let inode = file.metadata()?.ino();
            if Some(inode) == self.newest {
                break;
            }
            if newer.front().is_none_or(|file| file.inode != inode) {
                newer.push_front(LogFile { file, inode });
            }
        }
        self.newest = newer.back().map(|file| file.inode).or(self.newest);
        self.open.extend(newer);
        Ok(())
    }

    /// The next bytes; `None` when all is read for now.
    pub(super) fn read(&mut self) -> io::Result<Option<Block>> {
        let mut looked = false;
        loop {
            if let Some(first) = self.open.front_mut() {
                let mut bytes = vec![0; BLOCK_BYTES];
                let count = first.file.read(&mut bytes)?;
                if count > 0 {
                    bytes.truncate(count);
                    return Ok(Some(Block { bytes, new_file: std::mem::take(&mut self.fresh) }));
                }
            }
            if self.open.len() > 1 {
                // It got nothing more once the next one was there, and this read came later.
                self.open.pop_front();
                self.fresh = true;
                continue;
            }
            let before = self.open.len();
            if !looked {
                self.open_newer()?;
            }
            if std::mem::replace(&mut looked, true) || self.open.len() == before {
                return Ok(None);
            }
        }
    }
}

fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
