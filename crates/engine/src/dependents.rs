//! Who depends on whom: the objects that name an owner, by the owner's uid.

use std::collections::{BTreeSet, HashMap};

use kinds::{Key, Owner, Uid};

#[derive(Default)]
pub(crate) struct Dependents {
    by_owner: HashMap<Uid, BTreeSet<Key>>,
}

impl Dependents {
    pub(crate) fn add(&mut self, key: &Key, owners: &[Owner]) {
        for owner in owners {
            self.by_owner.entry(owner.uid).or_default().insert(key.clone());
        }
    }

    pub(crate) fn remove(&mut self, key: &Key, owners: &[Owner]) {
        for owner in owners {
            if let Some(keys) = self.by_owner.get_mut(&owner.uid) {
                keys.remove(key);
                if keys.is_empty() {
                    self.by_owner.remove(&owner.uid);
                }
            }
        }
    }

    pub(crate) fn iter(&self, owner: Uid) -> impl Iterator<Item = &Key> {
        self.by_owner.get(&owner).into_iter().flatten()
    }

    pub(crate) fn of(&self, owner: Uid) -> Vec<Key> {
        self.iter(owner).cloned().collect()
    }

    /// The owners of all that have one.
    pub(crate) fn owners(&self) -> impl Iterator<Item = Uid> {
        self.by_owner.keys().copied()
    }

    pub(crate) fn any(&self, owner: Uid) -> bool {
        self.by_owner.contains_key(&owner)
    }
}
