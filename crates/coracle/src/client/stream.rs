//! Answers that go on: watch events, one JSON line each, and logs.

use bytes::{Buf as _, Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use kinds::{Draft, Kind, Object, Revision, StatusError, Uid};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Error;

/// Bytes of one event: an object and what is around it.
const EVENT_BYTES_MAX: usize = 16 << 20;

/// One thing that happened to the watched objects.
#[derive(Debug)]
pub(crate) enum Event {
    /// It is new, or newly matches the selection.
    Added(Object),
    /// It changed.
    Modified(Object),
    /// It is gone, or matches no longer; carries its last state and the revision of its end.
    Deleted(Object),
    /// Everything so far was sent.
    Bookmark {
        /// Whether it ends the initial state.
        initial_events_end: bool,
    },
}

/// The events of one kind, as they come.
#[derive(Debug)]
pub(crate) struct Watch {
    kind: Kind,
    lines: Lines,
}

impl Watch {
    pub(super) fn new(kind: Kind, body: Incoming) -> Self {
        Self { kind, lines: Lines::new(body) }
    }

    /// The next event; `None` when the server ended the watch in good order (go on from the last
    /// revision seen).
    ///
    /// # Errors
    /// [`Error::Status`] with reason `Expired` when the server no longer keeps what comes next
    /// (list anew); [`Error::Broken`] when the server went away.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Error> {
        match self.lines.next().await? {
            Some(line) => read_event(self.kind, &line).map(Some),
            None => Ok(None),
        }
    }
}

/// The lines of an answer that goes on, each one event.
#[derive(Debug)]
pub(super) struct Lines {
    body: Incoming,
    buffer: BytesMut,
}

impl Lines {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, buffer: BytesMut::new() }
    }

    /// The next line without its end; `None` when the answer is over.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|&b| b == b'\n') {
                let line = self.buffer.split_to(searched + end).freeze();
                self.buffer.advance(1);
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            if searched > EVENT_BYTES_MAX {
                return Err(Error::Unexpected(format!("an event over {EVENT_BYTES_MAX} bytes")));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    self.buffer.extend_from_slice(&frame.into_data().unwrap_or_default());
                }
                Some(Err(error)) => return Err(Error::Broken(error)),
                None => return Ok(None),
            }
        }
    }
}

#[derive(Deserialize)]
struct WireEvent<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

fn read_event(kind: Kind, line: &[u8]) -> Result<Event, Error> {
    let event: WireEvent<'_> = serde_json::from_slice(line).map_err(unreadable)?;
    let json = event.object.get().as_bytes();
    match event.r#type {
        "ADDED" => read_object(kind, json).map(Event::Added),
        "MODIFIED" => read_object(kind, json).map(Event::Modified),
        "DELETED" => read_object(kind, json).map(Event::Deleted),
        "BOOKMARK" => read_bookmark(kind, json),
        "ERROR" => Err(match StatusError::from_json(json) {
            Some(status) => status.into(),
            None => Error::Unexpected("an ERROR event without a Status".to_owned()),
        }),
        other => Err(Error::Unexpected(format!("an event of type {other:?}"))),
    }
}

fn read_bookmark(kind: Kind, json: &[u8]) -> Result<Event, Error> {
    let metadata = Draft::from_json(kind, json).map_err(unreadable)?.metadata;
    let ends = |a: &std::collections::BTreeMap<String, String>| {
        a.get("k8s.io/initial-events-end").is_some_and(|value| value == "true")
    };
    Ok(Event::Bookmark { initial_events_end: metadata.annotations.as_ref().is_some_and(ends) })
}

/// An object out of the server's JSON.
pub(super) fn read_object(kind: Kind, json: &[u8]) -> Result<Object, Error> {
    let draft = Draft::from_json(kind, json).map_err(unreadable)?;
    let revision = read_revision(draft.metadata.resource_version.as_deref())?;
    match draft.metadata.uid.as_deref().and_then(Uid::parse) {
        Some(_) => Ok(draft.seal(revision)),
        None => Err(Error::Unexpected(format!("a {kind:?} without a uid"))),
    }
}

/// The revision in a `resourceVersion`; a dry run has none, which reads as 0.
fn read_revision(text: Option<&str>) -> Result<Revision, Error> {
    let text = text.unwrap_or("0");
    text.parse().map_err(|_| Error::Unexpected(format!("the resourceVersion {text:?}")))
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Unexpected(format!("JSON that cannot be read: {error}"))
}

/// The bytes of a log, as they come.
#[derive(Debug)]
pub(crate) struct LogStream {
    body: Incoming,
}

impl LogStream {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body }
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Broken`] when the server went away.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        match self.body.frame().await {
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(error)) => Err(Error::Broken(error)),
            None => Ok(None),
        }
    }
}
