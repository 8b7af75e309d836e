//! Events as they go over the wire, and which one a change is to a watcher with a filter.

use std::sync::Arc;

use kinds::{Kind, Object, Revision, StatusError};
use store::{Change, ChangeKind};

use crate::{body::Chunk, filter::Filter};

/// What a change is to someone who sees only what a filter lets through.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// It exists, or newly matches.
    Added(Arc<Object>),
    /// It changed.
    Modified(Arc<Object>),
    /// It is gone, or no longer matches: its last state that was seen, with the revision of the
    /// change.
    Deleted(Arc<Object>),
}

/// The event of a change; `None` when it does not concern the filter.
pub(super) fn event(change: &Change, filter: &Filter) -> Option<Event> {
    let object = &change.object;
    let previous = change.previous.as_ref().filter(|previous| filter.matches(previous));
    let gone = change.kind == ChangeKind::Deleted;
    match (!gone && filter.matches(object), previous) {
        (true, None) => Some(Event::Added(Arc::clone(object))),
        (true, Some(_)) => Some(Event::Modified(Arc::clone(object))),
        (false, Some(_)) if gone => Some(Event::Deleted(Arc::clone(object))),
        (false, Some(previous)) => {
            Some(Event::Deleted(Arc::new(previous.draft().seal(change.revision))))
        }
        (false, None) => None,
    }
}

impl Event {
    /// The line that is sent: the object's own bytes between constants.
    pub(super) fn line(self) -> Chunk {
        let (before, object): (&[u8], _) = match self {
            Self::Added(object) => (br#"{"type":"ADDED","object":"#, object),
            Self::Modified(object) => (br#"{"type":"MODIFIED","object":"#, object),
            Self::Deleted(object) => (br#"{"type":"DELETED","object":"#, object),
        };
        Chunk::new(before, object.json().clone(), b"}\n")
    }
}

/// The line that says how far the watcher has seen everything.
pub(super) fn bookmark(kind: Kind, revision: Revision, ends_initial_state: bool) -> Chunk {
    let info = kind.info();
    let version = info.api_version();
    let annotations = match ends_initial_state {
        true => r#","annotations":{"k8s.io/initial-events-end":"true"}"#,
        false => "",
    };
    let object = format!(
        r#"{{"kind":"{}","apiVersion":"{version}","metadata":{{"resourceVersion":"{revision}"{annotations}}}}}"#,
        info.name
    );
    Chunk::new(br#"{"type":"BOOKMARK","object":"#, object.into(), b"}\n")
}

/// The line that ends a watch which cannot go on.
pub(super) fn error(status: &StatusError) -> Chunk {
    Chunk::new(br#"{"type":"ERROR","object":"#, status.to_json().into(), b"}\n")
}
