//! Every size and age the store keeps to, with its unit.

/// How far ahead of use revisions are reserved on disk. At 40,000 writes a second half a block
/// lasts 0.8 s, hundreds of syncs.
pub(crate) const REVISION_BLOCK: u64 = 65_536;

/// What a change in the watch window is counted for beside the JSON it holds on to: the index, the
/// key, reference counts.
pub(crate) const CHANGE_OVERHEAD_BYTES: usize = 640;

/// What looking at one record of the oldest segment counts against the compaction budget of a
/// batch, even if the record is garbage and nothing is copied.
pub(crate) const COMPACT_VISIT_BYTES: u64 = 512;

/// How many bytes of zeros are written ahead of a small frame; see `docs/store.md` for the gain.
pub(crate) const ZERO_AHEAD_BYTES: u64 = 256 << 10;

/// Limits of one store. The defaults are the product's; tests and the simulation take smaller ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The watch window is cut when the memory that it holds on to passes this many bytes.
    pub window_bytes: usize,
    /// Changes older than this many seconds leave the watch window.
    pub window_age_s: i64,
    /// Size of a segment file; a transaction that is larger gets a segment of its own size.
    pub segment_bytes: u64,
    /// Garbage up to this many bytes is left alone. Above it, and above the size of the live
    /// records, the oldest segment is cleaned.
    pub garbage_bytes: u64,
    /// Compaction copies this many bytes per batch, and twice the bytes that the batch writes.
    pub compact_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window_bytes: 32 << 20,
            window_age_s: 300,
            segment_bytes: 16 << 20,
            garbage_bytes: 32 << 20,
            compact_bytes: 64 << 10,
        }
    }
}
