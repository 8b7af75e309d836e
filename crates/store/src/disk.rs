//! The storage seam: all that the store asks of a disk.

use std::io;

/// Numbered files of a fixed size ("segments"). Two implementations: [`crate::FileDisk`] and, for
/// tests and the simulation, [`crate::MemoryDisk`].
pub trait Disk: Send + Sync {
    /// Numbers of the segments that exist, ascending.
    fn segments(&self) -> io::Result<Vec<u64>>;

    /// Reads up to `into.len()` bytes at `offset`; returns how many, 0 at the end of the segment.
    fn read(&self, segment: u64, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Makes a segment of `bytes` zeros. It appears whole or not at all, and is durable on return.
    fn create(&mut self, segment: u64, bytes: u64) -> io::Result<()>;

    /// Writes inside a segment. Until [`Disk::sync`] returns, a loss of power may keep any subset
    /// of the 512-byte sectors written.
    fn write(&mut self, segment: u64, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all that was written to the segment is durable.
    fn sync(&mut self, segment: u64) -> io::Result<()>;

    /// Removes a segment; durable on return.
    fn remove(&mut self, segment: u64) -> io::Result<()>;
}
