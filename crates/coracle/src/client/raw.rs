//! Requests whose answers are looked at as they are, for verbs that work on every kind alike: trees
//! of JSON, and the server's Tables.

use hyper::Method;
use kinds::{StatusError, patch::PatchType};
use serde_json::Value;

use super::{
    Client, Error,
    connection::Call,
    stream::{Lines, unreadable},
    verbs::{JSON, warnings},
};

/// The form in which objects are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// As they are.
    Object,
    /// As rows of a Table; upstream's media type, with the object itself where nothing else is known.
    Table,
}

/// The body of a request with its media type.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// No body.
    None,
    /// An object or options.
    Json(Value),
    /// A strategic merge patch.
    StrategicMerge(Value),
}

/// An answer and what the server warned about.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The body; null where there is none.
    pub(crate) body: Value,
    /// The texts of its `Warning` headers.
    pub(crate) warnings: Vec<String>,
}

impl As {
    const fn accept(self) -> &'static str {
        match self {
            Self::Object => JSON,
            Self::Table => "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        }
    }
}

impl Client {
    /// Sends a request; `target` is path and query.
    pub(crate) async fn request(
        &self,
        method: Method,
        target: String,
        form: As,
        body: &Body,
    ) -> Result<Reply, Error> {
        let answer = self.pool.call(&self.raw_call(method, target, form, body)).await?;
        let warnings = warnings(&answer);
        if answer.body.is_empty() {
            return Ok(Reply { body: Value::Null, warnings });
        }
        let body = serde_json::from_slice(&answer.body).map_err(unreadable)?;
        Ok(Reply { body, warnings })
    }

    /// Opens a watch; `target` is path and query.
    pub(crate) async fn changes(&self, target: String, form: As) -> Result<Changes, Error> {
        let call = self.raw_call(Method::GET, target, form, &Body::None);
        Ok(Changes { lines: Lines::new(self.pool.stream(&call).await?) })
    }

    fn raw_call(&self, method: Method, target: String, form: As, body: &Body) -> Call {
        let (content_type, body) = match body {
            Body::None => (JSON, Vec::new()),
            Body::Json(value) => (JSON, value.to_string().into_bytes()),
            Body::StrategicMerge(value) => {
                (PatchType::StrategicMerge.content_type(), value.to_string().into_bytes())
            }
        };
        Call {
            method,
            target,
            accept: form.accept(),
            content_type,
            run: self.run.clone(),
            body: body.into(),
        }
    }
}

/// One event of a watch.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// It is new, or newly matches.
    Added(Value),
    /// It changed.
    Modified(Value),
    /// It is gone, or matches no longer.
    Deleted(Value),
    /// Everything so far was sent.
    Bookmark,
}

/// The events of a watch, as they come.
#[derive(Debug)]
pub(crate) struct Changes {
    lines: Lines,
}

impl Changes {
    /// The next event; `None` when the server ended the watch in good order.
    ///
    /// # Errors
    /// As [`Watch::next`](super::Watch::next).
    pub(crate) async fn next(&mut self) -> Result<Option<Change>, Error> {
        let Some(line) = self.lines.next().await? else { return Ok(None) };
        let mut event: Value = serde_json::from_slice(&line).map_err(unreadable)?;
        let object = event["object"].take();
        match event["type"].as_str().unwrap_or_default() {
            "ADDED" => Ok(Some(Change::Added(object))),
            "MODIFIED" => Ok(Some(Change::Modified(object))),
            "DELETED" => Ok(Some(Change::Deleted(object))),
            "BOOKMARK" => Ok(Some(Change::Bookmark)),
            "ERROR" => Err(match StatusError::from_json(object.to_string().as_bytes()) {
                Some(status) => status.into(),
                None => Error::Unexpected("an ERROR event without a Status".to_owned()),
            }),
            other => Err(Error::Unexpected(format!("an event of type {other:?}"))),
        }
    }
}
