//! The server's end of the conversation: requests in, replies with descriptors out.

use crate::frame::{Decoder, FrameError, encode};
use crate::protocol::{Reply, Request};
use crate::sys::socket::{self, MESSAGE_FDS_MAX};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

/// What may wait to be sent; a server that lets more pile up is cut off and may connect anew, bytes.
const OUTBOUND_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A connected server.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: UnixStream,
    decoder: Decoder,
    out: VecDeque<Piece>,
    waiting: usize,
    /// Whether it has said hello.
    pub(crate) greeted: bool,
    /// Whether the epoll set was asked to tell when there is room to send again.
    pub(crate) blocked: bool,
}

/// Bytes to send, with descriptors beside the first of them.
#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    sent: usize,
    fds: Vec<Rc<OwnedFd>>,
}

impl Connection {
    pub(crate) fn new(socket: UnixStream) -> io::Result<Connection> {
        socket.set_nonblocking(true)?;
        let (decoder, out) = (Decoder::default(), VecDeque::new());
        Ok(Connection { socket, decoder, out, waiting: 0, greeted: false, blocked: false })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Take what has arrived.
    ///
    /// # Errors
    /// The server is gone: `UnexpectedEof`, or what the socket said.
    pub(crate) fn receive(&mut self, scratch: &mut [u8]) -> io::Result<()> {
        // A server has no descriptors to give; any that come along are closed here.
        match socket::receive(self.fd(), scratch, &mut Vec::new()) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.decoder.push(&scratch[..count]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The next whole request.
    ///
    /// # Errors
    /// What came is no request.
    pub(crate) fn request(&mut self) -> Result<Option<Request>, FrameError> {
        self.decoder.next()
    }

    /// Put a reply at the end of the queue.
    ///
    /// # Errors
    /// The queue is full, or the reply too long for a frame.
    pub(crate) fn queue(&mut self, reply: &Reply, fds: Vec<Rc<OwnedFd>>) -> io::Result<()> {
        let mut bytes = encode(reply).map_err(io::Error::other)?;
        self.waiting += bytes.len();
        if self.waiting > OUTBOUND_BYTES_MAX {
            return Err(io::Error::other("the server does not read its replies"));
        }
        if fds.is_empty()
            && let Some(last) = self.out.back_mut()
        {
            last.bytes.append(&mut bytes);
            return Ok(());
        }
        // One message takes so many descriptors only; the rest rides beside the bytes that follow.
        let mut fds = fds;
        while fds.len() > MESSAGE_FDS_MAX {
            let (bytes_rest, fds_rest) = (bytes.split_off(1), fds.split_off(MESSAGE_FDS_MAX));
            self.out.push_back(Piece { bytes, sent: 0, fds });
            (bytes, fds) = (bytes_rest, fds_rest);
        }
        self.out.push_back(Piece { bytes, sent: 0, fds });
        Ok(())
    }

    /// Send what the socket takes; whether that was everything.
    ///
    /// # Errors
    /// The server is gone.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        while let Some(piece) = self.out.front_mut() {
            let fds: Vec<RawFd> = piece.fds.iter().map(|fd| fd.as_raw_fd()).collect();
            match socket::send(self.socket.as_fd(), &piece.bytes[piece.sent..], &fds) {
                Ok(count) => {
                    piece.fds.clear();
                    piece.sent += count;
                    self.waiting -= count;
                    if piece.sent == piece.bytes.len() {
                        self.out.pop_front();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_does_not_read_is_cut_off() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(ours).unwrap();
        let reply = Reply::PodEnded { pod: "x".repeat(1 << 20) };
        let queued = (1..100)
            .find(|_| connection.queue(&reply, Vec::new()).is_err() || connection.flush().is_err());
        let most = OUTBOUND_BYTES_MAX >> 20;
        assert!(queued.is_some_and(|count| count <= most + 1), "{queued:?}");
    }
}
