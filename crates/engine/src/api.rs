//! What clients ask for: create, update, delete, get. Every answer names a revision; it may go out
//! once that revision is durable.

use std::sync::Arc;

use jiff::Timestamp;
pub use kinds::admit::Subresource;
use kinds::{Draft, Key, Kind, Object, Reason, StatusError, Uid, admit, names};

use crate::Engine;

/// An object as it was written, with the warnings that go with it.
#[derive(Clone, Debug)]
pub struct Written {
    /// The object.
    pub object: Arc<Object>,
    /// Texts for Warning headers.
    pub warnings: Vec<String>,
}

/// What becomes of the dependents of a deleted object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They follow.
    Background,
    /// They go first; the owner waits for those that block it.
    Foreground,
    /// They stay, without this owner.
    Orphan,
}

/// How to delete.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// Seconds a running pod has to end; `None` is the pod's own.
    pub grace_period_seconds: Option<i64>,
    /// What becomes of dependents; `None` is the kind's default: Orphan for Jobs.
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
    /// The newest state of an object.
    pub fn get(&self, key: &Key) -> Result<Arc<Object>, StatusError> {
        self.store.get(key).cloned().ok_or_else(|| StatusError::not_found(key.kind, &key.name))
    }

    /// Creates an object: names it, admits it, commits it. `draft` comes decoded, with its namespace.
    pub fn create(
        &mut self,
        mut draft: Draft,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Written, StatusError> {
        self.commit(now);
        self.check_namespace(&draft)?;
        self.resolve_name(&mut draft)?;
        let key = draft.key();
        if let Some(present) = self.store.get(&key) {
            let error = StatusError::already_exists(key.kind, &key.name);
            let prefix = if present.deleting() { "object is being deleted: " } else { "" };
            return Err(StatusError { message: format!("{prefix}{}", error.message), ..error });
        }
        let context = admit::Context { uid: Uid::from_random(self.random.u128(..)), now };
        let (draft, warnings) = admit::create(draft, &context)
            .map_err(|errors| StatusError::invalid(key.kind, &key.name, &errors))?;
        if dry_run {
            return Ok(Written { object: Arc::new(draft.preview()), warnings });
        }
        self.urgent = true;
        self.put(draft);
        Ok(Written { object: self.committed(&key, now)?, warnings })
    }

    /// Replaces an object, or its status. `metadata.resourceVersion`, when given, must be the present
    /// one. A change that changes nothing makes no revision.
    pub fn update(
        &mut self,
        draft: Draft,
        subresource: Subresource,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Written, StatusError> {
        self.commit(now);
        let key = draft.key();
        let old = self.get(&key)?;
        let given = draft.metadata.resource_version.as_deref().filter(|v| !v.is_empty());
        if given.is_some_and(|given| given != old.meta.revision.to_string()) {
            let why = "the object has been modified; please apply your changes to the latest version and try again";
            return Err(StatusError::conflict(key.kind, &key.name, why));
        }
        let uid = draft.metadata.uid.as_deref().filter(|uid| !uid.is_empty());
        if let Some(uid) = uid.filter(|uid| Uid::parse(uid) != Some(old.meta.uid)) {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                old.meta.uid
            );
            return Err(StatusError::conflict(key.kind, &key.name, &why));
        }
        let (mut draft, warnings) = admit::update(&old, draft, subresource)
            .map_err(|errors| StatusError::invalid(key.kind, &key.name, &errors))?;
        draft.metadata.resource_version = Some(old.meta.revision.to_string());
        if draft.to_json() == **old.json() {
            return Ok(Written { object: old, warnings });
        }
        if dry_run {
            return Ok(Written { object: Arc::new(draft.preview()), warnings });
        }
        self.urgent = true;
        self.put(draft);
        Ok(Written { object: self.committed(&key, now)?, warnings })
    }

    /// Deletes an object, or begins to.
    pub fn delete(
        &mut self,
        key: &Key,
        options: &DeleteOptions,
        now: Timestamp,
    ) -> Result<Deleted, StatusError> {
        self.commit(now);
        let old = self.get(key)?;
        check_preconditions(&old, options)?;
        if key.kind == Kind::Namespace
            && matches!(&*key.name, "default" | "kube-system" | "kube-public")
        {
            return Err(StatusError::forbidden(
                key.kind,
                &key.name,
                "this namespace may not be deleted",
            ));
        }
        if options.dry_run {
            return Ok(Deleted::Gone(old));
        }
        let default =
            if key.kind == Kind::Job { Propagation::Orphan } else { Propagation::Background };
        let propagation = options.propagation.unwrap_or(default);
        self.begin_deletion(key, options.grace_period_seconds, propagation, now);
        self.commit(now);
        Ok(match self.store.get(key) {
            Some(object) => Deleted::Begun(object.clone()),
            None => Deleted::Gone(old),
        })
    }

    /// Commits and finds what was just put. An update that took the last finalizer off an object that
    /// was being deleted leaves none: the answer is then the object's last state.
    fn committed(&mut self, key: &Key, now: Timestamp) -> Result<Arc<Object>, StatusError> {
        let changes = self.commit(now);
        let change = changes.into_iter().find(|change| change.object.key == *key);
        let lost = || {
            StatusError::new(Reason::InternalError, "Internal error occurred: the write was lost")
        };
        change.map(|change| change.object.clone()).ok_or_else(lost)
    }

    fn check_namespace(&self, draft: &Draft) -> Result<(), StatusError> {
        let (kind, meta) = (draft.kind, &draft.metadata);
        if !kind.info().namespaced {
            return Ok(());
        }
        let namespace = meta.namespace.as_deref().unwrap_or_default();
        let key = Key::new(Kind::Namespace, "", namespace);
        let Some(found) = self.store.get(&key) else {
            return Err(StatusError::not_found(Kind::Namespace, namespace));
        };
        if found.deleting() {
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            let name = meta.name.as_deref().or(meta.generate_name.as_deref()).unwrap_or("Unknown");
            return Err(StatusError::forbidden(kind, name, &why));
        }
        Ok(())
    }

    /// `metadata.name` wins over `generateName`; a generated name that is taken is tried again.
    fn resolve_name(&mut self, draft: &mut Draft) -> Result<(), StatusError> {
        let given = |name: &Option<String>| name.as_deref().is_some_and(|name| !name.is_empty());
        if given(&draft.metadata.name) || !given(&draft.metadata.generate_name) {
            return Ok(());
        }
        let base = draft.metadata.generate_name.clone().unwrap_or_default();
        for _ in 0..self.limits.name_tries_max {
            let suffix = names::suffix(self.random.u64(..));
            draft.metadata.name = Some(names::generate(&base, &suffix));
            if self.store.get(&draft.key()).is_none() {
                return Ok(());
            }
        }
        let name = draft.metadata.name.clone().unwrap_or_default();
        let error = StatusError::already_exists(draft.kind, &name);
        let message = format!(
            "{}, the server was not able to generate a unique name for the object",
            error.message
        );
        Err(StatusError { message, retry_after_seconds: 1, ..error })
    }
}

fn check_preconditions(old: &Object, options: &DeleteOptions) -> Result<(), StatusError> {
    let (kind, name) = (old.key.kind, &old.key.name);
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
    let error = StatusError::conflict(kind, name, why);
    let message =
        format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.info().name);
    StatusError { message, ..error }
}
