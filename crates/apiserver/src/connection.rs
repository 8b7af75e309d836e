//! A connection that has ceased to be one of HTTP, and what it becomes.

use std::{
    cell::RefCell,
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes both ways, whatever is below.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

/// Such a connection, with what was read of it too early.
pub(crate) struct Connection {
    before: Bytes,
    stream: Box<dyn Duplex>,
}

impl Connection {
    pub(crate) fn new(stream: impl Duplex + 'static, before: Bytes) -> Self {
        Self { before, stream: Box::new(stream) }
    }
}

/// What a connection is to become once the answer that says so is sent.
pub(crate) type Session = Box<dyn FnOnce(Connection) -> Pin<Box<dyn Future<Output = ()>>>>;

/// Where a handler leaves that, and the connection looks for it.
#[derive(Clone, Default)]
pub(crate) struct Upgrade(Rc<RefCell<Option<Session>>>);

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.0.borrow().is_some();
        f.debug_tuple("Upgrade").field(&wanted).finish()
    }
}

impl Upgrade {
    /// The connection is to become this.
    pub(crate) fn to<F: Future<Output = ()> + 'static>(
        &self,
        session: impl FnOnce(Connection) -> F + 'static,
    ) {
        self.0.replace(Some(Box::new(|connection| Box::pin(session(connection)))));
    }

    /// Something is to be held as long as that lasts.
    pub(crate) fn hold(&self, held: impl Sized + 'static) {
        if let Some(session) = self.take() {
            self.to(async move |connection| {
                session(connection).await;
                drop(held);
            });
        }
    }

    pub(crate) fn take(&self) -> Option<Session> {
        self.0.take()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.before.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = self.before.len().min(buffer.remaining());
        buffer.put_slice(&self.before[..count]);
        self.before.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
