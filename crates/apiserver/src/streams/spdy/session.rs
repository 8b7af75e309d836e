//! One connection: frames in go to the inboxes of their streams, frames out come from anywhere.

use std::{collections::HashMap, io, rc::Rc};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    sync::{Mutex, mpsc},
};

use super::{
    frame::{self, CANCEL, Decoder, Frame, REFUSED_STREAM},
    headers::Headers,
};
use crate::{
    connection::Connection,
    limits::{FORWARDED_MAX, STREAM_PIECE_BYTES, STREAM_QUEUE_PIECES},
};

/// Streams that were opened and wait to be looked at.
const OPENED_QUEUE: usize = 8;

/// Streams of a connection at one time: two for each that is forwarded.
const OPEN_MAX: usize = 2 * FORWARDED_MAX;

/// A stream that a client has opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) stream: u32,
    pub(crate) headers: Headers,
    pub(crate) inbox: Inbox,
}

impl Opened {
    /// The value of a header, by its name in lower case; absent is empty.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(of, _)| of == name);
        found.map_or("", |(_, value)| value)
    }
}

/// What comes on a stream, until its end.
pub(crate) type Inbox = mpsc::Receiver<Piece>;

/// Something that comes on a stream.
#[derive(Debug)]
pub(crate) enum Piece {
    Data(Bytes),
    /// The client gives it up, in both directions.
    Reset,
}

/// The side that reads. It must be polled for anything to happen; it comes back when the client is
/// gone or makes no sense.
pub(crate) struct Reading {
    half: ReadHalf<Connection>,
    decoder: Decoder,
    inboxes: HashMap<u32, mpsc::Sender<Piece>>,
    opened: mpsc::Sender<Opened>,
    writer: Rc<Writer>,
}

/// The side that writes.
pub(crate) struct Writer(Mutex<Writing>);

struct Writing {
    half: WriteHalf<Connection>,
    /// Whether a stream was answered: the first answer is a little longer.
    answered: bool,
}

/// Begins to speak SPDY on a connection.
pub(crate) fn begin(connection: Connection) -> (Reading, Rc<Writer>, mpsc::Receiver<Opened>) {
    let (read, write) = split(connection);
    let writer = Rc::new(Writer(Mutex::new(Writing { half: write, answered: false })));
    let (opened, streams) = mpsc::channel(OPENED_QUEUE);
    let (decoder, inboxes) = (Decoder::default(), HashMap::new());
    let reading = Reading { half: read, decoder, inboxes, opened, writer: Rc::clone(&writer) };
    (reading, writer, streams)
}

impl Reading {
    /// Reads until the client is gone.
    pub(crate) async fn run(&mut self) -> io::Result<()> {
        loop {
            while let Some(frame) = self.decoder.next().map_err(io::Error::other)? {
                if frame == Frame::GoAway {
                    return Ok(());
                }
                self.take(frame).await?;
            }
            let buffer = self.decoder.buffer();
            buffer.reserve(STREAM_PIECE_BYTES);
            if self.half.read_buf(buffer).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn take(&mut self, frame: Frame) -> io::Result<()> {
        match frame {
            Frame::Open { stream, headers, ended } => self.open(stream, headers, ended).await?,
            Frame::Data { stream, bytes, ended } => {
                if let Some(inbox) = self.inboxes.get(&stream)
                    && !bytes.is_empty()
                    && inbox.send(Piece::Data(bytes)).await.is_err()
                {
                    // Nobody wants it any more. What still comes is dropped.
                    self.inboxes.remove(&stream);
                }
                if ended {
                    self.inboxes.remove(&stream);
                }
            }
            Frame::Reset { stream } => {
                if let Some(inbox) = self.inboxes.remove(&stream) {
                    // Nobody may want to know.
                    let _ = inbox.send(Piece::Reset).await;
                }
            }
            // Those of the server have even numbers, and it sends none.
            Frame::Ping(id) if id % 2 == 1 => self.writer.control(&frame::ping(id)).await?,
            Frame::Ping(_) | Frame::GoAway => {}
        }
        Ok(())
    }

    async fn open(&mut self, stream: u32, headers: Headers, ended: bool) -> io::Result<()> {
        if stream.is_multiple_of(2) || self.inboxes.contains_key(&stream) {
            return Err(io::Error::other("a stream has the number of another"));
        }
        self.inboxes.retain(|_, inbox| !inbox.is_closed());
        let (inbox, messages) = mpsc::channel(STREAM_QUEUE_PIECES);
        let full = self.inboxes.len() >= OPEN_MAX;
        if !full {
            self.writer.reply(stream).await?;
        }
        let opened = Opened { stream, headers, inbox: messages };
        if full || self.opened.send(opened).await.is_err() {
            return self.writer.control(&frame::reset(stream, REFUSED_STREAM)).await;
        }
        if !ended {
            self.inboxes.insert(stream, inbox);
        }
        Ok(())
    }
}

impl Writer {
    /// Sends a part of a stream.
    ///
    /// # Errors
    /// The client is gone; so below.
    pub(crate) async fn data(&self, stream: u32, bytes: &[u8], ended: bool) -> io::Result<()> {
        let head = frame::data(stream, bytes.len(), ended);
        self.control(&[&head, bytes].concat()).await
    }

    /// Gives a stream up.
    pub(crate) async fn cancel(&self, stream: u32) -> io::Result<()> {
        self.control(&frame::reset(stream, CANCEL)).await
    }

    /// Says goodbye: nothing follows.
    pub(crate) async fn end(&self, last: u32) -> io::Result<()> {
        let mut writing = self.0.lock().await;
        writing.half.write_all(&frame::go_away(last)).await?;
        writing.half.shutdown().await
    }

    async fn reply(&self, stream: u32) -> io::Result<()> {
        let mut writing = self.0.lock().await;
        let first = !std::mem::replace(&mut writing.answered, true);
        writing.half.write_all(&frame::reply(stream, first)).await?;
        writing.half.flush().await
    }

    async fn control(&self, frame: &[u8]) -> io::Result<()> {
        let mut writing = self.0.lock().await;
        writing.half.write_all(frame).await?;
        writing.half.flush().await
    }
}
