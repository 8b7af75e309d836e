//! What lives: objects and records in order, each with the segment its latest entry lies in.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use bytes::Bytes;
use kinds::{KINDS, Key, Kind, Model, Object, Revision};

/// Where the latest entry of something lies in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) bytes: u64,
}

/// A value and the place of its latest entry.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// All that lives.
#[derive(Debug, Default)]
pub(crate) struct State {
    objects: BTreeMap<Key, Slot<Arc<Object>>>,
    records: BTreeMap<Arc<str>, Slot<Bytes>>,
    counts: [usize; KINDS.len()],
    /// What objects of a kind are packed against.
    models: [Option<Model>; KINDS.len()],
    live_bytes: u64,
}

impl State {
    /// The bytes of all entries that a log without garbage would have.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    pub(crate) fn object(&self, key: &Key) -> Option<&Slot<Arc<Object>>> {
        self.objects.get(key)
    }

    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.counts[kind as usize]
    }

    pub(crate) fn list(
        &self,
        kind: Kind,
        namespace: Option<&str>,
    ) -> impl Iterator<Item = &Arc<Object>> {
        let from = Key::new(kind, namespace.unwrap_or_default(), "");
        self.objects
            .range(from..)
            .take_while(move |(key, _)| {
                key.kind == kind && namespace.is_none_or(|n| *key.namespace == *n)
            })
            .map(|(_, slot)| &slot.value)
    }

    /// Puts an object in place; returns the one it replaces.
    pub(crate) fn put(&mut self, object: Arc<Object>, place: Place) -> Option<Arc<Object>> {
        self.live_bytes += place.bytes;
        let kind = object.key.kind;
        let old = self.objects.insert(object.key.clone(), Slot { value: object, place });
        match old {
            Some(old) => {
                self.live_bytes -= old.place.bytes;
                Some(old.value)
            }
            None => {
                self.counts[kind as usize] += 1;
                None
            }
        }
    }

    /// Nobody is told of the change to this state of an object any more: if it is still that and at
    /// rest, it is kept in less memory.
    pub(crate) fn pack(&mut self, object: &Object) {
        if !object.at_rest() {
            return;
        }
        let slot = self.objects.get_mut(&object.key);
        if let Some(slot) = slot.filter(|s| s.value.meta.revision == object.meta.revision) {
            pack(&mut slot.value, &mut self.models);
        }
    }

    /// Packs what is at rest and has not changed since `revision`.
    pub(crate) fn pack_all(&mut self, revision: Revision) {
        let values = self.objects.values_mut().map(|slot| &mut slot.value);
        for object in values.filter(|o| o.meta.revision <= revision && o.at_rest()) {
            pack(object, &mut self.models);
        }
    }

    /// Removes an object; returns it.
    pub(crate) fn delete(&mut self, key: &Key) -> Option<Arc<Object>> {
        let old = self.objects.remove(key)?;
        self.counts[key.kind as usize] -= 1;
        self.live_bytes -= old.place.bytes;
        Some(old.value)
    }

    pub(crate) fn record(&self, name: &str) -> Option<&Slot<Bytes>> {
        self.records.get(name)
    }

    /// The name of a record, in the memory that it has already if there is such a record.
    pub(crate) fn shared_name(&self, name: String) -> Arc<str> {
        let known = self.records.get_key_value(name.as_str());
        known.map_or_else(|| name.into(), |(known, _)| Arc::clone(known))
    }

    pub(crate) fn records(&self, prefix: &str) -> impl Iterator<Item = (&str, &Bytes)> {
        self.records
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(name, _)| name.starts_with(prefix))
            .map(|(name, slot)| (&**name, &slot.value))
    }

    pub(crate) fn put_record(&mut self, name: Arc<str>, bytes: Bytes, place: Place) {
        self.live_bytes += place.bytes;
        if let Some(old) = self.records.insert(name, Slot { value: bytes, place }) {
            self.live_bytes -= old.place.bytes;
        }
    }

    pub(crate) fn delete_record(&mut self, name: &str) {
        if let Some(old) = self.records.remove(name) {
            self.live_bytes -= old.place.bytes;
        }
    }
}

/// Packs an object against the model of its kind; one that is too different is the next model.
fn pack(object: &mut Arc<Object>, models: &mut [Option<Model>; KINDS.len()]) {
    if object.plain().is_none() {
        return;
    }
    let model = &mut models[object.key.kind as usize];
    match model.as_ref().and_then(|model| object.packed(model)) {
        Some(packed) => *object = Arc::new(packed),
        None => *model = Some(Model::of(object)),
    }
}
