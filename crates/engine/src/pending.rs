//! The transaction being built: what will change, by key. Later changes of one object replace
//! earlier ones, so that each object gets one revision per transaction.

use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;
use kinds::{Draft, EventDraft, Key};
use store::Write;

/// What becomes of one object.
enum Next {
    Put(Draft),
    Event(Box<EventDraft>),
    /// It goes. If this transaction had changed it before, that is how it looked last.
    Gone(Option<Draft>),
}

#[derive(Default)]
pub(crate) struct Pending {
    writes: BTreeMap<Key, Next>,
    records: BTreeMap<String, Option<Bytes>>,
}

impl Pending {
    /// What this transaction makes of the key: `None` if it does not touch it, `Some(None)` if it
    /// deletes it. The Events that it records are [elsewhere](Self::event).
    pub(crate) fn get(&self, key: &Key) -> Option<Option<&Draft>> {
        match self.writes.get(key)? {
            Next::Put(draft) => Some(Some(draft)),
            Next::Event(_) => None,
            Next::Gone(_) => Some(None),
        }
    }

    /// The Event that this transaction records under the key.
    pub(crate) fn event(&self, key: &Key) -> Option<&EventDraft> {
        match self.writes.get(key)? {
            Next::Event(event) => Some(event),
            Next::Put(_) | Next::Gone(_) => None,
        }
    }

    /// Takes back what this transaction makes of an object, to be changed and put again.
    pub(crate) fn take_back(&mut self, key: &Key) -> Option<Draft> {
        match self.writes.remove(key)? {
            Next::Put(draft) => Some(draft),
            other => {
                self.writes.insert(key.clone(), other);
                None
            }
        }
    }

    /// What this transaction creates or changes, but the Events that it records.
    pub(crate) fn puts(&self) -> impl Iterator<Item = (&Key, &Draft)> {
        self.writes.iter().filter_map(|(key, next)| match next {
            Next::Put(draft) => Some((key, draft)),
            Next::Event(_) | Next::Gone(_) => None,
        })
    }

    pub(crate) fn put(&mut self, key: Key, draft: Draft) {
        self.writes.insert(key, Next::Put(draft));
    }

    /// Records an Event.
    pub(crate) fn put_event(&mut self, event: EventDraft) {
        self.writes.insert(event.key.clone(), Next::Event(Box::new(event)));
    }

    /// Deletes the key; `stored` says whether the store has it, else the creation is just dropped.
    pub(crate) fn delete(&mut self, key: &Key, stored: bool) {
        let last = match self.writes.remove(key) {
            Some(Next::Put(draft)) => Some(draft),
            Some(Next::Event(event)) => Some(event.draft()),
            Some(Next::Gone(last)) => last,
            None => None,
        };
        if stored {
            self.writes.insert(key.clone(), Next::Gone(last));
        }
    }

    pub(crate) fn record(&mut self, name: String, value: Option<Bytes>) {
        self.records.insert(name, value);
    }

    /// The first record that this transaction writes with such a name.
    pub(crate) fn first_record(&self, prefix: &str) -> Option<(&str, &Bytes)> {
        let from = self.records.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let mut named = from.take_while(|(name, _)| name.starts_with(prefix));
        named.find_map(|(name, bytes)| Some((&**name, bytes.as_ref()?)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.records.is_empty()
    }

    /// Empties the transaction into what the store takes.
    pub(crate) fn take(&mut self) -> (Vec<Write>, Vec<(String, Option<Bytes>)>) {
        let writes = std::mem::take(&mut self.writes).into_iter();
        let writes = writes.map(|(key, next)| match next {
            Next::Put(draft) => Write::Put(draft),
            Next::Event(event) => Write::Event(event),
            Next::Gone(None) => Write::Delete(key),
            Next::Gone(Some(last)) => Write::End(last),
        });
        (writes.collect(), std::mem::take(&mut self.records).into_iter().collect())
    }
}
