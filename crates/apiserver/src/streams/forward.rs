//! A session of port-forward: any number of connections to ports of one pod, over one of its client.

use std::{collections::HashMap, io, rc::Rc, time::Duration};

use bytes::Bytes;
use node::streams::{What, dial};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Mutex, mpsc},
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    Session,
    activity::Activity,
    channels::{self, Coding},
    handshake::{Protocols, Speech},
    spdy::{self, Inbox, Opened, Piece},
    target::{self, Target},
    tunnel::Tunnel,
};
use crate::{
    connection::Connection,
    limits::{FORWARDED_MAX, STREAM_CREATION_MS, STREAM_PIECE_BYTES, STREAM_QUEUE_PIECES},
};

/// What can be spoken.
pub(super) const PROTOCOLS: Protocols = Protocols {
    websocket: &[TUNNEL, "v4.channel.k8s.io", "v4.base64.channel.k8s.io", ""],
    spdy: &["portforward.k8s.io"],
};

/// SPDY inside a WebSocket.
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";

/// How long the client may still send when the pod has closed its side, milliseconds; upstream's
/// number.
const HALF_CLOSED_MS: u64 = 1000;

/// What the connections of a session have in common.
struct Forwarder {
    session: Session,
    target: Target,
    activity: Activity,
}

/// Serves one on its connection.
pub(super) async fn serve(
    session: Session,
    target: Target,
    ports: Vec<u16>,
    speech: Speech,
    connection: Connection,
) {
    let mut stopping = session.stopping.clone();
    let forwarder = Rc::new(Forwarder { session, target, activity: Activity::new() });
    let serving = async {
        match speech {
            Speech::WebSocket { protocol: TUNNEL, .. } => {
                let tunnel = Tunnel::new(channels::begin(connection).await);
                over_spdy(&forwarder, Connection::new(tunnel, Bytes::new())).await;
            }
            Speech::WebSocket { protocol, .. } => {
                let coding = Coding { base64: protocol.contains("base64"), closes: false };
                let socket = channels::begin(connection).await;
                // Whether its end is heard is the client's own business.
                let _ = over_channels(&forwarder, &ports, channels::split(socket, coding)).await;
            }
            Speech::Spdy { .. } => over_spdy(&forwarder, connection).await,
        }
    };
    tokio::select! {
        () = serving => {}
        () = forwarder.activity.idle() => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
}

async fn over_spdy(forwarder: &Rc<Forwarder>, connection: Connection) {
    let (mut reading, writer, mut opened) = spdy::begin(connection);
    let accepting = async {
        let (mut pairs, mut forwarded) = (Pairs::default(), JoinSet::new());
        loop {
            let stream = tokio::select! {
                stream = opened.recv() => stream?,
                Some(_) = forwarded.join_next() => continue,
            };
            let number = stream.stream;
            match pairs.add(stream, Instant::now()) {
                Ok(None) => {}
                Ok(Some(Pair { port, data, error })) if forwarded.len() < FORWARDED_MAX => {
                    let writer = Rc::clone(&writer);
                    let back = Back::Spdy { writer, data: data.stream, error };
                    let forwarder = Rc::clone(forwarder);
                    forwarded.spawn_local(async move {
                        forwarder.forward(port, data.inbox, &back).await
                    });
                }
                Ok(Some(_)) | Err(_) => writer.cancel(number).await.ok()?,
            }
        }
    };
    let _: Option<()> = tokio::select! {
        _ = reading.run() => None,
        ended = accepting => ended,
    };
}

/// Every port has two channels from the start: data, and why there is none.
async fn over_channels(
    forwarder: &Rc<Forwarder>,
    ports: &[u16],
    (mut reader, mut writer): (channels::Reader, channels::Writer),
) -> io::Result<()> {
    let channel = |index: usize| u8::try_from(2 * index).expect("there are few ports");
    for (index, port) in ports.iter().enumerate() {
        for channel in [channel(index), channel(index) + 1] {
            writer.data(channel, &port.to_le_bytes()).await?;
        }
    }
    let writer = Rc::new(Mutex::new(writer));
    let (mut inboxes, mut forwarded) = (Vec::new(), JoinSet::new());
    for (index, port) in ports.iter().copied().enumerate() {
        let (inbox, messages) = mpsc::channel(STREAM_QUEUE_PIECES);
        inboxes.push(inbox);
        let back = Back::Channels { writer: Rc::clone(&writer), data: channel(index) };
        let forwarder = Rc::clone(forwarder);
        forwarded.spawn_local(async move { forwarder.forward(port, messages, &back).await });
    }
    let hearing = async {
        while let Some(piece) = reader.next().await {
            if let channels::Piece::Data(channel, bytes) = piece
                && channel % 2 == 0
                && let Some(inbox) = inboxes.get(usize::from(channel / 2))
            {
                // What comes for a connection that is over is dropped.
                let _ = inbox.send(Piece::Data(bytes)).await;
            }
        }
    };
    tokio::select! {
        () = hearing => return Ok(()),
        () = async { while forwarded.join_next().await.is_some() {} } => {}
    }
    writer.lock().await.close().await?;
    reader.linger().await;
    Ok(())
}

/// The way back to the client.
enum Back {
    /// Two streams.
    Spdy { writer: Rc<spdy::Writer>, data: u32, error: u32 },
    /// Two channels, that of errors after that of data.
    Channels { writer: Rc<Mutex<channels::Writer>>, data: u8 },
}

impl Back {
    async fn data(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Spdy { writer, data, .. } => writer.data(*data, bytes, false).await,
            Self::Channels { writer, data } => writer.lock().await.data(*data, bytes).await,
        }
    }

    /// The pod has closed its side.
    async fn end_data(&self) -> io::Result<()> {
        match self {
            Self::Spdy { writer, data, .. } => writer.data(*data, &[], true).await,
            Self::Channels { .. } => Ok(()),
        }
    }

    /// The connection is over; why, if there was none.
    async fn end(&self, why: Option<String>) -> io::Result<()> {
        let text = why.as_deref().unwrap_or_default().as_bytes();
        match self {
            Self::Spdy { writer, data, error } => {
                writer.data(*error, text, true).await?;
                if why.is_some() { writer.cancel(*data).await } else { Ok(()) }
            }
            Self::Channels { writer, data } if why.is_some() => {
                writer.lock().await.data(*data + 1, text).await
            }
            Self::Channels { .. } => Ok(()),
        }
    }
}

impl Forwarder {
    /// Forwards one connection. It fails when the client is gone.
    async fn forward(&self, port: u16, inbox: Inbox, back: &Back) -> io::Result<()> {
        match self.dial(port).await {
            Ok(stream) => {
                self.copy(stream, inbox, back).await?;
                back.end(None).await
            }
            Err(why) => {
                let Target { pod, uid, .. } = &self.target;
                let text = format!("error forwarding port {port} to pod {pod}, uid {uid}: {why}");
                back.end(Some(text)).await
            }
        }
    }

    async fn dial(&self, port: u16) -> Result<TcpStream, String> {
        let id = self.target.id.clone().ok_or("no container of the pod is running")?;
        let given = self.session.ask(id, What::Sockets).await?;
        let stream = dial(given.ends.sockets, port).await?;
        // What is small is not held back for more to come.
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(stream)
    }

    async fn copy(&self, stream: TcpStream, mut inbox: Inbox, back: &Back) -> io::Result<()> {
        let (mut read, mut write) = stream.into_split();
        let up = async {
            while let Some(piece) = inbox.recv().await {
                let Piece::Data(bytes) = piece else { return false };
                self.activity.note();
                if write.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            // A pod that has closed its side has it already.
            let _ = write.shutdown().await;
            true
        };
        let down = async {
            let mut bytes = Vec::with_capacity(STREAM_PIECE_BYTES);
            // A pod that breaks off has ended.
            while read.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
                self.activity.note();
                back.data(&bytes).await?;
                bytes.clear();
            }
            back.end_data().await
        };
        tokio::pin!(up, down);
        tokio::select! {
            ended = &mut down => {
                ended?;
                // Who still sends has a moment left.
                let _ = timeout(Duration::from_millis(HALF_CLOSED_MS), up).await;
                Ok(())
            }
            // The client gave it up, or sends no more and still listens.
            goes_on = &mut up => if goes_on { down.await } else { Ok(()) },
        }
    }
}

/// Two streams of one connection.
#[derive(Debug)]
struct Pair {
    port: u16,
    data: Opened,
    error: u32,
}

/// Streams whose other one has not come yet, by the client's number of the connection.
#[derive(Debug, Default)]
struct Pairs(HashMap<String, (Opened, Instant)>);

impl Pairs {
    /// Another stream; the pair if that makes one. Those that waited for too long are forgotten.
    ///
    /// # Errors
    /// It is none of port-forward's.
    fn add(&mut self, stream: Opened, now: Instant) -> Result<Option<Pair>, String> {
        let patience = Duration::from_millis(STREAM_CREATION_MS);
        self.0.retain(|_, (_, since)| now.duration_since(*since) < patience);
        target::port(stream.header("port"))?;
        let is_data = match stream.header("streamtype") {
            "data" => true,
            "error" => false,
            other => return Err(format!("invalid stream type {other:?}")),
        };
        let request = match stream.header("requestid") {
            // Clients of old open the one for errors right before that for data.
            "" if is_data => stream.stream.saturating_sub(2).to_string(),
            "" => stream.stream.to_string(),
            request => request.to_owned(),
        };
        let Some((other, _)) = self.0.remove(&request) else {
            if self.0.len() >= FORWARDED_MAX {
                return Err("too many streams wait for others".to_owned());
            }
            self.0.insert(request, (stream, now));
            return Ok(None);
        };
        if (other.header("streamtype") == "data") == is_data {
            return Err(format!("request {request} has that stream already"));
        }
        let (data, error) = if is_data { (stream, other) } else { (other, stream) };
        let port = target::port(data.header("port"))?;
        Ok(Some(Pair { port, data, error: error.stream }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(stream: u32, headers: &[(&str, &str)]) -> Opened {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let (_, inbox) = mpsc::channel(1);
        Opened { stream, headers: headers.collect(), inbox }
    }

    #[tokio::test(start_paused = true)]
    async fn streams_find_each_other() {
        let mut pairs = Pairs::default();
        let now = Instant::now();
        let mut add = |stream, headers: &[(&str, &str)], after_ms| {
            let at = now + Duration::from_millis(after_ms);
            let pair = pairs.add(opened(stream, headers), at)?;
            Ok::<_, String>(pair.map(|pair| (pair.port, pair.data.stream, pair.error)))
        };
        let error = [("streamtype", "error"), ("port", "80"), ("requestid", "0")];
        let data = [("streamtype", "data"), ("port", "80"), ("requestid", "0")];
        assert_eq!(add(1, &error, 0), Ok(None));
        assert_eq!(add(3, &data, 0), Ok(Some((80, 3, 1))));
        assert_eq!(add(5, &error[..2], 0), Ok(None));
        assert_eq!(add(7, &data[..2], 0), Ok(Some((80, 7, 5))));
        assert_eq!(add(9, &error, 0), Ok(None));
        assert!(add(11, &error, 0).is_err(), "two of a kind");
        assert_eq!(add(13, &error, 0), Ok(None));
        assert_eq!(add(15, &data, STREAM_CREATION_MS), Ok(None), "the other one came too early");
        assert!(add(17, &[("streamtype", "stdin"), ("port", "80")], 0).is_err());
        assert!(add(19, &[("streamtype", "data"), ("port", "0")], 0).is_err());
    }
}
