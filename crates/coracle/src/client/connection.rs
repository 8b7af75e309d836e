//! Connections to the socket: a few kept alive for short requests, one of its own for each stream.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use kinds::StatusError;
use tokio::net::UnixStream;

use super::Error;

/// Idle connections that are kept for the next request.
const IDLE_CONNECTIONS_MAX: usize = 4;
/// Bytes of one answer that is read whole: a list of every object there can be.
const ANSWER_BYTES_MAX: usize = 1 << 30;

type Connection = SendRequest<Full<Bytes>>;

/// The connections to one server.
#[derive(Debug)]
pub(super) struct Pool {
    socket: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// A request before it has a connection.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Path and query.
    pub(super) target: String,
    /// What the answer is to be.
    pub(super) accept: &'static str,
    /// What the body is.
    pub(super) content_type: &'static str,
    pub(super) run: Option<std::sync::Arc<str>>,
    pub(super) body: Bytes,
}

/// An answer that was read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Pool {
    pub(super) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), idle: Mutex::default() }
    }

    /// Opens a connection, to find out now whether anybody answers.
    pub(super) async fn warm(&self) -> Result<(), Error> {
        let connection = self.open().await?;
        self.keep(connection);
        Ok(())
    }

    async fn open(&self) -> Result<Connection, Error> {
        let no_server = |source| Error::NoServer { socket: self.socket.clone(), source };
        let stream = UnixStream::connect(&self.socket).await.map_err(no_server)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(Error::Broken)?;
        // Its result is also the result of the request that it carries.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| !connection.is_closed());
        idle.pop()
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS_MAX {
            idle.push(connection);
        }
    }

    /// Sends a request and reads the whole answer; a refusal is an error.
    pub(super) async fn call(&self, call: &Call) -> Result<Answer, Error> {
        let (connection, response) = self.send(call).await?;
        let (head, body) = response.into_parts();
        let body = collect(body).await?;
        self.keep(connection);
        if head.status.is_success() {
            return Ok(Answer { headers: head.headers, body });
        }
        Err(refusal(head.status, &body))
    }

    /// Sends a request whose answer is a stream. The connection ends when the body is dropped.
    pub(super) async fn stream(&self, call: &Call) -> Result<Incoming, Error> {
        let (_, response) = self.send(call).await?;
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            return Ok(body);
        }
        Err(refusal(head.status, &collect(body).await?))
    }

    /// An idle connection may have been closed by the server just now. A request that hyper hands
    /// back unsent goes out again on a fresh connection.
    async fn send(&self, call: &Call) -> Result<(Connection, Response<Incoming>), Error> {
        if let Some(mut connection) = self.take()
            && connection.ready().await.is_ok()
        {
            match connection.try_send_request(call.request()?).await {
                Ok(response) => return Ok((connection, response)),
                Err(mut failed) => {
                    if failed.take_message().is_none() {
                        return Err(Error::Broken(failed.into_error()));
                    }
                }
            }
        }
        let mut connection = self.open().await?;
        let response = connection.send_request(call.request()?).await.map_err(Error::Broken)?;
        Ok((connection, response))
    }
}

impl Call {
    fn request(&self) -> Result<Request<Full<Bytes>>, Error> {
        let mut builder = Request::builder()
            .method(&self.method)
            .uri(&self.target)
            .header("host", "localhost")
            .header("accept", self.accept)
            .header("user-agent", concat!("coracle/", env!("CARGO_PKG_VERSION")));
        if !self.body.is_empty() {
            builder = builder.header("content-type", self.content_type);
        }
        if let Some(run) = &self.run {
            builder = builder.header(apiserver::RUN_HEADER, &**run);
        }
        builder
            .body(Full::new(self.body.clone()))
            .map_err(|error| Error::Unexpected(format!("nothing: {error}")))
    }
}

async fn collect(body: Incoming) -> Result<Bytes, Error> {
    match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) => Err(match error.downcast::<hyper::Error>() {
            Ok(broken) => Error::Broken(*broken),
            Err(_) => Error::Unexpected(format!("more than {ANSWER_BYTES_MAX} bytes")),
        }),
    }
}

fn refusal(code: StatusCode, body: &[u8]) -> Error {
    match StatusError::from_json(body) {
        Some(status) => status.into(),
        None => {
            let text = String::from_utf8_lossy(body);
            Error::Unexpected(format!("HTTP {code}: {}", text.trim_end()))
        }
    }
}
