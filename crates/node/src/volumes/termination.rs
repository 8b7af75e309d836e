//! The last words of a container that left none in its termination file: the end of its log.

use std::path::PathBuf;

use kinds::types::core::v1::Pod;
use spawner::protocol::ContainerId;

use crate::{Config, containers, logs};

/// The log to read them from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminationRead {
    /// The container's log directory.
    pub directory: PathBuf,
    /// Which attempt's log.
    pub attempt: u32,
}

/// The log that speaks for an attempt that failed without a word; `None` if the container, number
/// `index` of the spec, does not want that.
pub(crate) fn plan(
    pod: &Pod,
    index: usize,
    id: &ContainerId,
    config: &Config,
) -> Option<TerminationRead> {
    let container = containers::nth(pod, index)?;
    if container.termination_message_policy.as_deref() != Some("FallbackToLogsOnError") {
        return None;
    }
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let directory = logs::directory(&config.data_dir, namespace, name, &id.pod, &id.container);
    Some(TerminationRead { directory, attempt: id.attempt })
}

/// Reads the end of the log. What cannot be read is no words: the end of a container must not wait
/// for them.
pub fn read(read: &TerminationRead) -> String {
    logs::last_words(&read.directory, read.attempt).unwrap_or_default()
}
