//! A disk in memory that forgets what a real one may forget: for tests and the simulation.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    sync::Arc,
};

use crate::{Disk, format::SECTOR_BYTES};

/// Segments in memory. Written and durable bytes are kept apart; power can fail at any change, and
/// then each unsynced sector is kept or lost on its own. Clones share bytes until they are written.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    files: BTreeMap<u64, MemoryFile>,
    changes: u64,
    fail_at: Option<u64>,
    space_bytes: Option<u64>,
}

/// One segment: as much as was written of it, zeros up to `bytes`.
#[derive(Clone, Debug)]
struct MemoryFile {
    bytes: u64,
    written: Arc<Vec<u8>>,
    /// What the sectors written since the last sync held before; `None` is zeros.
    unsynced: BTreeMap<usize, Option<Box<[u8]>>>,
}

impl MemoryDisk {
    /// An empty disk without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many changes (create, write, sync, remove) were asked for so far.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Lets the power fail at the change with this number, counted from 0 over the disk's life: it
    /// and all later ones fail, until [`MemoryDisk::power_loss`] or [`MemoryDisk::restart`].
    pub fn fail_at(&mut self, change: u64) {
        self.fail_at = Some(change);
    }

    /// Lets the creation of segments fail for want of room when all together pass this many bytes.
    pub fn limit_space(&mut self, bytes: Option<u64>) {
        self.space_bytes = bytes;
    }

    /// The machine loses power and comes back: of each file, any subset of the sectors that were
    /// not synced is lost. The seed decides which.
    pub fn power_loss(&mut self, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let kept_of_16 = *random.choice(&[0, 1, 8, 15, 16]).unwrap_or(&8);
        for file in self.files.values_mut() {
            for (sector, before) in std::mem::take(&mut file.unsynced) {
                if random.u32(0..16) >= kept_of_16 {
                    file.revert(sector, before.as_deref());
                }
            }
        }
        self.fail_at = None;
    }

    /// The process dies and comes back while the machine runs on: all that was written stays.
    pub fn restart(&mut self) {
        self.fail_at = None;
    }

    /// All bytes of a segment as they would be read; `None` if it does not exist.
    pub fn contents(&self, segment: u64) -> Option<Vec<u8>> {
        let file = self.files.get(&segment)?;
        let mut bytes = file.written.to_vec();
        bytes.resize(usize::try_from(file.bytes).ok()?, 0);
        Some(bytes)
    }

    /// Replaces a segment by other bytes, behind the back of whoever uses it.
    pub fn set_contents(&mut self, segment: u64, bytes: Vec<u8>) {
        let length = bytes.len() as u64;
        let (written, unsynced) = (Arc::new(bytes), BTreeMap::new());
        self.files.insert(segment, MemoryFile { bytes: length, written, unsynced });
    }

    /// Counts a change; says whether the power is still there.
    fn powered(&mut self) -> io::Result<()> {
        let change = self.changes;
        self.changes += 1;
        match self.fail_at {
            Some(at) if change >= at => Err(io::Error::other("the power failed")),
            _ => Ok(()),
        }
    }

    fn file(&mut self, segment: u64) -> io::Result<&mut MemoryFile> {
        self.files.get_mut(&segment).ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl MemoryFile {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let written = Arc::make_mut(&mut self.written);
        // Zeros beyond all that was written are there already.
        let useful = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        let length = useful.max(written.len().saturating_sub(offset)).min(bytes.len());
        let (bytes, end) = (&bytes[..length], offset + length);
        for sector in offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES) {
            self.unsynced.entry(sector).or_insert_with(|| {
                let start = sector * SECTOR_BYTES;
                let before = written.get(start..written.len().min(start + SECTOR_BYTES));
                before.map(Box::from)
            });
        }
        if written.len() < end {
            written.resize(end, 0);
        }
        written[offset..end].copy_from_slice(bytes);
    }

    fn revert(&mut self, sector: usize, before: Option<&[u8]>) {
        let start = sector * SECTOR_BYTES;
        let written = Arc::make_mut(&mut self.written);
        let end = written.len().min(start + SECTOR_BYTES);
        let before = before.unwrap_or_default();
        written[start..end].fill(0);
        written[start..start + before.len()].copy_from_slice(before);
    }
}

impl Disk for MemoryDisk {
    fn segments(&self) -> io::Result<Vec<u64>> {
        Ok(self.files.keys().copied().collect())
    }

    fn read(&self, segment: u64, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let file = self.files.get(&segment).ok_or(ErrorKind::NotFound)?;
        let count = file.bytes.saturating_sub(offset).min(into.len() as u64);
        let count = usize::try_from(count).map_err(io::Error::other)?;
        let start = usize::try_from(offset).map_err(io::Error::other)?.min(file.written.len());
        let end = file.written.len().min(start + count);
        into[..end - start].copy_from_slice(&file.written[start..end]);
        into[end - start..count].fill(0);
        Ok(count)
    }

    fn create(&mut self, segment: u64, bytes: u64) -> io::Result<()> {
        self.powered()?;
        let used: u64 = self.files.values().map(|f| f.bytes).sum();
        if self.space_bytes.is_some_and(|space| used + bytes > space) {
            return Err(ErrorKind::StorageFull.into());
        }
        let (written, unsynced) = (Arc::new(Vec::new()), BTreeMap::new());
        self.files.insert(segment, MemoryFile { bytes, written, unsynced });
        Ok(())
    }

    /// A write that fails may still have reached the disk in part.
    fn write(&mut self, segment: u64, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let reaches_disk = self.fail_at.is_none_or(|at| self.changes <= at);
        let powered = self.powered();
        let file = self.file(segment)?;
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        if offset + bytes.len() as u64 > file.bytes {
            return Err(ErrorKind::InvalidInput.into());
        }
        if reaches_disk {
            file.write(start, bytes);
        }
        powered
    }

    fn sync(&mut self, segment: u64) -> io::Result<()> {
        self.powered()?;
        self.file(segment)?.unsynced.clear();
        Ok(())
    }

    fn remove(&mut self, segment: u64) -> io::Result<()> {
        self.powered()?;
        self.files.remove(&segment).map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }
}
