//! Opening: read everything, verify everything, and only then touch anything.

use std::sync::Arc;

use jiff::Timestamp;
use kinds::Revision;

use crate::{
    Change, ChangeKind, Disk, Error, Limits, Store,
    entry::Decoded,
    format::SECTOR_BYTES,
    log::{Item, Log, Segment},
    scan::{ScanState, Scanned, ScannedFrame, scan_all},
    state::{Place, State},
    window::Window,
};

/// What has to be mended before the log goes on, all of it from an interrupted write.
#[derive(Debug, Default)]
struct Mend {
    /// A segment that was made and never written to.
    unwritten: Option<u64>,
    /// Segment, offset and length of a torn frame.
    torn: Option<(u64, u64, usize)>,
}

impl Store {
    /// Reads everything back. The store goes on after the last durable frame and never gives out a
    /// revision again that anyone may have seen.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if durable bytes changed or are gone, [`Error::Newer`] for a later
    /// format; in both cases nothing was written. [`Error::Io`] from the disk.
    pub fn open(disk: &mut dyn Disk, limits: Limits, now: Timestamp) -> Result<Self, Error> {
        let mut replay = Replay::new(limits, now.as_second());
        let numbers = disk.segments()?;
        scan_all(disk, &numbers, limits.segment_bytes, |segment| replay.segment(segment))?;
        replay.check_first(&numbers)?;
        let (mut store, mend) = replay.finish();
        mend.apply(disk)?;
        if let Some(newest) = store.log.segments.back() {
            // What was read is shown from now on, and may still be in the page cache only. The
            // zeros over a torn frame must be there before the next frame is.
            disk.sync(newest.number)?;
        }
        store.begin_block(disk)?;
        Ok(store)
    }

    /// Reserves revisions durably before the first is given out.
    fn begin_block(&mut self, disk: &mut dyn Disk) -> Result<(), Error> {
        self.head = self.head.max(self.reserved);
        let mut entry = Vec::new();
        self.reserve(&mut entry);
        self.log.place(&entry, std::iter::empty(), self.now_s, &self.limits);
        if let Some(batch) = self.take_batch() {
            let (done, result) = batch.perform(disk);
            result?;
            self.batch_done(done);
        }
        Ok(())
    }
}

impl Mend {
    fn apply(self, disk: &mut dyn Disk) -> Result<(), Error> {
        if let Some(segment) = self.unwritten {
            disk.remove(segment)?;
        }
        if let Some((segment, offset, length)) = self.torn {
            disk.write(segment, offset, &vec![0; length])?;
        }
        Ok(())
    }
}

/// A store being put together from its log.
struct Replay {
    store: Store,
    mend: Mend,
    /// The first segment that counts, as the log itself says.
    oldest: u64,
    /// From here on no change is missing in the log; `None` before the first frame or change.
    whole_since: Option<Revision>,
}

impl Replay {
    fn new(limits: Limits, now_s: i64) -> Self {
        let store = Store {
            limits,
            state: State::default(),
            log: Log::new(),
            window: Window::new(0),
            head: 0,
            durable: 0,
            reserved: 0,
            now_s,
            under_way: false,
        };
        Self { store, mend: Mend::default(), oldest: 1, whole_since: None }
    }

    fn segment(&mut self, scanned: Scanned) -> Result<(), Error> {
        let number = scanned.number;
        let ScanState::Written { bytes, used, torn, frames } = scanned.state else {
            self.mend.unwritten = Some(number);
            return Ok(());
        };
        if self.store.log.segments.back().is_some_and(|last| last.number + 1 != number) {
            let what = "the segment before it is missing".to_owned();
            return Err(Error::Corrupt { segment: number, offset: 0, what });
        }
        self.store.log.segments.push_back(Segment::new(number, bytes));
        for frame in frames {
            self.check_sequence(frame.sequence, frame.offset)?;
            self.frame(frame);
        }
        if let Some(segment) = self.store.log.segments.back_mut() {
            (segment.used, segment.written) = (used, used);
        }
        if torn > 0 {
            self.mend.torn = Some((number, used, torn));
        }
        Ok(())
    }

    /// Refuses a frame that does not follow the one before. Within a segment no frame can be gone
    /// without leaving a hole, so what is missing was at the end of the segment before.
    fn check_sequence(&self, sequence: u64, offset: u64) -> Result<(), Error> {
        let Log { segments, sequence: last, .. } = &self.store.log;
        if *last == 0 || sequence == last + 1 {
            return Ok(());
        }
        let mut newest = segments.iter().rev();
        let here = newest.next().map_or((0, 0), |s| (s.number, offset));
        let (segment, offset) = match newest.next() {
            Some(before) if offset == SECTOR_BYTES as u64 => (before.number, before.used),
            _ => here,
        };
        let what = format!("frame {sequence} comes after frame {last}, some are missing");
        Err(Error::Corrupt { segment, offset, what })
    }

    fn frame(&mut self, frame: ScannedFrame) {
        if frame.sequence == 1 {
            self.whole_since = Some(0);
        }
        self.store.log.sequence = frame.sequence;
        for (entry, bytes) in frame.entries {
            self.entry(entry, bytes, frame.at_s);
        }
        self.store.window.trim(&self.store.limits, Revision::MAX, self.store.now_s, |_| {});
    }

    fn entry(&mut self, entry: Decoded, bytes: u64, at_s: i64) {
        let store = &mut self.store;
        let segment = store.log.segments.back_mut().expect("a frame lies in a segment");
        segment.entry_bytes += bytes;
        store.log.entry_bytes += bytes;
        let place = Place { segment: segment.number, bytes };
        match entry {
            Decoded::Put { object, previous } => {
                segment.items.push_back(Item::Object(object.key.clone()));
                let before = store.state.put(Arc::clone(&object), place);
                let revision = object.meta.revision;
                let kind = match before {
                    Some(_) => ChangeKind::Modified,
                    None => ChangeKind::Added,
                };
                self.change(Change { revision, kind, object, previous: before }, previous, at_s);
            }
            Decoded::Copy { object } => {
                store.head = store.head.max(object.meta.revision);
                segment.items.push_back(Item::Object(object.key.clone()));
                // What is known already stays shared with the watch window.
                let known = store.state.object(&object.key).map(|slot| Arc::clone(&slot.value));
                let known = known.filter(|known| known.meta.revision == object.meta.revision);
                store.state.put(known.unwrap_or(object), place);
            }
            Decoded::Delete { key, previous, revision } => {
                store.head = store.head.max(revision);
                match store.state.delete(&key) {
                    Some(before) => {
                        let (kind, object) = (ChangeKind::Deleted, Arc::new(before.at(revision)));
                        let change = Change { revision, kind, object, previous: Some(before) };
                        self.change(change, previous, at_s);
                    }
                    None => self.whole_after(revision),
                }
            }
            Decoded::Record { name, value } => {
                segment.items.push_back(Item::Record(Arc::clone(&name)));
                store.state.put_record(name, value, place);
            }
            Decoded::Forget { name } => store.state.delete_record(&name),
            Decoded::Reserve { revision } => store.reserved = store.reserved.max(revision),
            Decoded::Oldest { segment } => self.oldest = self.oldest.max(segment),
        }
    }

    /// Takes a change into the watch window, if the state before it is known.
    fn change(&mut self, change: Change, previous: Revision, at_s: i64) {
        self.store.head = self.store.head.max(change.revision);
        if change.previous.as_ref().map_or(0, |p| p.meta.revision) != previous {
            return self.whole_after(change.revision);
        }
        if self.whole_since.is_none() {
            self.whole_after(change.revision.saturating_sub(1));
        }
        self.store.window.push(Arc::new(change), at_s);
    }

    /// Some change up to `revision` is missing or half known, as compaction took its segment.
    fn whole_after(&mut self, revision: Revision) {
        self.whole_since = Some(revision);
        self.store.window.restart(revision);
    }

    /// Refuses a log whose first segments are gone.
    fn check_first(&self, numbers: &[u64]) -> Result<(), Error> {
        match numbers.first() {
            Some(&segment) if segment > self.oldest => {
                let what = format!("segment {} before it is missing", self.oldest);
                Err(Error::Corrupt { segment, offset: 0, what })
            }
            _ => Ok(()),
        }
    }

    fn finish(mut self) -> (Store, Mend) {
        if self.whole_since.is_none() {
            // The last changes may have gone with their segments: what names a revision may not be
            // the last that did.
            self.store.window.restart(self.store.head.max(self.store.reserved));
        }
        self.store.state.pack_all(self.store.window.floor());
        #[cfg(feature = "planted-skipped-change")]
        self.store.window.skip_last();
        (self.store, self.mend)
    }
}
