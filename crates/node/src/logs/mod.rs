//! Reads what containers wrote: log files in the CRI format.

use std::path::Path;

/// The end of a log, as the last words of a container that left none.
pub(crate) fn last_words(_log: &Path) -> String {
    String::new()
}
