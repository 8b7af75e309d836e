//! The store: commit, read, hand out batches. Everything here is memory.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use kinds::{Draft, EventDraft, Key, Kind, Object, Revision};

use crate::{
    Batch, Change, ChangeKind, Done, Expired, Limits,
    batch::Step,
    entry::Entry,
    limits::REVISION_BLOCK,
    log::{Item, Log},
    state::{Place, State},
    window::Window,
};

/// One write of a transaction.
#[derive(Clone, Debug)]
pub enum Write {
    /// Create or replace. Name, uid and times are set; the store gives the revision.
    Put(Draft),
    /// Create or replace an Event of the server's own.
    Event(Box<EventDraft>),
    /// Remove the object, which must exist.
    Delete(Key),
    /// Replace the object, which must exist, and remove it: two changes, so that whoever watches
    /// sees what it had become.
    End(Draft),
}

/// All objects and records, the watch window, and the writing end of the log.
#[derive(Debug)]
pub struct Store {
    pub(crate) limits: Limits,
    pub(crate) state: State,
    pub(crate) log: Log,
    pub(crate) window: Window,
    pub(crate) head: Revision,
    pub(crate) durable: Revision,
    /// The end of the block of revisions that the log says may have been given out.
    pub(crate) reserved: Revision,
    /// The time of the last commit, seconds since the epoch.
    pub(crate) now_s: i64,
    pub(crate) under_way: bool,
}

/// A write that has its revision, with the bytes its entry took.
struct Sealed {
    change: Change,
    bytes: u64,
}

impl Store {
    /// The last revision in memory.
    pub fn head(&self) -> Revision {
        self.head
    }

    /// The last revision on disk: all that clients may see.
    pub fn durable(&self) -> Revision {
        self.durable
    }

    /// The object as of `head`.
    pub fn get(&self, key: &Key) -> Option<&Arc<Object>> {
        self.state.object(key).map(|slot| &slot.value)
    }

    /// The objects of a kind as of `head`, ordered by namespace and name.
    pub fn list(&self, kind: Kind, namespace: Option<&str>) -> impl Iterator<Item = &Arc<Object>> {
        self.state.list(kind, namespace)
    }

    /// How many objects of a kind there are, in all namespaces.
    pub fn count(&self, kind: Kind) -> usize {
        self.state.count(kind)
    }

    /// The records whose names begin with `prefix`, ordered by name.
    pub fn records(&self, prefix: &str) -> impl Iterator<Item = (&str, &Bytes)> {
        self.state.records(prefix)
    }

    /// Makes one transaction of some writes; see [`Store::commit_with`].
    pub fn commit(&mut self, writes: Vec<Write>, now: Timestamp) -> Vec<Arc<Change>> {
        self.commit_with(writes, Vec::new(), now)
    }

    /// Makes one transaction of some writes and records; records are bytes under a name, without
    /// revisions, and `None` removes one. Returns the changes in order, each with its own revision.
    ///
    /// # Panics
    /// If a key is written twice, or an object is deleted that does not exist: the single writer
    /// has looked before.
    pub fn commit_with(
        &mut self,
        writes: Vec<Write>,
        records: Vec<(String, Option<Bytes>)>,
        now: Timestamp,
    ) -> Vec<Arc<Change>> {
        self.now_s = now.as_second();
        let mut out = Vec::new();
        let sealed = self.seal(writes, &mut out);
        let records: Vec<(Arc<str>, Option<Bytes>, u64)> = records
            .into_iter()
            .filter(|(name, bytes)| bytes.is_some() || self.state.record(name).is_some())
            .map(|(name, bytes)| {
                let written = match &bytes {
                    Some(bytes) => Entry::record(&name, bytes).write(bytes, &mut out),
                    None => Entry::Forget { name: &name }.write(&[], &mut out),
                };
                (self.state.shared_name(name), bytes, written)
            })
            .collect();
        if out.is_empty() {
            return Vec::new();
        }
        self.reserve(&mut out);
        let objects = sealed.iter().map(|s| Item::Object(s.change.object.key.clone()));
        let names = records.iter().map(|(name, ..)| Item::Record(Arc::clone(name)));
        let segment = self.log.place(&out, objects.chain(names), self.now_s, &self.limits);
        for (name, bytes, written) in records {
            match bytes {
                Some(bytes) => {
                    self.state.put_record(name, bytes, Place { segment, bytes: written });
                }
                None => self.state.delete_record(&name),
            }
        }
        let changes = sealed.into_iter().map(|s| self.apply(s, segment)).collect();
        if cfg!(feature = "planted-early-durable") {
            self.durable = self.head;
        }
        let state = &mut self.state;
        self.window.trim(&self.limits, self.durable, self.now_s, |object| state.pack(object));
        changes
    }

    /// Gives each write its revision and its entry.
    fn seal(&mut self, writes: Vec<Write>, out: &mut Vec<u8>) -> Vec<Sealed> {
        let mut keys = Vec::with_capacity(writes.len());
        let mut sealed = Vec::with_capacity(writes.len());
        for write in writes {
            match write {
                Write::Put(draft) => sealed.push(self.seal_put(|at| draft.seal(at), out)),
                Write::Event(event) => sealed.push(self.seal_put(|at| event.seal(at), out)),
                Write::Delete(key) => {
                    let last = Arc::clone(self.get(&key).expect("only what exists is deleted"));
                    sealed.push(self.seal_delete(last, out));
                }
                Write::End(draft) => {
                    let put = self.seal_put(|at| draft.seal(at), out);
                    let exists = put.change.kind == ChangeKind::Modified;
                    assert!(exists, "only what exists is deleted");
                    let last = Arc::clone(&put.change.object);
                    sealed.extend([put, self.seal_delete(last, out)]);
                }
            }
            keys.extend(sealed.last().map(|sealed| sealed.change.object.key.clone()));
        }
        // They come in order, mostly, and are quickly sorted.
        keys.sort();
        let once = keys.windows(2).all(|pair| pair[0] != pair[1]);
        assert!(once, "a transaction writes each key once");
        sealed
    }

    fn seal_put(&mut self, seal: impl FnOnce(Revision) -> Object, out: &mut Vec<u8>) -> Sealed {
        self.head += 1;
        let revision = self.head;
        let mut object = seal(revision);
        let previous = self.get(&object.key).cloned();
        if let Some(previous) = &previous {
            object.share(previous);
        }
        let replaced = previous.as_ref().map_or(0, |p| p.meta.revision);
        let json = object.json();
        let bytes = Entry::put(&object, &json, replaced).write(&json, out);
        let object = Arc::new(object);
        let kind = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        Sealed { change: Change { revision, kind, object, previous }, bytes }
    }

    fn seal_delete(&mut self, last: Arc<Object>, out: &mut Vec<u8>) -> Sealed {
        self.head += 1;
        let revision = self.head;
        let (key, previous) = ((&last.key).into(), last.meta.revision);
        let bytes = Entry::Delete { key, previous, revision }.write(&[], out);
        let object = Arc::new(last.at(revision));
        let (kind, previous) = (ChangeKind::Deleted, Some(last));
        Sealed { change: Change { revision, kind, object, previous }, bytes }
    }

    /// Writes ahead how far revisions may have gone, before half of the last block is left.
    pub(crate) fn reserve(&mut self, out: &mut Vec<u8>) {
        if self.head + REVISION_BLOCK / 2 >= self.reserved {
            self.reserved = self.head + REVISION_BLOCK;
            Entry::Reserve { revision: self.reserved }.write(&[], out);
        }
    }

    fn apply(&mut self, sealed: Sealed, segment: u64) -> Arc<Change> {
        let change = Arc::new(sealed.change);
        match change.kind {
            ChangeKind::Deleted => {
                self.state.delete(&change.object.key);
            }
            ChangeKind::Added | ChangeKind::Modified => {
                let place = Place { segment, bytes: sealed.bytes };
                self.state.put(Arc::clone(&change.object), place);
            }
        }
        self.window.push(Arc::clone(&change), self.now_s);
        change
    }

    /// What the disk is to do next: all commits since the last batch, and a little compaction.
    /// `None` while a batch is under way or if there is nothing to do.
    pub fn take_batch(&mut self) -> Option<Batch> {
        if self.under_way {
            return None;
        }
        let retired = self.compact();
        let mut steps = self.log.take();
        steps.extend(retired.into_iter().map(|segment| Step::Remove { segment }));
        if steps.is_empty() {
            return None;
        }
        self.under_way = true;
        Some(Batch { steps, revision: self.head })
    }

    /// Takes the receipt of a batch that was performed without an error.
    pub fn batch_done(&mut self, batch: Done) {
        self.under_way = false;
        self.durable = batch.revision;
    }

    /// All changes after `after` that are durable, oldest first.
    ///
    /// # Errors
    /// [`Expired`] if some of them are no longer kept.
    pub fn changes_after(
        &self,
        after: Revision,
    ) -> Result<impl Iterator<Item = &Arc<Change>>, Expired> {
        self.window.after(after, self.durable)
    }

    /// As [`Store::changes_after`], with the changes that are not durable yet: what must be undone
    /// to see the state as it was at `after`. Nothing a client sees may depend on them.
    ///
    /// # Errors
    /// [`Expired`] if some of them are no longer kept.
    pub fn changes_since(
        &self,
        after: Revision,
    ) -> Result<impl Iterator<Item = &Arc<Change>>, Expired> {
        self.window.after(after, self.head)
    }
}
