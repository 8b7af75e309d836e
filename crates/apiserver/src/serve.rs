//! Connections: accepts them on the unix socket and over TLS, speaks HTTP/1.1 on each as a task of
//! its own, and ends them in good order when the server stops.

use std::{
    cell::Cell,
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::spawn_local,
};

use crate::{
    Identity, Server, TlsListener, accept,
    caller::Caller,
    connection::{Connection, Upgrade},
    handle::{self, Peer},
    limits::{
        ANONYMOUS_CONNECTIONS_MAX, ANONYMOUS_HEAD_MS, HANDSHAKE_MS, REQUEST_HEAD_BYTES_MAX,
        REQUEST_HEAD_MS, REQUEST_HEADERS_MAX, STOP_MS, TLS_CONNECTIONS_MAX, UNIX_CONNECTIONS_MAX,
    },
    stall::Impatient,
};

/// Serves until `shutdown` resolves, then lets open connections end for a moment. Must run in a
/// `LocalSet`.
///
/// # Errors
/// When a listener breaks.
pub async fn serve(
    unix: UnixListener,
    tls: Option<TlsListener>,
    server: Rc<Server>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    // Connections watch this channel; when the last has gone, so have all receivers.
    let (stopping, _) = watch::channel(false);
    let result = tokio::select! {
        // Nobody is let in any more once it is to stop.
        biased;
        () = shutdown => Ok(()),
        broken = accept_unix(&unix, &server, &stopping) => broken,
        broken = accept_tls(tls.as_ref(), &server, &stopping) => broken,
        () = server.watch_over_runs() => Ok(()),
    };
    drop((unix, tls));
    stopping.send_replace(true);
    let ended = stopping.closed();
    if tokio::time::timeout(Duration::from_millis(STOP_MS), ended).await.is_err() {
        tracing::info!(connections = stopping.receiver_count(), "left open at the stop");
    }
    result
}

async fn accept_unix(
    listener: &UnixListener,
    server: &Rc<Server>,
    stopping: &watch::Sender<bool>,
) -> io::Result<()> {
    let places = Places::new(UNIX_CONNECTIONS_MAX);
    loop {
        let place = places.take().await;
        let (stream, _) = accept::next(async || listener.accept().await).await?;
        let stop = stopping.subscribe();
        spawn_local(connection(Rc::clone(server), stream, Caller::Admin, stop, place));
    }
}

/// Whoever has not shown a certificate yet waits in places of their own, so that they take none
/// from those who have.
async fn accept_tls(
    tls: Option<&TlsListener>,
    server: &Rc<Server>,
    stopping: &watch::Sender<bool>,
) -> io::Result<()> {
    let Some(TlsListener { listener, identity }) = tls else {
        return std::future::pending().await;
    };
    let (doorstep, places) =
        (Places::new(ANONYMOUS_CONNECTIONS_MAX), Places::new(TLS_CONNECTIONS_MAX));
    loop {
        let at_the_door = doorstep.take().await;
        let (stream, _) = accept::next(async || listener.accept().await).await?;
        let identity = identity.borrow().clone();
        let (server, places, mut stop) = (Rc::clone(server), places.clone(), stopping.subscribe());
        spawn_local(async move {
            let shaken = tokio::select! {
                shaken = shake_hands(&identity, stream, &server) => shaken,
                _ = stop.wait_for(|stopping| *stopping) => None,
            };
            let Some((stream, caller)) = shaken else { return };
            let place = match caller {
                Caller::Admin => {
                    drop(at_the_door);
                    places.take().await
                }
                Caller::Anonymous | Caller::Stranger => at_the_door,
            };
            connection(server, stream, caller, stop, place).await;
        });
    }
}

async fn shake_hands(
    identity: &Identity,
    stream: TcpStream,
    server: &Server,
) -> Option<(impl AsyncRead + AsyncWrite + Unpin + 'static, Caller)> {
    let handshake = identity.handshake(stream, server.now());
    match tokio::time::timeout(Duration::from_millis(HANDSHAKE_MS), handshake).await {
        Ok(Ok(shaken)) => Some(shaken),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a handshake failed");
            None
        }
        Err(_) => None,
    }
}

/// Connections that may be open at once.
#[derive(Clone)]
struct Places(Arc<Semaphore>);

impl Places {
    fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// A place, once there is one.
    async fn take(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.0).acquire_owned().await.expect("the semaphore is never closed")
    }
}

/// Speaks HTTP on one connection until it ends.
pub(crate) async fn connection(
    server: Rc<Server>,
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    caller: Caller,
    mut stop: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    let _client = server.client();
    let watching = Rc::new(Cell::new(false));
    let stream = Impatient::new(stream, Rc::clone(&watching));
    let upgrade = Upgrade::default();
    let peer = Peer { caller, stopping: stop.clone(), watching, upgrade: upgrade.clone() };
    let service = service_fn(move |request: Request<Incoming>| {
        let (server, peer) = (Rc::clone(&server), peer.clone());
        Box::pin(async move { Ok::<_, Infallible>(handle::handle(&server, &peer, request).await) })
    });
    let known = caller == Caller::Admin;
    let head_ms = if known { REQUEST_HEAD_MS } else { ANONYMOUS_HEAD_MS };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(head_ms))
        .keep_alive(known)
        .max_buf_size(REQUEST_HEAD_BYTES_MAX)
        .max_headers(REQUEST_HEADERS_MAX);
    let mut serving = http.serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = poll_fn(|context| serving.poll_without_shutdown(context)) => ended,
        _ = stop.wait_for(|stopping| *stopping) => {
            std::pin::Pin::new(&mut serving).graceful_shutdown();
            poll_fn(|context| serving.poll_without_shutdown(context)).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
    let parts = serving.into_parts();
    let mut stream = parts.io.into_inner();
    match upgrade.take() {
        Some(session) => session(Connection::new(stream, parts.read_buf)).await,
        // Whether the client hears the goodbye is its own business.
        None => drop(stream.shutdown().await),
    }
}
