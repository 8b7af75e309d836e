//! Namespaces that are being deleted: what is in them goes, pods first, and then they do
//! (`pkg/controller/namespace/deletion`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use kinds::{Draft, KINDS, Key, Kind};
use reconcile::namespace::{Remaining, conditions};

use crate::Engine;

/// The entry of `spec.finalizers` that stands for the content.
const CONTENT: &str = "kubernetes";

impl Engine {
    /// Deletes what is in a namespace that goes, tells what is left, and lets it go once that is
    /// nothing.
    pub(crate) fn empty_namespace(&mut self, key: &Key, now: Timestamp) {
        if self.current(key).is_none_or(|draft| draft.metadata.deletion_timestamp.is_none()) {
            return;
        }
        let pods_first = [Kind::Pod].into_iter();
        let namespaced = KINDS.iter().filter(|info| info.namespaced).map(|info| info.kind);
        let others = namespaced.filter(|kind| *kind != Kind::Pod);
        let mut left = Remaining::default();
        for kind in pods_first.chain(others) {
            self.delete_all(kind, &key.name, now);
            self.count(kind, &key.name, &mut left);
            if kind == Kind::Pod && !left.objects.is_empty() {
                break;
            }
        }
        let Some(mut draft) = self.current(key) else { return };
        let mut namespace = draft.namespace().expect("a Namespace in the store was validated");
        let mut status = namespace.status.clone().unwrap_or_default();
        let before = status.conditions.clone().unwrap_or_default();
        let after = conditions(&before, &left, now);
        let empty = left.objects.is_empty();
        let finalizers = namespace.spec.get_or_insert_default().finalizers.get_or_insert_default();
        let held = finalizers.iter().any(|finalizer| finalizer == CONTENT);
        if empty && held {
            finalizers.retain(|finalizer| finalizer != CONTENT);
            draft = Draft::of_namespace(&namespace);
        } else if after == before {
            return;
        }
        status.conditions = Some(after);
        draft.set_namespace_status(&status);
        self.put(draft);
    }

    fn delete_all(&mut self, kind: Kind, namespace: &str, now: Timestamp) {
        let inside = self.store.list(kind, Some(namespace)).filter(|object| !object.deleting());
        let inside: Vec<Key> = inside.map(|object| object.key.clone()).collect();
        for object in inside {
            self.delete_now(&object, now);
        }
    }

    fn count(&self, kind: Kind, namespace: &str, left: &mut Remaining) {
        let info = kind.info();
        let add = |counts: &mut BTreeMap<String, usize>, name: String| {
            *counts.entry(name).or_default() += 1;
        };
        for object in self.store.list(kind, Some(namespace)) {
            let finalizers = match self.pending.get(&object.key) {
                Some(None) => continue,
                Some(Some(draft)) => draft.metadata.finalizers.as_deref().unwrap_or_default(),
                None => &object.meta.finalizers,
            };
            add(&mut left.objects, format!("{}.{}", info.plural, info.group));
            finalizers.iter().for_each(|name| add(&mut left.finalizers, name.clone()));
        }
    }

    /// Whether a namespace takes new objects.
    pub(crate) fn is_open(&self, namespace: &str) -> bool {
        let found = self.store.get(&Key::new(Kind::Namespace, "", namespace));
        found.is_some_and(|namespace| !namespace.deleting())
    }
}
