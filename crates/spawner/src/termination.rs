//! The files that containers leave their last words in: one per attempt, on a tmpfs that holds
//! nothing else, so that a container which fills it takes words and nothing more.

use crate::sys::{c_path, c_string, mounts};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Size of that tmpfs, bytes: a page for each of 4096 containers that end at the same time.
const OPTIONS: &str = "mode=0700,size=16777216";

/// The most that is read of one file, bytes: its end.
const MESSAGE_BYTES_MAX: u64 = 4096;

/// Where the files lie.
#[derive(Debug)]
pub(crate) struct Terminations {
    directory: PathBuf,
    made: u64,
}

impl Terminations {
    /// Mount the tmpfs on a new directory.
    pub(crate) fn mount(directory: PathBuf) -> io::Result<Terminations> {
        fs::create_dir(&directory)?;
        let (target, data) = (c_path(&directory)?, c_string(OPTIONS)?);
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        mounts::mount(c"termination", &target, Some(c"tmpfs"), flags, Some(&data))?;
        Ok(Terminations { directory, made: 0 })
    }

    /// An empty file that whoever the container runs as may write to.
    pub(crate) fn make(&mut self) -> io::Result<TerminationFile> {
        self.made += 1;
        let path = self.directory.join(self.made.to_string());
        let file = File::create_new(&path)?;
        let made = TerminationFile(path);
        file.set_permissions(Permissions::from_mode(0o666))?;
        Ok(made)
    }
}

/// One attempt's file, removed when dropped.
#[derive(Debug)]
pub(crate) struct TerminationFile(PathBuf);

impl TerminationFile {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Its end as text; nothing if it cannot be read, because an end must not wait for words.
    pub(crate) fn message(&self) -> String {
        self.end().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    fn end(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let length = fs::metadata(&self.0)?.len();
        if length > 0 {
            let mut file = File::open(&self.0)?;
            file.seek(SeekFrom::Start(length.saturating_sub(MESSAGE_BYTES_MAX)))?;
            file.take(MESSAGE_BYTES_MAX).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }
}

impl Drop for TerminationFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
