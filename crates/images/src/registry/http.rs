//! One request to a registry or to where it sends us, every wait of it limited.

use std::{future::Future, path::Path, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1,
    header::{AUTHORIZATION, HOST, LOCATION, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::rustls::pki_types::ServerName;

use super::{settings, url::Url};
use crate::Error;

/// How long a connection may take, with its handshake, milliseconds.
const CONNECT_MS_MAX: u64 = 10_000;
/// How long the head of an answer may take, milliseconds.
const ANSWER_MS_MAX: u64 = 30_000;
/// How long a body may pause, milliseconds.
const PAUSE_MS_MAX: u64 = 30_000;
/// How often an answer may send us elsewhere.
const REDIRECTS_MAX: usize = 5;

/// What is asked for.
pub(super) struct Ask<'a> {
    pub(super) url: Url,
    /// Header names and values.
    pub(super) headers: Vec<(&'static str, String)>,
    /// `Authorization`, which goes to no other host.
    pub(super) authorization: Option<String>,
    pub(super) ca: Option<&'a Path>,
}

/// Asks, and goes where the answer sends us.
pub(super) async fn get(ask: &Ask<'_>) -> Result<Response<Incoming>, Error> {
    let mut url = ask.url.clone();
    for _ in 0..=REDIRECTS_MAX {
        let trusted = url.authority == ask.url.authority && url.tls == ask.url.tls;
        let answer = once(ask, &url, trusted).await?;
        if !answer.status().is_redirection() || answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let next = url.follow(location.unwrap_or_default())?;
        if url.tls && !next.tls {
            return Err(trouble(&url, format!("sends us to {next}, which has no TLS")));
        }
        url = next;
    }
    Err(trouble(&url, format!("sends us elsewhere more than {REDIRECTS_MAX} times")))
}

async fn once(ask: &Ask<'_>, url: &Url, trusted: bool) -> Result<Response<Incoming>, Error> {
    let path = if url.path.is_empty() { "/" } else { &url.path };
    let mut request = Request::get(path)
        .header(HOST, &url.authority)
        .header(USER_AGENT, concat!("coracle/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &ask.headers {
        request = request.header(*name, value);
    }
    if let Some(value) = ask.authorization.as_ref().filter(|_| trusted) {
        request = request.header(AUTHORIZATION, value);
    }
    let request =
        request.body(Empty::<Bytes>::new()).map_err(|error| trouble(url, error.to_string()))?;
    let mut sender = within(url, CONNECT_MS_MAX, "connection", connect(url, ask.ca)).await?;
    let answer =
        async { sender.send_request(request).await.map_err(|error| trouble(url, chain(&error))) };
    within(url, ANSWER_MS_MAX, "answer", answer).await
}

type Sender = http1::SendRequest<Empty<Bytes>>;

async fn connect(url: &Url, ca: Option<&Path>) -> Result<Sender, Error> {
    let io = |error: std::io::Error| trouble(url, error.to_string());
    let stream = TcpStream::connect((url.host(), url.port())).await.map_err(io)?;
    if !url.tls {
        return handshake(url, stream).await;
    }
    let name = ServerName::try_from(url.host().to_owned())
        .map_err(|error| trouble(url, error.to_string()))?;
    let stream = settings::connector(ca)?.connect(name, stream).await.map_err(io)?;
    handshake(url, stream).await
}

async fn handshake(
    url: &Url,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Sender, Error> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| trouble(url, chain(&error)))?;
    // It ends with the body; what goes wrong in it the reader of the body learns.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// The next piece of a body; `None` at its end.
pub(super) async fn piece(url: &Url, body: &mut Incoming) -> Result<Option<Bytes>, Error> {
    loop {
        let next =
            async { body.frame().await.transpose().map_err(|error| trouble(url, chain(&error))) };
        match within(url, PAUSE_MS_MAX, "further data", next).await? {
            None => return Ok(None),
            Some(frame) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// A whole small body.
pub(super) async fn whole(url: &Url, mut body: Incoming, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = piece(url, &mut body).await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > limit {
            return Err(Error::Limit { what: "an answer of the registry", limit });
        }
    }
    Ok(bytes)
}

async fn within<T>(
    url: &Url,
    ms: u64,
    what: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match timeout(Duration::from_millis(ms), work).await {
        Ok(result) => result,
        Err(_) => Err(trouble(url, format!("no {what} within {} s", ms / 1000))),
    }
}

pub(super) fn trouble(url: &Url, why: String) -> Error {
    Error::Registry { registry: url.authority.clone(), why }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
