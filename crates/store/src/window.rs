//! The watch window: the latest changes in memory, each shared by all who watch.

use std::{collections::VecDeque, sync::Arc};

use kinds::{Object, Revision};

use crate::{Limits, limits::CHANGE_OVERHEAD_BYTES};

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It did not exist before.
    Added,
    /// It existed before and exists now.
    Modified,
    /// It is gone.
    Deleted,
}

/// One revision of the store.
#[derive(Clone, Debug)]
pub struct Change {
    /// The revision this change made.
    pub revision: Revision,
    /// What happened.
    pub kind: ChangeKind,
    /// The new state; of a deleted object the last state, with the revision of the deletion.
    pub object: Arc<Object>,
    /// The state before; `None` exactly if `kind` is `Added`.
    pub previous: Option<Arc<Object>>,
}

/// The changes asked for are no longer kept: list, and watch from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("changes up to revision {oldest} are no longer kept")]
pub struct Expired {
    /// The smallest revision that a watch can still start after.
    pub oldest: Revision,
}

/// Changes with rising revisions; none above `floor` is missing.
#[derive(Debug)]
pub(crate) struct Window {
    changes: VecDeque<Timed>,
    floor: Revision,
    bytes: usize,
}

#[derive(Debug)]
struct Timed {
    at_s: i64,
    bytes: usize,
    change: Arc<Change>,
}

impl Window {
    /// An empty window that has seen everything since `floor`.
    pub(crate) fn new(floor: Revision) -> Self {
        Self { changes: VecDeque::new(), floor, bytes: 0 }
    }

    pub(crate) fn push(&mut self, change: Arc<Change>, at_s: i64) {
        let bytes = self.held_bytes(&change);
        self.bytes += bytes;
        self.changes.push_back(Timed { at_s, bytes, change });
    }

    /// What a change adds to memory. The state before it is mostly that of a change counted already,
    /// and a deleted object shares its bytes with that.
    fn held_bytes(&self, change: &Change) -> usize {
        let before = change.previous.as_ref().filter(|p| p.meta.revision <= self.floor);
        let before = before.map_or(0, |p| p.kept_bytes());
        let now = match change.kind {
            ChangeKind::Deleted => 0,
            ChangeKind::Added | ChangeKind::Modified => change.object.kept_bytes(),
        };
        CHANGE_OVERHEAD_BYTES + before + now
    }

    /// The last revision that nobody is told of any more.
    pub(crate) fn floor(&self) -> Revision {
        self.floor
    }

    /// Forgets everything up to `revision`, because what came before is not known whole.
    pub(crate) fn restart(&mut self, revision: Revision) {
        *self = Self::new(revision);
    }

    /// Cuts what is too much or too old, but nothing above `durable`: nobody has seen that yet.
    /// Hands `out` the objects of the changes that go.
    pub(crate) fn trim(
        &mut self,
        limits: &Limits,
        durable: Revision,
        now_s: i64,
        mut out: impl FnMut(&Object),
    ) {
        while let Some(first) = self.changes.front() {
            let old = first.at_s.saturating_add(limits.window_age_s) < now_s;
            if first.change.revision > durable || !(old || self.bytes > limits.window_bytes) {
                break;
            }
            self.floor = first.change.revision;
            self.bytes -= first.bytes;
            if let Some(gone) = self.changes.pop_front() {
                out(&gone.change.object);
            }
        }
    }

    /// The changes after `after`, up to and with `durable`.
    pub(crate) fn after(
        &self,
        after: Revision,
        durable: Revision,
    ) -> Result<impl Iterator<Item = &Arc<Change>>, Expired> {
        if after < self.floor {
            return Err(Expired { oldest: self.floor });
        }
        let end = self.changes.partition_point(|t| t.change.revision <= durable);
        let start = self.changes.partition_point(|t| t.change.revision <= after).min(end);
        Ok(self.changes.range(start..end).map(|t| &t.change))
    }

    #[cfg(feature = "planted-skipped-change")]
    pub(crate) fn skip_last(&mut self) {
        self.changes.pop_back();
    }
}
