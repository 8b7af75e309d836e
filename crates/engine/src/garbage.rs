//! Deletion and what follows from it: grace periods, finalizers, propagation to dependents, and pods
//! whose Job is gone (`pkg/controller/garbagecollector`, `pkg/registry/rest/delete.go`).

use jiff::{SignedDuration, Timestamp};
use kinds::{
    Draft, Key, Kind, Uid, api_time, metav1::OwnerReference, selector::Selector,
    types::core::v1::PodStatus,
};
use reconcile::{PodFacts, TRACKING_FINALIZER, orphan};

use crate::{Engine, api::Propagation, controllers::strip_finalizer};

/// Keeps an owner until the dependents that block its deletion are gone.
pub(crate) const FOREGROUND_FINALIZER: &str = "foregroundDeletion";

/// The longest grace period, seconds: a client may ask for more than the calendar holds.
const GRACE_S_MAX: i64 = i32::MAX as i64;

impl Engine {
    /// Looks at one object as the garbage collector does: whether its owners are gone, whether a
    /// foreground deletion can end, whether a pod is still tracked for a Job that is no more.
    pub(crate) fn collect(&mut self, key: &Key, now: Timestamp) {
        if !self.concerns_collector(key) {
            return;
        }
        let Some(draft) = self.current(key) else { return };
        if self.is_abandoned(&draft) {
            self.delete_now(key, None, now);
            return;
        }
        self.drop_absent_owners(key, &draft);
        if key.kind == Kind::Namespace && draft.metadata.deletion_timestamp.is_some() {
            self.empty_namespace(key, now);
        }
        if has_finalizer(&draft, FOREGROUND_FINALIZER) {
            self.go_on_in_foreground(key, &draft, now);
        }
        if key.kind == Kind::Pod && has_finalizer(&draft, TRACKING_FINALIZER) {
            self.let_stray_go(key, &draft);
        }
    }

    /// Whether an object has anything that the collector looks at: told without reading it, as most
    /// have nothing.
    fn concerns_collector(&self, key: &Key) -> bool {
        match self.pending.get(key) {
            Some(None) => false,
            Some(Some(draft)) => {
                let meta = &draft.metadata;
                meta.deletion_timestamp.is_some()
                    || meta.owner_references.as_ref().is_some_and(|owners| !owners.is_empty())
                    || meta.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty())
            }
            None => self.store.get(key).is_some_and(|object| {
                let meta = &object.meta;
                object.deleting() || !meta.owners.is_empty() || !meta.finalizers.is_empty()
            }),
        }
    }

    /// All owners are gone, and there was at least one.
    fn is_abandoned(&self, draft: &Draft) -> bool {
        let owners = draft.metadata.owner_references.as_deref().unwrap_or_default();
        !owners.is_empty()
            && draft.metadata.deletion_timestamp.is_none()
            && owners.iter().all(|owner| !self.owner_lives(draft, owner))
    }

    /// An owner counts as alive if its kind is not served: nobody could tell. A reference by an
    /// equal name to another incarnation does not count.
    fn owner_lives(&self, draft: &Draft, owner: &OwnerReference) -> bool {
        let Some(kind) = Kind::find(&owner.api_version, &owner.kind) else { return true };
        let namespace = match kind.info().namespaced {
            true => draft.metadata.namespace.as_deref().unwrap_or_default(),
            false => "",
        };
        let key = Key::new(kind, namespace, &owner.name);
        self.uid_of(&key).is_some_and(|uid| Uid::parse(&owner.uid) == Some(uid))
    }

    fn drop_absent_owners(&mut self, key: &Key, draft: &Draft) {
        let owners = draft.metadata.owner_references.as_deref().unwrap_or_default();
        let absent: Vec<String> = owners
            .iter()
            .filter(|owner| !self.owner_lives(draft, owner))
            .map(|owner| owner.uid.clone())
            .collect();
        if absent.is_empty() || draft.metadata.deletion_timestamp.is_some() {
            return;
        }
        self.edit(key, |meta| {
            meta.owner_references.get_or_insert_default().retain(|o| !absent.contains(&o.uid));
        });
    }

    fn go_on_in_foreground(&mut self, key: &Key, draft: &Draft, now: Timestamp) {
        let Some(uid) = crate::engine::uid(draft) else { return };
        let mut blocked = false;
        for dependent in self.dependents.of(uid) {
            let Some(other) = self.current(&dependent) else { continue };
            let owners = other.metadata.owner_references.as_deref().unwrap_or_default();
            let blocks = |o: &OwnerReference| {
                Uid::parse(&o.uid) == Some(uid) && o.block_owner_deletion == Some(true)
            };
            blocked |= owners.iter().any(blocks);
            if other.metadata.deletion_timestamp.is_none() {
                self.delete_now(&dependent, None, now);
            } else if dependent.kind == Kind::Pod {
                // Its Job is going: nobody will count it any more.
                self.untrack(&dependent);
            }
        }
        let blocked = blocked && self.dependents.any(uid);
        if !blocked {
            self.edit(key, |meta| strip_finalizer(meta, FOREGROUND_FINALIZER));
        }
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

    /// Deletes in the background with the object's own grace period, or a shorter one.
    pub(crate) fn delete_now(&mut self, key: &Key, grace_s: Option<i64>, now: Timestamp) {
        self.begin_deletion(key, grace_s, Propagation::Background, now);
    }

    /// Begins a deletion, and ends it where nothing stands in its way.
    pub(crate) fn begin_deletion(
        &mut self,
        key: &Key,
        grace_s: Option<i64>,
        propagation: Propagation,
        now: Timestamp,
    ) {
        let Some(mut draft) = self.current(key) else { return };
        self.urgent = true;
        let grace_s = self.grace(key, &draft, grace_s);
        let meta = &mut draft.metadata;
        match propagation {
            Propagation::Orphan => self.orphan_dependents(&draft),
            Propagation::Foreground
                if key.kind != Kind::Pod && meta.deletion_timestamp.is_none() =>
            {
                meta.finalizers.get_or_insert_default().push(FOREGROUND_FINALIZER.to_owned());
            }
            Propagation::Foreground | Propagation::Background => {}
        }
        let meta = &mut draft.metadata;
        let shorter = meta.deletion_grace_period_seconds.is_none_or(|present| grace_s < present);
        if meta.deletion_timestamp.is_some() && !shorter {
            return;
        }
        let held =
            meta.finalizers.as_ref().is_some_and(|f| !f.is_empty()) || self.is_inhabited(key);
        if grace_s == 0 && !held {
            self.remove(key);
            return;
        }
        if meta.deletion_timestamp.is_none() {
            meta.generation = meta.generation.filter(|g| *g > 0).map(|g| g + 1);
        }
        meta.deletion_timestamp = Some(api_time(now + SignedDuration::from_secs(grace_s)));
        meta.deletion_grace_period_seconds = Some(grace_s);
        if key.kind == Kind::Pod {
            end_unbound(&mut draft);
        }
        self.put(draft);
        self.woken.insert(key.clone());
    }

    /// Seconds a deletion waits: only pods that run on a node have any.
    fn grace(&self, key: &Key, draft: &Draft, asked_s: Option<i64>) -> i64 {
        if key.kind != Kind::Pod {
            return 0;
        }
        let pod = draft.pod().expect("a Pod in the store was validated");
        let spec = pod.spec.as_ref();
        if crate::pods::over(&pod) || spec.is_none_or(|spec| spec.node_name.is_none()) {
            return 0;
        }
        let own = spec.and_then(|spec| spec.termination_grace_period_seconds);
        match asked_s.or(own).unwrap_or(0) {
            negative if negative < 0 => 1,
            grace => grace.min(GRACE_S_MAX),
        }
    }

    /// A namespace that still has objects in it.
    pub(crate) fn is_inhabited(&self, key: &Key) -> bool {
        let kinds = kinds::KINDS.iter().filter(|info| info.namespaced);
        key.kind == Kind::Namespace
            && kinds
                .flat_map(|info| self.store.list(info.kind, Some(&key.name)))
                .any(|o| self.exists(&o.key))
    }

    /// Deletes what is in a namespace that is being deleted, and the namespace once that is gone.
    fn empty_namespace(&mut self, key: &Key, now: Timestamp) {
        let kinds = kinds::KINDS.iter().filter(|info| info.namespaced);
        let inside: Vec<Key> = kinds
            .flat_map(|info| self.store.list(info.kind, Some(&key.name)))
            .filter(|object| !object.deleting())
            .map(|object| object.key.clone())
            .collect();
        for object in inside {
            self.delete_now(&object, None, now);
        }
        if !self.is_inhabited(key) {
            self.remove(key);
        }
    }

    fn orphan_dependents(&mut self, draft: &Draft) {
        let Some(uid) = crate::engine::uid(draft) else { return };
        for dependent in self.dependents.of(uid) {
            self.edit(&dependent, |meta| {
                if let Some(owners) = &mut meta.owner_references {
                    owners.retain(|owner| Uid::parse(&owner.uid) != Some(uid));
                }
            });
        }
    }
}

/// A pod that no node has will never end by itself: deleted while a finalizer holds it, it has failed,
/// as upstream's pod collector says of terminating pods that were never scheduled.
fn end_unbound(draft: &mut Draft) {
    let pod = draft.pod().expect("a Pod in the store was validated");
    let bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    if bound || crate::pods::over(&pod) {
        return;
    }
    let status = PodStatus { phase: Some("Failed".to_owned()), ..pod.status.unwrap_or_default() };
    draft.set_pod_status(&status);
}

fn has_finalizer(draft: &Draft, name: &str) -> bool {
    draft.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == name)
}
