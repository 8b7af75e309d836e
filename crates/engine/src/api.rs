//! What clients ask for: get, create, update. Every answer names a revision; it may go out once that
//! revision is durable.

use std::sync::Arc;

use jiff::Timestamp;
pub use kinds::admit::Subresource;
use kinds::{Cause, Draft, FieldError, Key, Kind, Object, Reason, StatusError, Uid, admit, names};

use crate::Engine;

/// An object as it was written, with the warnings that go with it.
#[derive(Clone, Debug)]
pub struct Written {
    /// The object.
    pub object: Arc<Object>,
    /// Texts for Warning headers.
    pub warnings: Vec<String>,
    /// Whether it came into being by this.
    pub created: bool,
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
        let twice = drop_duplicate_owners(&mut draft);
        let context = admit::Context { uid: Uid::from_random(self.random.u128(..)), now };
        let (draft, mut warnings) = admit::create(draft, &context)
            .map_err(|errors| StatusError::invalid(key.kind, &key.name, &errors))?;
        warnings.extend(twice);
        if dry_run {
            return Ok(Written { object: Arc::new(draft.preview()), warnings, created: true });
        }
        self.urgent = true;
        self.put(draft);
        Ok(Written { object: self.committed(&key, now)?, warnings, created: true })
    }

    /// Replaces an object, or its status; kinds that may come into being by that are created.
    /// `metadata.resourceVersion`, when given, must be the present one. A change that changes nothing
    /// makes no revision.
    pub fn update(
        &mut self,
        mut draft: Draft,
        subresource: Subresource,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Written, StatusError> {
        self.commit(now);
        let key = draft.key();
        let creates = key.kind.info().create_on_update && subresource == Subresource::Main;
        if creates && self.store.get(&key).is_none() {
            return self.create(draft, dry_run, now);
        }
        let old = self.get(&key)?;
        check_revision(&draft, &old)?;
        let uid = draft.metadata.uid.as_deref().filter(|uid| !uid.is_empty());
        if let Some(uid) = uid.filter(|uid| Uid::parse(uid) != Some(old.meta.uid)) {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                old.meta.uid
            );
            return Err(StatusError::conflict(key.kind, &key.name, &why));
        }
        let twice = drop_duplicate_owners(&mut draft);
        let (mut draft, mut warnings) = admit::update(&old, draft, subresource)
            .map_err(|errors| StatusError::invalid(key.kind, &key.name, &errors))?;
        warnings.extend(twice);
        draft.metadata.resource_version = Some(old.meta.revision.to_string());
        if draft.to_json() == **old.json() {
            return Ok(Written { object: old, warnings, created: false });
        }
        if dry_run {
            return Ok(Written { object: Arc::new(draft.preview()), warnings, created: false });
        }
        self.urgent = true;
        self.put(draft);
        Ok(Written { object: self.committed(&key, now)?, warnings, created: false })
    }

    /// Commits and finds what was just put. An update that took the last finalizer off an object that
    /// was being deleted leaves none: the answer is then the object's last state.
    fn committed(&mut self, key: &Key, now: Timestamp) -> Result<Arc<Object>, StatusError> {
        let changes = self.commit(now);
        let change = changes.into_iter().rfind(|change| change.object.key == *key);
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
            let cause = Cause {
                reason: "NamespaceTerminating".to_owned(),
                message: format!("namespace {namespace} is being terminated"),
                field: "metadata.namespace".to_owned(),
            };
            let causes = vec![cause];
            return Err(StatusError { causes, ..StatusError::forbidden(kind, name, &why) });
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

/// An update is meant for one revision; only some kinds can be replaced whatever they are.
fn check_revision(draft: &Draft, old: &Object) -> Result<(), StatusError> {
    let (kind, name) = (old.key.kind, &old.key.name);
    match draft.metadata.resource_version.as_deref().unwrap_or_default() {
        "" if !kind.info().unconditional_update => {
            let why = "must be specified for an update";
            let error = FieldError::invalid("metadata.resourceVersion", 0, why);
            let message = format!("{} \"{name}\" is invalid: {error}", kind.info().qualified());
            Err(StatusError { message, ..StatusError::invalid(kind, name, &[error]) })
        }
        given if given.is_empty() || given == old.meta.revision.to_string() => Ok(()),
        _ => {
            let why = "the object has been modified; please apply your changes to the latest version and try again";
            Err(StatusError::conflict(kind, name, why))
        }
    }
}

/// Owner references that say the same twice are dropped; the warning that goes with it.
fn drop_duplicate_owners(draft: &mut Draft) -> Option<String> {
    let owners = draft.metadata.owner_references.as_mut()?;
    let mut kept = Vec::with_capacity(owners.len());
    let mut twice = Vec::new();
    for owner in std::mem::take(owners) {
        match kept.contains(&owner) {
            true => twice.push(owner.uid),
            false => kept.push(owner),
        }
    }
    *owners = kept;
    (!twice.is_empty()).then(|| {
        format!(
            ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            twice.join(", ")
        )
    })
}
