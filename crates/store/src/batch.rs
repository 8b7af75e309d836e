//! What the disk is to do for one group commit, as data: planned by the store, carried out here.

use std::io;

use kinds::Revision;

use crate::Disk;

/// One thing for the disk to do.
#[derive(Debug)]
pub(crate) enum Step {
    /// Make a segment.
    Create { segment: u64, bytes: u64 },
    /// Write at an offset.
    Write { segment: u64, offset: u64, bytes: Vec<u8> },
    /// Make all writes to the segment durable.
    Sync { segment: u64 },
    /// Remove a segment that holds nothing live.
    Remove { segment: u64 },
}

/// All commits since the last batch, encoded; one write and one sync unless a segment is full.
#[derive(Debug)]
#[must_use = "nothing is durable before the batch was performed"]
pub struct Batch {
    pub(crate) steps: Vec<Step>,
    pub(crate) revision: Revision,
}

/// The receipt of a batch, to be given back to the store.
#[derive(Debug)]
#[must_use = "the store shows nothing before it has the receipt"]
pub struct Done {
    pub(crate) revision: Revision,
}

impl Batch {
    /// Writes, then syncs; may run on any thread.
    ///
    /// On an error the receipt must not be given back and the server has to stop: what is in memory
    /// is not on disk, and after a failed sync nobody knows what is. A full disk is
    /// [`io::ErrorKind::StorageFull`].
    pub fn perform(self, disk: &mut dyn Disk) -> (Done, io::Result<()>) {
        let result = self.steps.into_iter().try_for_each(|step| match step {
            Step::Create { segment, bytes } => disk.create(segment, bytes),
            Step::Write { segment, offset, bytes } => disk.write(segment, offset, &bytes),
            Step::Sync { segment } => disk.sync(segment),
            Step::Remove { segment } => disk.remove(segment),
        });
        (Done { revision: self.revision }, result)
    }
}
