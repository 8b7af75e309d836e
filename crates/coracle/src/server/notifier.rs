//! Posts the documents that tell of the ends of Jobs, one request each, and brings back what became
//! of them. What is sent when is the engine's decision; here everything is bounded that a receiver
//! may do: how long it takes and how much it answers. Redirects are not followed.

use std::{cell::OnceCell, future::Future, io, rc::Rc, sync::Arc, time::Duration};

use engine::Notice;
use http_body_util::Full;
use hyper::{Request, Response, Uri, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use kinds::Uid;
use rustls_native_certs::load_native_certs;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::spawn_local,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

/// How long one request may take from the connection to the head of the answer, in milliseconds.
const REQUEST_MS_MAX: u64 = 10_000;

/// The longest head of an answer, in bytes. Its body is not read at all.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The most header fields of an answer.
const HEADERS_MAX: usize = 64;

/// What became of a document, by the id of its Job.
type Answer = (Uid, Result<(), String>);

/// Sends and hears.
pub(super) struct Notifier {
    answers: UnboundedReceiver<Answer>,
    answer: UnboundedSender<Answer>,
    /// Reading the machine's authorities costs more than a request: once, and only for who needs them.
    tls: Rc<OnceCell<TlsConnector>>,
}

impl Notifier {
    pub(super) fn new() -> Self {
        let (answer, answers) = unbounded_channel();
        Self { answers, answer, tls: Rc::default() }
    }

    /// Posts a document; its fate is an answer.
    pub(super) fn send(&self, notice: Notice) {
        let (answer, tls) = (self.answer.clone(), self.tls.clone());
        spawn_local(async move {
            let result = post(&notice, &tls).await.map_err(|error| plain(&error));
            // Nobody listens any more once the server ends; the document is sent by the next one.
            let _ = answer.send((notice.id, result));
        });
    }

    /// The next answer.
    pub(super) async fn answered(&mut self) -> Option<Answer> {
        self.answers.recv().await
    }
}

async fn post(notice: &Notice, tls: &OnceCell<TlsConnector>) -> io::Result<()> {
    let uri: Uri = notice.url.parse().map_err(io::Error::other)?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    // The time a name takes is the resolver's: one that was given up would go on holding a thread.
    let addresses: Vec<_> = lookup_host((host.as_str(), port)).await?.collect();
    let request = request(&uri, notice)?;
    in_time(async {
        let stream = TcpStream::connect(addresses.as_slice()).await?;
        let response = if secure {
            let name = ServerName::try_from(host).map_err(io::Error::other)?;
            let stream = connector(tls).await?.connect(name, stream).await?;
            exchange(stream, request).await?
        } else {
            exchange(stream, request).await?
        };
        judge(&response)
    })
    .await
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = || io::Error::other(format!("no answer within {} s", REQUEST_MS_MAX / 1000));
    timeout(Duration::from_millis(REQUEST_MS_MAX), work).await.unwrap_or_else(|_| Err(late()))
}

fn request(uri: &Uri, notice: &Notice) -> io::Result<Request<Full<bytes::Bytes>>> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    Request::post(path)
        .header(header::HOST, authority)
        .header(header::USER_AGENT, concat!("coracle/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .header("idempotency-key", notice.id.to_string())
        .body(Full::new(notice.document.clone()))
        .map_err(io::Error::other)
}

/// Sends the request and reads the head of the answer; the connection ends with that.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    request: Request<Full<bytes::Bytes>>,
) -> io::Result<Response<Incoming>> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let handshake = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    let mut connection = std::pin::pin!(connection);
    let mut response = std::pin::pin!(sender.send_request(request));
    tokio::select! {
        response = &mut response => response.map_err(io::Error::other),
        // What ended the connection is what the request says, if it has anything to say.
        _ = &mut connection => response.await.map_err(io::Error::other),
    }
}

fn judge(response: &Response<Incoming>) -> io::Result<()> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let hint = if status.is_redirection() { ": redirects are not followed" } else { "" };
    Err(io::Error::other(format!("it answered {status}{hint}")))
}

/// TLS towards whoever an authority of this machine vouches for.
async fn connector(tls: &OnceCell<TlsConnector>) -> io::Result<TlsConnector> {
    if let Some(connector) = tls.get() {
        return Ok(connector.clone());
    }
    let found = tokio::task::spawn_blocking(load_native_certs).await.map_err(io::Error::other)?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(io::Error::other(format!(
            "this machine has no certificate authorities{why}; install ca-certificates, or name a \
             file in SSL_CERT_FILE"
        )));
    }
    let provider = Arc::new(ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(io::Error::other)?.with_root_certificates(roots);
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    Ok(tls.get_or_init(|| connector).clone())
}

/// An error with its cause, which alone says something where hyper is concerned.
fn plain(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.source());
    match inner {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
