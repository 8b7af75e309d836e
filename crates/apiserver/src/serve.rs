//! Connections: accepts them, speaks HTTP/1.1 on each as a task of its own, and ends them in good
//! order when the server stops.

use std::{convert::Infallible, future::Future, io, pin::pin, rc::Rc, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::spawn_local,
};

use crate::{
    Server, handle,
    limits::{
        CONNECTIONS_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEAD_MS, REQUEST_HEADERS_MAX, STOP_MS,
    },
};

/// Serves until `shutdown` resolves, then lets open connections end for a moment. Must run in a
/// `LocalSet`.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    listener: UnixListener,
    server: Rc<Server>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Connections watch this channel; when the last has gone, so have all receivers.
    let (stopping, _) = watch::channel(false);
    let accepting = async {
        loop {
            let (stream, place) = accept(&listener, &places).await?;
            let stop = stopping.subscribe();
            spawn_local(connection(Rc::clone(&server), stream, stop, Some(place)));
        }
    };
    let result = tokio::select! {
        broken = accepting => broken,
        () = server.watch_over_runs() => Ok(()),
        () = shutdown => Ok(()),
    };
    drop(listener);
    stopping.send_replace(true);
    let ended = stopping.closed();
    if tokio::time::timeout(Duration::from_millis(STOP_MS), ended).await.is_err() {
        tracing::info!(connections = stopping.receiver_count(), "left open at the stop");
    }
    result
}

/// The next connection, once there is a place for it. A connection that is gone before it was
/// accepted, or a lack of descriptors, is no reason to stop.
async fn accept(
    listener: &UnixListener,
    places: &Arc<Semaphore>,
) -> io::Result<(UnixStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok((stream, place)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Speaks HTTP on one connection until it ends.
pub(crate) async fn connection(
    server: Rc<Server>,
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    mut stop: watch::Receiver<bool>,
    _place: Option<OwnedSemaphorePermit>,
) {
    let _client = server.client();
    let stopping = stop.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (server, stopping) = (Rc::clone(&server), stopping.clone());
        async move { Ok::<_, Infallible>(handle::handle(&server, request, stopping).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(REQUEST_HEAD_MS))
        .max_buf_size(REQUEST_HEAD_BYTES_MAX)
        .max_headers(REQUEST_HEADERS_MAX);
    let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        _ = stop.wait_for(|stopping| *stopping) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
