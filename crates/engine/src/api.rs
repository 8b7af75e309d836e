//! What clients ask for: get, create, update. Every answer names a revision; it may go out once that
//! revision is durable.

use std::sync::Arc;

use jiff::Timestamp;
pub use kinds::admit::Subresource;
use kinds::{
    Draft, FieldError, Key, Kind, Object, Reason, StatusError, Uid, admit, names,
    types::core::v1::Pod,
};

use crate::{
    Engine,
    admission::{self, PodChange, Request, State},
};

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
        let twice = drop_duplicate_owners(&mut draft);
        let (draft, mut warnings) = self.admit(draft, now)?;
        warnings.extend(twice);
        let key = draft.key();
        if let Some(present) = self.store.get(&key) {
            let error = StatusError::already_exists(key.kind, &key.name);
            let prefix = if present.deleting() { "object is being deleted: " } else { "" };
            return Err(StatusError { message: format!("{prefix}{}", error.message), ..error });
        }
        if dry_run {
            return Ok(Written { object: Arc::new(draft.preview()), warnings, created: true });
        }
        self.urgent = true;
        self.put(draft);
        Ok(Written { object: self.committed(&key, now)?, warnings, created: true })
    }

    /// Makes a new object ready to be stored, or says why it may not be.
    pub(crate) fn admit(
        &mut self,
        mut draft: Draft,
        now: Timestamp,
    ) -> Result<(Draft, Vec<String>), StatusError> {
        if draft.kind == Kind::Pod {
            let namespace = draft.metadata.namespace.as_deref().unwrap_or_default();
            self.give_account(&Key::new(Kind::Namespace, "", namespace), now);
        }
        admission::first(&self.state(0), &Request { draft: &draft, old: None })?;
        self.resolve_name(&mut draft)?;
        let (kind, name) = (draft.kind, draft.metadata.name.clone().unwrap_or_default());
        let random = self.random.u128(..);
        let context = admit::Context { uid: Uid::from_random(random), now };
        let state = self.state(random);
        let mut refused = Ok(());
        let admitted = admit::create_with(draft, &context, &mut |meta, spec| {
            refused = admission::pod(&state, &mut PodChange { meta, spec, old: None });
        });
        refused?;
        let (draft, warnings) =
            admitted.map_err(|errors| StatusError::invalid(kind, &name, &errors))?;
        admission::last(&state, &Request { draft: &draft, old: None })?;
        Ok((draft, warnings))
    }

    /// As [`admit`](Self::admit), for a Pod that a controller makes.
    pub(crate) fn admit_pod(
        &mut self,
        mut pod: Pod,
        now: Timestamp,
    ) -> Result<(Draft, Pod), StatusError> {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let metadata = std::mem::take(&mut pod.metadata);
        let shell = Draft { kind: Kind::Pod, metadata, rest: Default::default() };
        let random = self.random.u128(..);
        let context = admit::Context { uid: Uid::from_random(random), now };
        let state = self.state(random);
        admission::first(&state, &Request { draft: &shell, old: None })?;
        pod.metadata = shell.metadata;
        let mut refused = Ok(());
        let admitted = admit::create_pod(pod, &context, &mut |meta, spec| {
            refused = admission::pod(&state, &mut PodChange { meta, spec, old: None });
        });
        refused?;
        let (draft, pod) =
            admitted.map_err(|errors| StatusError::invalid(Kind::Pod, &name, &errors))?;
        admission::last(&state, &Request { draft: &draft, old: None })?;
        Ok((draft, pod))
    }

    fn state(&self, random: u128) -> State<'_> {
        State {
            store: &self.store,
            pending: &self.pending,
            quotas: &self.quotas,
            serves_pods: self.root_ca.is_some(),
            random,
        }
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
        let (mut draft, mut warnings) = self.admit_update(&old, draft, subresource)?;
        warnings.extend(twice);
        draft.metadata.resource_version = Some(old.meta.revision.to_string());
        if draft.to_json() == *old.json() {
            return Ok(Written { object: old, warnings, created: false });
        }
        if dry_run {
            return Ok(Written { object: Arc::new(draft.preview()), warnings, created: false });
        }
        self.urgent = true;
        self.put(draft);
        Ok(Written { object: self.committed(&key, now)?, warnings, created: false })
    }

    fn admit_update(
        &self,
        old: &Object,
        draft: Draft,
        subresource: Subresource,
    ) -> Result<(Draft, Vec<String>), StatusError> {
        let state = self.state(0);
        let before = (old.key.kind == Kind::Pod).then(|| old.pod().spec.unwrap_or_default());
        let mut refused = Ok(());
        let admitted = admit::update_with(old, draft, subresource, &mut |meta, spec| {
            refused = admission::pod(&state, &mut PodChange { meta, spec, old: before.as_ref() });
        });
        refused?;
        let (draft, warnings) = admitted
            .map_err(|errors| StatusError::invalid(old.key.kind, &old.key.name, &errors))?;
        if subresource == Subresource::Main {
            admission::last(&state, &Request { draft: &draft, old: Some(old) })?;
        }
        Ok((draft, warnings))
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
