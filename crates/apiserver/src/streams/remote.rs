//! A command and its client, whichever way that speaks: bytes from one to the other in both directions
//! at once, until one of them ends.

use std::{future::pending, io};

use bytes::Bytes;
use node::streams::{Ends, Pipe, Terminal};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    activity::Activity,
    channels,
    spdy::{self, Inbox},
    status::Outcome,
};
use crate::limits::STREAM_PIECE_BYTES;

/// Channels of a WebSocket, in the order of the protocol.
const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: u8 = 4;

/// The sizes of a terminal that are not yet whole, bytes.
const SIZES_BYTES_MAX: usize = 1024;

/// Something that a client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Stdin(Bytes),
    StdinEnd,
    Resize(Size),
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Size {
    width: u16,
    height: u16,
}

/// Where a client is heard.
pub(super) enum Reader {
    Channels(channels::Reader),
    Spdy {
        stdin: Option<Inbox>,
        resize: Option<Inbox>,
        /// Sizes that are not whole.
        sizes: Vec<u8>,
    },
}

/// Where it is told something.
pub(super) enum Writer {
    Channels {
        channels: channels::Writer,
        /// Whether it wants the output, and the errors.
        stdout: bool,
        stderr: bool,
        /// Whether it reads a Status, and not a text.
        status: bool,
    },
    Spdy {
        streams: std::rc::Rc<spdy::Writer>,
        stdout: Option<u32>,
        stderr: Option<u32>,
        error: u32,
        status: bool,
    },
}

/// What happens when the client's input ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtInputEnd {
    /// The program's ends too, and the session goes on.
    End,
    /// Nothing: a terminal has no end.
    GoOn,
    /// The session ends.
    Leave,
}

/// Moves bytes until the output has ended and `outcome` is there, or the client leaves: that is told
/// apart by `None`. `input_ended` is called when the program's input ends and the session goes on.
pub(super) async fn converse(
    reader: &mut Reader,
    writer: &mut Writer,
    ends: Ends,
    at_end: AtInputEnd,
    input_ended: impl Fn(),
    outcome: impl Future<Output = Outcome>,
) -> Option<Outcome> {
    let activity = Activity::new();
    let Ends { stdin, stdout, stderr, terminal, .. } = ends;
    let input = give_input(reader, stdin, terminal, at_end, input_ended, &activity);
    let output = async {
        take_output(writer, stdout, stderr, &activity).await.ok()?;
        Some(outcome.await)
    };
    tokio::select! {
        left = input => left,
        ended = output => ended,
        () = activity.idle() => None,
    }
}

async fn give_input(
    reader: &mut Reader,
    mut stdin: Option<Pipe>,
    terminal: Option<Terminal>,
    at_end: AtInputEnd,
    input_ended: impl Fn(),
    activity: &Activity,
) -> Option<Outcome> {
    while let Some(said) = reader.next().await {
        activity.note();
        match said {
            Said::Stdin(bytes) => {
                // Who reads no more is told nothing, and what was meant for them is dropped.
                if let Some(pipe) = &mut stdin
                    && pipe.write_all(&bytes).await.is_err()
                {
                    stdin = None;
                }
            }
            Said::StdinEnd => match at_end {
                AtInputEnd::End => {
                    stdin = None;
                    input_ended();
                }
                AtInputEnd::GoOn => {}
                AtInputEnd::Leave => return Some(Outcome::Success),
            },
            Said::Resize(Size { width, height }) => {
                if let Some(terminal) = &terminal {
                    // One that is gone has no size.
                    let _ = terminal.resize(width, height);
                }
            }
        }
    }
    None
}

async fn take_output(
    writer: &mut Writer,
    mut stdout: Option<Pipe>,
    mut stderr: Option<Pipe>,
    activity: &Activity,
) -> io::Result<()> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while stdout.is_some() || stderr.is_some() {
        let (channel, bytes, pipe) = tokio::select! {
            read = read(&mut stdout, &mut out), if stdout.is_some() => {
                read?;
                (STDOUT, &mut out, &mut stdout)
            }
            read = read(&mut stderr, &mut err), if stderr.is_some() => {
                read?;
                (STDERR, &mut err, &mut stderr)
            }
        };
        activity.note();
        if bytes.is_empty() {
            *pipe = None;
        } else {
            writer.data(channel, bytes).await?;
            bytes.clear();
        }
    }
    Ok(())
}

/// Reads a piece into an empty buffer. What was not yet read is there if it is dropped.
async fn read(pipe: &mut Option<Pipe>, into: &mut Vec<u8>) -> io::Result<()> {
    let Some(pipe) = pipe else { return pending().await };
    into.reserve(STREAM_PIECE_BYTES);
    pipe.read_buf(into).await.map(drop)
}

impl Reader {
    /// The next thing that the client says; `None` when it is gone.
    async fn next(&mut self) -> Option<Said> {
        match self {
            Self::Channels(reader) => loop {
                match reader.next().await? {
                    channels::Piece::Data(STDIN, bytes) => return Some(Said::Stdin(bytes)),
                    channels::Piece::End(STDIN) => return Some(Said::StdinEnd),
                    channels::Piece::Data(RESIZE, bytes) => {
                        if let Ok(size) = serde_json::from_slice(&bytes) {
                            return Some(Said::Resize(size));
                        }
                    }
                    channels::Piece::Data(..) | channels::Piece::End(_) => {}
                }
            },
            Self::Spdy { stdin, resize, sizes } => loop {
                tokio::select! {
                    piece = receive(stdin) => match piece {
                        Some(bytes) => return Some(Said::Stdin(bytes)),
                        None => {
                            *stdin = None;
                            return Some(Said::StdinEnd);
                        }
                    },
                    piece = receive(resize) => match piece {
                        Some(bytes) => {
                            sizes.extend_from_slice(&bytes);
                            if let Some(size) = last_size(sizes) {
                                return Some(Said::Resize(size));
                            }
                        }
                        None => *resize = None,
                    },
                }
            },
        }
    }

    /// Lets the client close its side.
    pub(super) async fn linger(self) {
        match self {
            Self::Channels(reader) => reader.linger().await,
            // The reader of the connection sees to that.
            Self::Spdy { .. } => {}
        }
    }
}

/// What comes on a stream; for ever nothing on one that is not there.
async fn receive(inbox: &mut Option<Inbox>) -> Option<Bytes> {
    let Some(inbox) = inbox else { return pending().await };
    match inbox.recv().await {
        Some(spdy::Piece::Data(bytes)) => Some(bytes),
        Some(spdy::Piece::Reset) | None => None,
    }
}

/// The last size of those that are there in whole, which are taken out.
fn last_size(bytes: &mut Vec<u8>) -> Option<Size> {
    let mut sizes = serde_json::Deserializer::from_slice(bytes).into_iter::<Size>();
    let last = sizes.by_ref().map_while(Result::ok).last();
    let used = sizes.byte_offset().min(bytes.len());
    bytes.drain(..used);
    if bytes.len() > SIZES_BYTES_MAX {
        bytes.clear();
    }
    last
}

impl Writer {
    /// Hands on what a program has written.
    async fn data(&mut self, channel: u8, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Channels { channels, stdout, stderr, .. } => {
                match if channel == STDOUT { *stdout } else { *stderr } {
                    true => channels.data(channel, bytes).await,
                    false => Ok(()),
                }
            }
            Self::Spdy { streams, stdout, stderr, .. } => {
                match if channel == STDOUT { *stdout } else { *stderr } {
                    Some(stream) => streams.data(stream, bytes, false).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Says that the session has begun, as upstream does: with nothing, on the first channel that the
    /// client reads.
    pub(super) async fn begin(&mut self) -> io::Result<()> {
        match self {
            Self::Channels { channels, stdout, stderr, .. } => {
                let first = match (*stdout, *stderr) {
                    (true, _) => STDOUT,
                    (false, true) => STDERR,
                    (false, false) => ERROR,
                };
                channels.data(first, &[]).await
            }
            Self::Spdy { .. } => Ok(()),
        }
    }

    /// Tells how the session has ended, and says goodbye.
    pub(super) async fn finish(&mut self, outcome: &Outcome) -> io::Result<()> {
        match self {
            Self::Channels { channels, status, .. } => {
                let bytes = if *status { outcome.status() } else { outcome.text() };
                if !bytes.is_empty() {
                    channels.data(ERROR, &bytes).await?;
                }
                channels.close().await
            }
            Self::Spdy { streams, stdout, stderr, error, status } => {
                for stream in [*stdout, *stderr].into_iter().flatten() {
                    streams.data(stream, &[], true).await?;
                }
                let bytes = if *status { outcome.status() } else { outcome.text() };
                streams.data(*error, &bytes, true).await?;
                streams.end(*error).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_come_one_after_the_other_and_in_parts() {
        let mut bytes =
            b"{\"Width\":80,\"Height\":24}\n{\"Width\":81,\"Height\":25}\n{\"Wid".to_vec();
        assert_eq!(last_size(&mut bytes), Some(Size { width: 81, height: 25 }));
        assert_eq!(last_size(&mut bytes), None);
        bytes.extend(b"th\":1,\"Height\":2}");
        assert_eq!(last_size(&mut bytes), Some(Size { width: 1, height: 2 }));
        let mut noise = vec![b'{'; SIZES_BYTES_MAX + 1];
        assert_eq!(last_size(&mut noise), None);
        assert!(noise.is_empty());
    }
}
