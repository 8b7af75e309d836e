//! What clients ask for when they want objects gone: delete, deletecollection, eviction.

use std::sync::Arc;

use jiff::Timestamp;
use kinds::{Key, Kind, Object, StatusError, Uid};
use reconcile::{
    deletion::{self, Begun, Propagation},
    terminated::{disrupted, disruption},
};

use crate::Engine;

/// How to delete.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// Seconds a running pod has to end; `None` is the pod's own.
    pub grace_period_seconds: Option<i64>,
    /// What becomes of dependents; `None`: the object's finalizers say, or else its kind.
    pub propagation: Option<Propagation>,
    /// Only this incarnation.
    pub uid: Option<String>,
    /// Only this revision.
    pub resource_version: Option<String>,
    /// Check everything, change nothing.
    pub dry_run: bool,
}

/// What became of a deletion.
#[derive(Clone, Debug)]
pub enum Deleted {
    /// The object is gone; this was its last state.
    Gone(Arc<Object>),
    /// It goes once its grace period or finalizers are over; this is its state now.
    Begun(Arc<Object>),
}

impl Engine {
    /// Deletes an object, or begins to.
    pub fn delete(
        &mut self,
        key: &Key,
        options: &DeleteOptions,
        now: Timestamp,
    ) -> Result<Deleted, StatusError> {
        self.commit(now);
        let old = self.get(key)?;
        check(&old, options)?;
        if options.dry_run {
            return Ok(preview(&old, options, now));
        }
        self.begin_deletion(key, options.grace_period_seconds, options.propagation, now);
        let changes = self.commit(now);
        let last = changes.into_iter().rfind(|change| change.object.key == *key);
        Ok(match self.store.get(key) {
            Some(object) => Deleted::Begun(object.clone()),
            None => Deleted::Gone(last.map_or(old, |change| change.object.clone())),
        })
    }

    /// Deletes objects in one transaction, or begins to; those that are not there are left out. Gives
    /// them as they were.
    ///
    /// # Errors
    /// The first refusal; nothing was deleted then.
    pub fn delete_collection(
        &mut self,
        keys: &[Key],
        options: &DeleteOptions,
        now: Timestamp,
    ) -> Result<Vec<Arc<Object>>, StatusError> {
        self.commit(now);
        let found: Vec<_> = keys.iter().filter_map(|key| self.store.get(key)).cloned().collect();
        found.iter().try_for_each(|object| check(object, options))?;
        if !options.dry_run {
            for object in &found {
                let grace_s = options.grace_period_seconds;
                self.begin_deletion(&object.key, grace_s, options.propagation, now);
            }
            self.commit(now);
        }
        Ok(found)
    }

    /// Evicts a pod: says so in its status and deletes it, in one transaction.
    pub fn evict(
        &mut self,
        key: &Key,
        options: &DeleteOptions,
        now: Timestamp,
    ) -> Result<(), StatusError> {
        self.commit(now);
        let old = self.get(key)?;
        check(&old, options)?;
        if options.dry_run {
            return Ok(());
        }
        let mut draft = old.draft();
        let status = draft.pod_status().expect("a Pod in the store was validated");
        let condition = disruption("EvictionByEvictionAPI", "Eviction API: evicting");
        draft.set_pod_status(&disrupted(status, condition, draft.metadata.generation, now));
        self.put(draft);
        self.begin_deletion(key, options.grace_period_seconds, options.propagation, now);
        self.commit(now);
        Ok(())
    }
}

/// What a deletion would give.
fn preview(old: &Arc<Object>, options: &DeleteOptions, now: Timestamp) -> Deleted {
    let (grace_s, propagation) = (options.grace_period_seconds, options.propagation);
    match deletion::begin(old.draft(), grace_s, propagation, now) {
        Begun::Already => Deleted::Begun(old.clone()),
        Begun::Kept(draft) => Deleted::Begun(Arc::new(draft.seal(old.meta.revision))),
        Begun::Gone(draft) => Deleted::Gone(Arc::new(draft.seal(old.meta.revision))),
    }
}

/// Preconditions, and what may never be deleted.
fn check(old: &Object, options: &DeleteOptions) -> Result<(), StatusError> {
    let (kind, name) = (old.key.kind, &old.key.name);
    if kind == Kind::Namespace && matches!(&**name, "default" | "kube-system" | "kube-public") {
        return Err(StatusError::forbidden(kind, name, "this namespace may not be deleted"));
    }
    if let Some(uid) = options.uid.as_deref().filter(|uid| Uid::parse(uid) != Some(old.meta.uid)) {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            old.meta.uid
        );
        return Err(precondition(kind, name, &why));
    }
    let revision = old.meta.revision.to_string();
    if let Some(asked) = options.resource_version.as_deref().filter(|asked| *asked != revision) {
        let why = format!(
            "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record ({revision}). The object might have been modified"
        );
        return Err(precondition(kind, name, &why));
    }
    Ok(())
}

/// A failed precondition names the Kind where other conflicts name the resource.
fn precondition(kind: Kind, name: &str, why: &str) -> StatusError {
    let info = kind.info();
    let qualified = match info.group {
        "" => info.name.to_owned(),
        group => format!("{}.{group}", info.name),
    };
    let error = StatusError::conflict(kind, name, why);
    let message = format!("Operation cannot be fulfilled on {qualified} \"{name}\": {why}");
    StatusError { message, ..error }
}
