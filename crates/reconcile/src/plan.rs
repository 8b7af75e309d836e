//! What a controller hands back: writes for one transaction, what to tell, and when to ask again.

use std::borrow::Cow;

use jiff::Timestamp;
use kinds::types::{batch::v1::JobStatus, core::v1::Pod};

use crate::BackOff;

/// The outcome of one look at one Job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// All of them belong into one transaction: a pod's end is counted in the very plan that takes
    /// its finalizer away. They are applied in order; writes to one pod stand side by side.
    pub writes: Vec<Write>,
    /// What to tell as Events on the Job, in order, once the writes are done.
    pub notes: Vec<Note>,
    /// When to ask again although nothing changed; `now` when this plan stopped at a limit.
    pub wake_at: Option<Timestamp>,
    /// To be kept until the next call; it need not survive a restart.
    pub back_off: BackOff,
}

/// One change to one object of the Job's namespace.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Drop the owner reference and the tracking finalizer of a pod whose labels no longer match.
    ReleasePod {
        /// The pod's name.
        name: String,
    },
    /// Give an orphan the owner reference and the tracking finalizer.
    AdoptPod {
        /// The pod's name.
        name: String,
    },
    /// Take the tracking finalizer away: the pod is accounted for, or never will be.
    RemoveFinalizer {
        /// The pod's name.
        name: String,
    },
    /// An ordinary delete, with the pod's own grace period.
    DeletePod {
        /// The pod's name.
        name: String,
    },
    /// A complete pod except for namespace, uid, creation time, defaults and admission.
    CreatePod(Box<Pod>),
    /// The Job's new status; only when it differs from the present one.
    SetStatus(Box<JobStatus>),
}

/// One Event to be: reasons and messages are the ones clients know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `Warning` instead of `Normal`.
    pub warning: bool,
    /// The Event's reason.
    pub reason: Cow<'static, str>,
    /// The Event's message.
    pub message: String,
}

impl Plan {
    /// Tells something ordinary.
    pub(crate) fn note(
        &mut self,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) {
        self.notes.push(Note { warning: false, reason: reason.into(), message: message.into() });
    }

    /// Tells of something wrong.
    pub(crate) fn warn(
        &mut self,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) {
        self.notes.push(Note { warning: true, reason: reason.into(), message: message.into() });
    }
}
