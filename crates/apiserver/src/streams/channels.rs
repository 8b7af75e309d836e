//! Several streams over one WebSocket: each message begins with the number of its channel.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use tokio::time::{Duration, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    connection::Connection,
    limits::{MESSAGE_BYTES_MAX, STREAM_LINGER_MS},
};

/// The channel of messages that end another.
const CLOSE: u8 = 255;

/// How channels are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    /// As text: a digit and base64.
    pub(super) base64: bool,
    /// Whether a channel can be ended by itself.
    pub(super) closes: bool,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes on a channel.
    Data(u8, Bytes),
    /// Nothing more will come on it.
    End(u8),
}

impl Coding {
    fn encode(self, channel: u8, bytes: &[u8]) -> Message {
        if self.base64 {
            return Message::text(format!("{channel}{}", STANDARD.encode(bytes)));
        }
        Message::binary([&[channel], bytes].concat())
    }

    /// `None` for a message that says nothing.
    fn decode(self, bytes: Bytes) -> io::Result<Option<Piece>> {
        let Some(first) = bytes.first().copied() else { return Ok(None) };
        let rest = bytes.slice(1..);
        if self.base64 {
            let bytes = STANDARD.decode(&rest).map_err(io::Error::other)?;
            let channel = first.checked_sub(b'0').ok_or(io::ErrorKind::InvalidData)?;
            return Ok(Some(Piece::Data(channel, bytes.into())));
        }
        if self.closes && first == CLOSE {
            return Ok(rest.first().map(|channel| Piece::End(*channel)));
        }
        Ok(Some(Piece::Data(first, rest)))
    }
}

/// Begins to speak WebSocket on a connection.
pub(super) async fn begin(connection: Connection) -> WebSocketStream<Connection> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    WebSocketStream::from_raw_socket(connection, Role::Server, Some(config)).await
}

/// Splits it into channels.
pub(super) fn split(socket: WebSocketStream<Connection>, coding: Coding) -> (Reader, Writer) {
    let (sink, stream) = socket.split();
    (Reader { stream, coding }, Writer { sink, coding })
}

/// What a client says. Its pings are answered while it is read.
pub(super) struct Reader {
    stream: SplitStream<WebSocketStream<Connection>>,
    coding: Coding,
}

/// What it is told.
pub(super) struct Writer {
    sink: SplitSink<WebSocketStream<Connection>, Message>,
    coding: Coding,
}

impl Reader {
    /// The next that is said on a channel; `None` when the client is gone or makes no sense.
    pub(super) async fn next(&mut self) -> Option<Piece> {
        loop {
            let bytes = match self.stream.next().await?.ok()? {
                Message::Binary(bytes) => bytes,
                Message::Text(text) => Bytes::from(text),
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            if let Some(piece) = self.coding.decode(bytes).ok()? {
                return Some(piece);
            }
        }
    }

    /// Waits for the client to close its side, so that what was sent last is not lost.
    pub(super) async fn linger(mut self) {
        let gone = async { while let Some(Ok(_)) = self.stream.next().await {} };
        // It has had its time.
        let _ = timeout(Duration::from_millis(STREAM_LINGER_MS), gone).await;
    }
}

impl Writer {
    /// Sends bytes on a channel.
    ///
    /// # Errors
    /// The client is gone.
    pub(super) async fn data(&mut self, channel: u8, bytes: &[u8]) -> io::Result<()> {
        self.sink.send(self.coding.encode(channel, bytes)).await.map_err(gone)
    }

    /// Says goodbye in good order.
    ///
    /// # Errors
    /// The client is gone.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.sink.send(Message::Close(Some(frame))).await.map_err(gone)
    }
}

pub(super) fn gone(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Coding = Coding { base64: false, closes: true };
    const TEXT: Coding = Coding { base64: true, closes: false };

    #[test]
    fn channels_are_written_and_read() {
        let said = |coding: Coding, bytes: &'static [u8]| {
            coding.decode(Bytes::from_static(bytes)).map_err(|_| ())
        };
        let data = |channel, text: &'static str| Ok(Some(Piece::Data(channel, text.into())));
        assert_eq!(said(PLAIN, b"\0text"), data(0, "text"));
        assert_eq!(said(PLAIN, b"\xff\0"), Ok(Some(Piece::End(0))));
        assert_eq!(said(PLAIN, b"\xff"), Ok(None));
        assert_eq!(said(PLAIN, b""), Ok(None));
        let older = Coding { closes: false, ..PLAIN };
        assert_eq!(said(older, b"\xff\0"), Ok(Some(Piece::Data(255, Bytes::from_static(b"\0")))));
        assert_eq!(said(TEXT, b"0dGV4dA=="), data(0, "text"));
        assert_eq!(said(TEXT, b"0!"), Err(()));
        assert_eq!(PLAIN.encode(3, b"x"), Message::binary(vec![3, b'x']));
        assert_eq!(TEXT.encode(1, b"text"), Message::text("1dGV4dA=="));
    }
}
