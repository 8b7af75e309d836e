//! One end of a pipe or terminal, or of any file that can be waited for.

use std::{
    io,
    os::fd::OwnedFd,
    pin::Pin,
    task::{Context, Poll, ready},
};

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, unix::AsyncFd};

/// Reads and writes without waiting for either.
#[derive(Debug)]
pub struct Pipe(AsyncFd<OwnedFd>);

impl Pipe {
    /// From a descriptor, which from now on never waits, whoever else has it.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        register(fd).map(Self)
    }
}

/// Has a descriptor, which from now on never waits, waited for.
#[expect(
    deprecated,
    reason = "the new constructor is unsafe; what it asks for holds for an OwnedFd"
)]
pub(super) fn register(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    rustix::io::ioctl_fionbio(&fd, true)?;
    AsyncFd::new(fd)
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(context))?;
            let read =
                ready.try_io(|fd| match rustix::io::read(fd, buffer.initialize_unfilled()) {
                    // A terminal that no program has open any more.
                    Err(Errno::IO) => Ok(0),
                    read => Ok(read?),
                });
            if let Ok(read) = read {
                return Poll::Ready(read.map(|count| buffer.advance(count)));
            }
        }
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(context))?;
            let written = ready.try_io(|fd| Ok(rustix::io::write(fd, bytes)?));
            if let Ok(written) = written {
                return Poll::Ready(written);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
