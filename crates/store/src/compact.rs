//! Compaction without stopping the world: the oldest segment is always the one being cleaned. Its
//! live entries are copied forward inside ordinary batches, a few at a time; then the file goes.
//!
//! Because entries die only by later entries, nothing before the oldest segment can need its
//! deletions, and they are dropped with it.

use std::sync::Arc;

use kinds::Object;

use crate::{
    Store,
    entry::Entry,
    limits::COMPACT_VISIT_BYTES,
    log::Item,
    state::{Place, Slot},
};

impl Store {
    /// Whether more of the log is garbage than the limits allow.
    pub(crate) fn over_limit(&self) -> bool {
        let live = self.state.live_bytes();
        let garbage = self.log.entry_bytes.saturating_sub(live);
        garbage > live.max(self.limits.garbage_bytes)
    }

    /// Copies live entries of the oldest segments forward, within the budget of one batch; returns
    /// the segments that hold nothing live any more.
    pub(crate) fn compact(&mut self) -> Vec<u64> {
        let mut budget = self.limits.compact_bytes + 2 * self.log.queued_bytes();
        let mut retired = Vec::new();
        let open = self.log.first_open().unwrap_or(0);
        // With nothing else to write, looking goes on until there is something to do: the caller
        // asks again only after a batch.
        while (budget > 0 || self.log.is_idle() && retired.is_empty()) && self.over_limit() {
            let Some(oldest) = self.log.segments.front_mut().filter(|s| s.number < open) else {
                break;
            };
            let segment = oldest.number;
            match oldest.items.pop_front() {
                Some(item) => {
                    let copied = self.carry_forward(segment, item);
                    budget = budget.saturating_sub(copied.max(COMPACT_VISIT_BYTES));
                }
                None => {
                    self.log.entry_bytes -= oldest.entry_bytes;
                    self.log.segments.pop_front();
                    retired.push(segment);
                }
            }
        }
        if let Some(last) = retired.last() {
            // The reservation may lie in the segment that goes, so it is said again.
            let mut entries = Vec::new();
            Entry::Oldest { segment: last + 1 }.write(&[], &mut entries);
            Entry::Reserve { revision: self.reserved }.write(&[], &mut entries);
            self.log.place(&entries, std::iter::empty(), self.now_s, &self.limits);
        }
        retired
    }

    /// Copies what `item` names if its latest entry lies in `segment`; returns the bytes copied.
    fn carry_forward(&mut self, segment: u64, item: Item) -> u64 {
        let mut entry = Vec::new();
        match &item {
            Item::Object(key) => {
                let Some(object) = here(self.state.object(key), segment) else { return 0 };
                let object: Arc<Object> = Arc::clone(object);
                let bytes = Entry::copy(&object).write(object.json(), &mut entry);
                let segment = self.log.place(&entry, [item].into_iter(), self.now_s, &self.limits);
                self.state.put(object, Place { segment, bytes });
                bytes
            }
            Item::Record(name) => {
                let Some(value) = here(self.state.record(name), segment) else { return 0 };
                let (name, value) = (Arc::clone(name), value.clone());
                let bytes = Entry::record(&name, &value).write(&value, &mut entry);
                let segment = self.log.place(&entry, [item].into_iter(), self.now_s, &self.limits);
                self.state.put_record(name, value, Place { segment, bytes });
                bytes
            }
        }
    }
}

fn here<T>(slot: Option<&Slot<T>>, segment: u64) -> Option<&T> {
    slot.filter(|s| s.place.segment == segment).map(|s| &s.value)
}
