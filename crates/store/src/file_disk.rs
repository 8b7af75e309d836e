//! Segments as files in a directory.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, fallocate};

use crate::Disk;

/// Segments as files `NNNNNNNN.log` in one directory, which only one process may use at a time.
#[derive(Debug)]
pub struct FileDisk {
    directory: PathBuf,
    /// The segment written last, kept open.
    current: Option<(u64, File)>,
}

impl FileDisk {
    /// Uses a directory, and makes it if it does not exist.
    ///
    /// # Errors
    /// Those of making a directory.
    pub fn new(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = directory.into();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        Ok(Self { directory, current: None })
    }

    fn path(&self, segment: u64) -> PathBuf {
        self.directory.join(format!("{segment:08}.log"))
    }

    fn current(&mut self, segment: u64) -> io::Result<&File> {
        let file = match self.current.take() {
            Some((number, file)) if number == segment => file,
            _ => OpenOptions::new().read(true).write(true).open(self.path(segment))?,
        };
        Ok(&self.current.insert((segment, file)).1)
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }
}

/// Gives a new file its room, so that no later write can fail for lack of it.
fn preallocate(file: &mut File, bytes: u64) -> io::Result<()> {
    match fallocate(&*file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            io::copy(&mut io::Read::take(io::repeat(0), bytes), file)?;
            file.flush()
        }
        Err(error) => Err(error.into()),
    }
}

fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".log")?;
    name.bytes().all(|b| b.is_ascii_digit()).then(|| name.parse().ok())?
}

impl Disk for FileDisk {
    fn segments(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            numbers.extend(number(&entry?.path()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn read(&self, segment: u64, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        File::open(self.path(segment))?.read_at(into, offset)
    }

    /// The file gets its name when it has its size: a file that is too short was truncated.
    fn create(&mut self, segment: u64, bytes: u64) -> io::Result<()> {
        let unnamed = self.path(segment).with_extension("new");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&unnamed)?;
        let made = preallocate(&mut file, bytes).and_then(|()| file.sync_all());
        if let Err(error) = made {
            // Best effort: the error that matters is the first one.
            let _ = fs::remove_file(&unnamed);
            return Err(error);
        }
        fs::rename(&unnamed, self.path(segment))?;
        self.sync_directory()?;
        self.current = Some((segment, file));
        Ok(())
    }

    fn write(&mut self, segment: u64, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.current(segment)?.write_all_at(bytes, offset)
    }

    fn sync(&mut self, segment: u64) -> io::Result<()> {
        self.current(segment)?.sync_data()
    }

    fn remove(&mut self, segment: u64) -> io::Result<()> {
        fs::remove_file(self.path(segment))?;
        self.sync_directory()
    }
}
