//! Garbage collection: what becomes of an object when its owners go
//! (`pkg/controller/garbagecollector`).

/// What there is of one owner that an object names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerState {
    /// It is there, or nobody can tell: its kind is not served.
    Solid,
    /// There is none of this name and uid.
    Absent,
    /// It is being deleted in the foreground and waits for the objects that it owns.
    Waiting,
}

/// What should become of an object that has owners and is not being deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Keep,
    /// It loses the references to owners that are not [`OwnerState::Solid`].
    Unlink,
    /// It goes; `foreground` if an owner waits for it and it owns something itself.
    Delete {
        /// Its own dependents go before it.
        foreground: bool,
    },
}

/// Judges by the states of all owners; `owns` tells whether anything depends on the object itself.
pub fn judge(owners: &[OwnerState], owns: bool) -> Verdict {
    let has = |state| owners.contains(&state);
    match (has(OwnerState::Solid), has(OwnerState::Absent), has(OwnerState::Waiting)) {
        (_, false, false) => Verdict::Keep,
        (true, ..) => Verdict::Unlink,
        (false, _, waiting) => Verdict::Delete { foreground: waiting && owns },
    }
}

#[cfg(test)]
mod tests {
    use super::{OwnerState::*, *};

    #[test]
    fn an_object_stays_as_long_as_one_owner_does() {
        for (owners, owns, verdict) in [
            (&[][..], true, Verdict::Keep),
            (&[Solid], false, Verdict::Keep),
            (&[Solid, Absent], false, Verdict::Unlink),
            (&[Waiting, Solid], true, Verdict::Unlink),
            (&[Absent, Absent], true, Verdict::Delete { foreground: false }),
            (&[Waiting], false, Verdict::Delete { foreground: false }),
            (&[Absent, Waiting], true, Verdict::Delete { foreground: true }),
        ] {
            assert_eq!(judge(owners, owns), verdict, "{owners:?}");
        }
    }
}
