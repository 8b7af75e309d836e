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
                let json = object.json();
                let bytes = Entry::copy(&object, &json).write(&json, &mut entry);
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use kinds::{Draft, Kind};

    use crate::{Disk, Limits, MemoryDisk, Store, Write};

    fn config_map(n: u64) -> Write {
        let json = format!(
            r#"{{"metadata":{{"namespace":"default","name":"o{n}",
            "uid":"01234567-89ab-4def-8123-456789abcdef"}},"data":{{"x":"{}"}}}}"#,
            "x".repeat(800)
        );
        Write::Put(Draft::from_json(Kind::ConfigMap, json.as_bytes()).unwrap())
    }

    /// 20 cold objects first, then two that are rewritten all the time: the cold ones are carried
    /// forward a few per batch, and no batch copies more than its budget.
    #[test]
    fn a_batch_copies_no_more_than_its_budget() {
        const ENTRY_BYTES: u64 = 1100;
        let limits = Limits {
            segment_bytes: 8 << 10,
            garbage_bytes: 16 << 10,
            compact_bytes: 2 << 10,
            ..Limits::default()
        };
        let mut disk = MemoryDisk::new();
        let mut store = Store::open(&mut disk, limits, Timestamp::UNIX_EPOCH).unwrap();
        let mut copying = 0;
        for n in 0..200 {
            let object = if n < 20 { n } else { n % 2 + 20 };
            store.commit(vec![config_map(object)], Timestamp::UNIX_EPOCH);
            let queued = store.log.queued_bytes();
            let retired = store.compact();
            let copied = store.log.queued_bytes() - queued;
            copying += u64::from(copied > ENTRY_BYTES);
            assert!(copied < limits.compact_bytes + 2 * queued + ENTRY_BYTES, "{copied} copied");
            let mut batch = store.take_batch().unwrap();
            let gone = retired.into_iter().map(|segment| crate::batch::Step::Remove { segment });
            batch.steps.extend(gone);
            let (done, result) = batch.perform(&mut disk);
            result.unwrap();
            store.batch_done(done);
        }
        assert!(copying > 5, "{copying} batches had something to copy");
        assert!(disk.segments().unwrap()[0] > 3);
    }
}
