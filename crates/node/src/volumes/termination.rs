//! The last words of a container: the end of its termination file, or of its log.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use kinds::types::core::v1::Pod;
use rustix::fs::OFlags;
use spawner::protocol::ContainerId;

use super::PodPaths;
use crate::{Config, logs, start::Class};

/// The most that is read of a termination file, bytes.
const FILE_BYTES_MAX: u64 = 4096;

/// What is read when an attempt has ended, and what is made for the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminationRead {
    /// The termination file; `None` if its words do not count.
    pub file: Option<PathBuf>,
    /// The log to take the words from if the file says nothing: its directory and the attempt.
    pub log: Option<(PathBuf, u32)>,
    /// The termination file of the next attempt, to be made empty.
    pub next: Option<PathBuf>,
}

/// How an attempt ended, as far as its last words depend on it.
pub(crate) struct Leaving<'a> {
    pub(crate) id: &'a ContainerId,
    /// Which of `spec.containers`.
    pub(crate) index: usize,
    pub(crate) exit_code: i32,
    /// Nothing that it left counts: it never ran, or nobody saw its end.
    pub(crate) silent: bool,
}

/// What there is to read and make; `None` if nothing.
pub(crate) fn plan(
    pod: &Pod,
    class: Class,
    leaving: &Leaving,
    config: &Config,
) -> Option<TerminationRead> {
    let spec = pod.spec.as_ref()?;
    let container = spec.containers.get(leaving.index)?;
    let id = leaving.id;
    let paths = PodPaths::new(config, &id.pod);
    let own_file = class == Class::Container;
    let fallback = container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError");
    let log = || {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let directory = logs::directory(&config.data_dir, namespace, name, &id.pod, &id.container);
        (directory, id.attempt)
    };
    let restarts = spec.restart_policy.as_deref() != Some("Never");
    let read = TerminationRead {
        file: (own_file && !leaving.silent).then(|| paths.termination(&id.container, id.attempt)),
        log: (fallback && leaving.exit_code != 0 && !leaving.silent).then(log),
        next: (own_file && restarts).then(|| paths.termination(&id.container, id.attempt + 1)),
    };
    (read.file.is_some() || read.log.is_some() || read.next.is_some()).then_some(read)
}

/// Reads the last words and makes the next attempt's file. What cannot be read is no words: the end
/// of a container must not wait for them.
pub fn read(read: &TerminationRead) -> String {
    if let Some(next) = &read.next {
        // Without the file the next attempt cannot start, and says so itself.
        let _ = make_empty(next);
    }
    let words = read.file.as_deref().and_then(|path| end_of(path).ok()).unwrap_or_default();
    match &read.log {
        Some((directory, attempt)) if words.is_empty() => {
            logs::last_words(directory, *attempt).unwrap_or_default()
        }
        _ => words,
    }
}

fn make_empty(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o666))
}

/// The end of a file that a container may have put anything into.
fn end_of(path: &Path) -> io::Result<String> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    let mut file: File = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(FILE_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
