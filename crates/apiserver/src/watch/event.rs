//! Events as they go over the wire, and which one a change is to a watcher with a filter.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use kinds::{Facts, Key, Kind, Meta, Object, Revision, StatusError, Uid};
use store::{Change, ChangeKind};

use super::shared::{Place, Shared};
use crate::{body::Chunk, filter::Filter, form::Form};

/// What a change is to someone who sees only what a filter lets through.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// It exists, or newly matches.
    Added(Arc<Object>),
    /// It changed.
    Modified(Arc<Object>),
    /// It is gone: its last state with the revision of the deletion.
    Deleted(Arc<Object>),
    /// It no longer matches: the last state that did, and the revision of the change.
    Left(Arc<Object>, Revision),
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
        (false, Some(previous)) => Some(Event::Left(Arc::clone(previous), change.revision)),
        (false, None) => None,
    }
}

/// How the events of one watch are written.
pub(super) struct Style {
    pub(super) form: Form,
    /// No event was sent yet: a Table names its columns only once.
    pub(super) first: bool,
}

impl Style {
    /// The line of an event. What is made here is kept for the other watchers that are about to
    /// send the same; whole objects are the store's own bytes.
    pub(super) fn line(&mut self, event: Event, shared: &mut Shared, now: Timestamp) -> Chunk {
        let (before, object, left): (&[u8], _, _) = match event {
            Event::Added(object) => (br#"{"type":"ADDED","object":"#, object, None),
            Event::Modified(object) => (br#"{"type":"MODIFIED","object":"#, object, None),
            Event::Deleted(object) => (br#"{"type":"DELETED","object":"#, object, None),
            Event::Left(object, at) => (br#"{"type":"DELETED","object":"#, object, Some(at)),
        };
        let first = std::mem::take(&mut self.first);
        let form = self.form;
        let make = || match left {
            None => form.object_in_stream(&object, now, first),
            Some(at) => form.object_in_stream(&object.draft().seal(at), now, first),
        };
        let tells_columns = first && matches!(form, Form::Table(..));
        let made = match (left, form, object.plain()) {
            (None, Form::Whole, Some(json)) => json.clone(),
            _ if tells_columns => make(),
            _ => {
                let revision = left.unwrap_or(object.meta.revision);
                shared.get(Place { revision, left: left.is_some(), form }, make)
            }
        };
        Chunk::new(before, made, b"}\n")
    }

    /// The line that says how far the watcher has seen everything.
    pub(super) fn bookmark(
        &mut self,
        kind: Kind,
        revision: Revision,
        ends_initial_state: bool,
        now: Timestamp,
    ) -> Chunk {
        let mark = mark(kind, revision, ends_initial_state);
        let form = self.form.of_bookmark(ends_initial_state);
        let object = form.object_in_stream(&mark, now, std::mem::take(&mut self.first));
        Chunk::new(br#"{"type":"BOOKMARK","object":"#, object, b"}\n")
    }
}

/// An object that is nothing but a kind and a revision.
fn mark(kind: Kind, revision: Revision, ends_initial_state: bool) -> Object {
    let info = kind.info();
    let version = info.api_version();
    let annotations = match ends_initial_state {
        true => r#","annotations":{"k8s.io/initial-events-end":"true"}"#,
        false => "",
    };
    let json = format!(
        r#"{{"kind":"{}","apiVersion":"{version}","metadata":{{"resourceVersion":"{revision}"{annotations}}}}}"#,
        info.name
    );
    let meta = Meta {
        uid: Uid::from_random(0),
        revision,
        generation: 0,
        created_s: 0,
        deletion_s: None,
        labels: Default::default(),
        owners: Vec::new(),
        finalizers: Vec::new(),
        run: None,
        facts: Facts::None,
    };
    Object::from_parts(Key::new(kind, "", ""), meta, Bytes::from(json))
}

/// The line that ends a watch which cannot go on.
pub(super) fn error(status: &StatusError) -> Chunk {
    Chunk::new(br#"{"type":"ERROR","object":"#, status.to_json().into(), b"}\n")
}
