//! Namespaces that are being deleted: what is in them goes, pods first, and then they do
//! (`pkg/controller/namespace/deletion`).

use jiff::Timestamp;
use kinds::{Draft, Key, Kind};
use reconcile::namespace::{Remaining, next, sweep};

use crate::Engine;

impl Engine {
    /// Deletes what is in a namespace that goes, tells what is left, and lets it go once that is
    /// nothing.
    pub(crate) fn empty_namespace(&mut self, key: &Key, now: Timestamp) {
        if self.current(key).is_none_or(|draft| draft.metadata.deletion_timestamp.is_none()) {
            return;
        }
        let left = sweep(|kind, left| {
            self.delete_all(kind, &key.name, now);
            self.count(kind, &key.name, left);
        });
        let Some(draft) = self.current(key) else { return };
        let namespace = draft.namespace().expect("a Namespace in the store was validated");
        if let Some(next) = next(&namespace, &left, now) {
            self.put(Draft::of_namespace(&next));
        }
    }

    fn delete_all(&mut self, kind: Kind, namespace: &str, now: Timestamp) {
        let inside = self.store.list(kind, Some(namespace)).filter(|object| !object.deleting());
        let inside: Vec<Key> = inside.map(|object| object.key.clone()).collect();
        for object in inside {
            self.delete_now(&object, now);
        }
    }

    fn count(&self, kind: Kind, namespace: &str, left: &mut Remaining) {
        for object in self.store.list(kind, Some(namespace)) {
            match self.pending.get(&object.key) {
                Some(None) => {}
                Some(Some(draft)) => {
                    left.add(kind, draft.metadata.finalizers.as_deref().unwrap_or_default());
                }
                None => left.add(kind, &object.meta.finalizers),
            }
        }
    }

    /// Whether a namespace takes new objects.
    pub(crate) fn is_open(&self, namespace: &str) -> bool {
        let found = self.store.get(&Key::new(Kind::Namespace, "", namespace));
        found.is_some_and(|namespace| !namespace.deleting())
    }
}
