//! Revisions on disk: every object lives in memory and in an append-only log; a transaction is one
//! checksummed frame; nothing is visible to clients before it is durable.
//!
//! The store performs no I/O after opening: [`Store::commit`] changes memory and queues bytes, the
//! caller takes them with [`Store::take_batch`], lets a [`Disk`] write and sync them (on whatever
//! thread it likes), and reports back with [`Store::batch_done`]. All commits made while a batch is
//! under way travel in the next one: that is the group commit.
