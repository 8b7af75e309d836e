//! A client that watches and takes nothing is let go: what it has not read would otherwise be held
//! for it until its watch ends. Others may stop as long as they like: somebody reads a log in a
//! pager.

use std::{
    cell::Cell,
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::limits::WATCH_STALL_MS;

/// A connection that breaks when its client, watching, takes nothing for [`WATCH_STALL_MS`].
pub(crate) struct Impatient<S> {
    stream: S,
    /// Whether what is being sent is a watch.
    watching: Rc<Cell<bool>>,
    /// Runs while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    pub(crate) fn new(stream: S, watching: Rc<Cell<bool>>) -> Self {
        Self { stream, watching, stalled: None }
    }

    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        if !self.watching.get() {
            return Poll::Pending;
        }
        let limit = || Box::pin(sleep(Duration::from_millis(WATCH_STALL_MS)));
        ready!(self.stalled.get_or_insert_with(limit).as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "a watch that nobody reads")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judge(context, shut)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        time::{Instant, timeout},
    };

    use super::*;

    const LIMIT: Duration = Duration::from_millis(WATCH_STALL_MS);

    #[tokio::test(start_paused = true)]
    async fn a_watcher_that_takes_nothing_is_cut_and_a_slow_one_is_not() {
        let (stream, mut client) = duplex(16);
        let mut stream = Impatient::new(stream, Rc::new(Cell::new(true)));
        let slow = async {
            for _ in 0..4 {
                sleep(LIMIT * 9 / 10).await;
                client.read_exact(&mut [0; 8]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(stream.write_all(&[0; 48]), slow);
        written.unwrap();
        let since = Instant::now();
        let error = stream.write_all(&[0; 48]).await.unwrap_err();
        assert_eq!((error.kind(), since.elapsed()), (io::ErrorKind::TimedOut, LIMIT));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_watch_may_take_as_long_as_they_like() {
        let (stream, mut client) = duplex(16);
        let mut stream = Impatient::new(stream, Rc::new(Cell::new(false)));
        let mut writing = Box::pin(stream.write_all(&[0; 48]));
        assert!(timeout(LIMIT * 9, &mut writing).await.is_err());
        let mut read = [0; 48];
        let (written, read) = tokio::join!(writing, client.read_exact(&mut read));
        assert!(written.is_ok() && read.is_ok());
    }
}
