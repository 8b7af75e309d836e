//! The transaction being built: what will change, by key. Later changes of one object replace
//! earlier ones, so that each object gets one revision per transaction.

use std::collections::BTreeMap;

use bytes::Bytes;
use kinds::{Draft, Key};
use store::Write;

#[derive(Default)]
pub(crate) struct Pending {
    writes: BTreeMap<Key, Option<Draft>>,
    records: Vec<(String, Option<Bytes>)>,
}

impl Pending {
    /// What this transaction makes of the key: `None` if it does not touch it, `Some(None)` if it
    /// deletes it.
    pub(crate) fn get(&self, key: &Key) -> Option<Option<&Draft>> {
        self.writes.get(key).map(Option::as_ref)
    }

    pub(crate) fn put(&mut self, key: Key, draft: Draft) {
        self.writes.insert(key, Some(draft));
    }

    /// Deletes the key; `stored` says whether the store has it, else the creation is just dropped.
    pub(crate) fn delete(&mut self, key: &Key, stored: bool) {
        match stored {
            true => self.writes.insert(key.clone(), None),
            false => self.writes.remove(key),
        };
    }

    pub(crate) fn record(&mut self, name: String, value: Option<Bytes>) {
        self.records.push((name, value));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.records.is_empty()
    }

    /// Empties the transaction into what the store takes.
    pub(crate) fn take(&mut self) -> (Vec<Write>, Vec<(String, Option<Bytes>)>) {
        let writes = std::mem::take(&mut self.writes).into_iter();
        let writes = writes.map(|(key, draft)| match draft {
            Some(draft) => Write::Put(draft),
            None => Write::Delete(key),
        });
        (writes.collect(), std::mem::take(&mut self.records))
    }
}
