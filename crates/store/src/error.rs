//! Why a store does not open.

use std::io;

/// Why a store does not open. In every case but `Io` the files are left exactly as they were.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Bytes that were durable have changed or are gone. Trying again does not help.
    #[error(
        "store/{segment:08}.log is damaged at byte {offset}: {what}; nothing was changed: put the \
         directory back from a copy, or move it away to start empty"
    )]
    Corrupt {
        /// Number of the segment, which is also its file name.
        segment: u64,
        /// Where in the segment, in bytes: the start of the smallest checked unit (frame, sector
        /// or end of the file) that is wrong.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// The store was written by a newer version.
    #[error(
        "the store has format {found}, this version reads up to {supported}: use the newer version"
    )]
    Newer {
        /// Format version of the files.
        found: u32,
        /// The newest format this code reads.
        supported: u32,
    },
    /// The files cannot be read or written. Trying again may help.
    #[error("cannot read or write the store")]
    Io(#[from] io::Error),
}
