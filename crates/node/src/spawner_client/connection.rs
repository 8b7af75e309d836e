//! One connection with a spawner: frames out, frames and descriptors in.

use std::{
    collections::VecDeque,
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use spawner::{
    client::pidfds,
    frame::{Decoder, encode},
    protocol::{Reply, Request, VERSION},
};
use tokio::{io::Interest, net::UnixStream};

/// Bytes asked for in one receive.
const RECEIVE_BYTES: usize = 64 * 1024;
/// The most descriptors Linux puts into one message.
const MESSAGE_FDS_MAX: usize = 253;
/// What a spawner that takes nothing may leave unsent, bytes; more than that and it is given up.
const UNSENT_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(super) struct Connection {
    stream: UnixStream,
    decoder: Decoder,
    fds: VecDeque<OwnedFd>,
    unsent: VecDeque<u8>,
    /// What one receive takes.
    received: Vec<u8>,
}

/// Connects, after starting a spawner if none listens, and says hello.
pub(super) async fn open(data_dir: &Path, program: &Path) -> io::Result<Connection> {
    let stream = match connect(data_dir).await {
        Ok(stream) => stream,
        Err(error) if absent(&error) => {
            launch(program.to_owned(), data_dir.to_owned()).await?;
            connect(data_dir).await?
        }
        Err(error) => return Err(error),
    };
    let mut connection = Connection {
        stream,
        decoder: Decoder::default(),
        fds: VecDeque::new(),
        unsent: VecDeque::new(),
        received: vec![0; RECEIVE_BYTES],
    };
    connection.queue(&Request::Hello { version: VERSION });
    connection.flush()?;
    Ok(connection)
}

/// Nobody listens: no socket, or one of a spawner that died.
fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

async fn launch(program: PathBuf, data_dir: PathBuf) -> io::Result<()> {
    let task = tokio::task::spawn_blocking(move || spawner::launch(&program, &data_dir));
    task.await.map_err(io::Error::other)?
}

/// The address of a unix socket holds 107 bytes, so the directory is named by descriptor.
async fn connect(data_dir: &Path) -> io::Result<UnixStream> {
    let directory = std::fs::File::open(data_dir)?;
    let name = format!("/proc/self/fd/{}/{}", directory.as_raw_fd(), spawner::SOCKET_NAME);
    UnixStream::connect(name).await
}

impl Connection {
    /// Puts a request behind those that wait to be sent.
    pub(super) fn queue(&mut self, request: &Request) {
        match encode(request) {
            Ok(frame) => self.unsent.extend(frame),
            // Only a start can be that long, and one that is never answered is told apart by the
            // next list.
            Err(error) => tracing::error!("a request to the spawner is not sent: {error}"),
        }
    }

    /// Sends what the socket takes at once. An error shows at the next receive, too.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.try_write(self.unsent.as_slices().0) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        match self.unsent.len() > UNSENT_BYTES_MAX {
            true => Err(io::Error::other("the spawner takes no requests")),
            false => Ok(()),
        }
    }

    /// The next reply with the pidfds it names. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> io::Result<(Reply, Vec<OwnedFd>)> {
        loop {
            if let Some(reply) = self.decoder.next::<Reply>().map_err(io::Error::other)? {
                let count = pidfds(&reply).min(self.fds.len());
                return Ok((reply, self.fds.drain(..count).collect()));
            }
            let interest = match self.unsent.is_empty() {
                true => Interest::READABLE,
                false => Interest::READABLE | Interest::WRITABLE,
            };
            let ready = self.stream.ready(interest).await?;
            if ready.is_writable() {
                self.flush()?;
            }
            if ready.is_readable() {
                match self.receive() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    received => received?,
                }
            }
        }
    }

    fn receive(&mut self) -> io::Result<()> {
        let (stream, fds, bytes) = (&self.stream, &mut self.fds, &mut self.received);
        let count = stream.try_io(Interest::READABLE, || {
            let mut space =
                [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MESSAGE_FDS_MAX))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let mut parts = [IoSliceMut::new(bytes)];
            let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
            let received = recvmsg(stream.as_fd(), &mut parts, &mut ancillary, flags)?;
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(received) = message {
                    fds.extend(received);
                }
            }
            Ok(received.bytes)
        })?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.decoder.push(&self.received[..count]);
        Ok(())
    }
}
