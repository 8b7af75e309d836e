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

fn held_bytes(change: &Change) -> usize {
    let previous = change.previous.as_ref().map_or(0, |p| p.json().len());
    CHANGE_OVERHEAD_BYTES + change.object.json().len() + previous
}

impl Window {
    /// An empty window that has seen everything since `floor`.
    pub(crate) fn new(floor: Revision) -> Self {
        Self { changes: VecDeque::new(), floor, bytes: 0 }
    }

    pub(crate) fn push(&mut self, change: Arc<Change>, at_s: i64) {
        let bytes = held_bytes(&change);
        self.bytes += bytes;
        self.changes.push_back(Timed { at_s, bytes, change });
    }

    /// Forgets everything up to `revision`, because what came before is not known whole.
    pub(crate) fn restart(&mut self, revision: Revision) {
        *self = Self::new(revision);
    }

    /// Cuts what is too much or too old, but nothing above `durable`: nobody has seen that yet.
    pub(crate) fn trim(&mut self, limits: &Limits, durable: Revision, now_s: i64) {
        while let Some(first) = self.changes.front() {
            let old = first.at_s.saturating_add(limits.window_age_s) < now_s;
            if first.change.revision > durable || !(old || self.bytes > limits.window_bytes) {
                break;
            }
            self.floor = first.change.revision;
            self.bytes -= first.bytes;
            self.changes.pop_front();
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

    /// Gives deleted objects that were replayed from the log the revision of their deletion.
    pub(crate) fn seal_deleted(&mut self) {
        for timed in &mut self.changes {
            let change = &timed.change;
            if change.kind == ChangeKind::Deleted && change.object.meta.revision < change.revision {
                let object = Arc::new(change.object.draft().seal(change.revision));
                timed.change = Arc::new(Change { object, ..Change::clone(change) });
            }
        }
    }
}
