//! Garbage collection: what becomes of an object when its owners go, and how the deletion of an
//! object goes on that has to do with what it owns (`pkg/controller/garbagecollector`).

use kinds::{
    Key, Kind, Uid,
    metav1::{ObjectMeta, OwnerReference},
};

use crate::{
    Note,
    deletion::{FOREGROUND_FINALIZER, ORPHAN_FINALIZER, Propagation},
};

/// What there is of one owner that an object names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerState {
    /// It is there.
    Solid,
    /// There is none of this name and uid.
    Absent,
    /// It is being deleted in the foreground and waits for the objects that it owns.
    Waiting,
    /// Nobody can tell: [`owner_key`] has no place for it.
    Unknown,
}

/// What is around an object that is not being deleted.
#[derive(Clone, Copy, Debug)]
pub struct Kin<'a> {
    /// Its owners, in the order in which it names them.
    pub owners: &'a [OwnerState],
    /// Something depends on the object itself.
    pub owns: bool,
    /// One of these waits, in the foreground, for what it owns.
    pub owns_waiting: bool,
}

/// What should become of an object that has owners and is not being deleted.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Nothing.
    Keep,
    /// It keeps these owners and loses the others, which are gone or going.
    Unlink(Vec<OwnerReference>),
    /// It goes.
    Delete {
        /// What becomes of its own dependents.
        propagation: Propagation,
        /// First it stops to hold its owners back: they and its dependents would wait for each other.
        unblock: bool,
    },
}

/// Judges an object by its owners. It stays as long as one of them does, and whatever the others are
/// if there is one of whom nobody can tell.
pub fn judge(meta: &ObjectMeta, kin: &Kin<'_>) -> Verdict {
    let has = |state| kin.owners.contains(&state);
    let gone = has(OwnerState::Absent) || has(OwnerState::Waiting);
    if has(OwnerState::Unknown) || !gone {
        return Verdict::Keep;
    }
    if has(OwnerState::Solid) {
        let both = meta.owner_references.iter().flatten().zip(kin.owners);
        let solid = both.filter(|(_, state)| **state == OwnerState::Solid);
        return Verdict::Unlink(solid.map(|(owner, _)| owner.clone()).collect());
    }
    if has(OwnerState::Waiting) && kin.owns {
        return Verdict::Delete { propagation: Propagation::Foreground, unblock: kin.owns_waiting };
    }
    let propagation = match () {
        () if has_finalizer(meta, ORPHAN_FINALIZER) => Propagation::Orphan,
        () if has_finalizer(meta, FOREGROUND_FINALIZER) => Propagation::Foreground,
        () => Propagation::Background,
    };
    Verdict::Delete { propagation, unblock: false }
}

/// Where the owner of an object in this namespace (empty: of none) has to be: beside it, or in no
/// namespace. `None` if its kind is not served, or if it lives in a namespace and the object does not.
pub fn owner_key(namespace: &str, owner: &OwnerReference) -> Option<Key> {
    let kind = Kind::find(&owner.api_version, &owner.kind)?;
    match kind.info().namespaced {
        true if namespace.is_empty() => None,
        true => Some(Key::new(kind, namespace, &owner.name)),
        false => Some(Key::new(kind, "", &owner.name)),
    }
}

/// What is told of an object whose owner is there, but in another namespace.
pub fn elsewhere(namespace: &str, owner: &OwnerReference) -> Note {
    let OwnerReference { api_version, kind, name, uid, .. } = owner;
    Note {
        warning: true,
        reason: "OwnerRefInvalidNamespace".into(),
        message: format!(
            "ownerRef [{api_version}/{kind}, namespace: {namespace}, name: {name}, uid: {uid}] does not exist in namespace {namespace:?}"
        ),
    }
}

/// What is due for an object that is being deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Its dependents lose the reference to it, and it the finalizer `orphan`.
    Release,
    /// Its dependents are looked at, now that it waits for them.
    Sweep,
    /// It loses the finalizer `foregroundDeletion`: none of its dependents holds it back.
    Finish,
}

/// What is due for an object that is being deleted, in this order; the next depends on what the one
/// before did. `swept`: the dependents were looked at since it waits. `blocked`: one of them
/// [`holds it back`](blocks).
pub fn due(meta: &ObjectMeta, swept: bool, blocked: bool) -> Option<Due> {
    match () {
        () if meta.deletion_timestamp.is_none() => None,
        () if has_finalizer(meta, ORPHAN_FINALIZER) => Some(Due::Release),
        () if !has_finalizer(meta, FOREGROUND_FINALIZER) => None,
        () if !swept => Some(Due::Sweep),
        () => (!blocked).then_some(Due::Finish),
    }
}

/// Whether an object holds this owner back while that waits. None waits for itself.
pub fn blocks(meta: &ObjectMeta, owner: Uid) -> bool {
    let itself = meta.uid.as_deref().and_then(Uid::parse) == Some(owner);
    let mut owners = meta.owner_references.iter().flatten();
    let holds = |reference: &OwnerReference| {
        Uid::parse(&reference.uid) == Some(owner) && reference.block_owner_deletion == Some(true)
    };
    !itself && owners.any(holds)
}

/// Takes one owner away.
pub fn disown(meta: &mut ObjectMeta, owner: Uid) {
    if let Some(owners) = &mut meta.owner_references {
        owners.retain(|reference| Uid::parse(&reference.uid) != Some(owner));
    }
}

/// Lets an object hold none of its owners back.
pub fn unblock(meta: &mut ObjectMeta) {
    for owner in meta.owner_references.iter_mut().flatten() {
        owner.block_owner_deletion = owner.block_owner_deletion.map(|_| false);
    }
}

/// Whether an object has this finalizer.
pub fn has_finalizer(meta: &ObjectMeta, name: &str) -> bool {
    meta.finalizers.iter().flatten().any(|finalizer| finalizer == name)
}

/// Takes a finalizer away.
pub fn strip_finalizer(meta: &mut ObjectMeta, name: &str) {
    if let Some(finalizers) = &mut meta.finalizers {
        finalizers.retain(|finalizer| finalizer != name);
    }
}
