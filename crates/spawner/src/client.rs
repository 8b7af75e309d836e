//! A small blocking client: for tests, benchmarks and one-off questions. The server has its own.

use crate::frame::{Decoder, encode};
use crate::protocol::{Reply, Request, State, VERSION};
use crate::sys::socket;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Bytes asked for in one receive.
const RECEIVE_BYTES: usize = 64 * 1024;

/// A connection to the spawner of one data directory.
#[derive(Debug)]
pub struct Client {
    socket: UnixStream,
    decoder: Decoder,
    fds: VecDeque<OwnedFd>,
}

impl Client {
    /// Connect and say hello. The next two replies are [`Reply::Hello`] and [`Reply::Listed`].
    ///
    /// # Errors
    /// No spawner listens there, or it left at once.
    pub fn connect(data_dir: &Path) -> io::Result<Client> {
        let socket = crate::launch::connect(data_dir)?;
        let mut client = Client { socket, decoder: Decoder::default(), fds: VecDeque::new() };
        client.send(&Request::Hello { version: VERSION })?;
        Ok(client)
    }

    /// Send one request.
    ///
    /// # Errors
    /// The spawner is gone, or the request is too long.
    pub fn send(&mut self, request: &Request) -> io::Result<()> {
        self.socket.write_all(&encode(request).map_err(io::Error::other)?)
    }

    /// Send bytes as they are, well-formed or not.
    ///
    /// # Errors
    /// The spawner is gone.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// Give up waiting for a reply after so long; `None` waits for ever.
    ///
    /// # Errors
    /// Never for a limit above zero.
    pub fn set_patience(&self, limit: Option<std::time::Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(limit)
    }

    /// Wait for the next reply, with the pidfds it names.
    ///
    /// # Errors
    /// `UnexpectedEof` if the spawner closed the connection, `WouldBlock` if patience ran out.
    pub fn receive(&mut self) -> io::Result<(Reply, Vec<OwnedFd>)> {
        loop {
            if let Some(reply) = self.decoder.next().map_err(io::Error::other)? {
                let count = pidfds(&reply).min(self.fds.len());
                return Ok((reply, self.fds.drain(..count).collect()));
            }
            let (mut bytes, mut fds) = ([0; RECEIVE_BYTES], Vec::new());
            match socket::receive(self.socket.as_fd(), &mut bytes, &mut fds) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.decoder.push(&bytes[..count]),
                // A process that is stopped and goes on hears of it here if its patience is limited.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            self.fds.extend(fds);
        }
    }
}

/// How many descriptors ride along with a reply.
pub fn pidfds(reply: &Reply) -> usize {
    match reply {
        Reply::Started { .. } => 1,
        Reply::Given { given, .. } => given.len(),
        Reply::Listed { containers } => {
            containers.iter().filter(|record| matches!(record.state, State::Running(_))).count()
        }
        _ => 0,
    }
}
