//! What follows from deletions: dependents go, stay or are waited for, and pods whose Job is gone are
//! let go (`pkg/controller/garbagecollector`).

use jiff::Timestamp;
use kinds::{Draft, Key, Kind, Meta, Uid, metav1::OwnerReference, selector::Selector};
use reconcile::{
    PodFacts, TRACKING_FINALIZER,
    deletion::{self, Begun, FOREGROUND_FINALIZER, ORPHAN_FINALIZER, Propagation},
    garbage::{
        Due, Kin, OwnerState, Verdict, blocks, disown, due, elsewhere, has_finalizer, judge,
        owner_key, strip_finalizer, unblock,
    },
    orphan,
};

use crate::{
    Engine,
    engine::uid,
    recorder::{About, Happening},
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
        let adopted = self.adopted.remove(key);
        if !self.concerns_collector(key) {
            return;
        }
        let Some(draft) = self.current(key) else { return };
        match draft.metadata.deletion_timestamp {
            Some(_) => self.go_on_deleting(key, now),
            None => self.judge_by_owners(key, &draft, adopted, now),
        }
        if key.kind == Kind::Pod && has_finalizer(&draft.metadata, TRACKING_FINALIZER) {
            self.let_stray_go(key, &draft);
        }
    }

    /// Whether an object has anything that the collector looks at: told without reading it, as most
    /// have nothing. What unfinished Jobs and CronJobs own, which do not wait for it, is theirs to
    /// look at.
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
        let has_controller =
            |uid| self.jobs.key_of(uid).or_else(|| self.cron_jobs.key_of(uid)).is_some();
        let minded = |uid: Uid| has_controller(uid) && !self.awaiting.contains_key(&uid);
        match owners.as_slice() {
            _ if deleting => true,
            [] => held,
            owners => !owners.iter().all(|owner| owner.is_some_and(minded)),
        }
    }

    fn judge_by_owners(&mut self, key: &Key, draft: &Draft, adopted: bool, now: Timestamp) {
        let owners = draft.metadata.owner_references.as_deref().unwrap_or_default();
        let states: Vec<_> = owners.iter().map(|o| self.owner_state(&key.namespace, o)).collect();
        if adopted {
            let absent = owners.iter().zip(&states).filter(|(_, s)| **s == OwnerState::Absent);
            if let Some((owner, _)) = absent.clone().find(|(owner, _)| self.is_elsewhere(owner)) {
                self.tell_elsewhere(key, draft, owner, now);
            }
        }
        let own = uid(draft);
        let waits =
            |key: &Key| self.uid_of(key).is_some_and(|uid| self.awaiting.contains_key(&uid));
        let kin = Kin {
            owners: &states,
            owns: own.is_some_and(|uid| self.dependents.any(uid)),
            owns_waiting: own.is_some_and(|uid| self.dependents.iter(uid).any(waits)),
        };
        match judge(&draft.metadata, &kin) {
            Verdict::Keep => {}
            Verdict::Unlink(kept) => self.edit(key, |meta| meta.owner_references = Some(kept)),
            Verdict::Delete { propagation, unblock: first } => {
                if first {
                    self.edit(key, unblock);
                }
                self.begin_deletion(key, None, Some(propagation), now);
            }
        }
    }

    /// A reference by an equal name to another incarnation does not count.
    fn owner_state(&self, namespace: &str, owner: &OwnerReference) -> OwnerState {
        let Some(key) = owner_key(namespace, owner) else { return OwnerState::Unknown };
        match self.uid_of(&key).filter(|uid| Uid::parse(&owner.uid) == Some(*uid)) {
            Some(uid) if self.awaiting.contains_key(&uid) => OwnerState::Waiting,
            Some(_) => OwnerState::Solid,
            None => OwnerState::Absent,
        }
    }

    /// Whether an owner that is not where its dependent looks for it is in another namespace.
    fn is_elsewhere(&self, owner: &OwnerReference) -> bool {
        let kind = Kind::find(&owner.api_version, &owner.kind);
        let (Some(kind), Some(uid)) = (kind, Uid::parse(&owner.uid)) else { return false };
        self.store.list(kind, None).any(|object| object.meta.uid == uid)
    }

    fn tell_elsewhere(&mut self, key: &Key, draft: &Draft, owner: &OwnerReference, now: Timestamp) {
        let Some(uid) = uid(draft) else { return };
        let note = elsewhere(&key.namespace, owner);
        let what = Happening {
            component: "garbage-collector-controller",
            warning: note.warning,
            reason: note.reason.into_owned(),
            message: note.message,
        };
        self.note(&About { key: key.clone(), uid, field_path: None }, &what, now);
    }

    fn go_on_deleting(&mut self, key: &Key, now: Timestamp) {
        while let Some(draft) = self.current(key) {
            let Some(uid) = uid(&draft) else { return };
            let swept = self.awaiting.get(&uid).is_none_or(|awaiting| awaiting.swept);
            let meta = &draft.metadata;
            match due(meta, swept, swept && self.is_blocked(uid)) {
                None => return,
                Some(Due::Release) => {
                    for dependent in self.dependents.of(uid) {
                        self.edit(&dependent, |meta| disown(meta, uid));
                    }
                    self.edit(key, |meta| strip_finalizer(meta, ORPHAN_FINALIZER));
                }
                Some(Due::Sweep) => self.sweep(key, uid, now),
                Some(Due::Finish) => {
                    self.edit(key, |meta| strip_finalizer(meta, FOREGROUND_FINALIZER));
                }
            }
        }
    }

    /// What depends on an object that waits for it is told to go.
    fn sweep(&mut self, key: &Key, owner: Uid, now: Timestamp) {
        if let Some(awaiting) = self.awaiting.get_mut(&owner) {
            awaiting.swept = true;
        }
        for dependent in self.dependents.of(owner) {
            self.collect(&dependent, now);
            if key.kind == Kind::Job && dependent.kind == Kind::Pod {
                // Its Job is going: nobody will count it any more.
                self.untrack(&dependent);
            }
        }
    }

    /// Whether a dependent holds its owner back.
    fn is_blocked(&self, owner: Uid) -> bool {
        self.dependents.iter(owner).any(|dependent| {
            self.current(dependent).is_some_and(|draft| blocks(&draft.metadata, owner))
        })
    }

    /// A pod that no Job will account for any more loses the tracking finalizer.
    fn let_stray_go(&mut self, key: &Key, draft: &Draft) {
        let pod = draft.pod().expect("a Pod in the store was validated");
        let facts = PodFacts::of(&pod, &Selector::nothing(), None);
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

    /// Keeps which objects wait for their dependents.
    pub(crate) fn index_awaiting(&mut self, key: &Key, draft: &Draft) {
        let waits = draft.metadata.deletion_timestamp.is_some()
            && has_finalizer(&draft.metadata, FOREGROUND_FINALIZER);
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
