//! What follows from deletions: dependents go, stay or are waited for, and pods whose Job is gone are
//! let go (`pkg/controller/garbagecollector`).

use jiff::Timestamp;
use kinds::{Draft, Key, Kind, Meta, Uid, metav1::OwnerReference, selector::Selector};
use reconcile::{
    PodFacts, TRACKING_FINALIZER,
    garbage::{OwnerState, Verdict, judge},
    orphan,
};

use crate::{
    Engine,
    deletion::{self, Begun, FOREGROUND_FINALIZER, ORPHAN_FINALIZER, Propagation},
    engine::uid,
    job_controller::strip_finalizer,
};

/// An object that is being deleted in the foreground.
pub(crate) struct Awaiting {
    pub(crate) key: Key,
    /// What depends on it was told to go.
    swept: bool,
}

impl Engine {
    /// Looks at one object as the garbage collector does: whether its owners are gone, whether its
    /// deletion can go on, whether a pod is still tracked for a Job that is no more.
    pub(crate) fn collect(&mut self, key: &Key, now: Timestamp) {
        if !self.concerns_collector(key) {
            return;
        }
        let Some(draft) = self.current(key) else { return };
        match draft.metadata.deletion_timestamp {
            Some(_) => self.go_on_deleting(key, &draft, now),
            None => self.judge_by_owners(key, &draft, now),
        }
        if key.kind == Kind::Pod && has_finalizer(&draft, TRACKING_FINALIZER) {
            self.let_stray_go(key, &draft);
        }
    }

    /// Whether an object has anything that the collector looks at: told without reading it, as most
    /// have nothing. What unfinished Jobs own, which do not wait for it, is theirs to look at.
    fn concerns_collector(&self, key: &Key) -> bool {
        let (deleting, held, owners): (bool, bool, Vec<Option<Uid>>) = match self.pending.get(key) {
            Some(None) => return false,
            Some(Some(draft)) => {
                let meta = &draft.metadata;
                let owners = meta.owner_references.iter().flatten();
                let held = meta.finalizers.as_ref().is_some_and(|all| !all.is_empty());
                let uids = owners.map(|owner| Uid::parse(&owner.uid)).collect();
                (meta.deletion_timestamp.is_some(), held, uids)
            }
            None => {
                let Some(object) = self.store.get(key) else { return false };
                let Meta { owners, finalizers, .. } = &object.meta;
                let uids = owners.iter().map(|owner| Some(owner.uid)).collect();
                (object.deleting(), !finalizers.is_empty(), uids)
            }
        };
        let minded =
            |uid: Uid| self.jobs.key_of(uid).is_some() && !self.awaiting.contains_key(&uid);
        match owners.as_slice() {
            _ if deleting => true,
            [] => held,
            owners => !owners.iter().all(|owner| owner.is_some_and(minded)),
        }
    }

    fn judge_by_owners(&mut self, key: &Key, draft: &Draft, now: Timestamp) {
        let owners = draft.metadata.owner_references.as_deref().unwrap_or_default();
        let states: Vec<_> = owners.iter().map(|owner| self.owner_state(draft, owner)).collect();
        let owns = uid(draft).is_some_and(|uid| self.dependents.any(uid));
        match judge(&states, owns) {
            Verdict::Keep => {}
            Verdict::Unlink => {
                let both = owners.iter().zip(&states);
                let solid = both.filter(|(_, state)| **state == OwnerState::Solid);
                let kept = solid.map(|(owner, _)| owner.clone()).collect();
                self.edit(key, |meta| meta.owner_references = Some(kept));
            }
            Verdict::Delete { foreground } => {
                let propagation = match foreground {
                    _ if has_finalizer(draft, ORPHAN_FINALIZER) => Propagation::Orphan,
                    true => Propagation::Foreground,
                    false if has_finalizer(draft, FOREGROUND_FINALIZER) => Propagation::Foreground,
                    false => Propagation::Background,
                };
                if foreground {
                    self.break_circle(key, draft);
                }
                self.begin_deletion(key, None, Some(propagation), now);
            }
        }
    }

    /// An object whose dependent waits for it, while its owner does too, holds its owner back no
    /// longer: each would wait for the other.
    fn break_circle(&mut self, key: &Key, draft: &Draft) {
        let Some(uid) = uid(draft) else { return };
        let waits =
            |key: &Key| self.uid_of(key).is_some_and(|uid| self.awaiting.contains_key(&uid));
        if self.dependents.iter(uid).any(waits) {
            self.edit(key, |meta| {
                for owner in meta.owner_references.iter_mut().flatten() {
                    owner.block_owner_deletion = Some(false);
                }
            });
        }
    }

    /// An owner counts as alive if its kind is not served: nobody could tell. A reference by an
    /// equal name to another incarnation does not count.
    fn owner_state(&self, draft: &Draft, owner: &OwnerReference) -> OwnerState {
        let Some(kind) = Kind::find(&owner.api_version, &owner.kind) else {
            return OwnerState::Solid;
        };
        let namespace = match kind.info().namespaced {
            true => draft.metadata.namespace.as_deref().unwrap_or_default(),
            false => "",
        };
        let key = Key::new(kind, namespace, &owner.name);
        match self.uid_of(&key).filter(|uid| Uid::parse(&owner.uid) == Some(*uid)) {
            Some(uid) if self.awaiting.contains_key(&uid) => OwnerState::Waiting,
            Some(_) => OwnerState::Solid,
            None => OwnerState::Absent,
        }
    }

    fn go_on_deleting(&mut self, key: &Key, draft: &Draft, now: Timestamp) {
        if has_finalizer(draft, ORPHAN_FINALIZER) {
            self.orphan_dependents(draft);
            self.edit(key, |meta| strip_finalizer(meta, ORPHAN_FINALIZER));
        }
        if has_finalizer(draft, FOREGROUND_FINALIZER) {
            self.go_on_in_foreground(key, draft, now);
        }
    }

    fn go_on_in_foreground(&mut self, key: &Key, draft: &Draft, now: Timestamp) {
        let Some(uid) = uid(draft) else { return };
        let awaiting = self.awaiting.get_mut(&uid);
        if awaiting.is_some_and(|awaiting| !std::mem::replace(&mut awaiting.swept, true)) {
            for dependent in self.dependents.of(uid) {
                self.collect(&dependent, now);
                if key.kind == Kind::Job && dependent.kind == Kind::Pod {
                    // Its Job is going: nobody will count it any more.
                    self.untrack(&dependent);
                }
            }
        }
        let blocked = self.dependents.iter(uid).any(|dependent| self.blocks(dependent, uid));
        if !blocked {
            self.edit(key, |meta| strip_finalizer(meta, FOREGROUND_FINALIZER));
        }
    }

    /// Whether a dependent holds its owner back.
    fn blocks(&self, dependent: &Key, owner: Uid) -> bool {
        let Some(draft) = self.current(dependent) else { return false };
        draft.metadata.owner_references.iter().flatten().any(|reference| {
            Uid::parse(&reference.uid) == Some(owner)
                && reference.block_owner_deletion == Some(true)
        })
    }

    /// A pod that no Job will account for any more loses the tracking finalizer.
    fn let_stray_go(&mut self, key: &Key, draft: &Draft) {
        let pod = draft.pod().expect("a Pod in the store was validated");
        let facts = PodFacts::of(&pod, &Selector::nothing());
        let owners = draft.metadata.owner_references.iter().flatten();
        let job = owners.clone().find(|owner| owner.controller == Some(true)).and_then(|owner| {
            let job = self.current(&Key::new(Kind::Job, &key.namespace, &owner.name))?;
            (job.metadata.uid.as_deref() == Some(&owner.uid)).then(|| job.job().ok())?
        });
        if orphan(&facts, job.as_ref()).is_some() {
            self.untrack(key);
        }
    }

    /// Deletes in the background with the object's own grace period.
    pub(crate) fn delete_now(&mut self, key: &Key, now: Timestamp) {
        self.begin_deletion(key, None, Some(Propagation::Background), now);
    }

    /// Begins a deletion, and ends it where nothing stands in its way.
    pub(crate) fn begin_deletion(
        &mut self,
        key: &Key,
        grace_s: Option<i64>,
        propagation: Option<Propagation>,
        now: Timestamp,
    ) {
        let Some(draft) = self.current(key) else { return };
        self.urgent = true;
        match deletion::begin(draft, grace_s, propagation, now) {
            Begun::Already => {}
            Begun::Kept(draft) => {
                self.put(draft);
                self.woken.insert(key.clone());
            }
            Begun::Gone(draft) => {
                if key.kind == Kind::Pod {
                    self.write(key.clone(), draft);
                }
                self.remove(key);
            }
        }
    }

    fn orphan_dependents(&mut self, draft: &Draft) {
        let Some(uid) = uid(draft) else { return };
        for dependent in self.dependents.of(uid) {
            self.edit(&dependent, |meta| {
                if let Some(owners) = &mut meta.owner_references {
                    owners.retain(|owner| Uid::parse(&owner.uid) != Some(uid));
                }
            });
        }
    }

    /// Keeps which objects wait for their dependents.
    pub(crate) fn index_awaiting(&mut self, key: &Key, draft: &Draft) {
        let waits = draft.metadata.deletion_timestamp.is_some()
            && has_finalizer(draft, FOREGROUND_FINALIZER);
        if !waits && self.awaiting.is_empty() {
            return;
        }
        let Some(uid) = uid(draft) else { return };
        match waits {
            true => {
                let new = || Awaiting { key: key.clone(), swept: false };
                self.awaiting.entry(uid).or_insert_with(new);
            }
            false => drop(self.awaiting.remove(&uid)),
        }
    }
}

fn has_finalizer(draft: &Draft, name: &str) -> bool {
    draft.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == name)
}
