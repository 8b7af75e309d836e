//! Reads what containers wrote: log files in the CRI format, rotated ones included, oldest first.
//!
//! [`LogReader::read`] gives what is there and never waits; [`LogReader::changed`] waits until there
//! may be more. To follow a container to its end:
//! ```text
//! loop {
//!     while let Some(bytes) = reader.read()? { send(bytes) }
//!     if over || reader.full() { break }
//!     select! { _ = reader.changed() => {}, _ = container_ended => over = true }
//! }
//! ```

mod files;
mod record;
mod tail;
mod watch;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use bytes::Bytes;
use jiff::Timestamp;
use kinds::Uid;

pub use self::record::Stream;
use self::{files::Files, record::Lines, watch::Watch};

/// About how many bytes [`LogReader::read`] gives at once.
const PIECE_BYTES: usize = 64 * 1024;
/// What counts as the last words of a container that left none: so many lines, so many bytes.
const LAST_WORDS_LINES: u64 = 80;
const LAST_WORDS_BYTES_MAX: usize = 2048;

/// What to read; the names are those of the query of `GET …/pods/NAME/log`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Only so many lines from the end.
    pub tail_lines: Option<u64>,
    /// Only lines written at this time or later.
    pub since: Option<Timestamp>,
    /// The time, RFC 3339 with nanoseconds, and a space before each line.
    pub timestamps: bool,
    /// At most so many bytes in all; the last line may be cut.
    pub limit_bytes: Option<u64>,
    /// Only what was written to this stream.
    pub stream: Option<Stream>,
}

/// The log of one attempt at a container, as far as it was not read yet.
#[derive(Debug)]
pub struct LogReader {
    options: LogOptions,
    files: Files,
    lines: Lines,
    watch: Option<Watch>,
    left: Option<u64>,
}

/// Where the log files of a container lie: `<attempt>.log`, and `.1`, `.2`, … for older parts.
pub fn directory(
    data_dir: &Path,
    namespace: &str,
    pod: &str,
    uid: &str,
    container: &str,
) -> PathBuf {
    of_pod(data_dir, namespace, pod, uid).join(container)
}

fn of_pod(data_dir: &Path, namespace: &str, pod: &str, uid: &str) -> PathBuf {
    data_dir.join("logs").join(format!("{namespace}_{pod}_{uid}"))
}

/// Removes the logs of a pod; a pod that left none is fine.
///
/// # Errors
/// Something cannot be removed.
pub fn remove(data_dir: &Path, namespace: &str, pod: &str, uid: &str) -> io::Result<()> {
    remove_all(&of_pod(data_dir, namespace, pod, uid))
}

/// The log of one pod, as it lies in the data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's uid.
    pub uid: Uid,
    /// How much its files take, bytes.
    pub bytes: u64,
}

/// Removes the logs of all pods but these: what was not removed in time by an earlier server. Tells
/// those that it left, in the order in which they were last written to.
///
/// # Errors
/// Something cannot be read or removed.
pub fn remove_others(data_dir: &Path, kept: &BTreeSet<Uid>) -> io::Result<Vec<Found>> {
    let entries = match fs::read_dir(data_dir.join("logs")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut left = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let mut parts = name.to_str().unwrap_or_default().rsplitn(3, '_');
        let uid = parts.next().and_then(Uid::parse);
        let (Some(uid), Some(pod), Some(namespace)) = (uid, parts.next(), parts.next()) else {
            continue;
        };
        if !kept.contains(&uid) {
            remove_all(&entry.path())?;
            continue;
        }
        let (bytes, written) = measure(&entry.path())?;
        let (namespace, pod) = (namespace.to_owned(), pod.to_owned());
        left.push((written, Found { namespace, pod, uid, bytes }));
    }
    left.sort_by_key(|(written, _)| *written);
    Ok(left.into_iter().map(|(_, found)| found).collect())
}

/// The bytes of all files below a directory, and when the last was written to. What vanishes meanwhile
/// counts for nothing.
fn measure(directory: &Path) -> io::Result<(u64, SystemTime)> {
    let (mut bytes, mut written) = (0, SystemTime::UNIX_EPOCH);
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let measured = entry.metadata().and_then(|metadata| match metadata.is_dir() {
            true => measure(&entry.path()),
            false => Ok((metadata.len(), metadata.modified()?)),
        });
        let (size, time) = match measured {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            measured => measured?,
        };
        bytes += size;
        written = written.max(time);
    }
    Ok((bytes, written))
}

fn remove_all(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl LogReader {
    /// The log of an attempt in the container's [`directory`]. A container that wrote nothing has no
    /// file, and an empty log.
    ///
    /// # Errors
    /// The files cannot be read.
    pub fn open(directory: &Path, attempt: u32, options: LogOptions) -> io::Result<Self> {
        let mut files = Files::open(&directory.join(format!("{attempt}.log")))?;
        if let Some(lines) = options.tail_lines {
            tail::seek(&mut files, lines, options.stream)?;
        }
        Ok(Self { left: options.limit_bytes, options, files, lines: Lines::default(), watch: None })
    }

    /// The next piece of what is there, some 64 KiB; `None` when all is read for now or
    /// the limit is reached.
    ///
    /// # Errors
    /// The files cannot be read.
    pub fn read(&mut self) -> io::Result<Option<Bytes>> {
        let mut out = Vec::new();
        while out.len() < PIECE_BYTES && !self.full() {
            let Some(block) = self.files.read()? else { break };
            if block.new_file {
                self.lines.cut();
            }
            self.lines.push(&block.bytes, |record| record.print(&self.options, &mut out));
        }
        if let Some(left) = &mut self.left {
            out.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= out.len() as u64;
        }
        Ok((!out.is_empty()).then(|| out.into()))
    }

    /// Whether the limit of bytes is reached: nothing more will come.
    pub fn full(&self) -> bool {
        self.left == Some(0)
    }

    /// Waits until more may have been written. May return early; may be dropped at any time.
    ///
    /// # Errors
    /// The kernel gives no more inotify instances or watches.
    pub async fn changed(&mut self) -> io::Result<()> {
        match &mut self.watch {
            Some(watch) => watch.changed().await,
            // What was written since the last read was not watched: read again first.
            None => {
                self.watch = Some(Watch::new(self.files.path())?);
                Ok(())
            }
        }
    }
}

/// The end of a log, as the last words of a container that left none.
pub(crate) fn last_words(directory: &Path, attempt: u32) -> io::Result<String> {
    let options = LogOptions { tail_lines: Some(LAST_WORDS_LINES), ..LogOptions::default() };
    let mut reader = LogReader::open(directory, attempt, options)?;
    let mut words = Vec::new();
    while let Some(bytes) = reader.read()? {
        words.extend_from_slice(&bytes);
        words.drain(..words.len().saturating_sub(LAST_WORDS_BYTES_MAX));
    }
    Ok(String::from_utf8_lossy(&words).into_owned())
}
