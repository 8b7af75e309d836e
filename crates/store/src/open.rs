//! Opening: read everything, verify everything, and only then touch anything.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;
use kinds::{Meta, Object, Revision};

use crate::{
    Change, ChangeKind, Disk, Error, Limits, Store,
    entry::{Entry, EntryKey},
    format::{
        Damage, FORMAT_VERSION, Found, Header, SECTOR_BYTES, read_frame, read_segment_header,
    },
    log::{Item, Log, Segment},
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
        let mut file = Vec::new();
        for (index, number) in numbers.iter().enumerate() {
            read_file(disk, *number, &mut file)?;
            replay.segment(*number, &file, index + 1 == numbers.len())?;
        }
        replay.check_first(&numbers)?;
        let (mut store, mend) = replay.finish();
        mend.apply(disk)?;
        if let Some(newest) = store.log.segments.back() {
            // What was read may still be in the page cache only; it is shown from now on.
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
            disk.sync(segment)?;
        }
        Ok(())
    }
}

fn read_file(disk: &dyn Disk, segment: u64, into: &mut Vec<u8>) -> Result<(), Error> {
    const STEP: usize = 1 << 20;
    let mut length = 0;
    loop {
        into.resize(into.len().max(length + STEP), 0);
        match disk.read(segment, length as u64, &mut into[length..])? {
            0 => break,
            read => length += read,
        }
    }
    into.truncate(length);
    Ok(())
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

    fn segment(&mut self, number: u64, file: &[u8], newest: bool) -> Result<(), Error> {
        let corrupt =
            |d: Damage| Error::Corrupt { segment: number, offset: d.offset, what: d.what };
        let declared = match read_segment_header(number, file).map_err(corrupt)? {
            Header::Newer { found } => {
                return Err(Error::Newer { found, supported: FORMAT_VERSION });
            }
            Header::Written { bytes } => bytes,
            Header::Unwritten if newest && file.iter().all(|b| *b == 0) => {
                self.mend.unwritten = Some(number);
                return Ok(());
            }
            Header::Unwritten => {
                let what = "the header of the segment is missing".to_owned();
                return Err(corrupt(Damage { offset: 0, what }));
            }
        };
        if file.len() as u64 != declared {
            let what = format!("the file has {} bytes and should have {declared}", file.len());
            return Err(corrupt(Damage { offset: declared.min(file.len() as u64), what }));
        }
        if self.store.log.segments.back().is_some_and(|last| last.number + 1 != number) {
            let what = "the segment before it is missing".to_owned();
            return Err(corrupt(Damage { offset: 0, what }));
        }
        self.store.log.segments.push_back(Segment::new(number, declared));
        self.frames(number, file, newest)
    }

    fn frames(&mut self, number: u64, file: &[u8], newest: bool) -> Result<(), Error> {
        let mut payload = Vec::new();
        let mut offset = SECTOR_BYTES;
        loop {
            let corrupt = |d: Damage| {
                let offset = offset as u64 + d.offset;
                Error::Corrupt { segment: number, offset, what: d.what }
            };
            match read_frame(&file[offset..], newest, &mut payload).map_err(corrupt)? {
                Found::Frame { sequence, at_s, bytes } => {
                    self.check_sequence(sequence, offset)?;
                    self.frame(sequence, at_s, &payload)
                        .map_err(|what| corrupt(Damage { offset: 0, what }))?;
                    offset += bytes;
                }
                Found::Torn { bytes } => {
                    self.mend.torn = Some((number, offset as u64, bytes));
                    break;
                }
                Found::End => break,
            }
        }
        if let Some(segment) = self.store.log.segments.back_mut() {
            segment.used = offset as u64;
            segment.written = segment.used;
        }
        Ok(())
    }

    /// Refuses a frame that does not follow the one before. Within a segment no frame can be gone
    /// without leaving a hole, so what is missing was at the end of the segment before.
    fn check_sequence(&self, sequence: u64, offset: usize) -> Result<(), Error> {
        let Log { segments, sequence: last, .. } = &self.store.log;
        if *last == 0 || sequence == last + 1 {
            return Ok(());
        }
        let mut newest = segments.iter().rev();
        let here = newest.next().map_or((0, 0), |s| (s.number, offset as u64));
        let (segment, offset) = match newest.next() {
            Some(before) if offset == SECTOR_BYTES => (before.number, before.used),
            _ => here,
        };
        let what = format!("frame {sequence} comes after frame {last}, some are missing");
        Err(Error::Corrupt { segment, offset, what })
    }

    fn frame(&mut self, sequence: u64, at_s: i64, payload: &[u8]) -> Result<(), String> {
        if sequence == 1 {
            self.whole_since = Some(0);
        }
        self.store.log.sequence = sequence;
        let mut rest = payload;
        while !rest.is_empty() {
            let Some((entry, raw, after)) = Entry::read(rest) else {
                return Err("a frame holds something that is not an entry".to_owned());
            };
            let bytes = (rest.len() - after.len()) as u64;
            self.entry(entry, raw, bytes, at_s);
            rest = after;
        }
        self.store.window.trim(&self.store.limits, Revision::MAX, self.store.now_s);
        Ok(())
    }

    fn entry(&mut self, entry: Entry<'_>, raw: &[u8], bytes: u64, at_s: i64) {
        let store = &mut self.store;
        let segment = store.log.segments.back_mut().expect("a frame lies in a segment");
        segment.entry_bytes += bytes;
        store.log.entry_bytes += bytes;
        let place = Place { segment: segment.number, bytes };
        match entry {
            Entry::Put { key, previous, meta, .. } => {
                let object = object(key, meta, raw);
                segment.items.push_back(Item::Object(object.key.clone()));
                let before = store.state.put(Arc::clone(&object), place);
                let revision = object.meta.revision;
                let kind = match before {
                    Some(_) => ChangeKind::Modified,
                    None => ChangeKind::Added,
                };
                self.change(Change { revision, kind, object, previous: before }, previous, at_s);
            }
            Entry::Copy { key, meta, .. } => {
                store.head = store.head.max(meta.revision);
                let object = match store.state.object(&key.to_key()) {
                    Some(slot) if slot.value.meta.revision == meta.revision => {
                        Arc::clone(&slot.value)
                    }
                    _ => object(key, meta, raw),
                };
                segment.items.push_back(Item::Object(object.key.clone()));
                store.state.put(object, place);
            }
            Entry::Delete { key, previous, revision } => {
                store.head = store.head.max(revision);
                match store.state.delete(&key.to_key()) {
                    Some(before) => {
                        let (kind, object) = (ChangeKind::Deleted, Arc::clone(&before));
                        let change = Change { revision, kind, object, previous: Some(before) };
                        self.change(change, previous, at_s);
                    }
                    None => self.whole_after(revision),
                }
            }
            Entry::Record { name, .. } => {
                let name: Arc<str> = name.into();
                segment.items.push_back(Item::Record(Arc::clone(&name)));
                store.state.put_record(name, Bytes::copy_from_slice(raw), place);
            }
            Entry::Forget { name } => store.state.delete_record(name),
            Entry::Reserve { revision } => store.reserved = store.reserved.max(revision),
            Entry::Oldest { segment } => self.oldest = self.oldest.max(segment),
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
            self.store.window.restart(self.store.head);
        }
        self.store.window.seal_deleted();
        (self.store, self.mend)
    }
}

fn object(key: EntryKey<'_>, meta: Cow<'_, Meta>, json: &[u8]) -> Arc<Object> {
    let json = Bytes::copy_from_slice(json);
    Arc::new(Object::from_parts(key.to_key(), meta.into_owned(), json))
}
