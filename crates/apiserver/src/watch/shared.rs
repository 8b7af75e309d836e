//! What was just made for one watcher and the next ones need too: all watchers of a form send the
//! same bytes.

use bytes::Bytes;
use kinds::Revision;

use crate::{
    form::{Form, Include},
    limits::{SHARED_EVENT_BYTES_MAX, SHARED_EVENTS},
};

/// Which bytes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The revision of the object, or of the change by which it no longer matched.
    pub(super) revision: Revision,
    /// Whether it is the state before that change.
    pub(super) left: bool,
    pub(super) form: Form,
}

/// The latest events that were made. Watchers go through the changes side by side, so that a few
/// are enough: one that is behind makes its own.
#[derive(Debug)]
pub(crate) struct Shared {
    slots: Vec<Option<(Place, Bytes)>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { slots: vec![None; SHARED_EVENTS] }
    }
}

impl Shared {
    /// What lies at a place; made if it is not there.
    pub(super) fn get(&mut self, place: Place, make: impl FnOnce() -> Bytes) -> Bytes {
        let slot = &mut self.slots[place.slot()];
        if let Some((at, bytes)) = slot
            && *at == place
        {
            return bytes.clone();
        }
        let bytes = make();
        if bytes.len() <= SHARED_EVENT_BYTES_MAX {
            *slot = Some((place, bytes.clone()));
        }
        bytes
    }
}

impl Place {
    /// Neighbouring revisions of one form never share a slot.
    fn slot(self) -> usize {
        let form = match self.form {
            Form::Whole => 0,
            Form::Metadata(_) => 1,
            Form::Table(Include::Metadata, _) => 2,
            Form::Table(Include::Object, _) => 3,
            Form::Table(Include::None, _) => 4,
        };
        let spread = form * 11 + usize::from(self.left) * 5;
        let slots = SHARED_EVENTS as u64;
        ((self.revision % slots) as usize + spread) % SHARED_EVENTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Version;

    #[test]
    fn the_same_is_made_once_and_something_else_anew() {
        let mut shared = Shared::default();
        let mut made = 0;
        let mut get = |revision, left, form| {
            shared.get(Place { revision, left, form }, || {
                made += 1;
                Bytes::from(made.to_string())
            })
        };
        let far = 7 + SHARED_EVENTS as u64;
        let places = [
            (7, false, Form::Metadata(Version::V1), "1"),
            (7, false, Form::Metadata(Version::V1), "1"),
            (8, false, Form::Metadata(Version::V1), "2"),
            (7, true, Form::Metadata(Version::V1), "3"),
            (7, false, Form::Table(Include::Object, Version::V1), "4"),
            (7, false, Form::Metadata(Version::V1), "1"),
            (far, false, Form::Metadata(Version::V1), "5"),
            (7, false, Form::Metadata(Version::V1), "6"),
        ];
        for (revision, left, form, expected) in places {
            assert_eq!(get(revision, left, form), expected, "{revision} {left} {form:?}");
        }
    }

    #[test]
    fn what_is_large_is_not_kept() {
        let mut shared = Shared::default();
        let place = Place { revision: 1, left: false, form: Form::Metadata(Version::V1) };
        for _ in 0..2 {
            let mut made = false;
            shared.get(place, || {
                made = true;
                vec![0; SHARED_EVENT_BYTES_MAX + 1].into()
            });
            assert!(made);
        }
    }
}
