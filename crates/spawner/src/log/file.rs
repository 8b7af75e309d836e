//! One container's log file: made at the first byte, turned over by size, never a reason to stop.

use crate::protocol::Log;
use crate::sys::{errno, errno_text};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Who may read log files: owner and group.
const FILE_MODE: u32 = 0o640;

/// Where one container's records go.
#[derive(Debug)]
pub(crate) struct LogFile {
    log: Log,
    open: Option<Open>,
    lost: Option<Lost>,
    written: u64,
}

#[derive(Debug)]
struct Open {
    file: File,
    size: u64,
}

/// Records that could not be written, not yet said in the file.
#[derive(Debug)]
struct Lost {
    bytes: usize,
    errno: i32,
}

impl LogFile {
    pub(crate) fn new(log: Log) -> LogFile {
        LogFile { log, open: None, lost: None, written: 0 }
    }

    /// Append whole records. If that fails they are lost, and once writing works again a record in
    /// the file says how many bytes and why.
    pub(crate) fn append(&mut self, records: &[u8], stamp: &str) {
        if records.is_empty() {
            return;
        }
        let told = self.lost.as_ref().map(|lost| lost.record(stamp));
        let result = match &told {
            None => self.write(records),
            Some(notice) => self.write(&[notice.as_bytes(), records].concat()),
        };
        match result {
            Ok(()) => self.lost = None,
            Err(error) => {
                let before = self.lost.as_ref().map_or(0, |lost| lost.bytes);
                if before == 0 {
                    complain!("{}: output is lost: {error}", self.path().display());
                }
                self.lost = Some(Lost { bytes: before + records.len(), errno: errno(&error) });
            }
        }
    }

    /// The container is over. What was lost is said even if nothing came after it.
    pub(crate) fn close(&mut self, stamp: &str) {
        if let Some(lost) = self.lost.take() {
            let _ = self.write(lost.record(stamp).as_bytes());
        }
        self.open = None;
    }

    /// About how much the files take, bytes: the oldest go when there are too many.
    pub(crate) fn bytes(&self) -> u64 {
        self.written.min(self.log.file_bytes_max.saturating_mul(self.log.files_max.into()))
    }

    fn write(&mut self, records: &[u8]) -> io::Result<()> {
        let len = records.len() as u64;
        let full = |open: &Open| open.size > 0 && open.size + len > self.log.file_bytes_max;
        if self.open.as_ref().is_some_and(full) {
            self.open = None;
            rotate(&self.path(), self.log.files_max)?;
        }
        let path = self.path();
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(Open::new(&path)?),
        };
        if let Err(error) = open.file.write_all(records) {
            // Half a record would be read as a whole one: the file ends where it did before.
            let _ = open.file.set_len(open.size);
            return Err(error);
        }
        open.size += len;
        self.written += len;
        Ok(())
    }

    fn path(&self) -> PathBuf {
        Path::new(&self.log.directory).join(&self.log.name)
    }
}

impl Lost {
    fn record(&self, stamp: &str) -> String {
        let Lost { bytes, errno } = self;
        let why = errno_text(*errno);
        format!("{stamp} stderr F coracle: {bytes} bytes of output were lost here: {why}\n")
    }
}

impl Open {
    fn new(path: &Path) -> io::Result<Open> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(FILE_MODE);
        let file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parent = path.parent().unwrap_or(Path::new("/"));
                fs::DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
                options.open(path)?
            }
            result => result?,
        };
        let size = file.metadata()?.len();
        Ok(Open { file, size })
    }
}

/// Make room for a new file: `x.log.1` is the newest of the older ones, the oldest goes.
fn rotate(path: &Path, files_max: u32) -> io::Result<()> {
    let numbered = |n: u32| match n {
        0 => path.to_owned(),
        n => {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{n}"));
            PathBuf::from(name)
        }
    };
    let Some(oldest) = files_max.checked_sub(2) else {
        return fs::remove_file(path);
    };
    for n in (0..=oldest).rev() {
        match fs::rename(numbered(n), numbered(n + 1)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(directory: &Path, file_bytes_max: u64, files_max: u32) -> Log {
        let directory = directory.join("pod/c").to_str().unwrap().to_owned();
        Log { directory, name: "0.log".to_owned(), file_bytes_max, files_max }
    }

    fn files(directory: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(directory.join("pod/c"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn files_are_turned_over_by_size_and_the_oldest_goes() {
        let place = tempfile::tempdir().unwrap();
        let mut file = LogFile::new(log(place.path(), 8, 3));
        assert!(!place.path().join("pod").exists(), "made only at the first byte");
        assert_eq!(file.bytes(), 0);
        for records in ["one1\n", "one2\n", "two two two\n", "3\n", "44\n", "555\n"] {
            file.append(records.as_bytes(), "T");
        }
        let expected = [("0.log", "555\n"), ("0.log.1", "3\n44\n"), ("0.log.2", "two two two\n")];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(files(place.path()), expected);
        assert_eq!(file.bytes(), 24, "what all files may take: the first are gone");
    }

    #[test]
    fn one_file_is_begun_anew() {
        let place = tempfile::tempdir().unwrap();
        let mut file = LogFile::new(log(place.path(), 8, 1));
        for records in ["1111\n", "2222\n"] {
            file.append(records.as_bytes(), "T");
        }
        assert_eq!(files(place.path()), [("0.log".to_owned(), "2222\n".to_owned())]);
    }

    #[test]
    fn lost_output_is_told_when_writing_works_again() {
        let place = tempfile::tempdir().unwrap();
        let mut file = LogFile::new(log(place.path(), 1000, 2));
        fs::write(place.path().join("pod"), "in the way").unwrap();
        file.append(b"12345\n", "T");
        file.append(b"678\n", "T");
        fs::remove_file(place.path().join("pod")).unwrap();
        file.append(b"T stdout F ok\n", "T");
        let text = &files(place.path())[0].1;
        let expected = "T stderr F coracle: 10 bytes of output were lost here: not a directory\n\
                        T stdout F ok\n";
        assert_eq!(text, expected);
    }
}
