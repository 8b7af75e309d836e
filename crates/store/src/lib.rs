//! Revisions on disk: every object lives in memory and in an append-only log; a transaction lies
//! whole in one checksummed frame; nothing is visible to clients before it is durable.
//!
//! The store performs no I/O after opening: [`Store::commit`] changes memory and queues bytes, the
//! caller takes them with [`Store::take_batch`], lets a [`Disk`] write and sync them (on whatever
//! thread it likes), and reports back with [`Store::batch_done`]. All commits made while a batch is
//! under way travel in the next one: that is the group commit.
//!
//! `docs/store.md` has the byte layout, the assumptions about the medium and the measurements.

mod batch;
mod compact;
mod disk;
mod entry;
mod error;
mod file_disk;
mod format;
mod limits;
mod log;
mod memory_disk;
mod open;
mod scan;
mod state;
mod store;
mod window;

pub use batch::{Batch, Done};
pub use disk::Disk;
pub use error::Error;
pub use file_disk::FileDisk;
pub use format::FORMAT_VERSION;
pub use limits::Limits;
pub use memory_disk::MemoryDisk;
pub use store::{Store, Write};
pub use window::{Change, ChangeKind, Expired};
