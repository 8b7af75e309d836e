//! A session of exec or attach.

use std::time::Duration;

use tokio::{sync::mpsc, time::timeout};

use node::streams::{ContainerId, What};

use super::{
    GONE, Session,
    channels::{self, Coding},
    handshake::{Protocols, Speech},
    remote::{self, AtInputEnd, Reader, Writer},
    spdy::{self, Opened},
    status::Outcome,
    target::{Call, Doing, Own},
};
use crate::{
    connection::Connection,
    limits::{STREAM_CREATION_MS, STREAM_LINGER_MS},
};

/// What can be spoken: the versions of one protocol, the newest first.
pub(super) const PROTOCOLS: Protocols = Protocols {
    websocket: &[
        "v5.channel.k8s.io",
        "v4.channel.k8s.io",
        "v4.base64.channel.k8s.io",
        "channel.k8s.io",
        "base64.channel.k8s.io",
        "",
    ],
    spdy: &[
        "v5.channel.k8s.io",
        "v4.channel.k8s.io",
        "v3.channel.k8s.io",
        "v2.channel.k8s.io",
        "channel.k8s.io",
    ],
};

/// Since this version a session ends with a Status, and not with a text.
const STATUS_VERSION: u32 = 4;

/// Since this version a terminal has a stream for its size.
const RESIZE_VERSION: u32 = 3;

/// The version in the name of a protocol: 1 has none.
fn version(protocol: &str) -> u32 {
    let number = protocol.strip_prefix('v').and_then(|rest| rest.split('.').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(1)
}

/// Serves one on its connection.
pub(super) async fn serve(session: Session, call: Call, speech: Speech, connection: Connection) {
    let mut stopping = session.stopping.clone();
    let serving = async {
        match speech {
            Speech::WebSocket { protocol, .. } => {
                websocket(&session, call, protocol, connection).await;
            }
            Speech::Spdy { protocol } => over_spdy(&session, call, protocol, connection).await,
        }
    };
    tokio::select! {
        () = serving => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
}

async fn websocket(session: &Session, call: Call, protocol: &str, connection: Connection) {
    let version = version(protocol);
    let coding = Coding { base64: protocol.contains("base64"), closes: version > 4 };
    let (reader, channels) = channels::split(channels::begin(connection).await, coding);
    let (stdout, stderr) = (call.wanted.stdout, call.wanted.stderr);
    let status = version >= STATUS_VERSION;
    let mut writer = Writer::Channels { channels, stdout, stderr, status };
    let mut reader = Reader::Channels(reader);
    if writer.begin().await.is_err() {
        return;
    }
    if let Some(outcome) = run(session, call, &mut reader, &mut writer).await
        && writer.finish(&outcome).await.is_ok()
    {
        reader.linger().await;
    }
}

async fn over_spdy(session: &Session, call: Call, protocol: &str, connection: Connection) {
    let version = version(protocol);
    let (mut reading, streams, mut opened) = spdy::begin(connection);
    let serving = async {
        let limit = Duration::from_millis(STREAM_CREATION_MS);
        let gathered = timeout(limit, gather(&mut opened, &call, version)).await;
        let Ok(Some(Gathered { error, stdin, stdout, stderr, resize })) = gathered else { return };
        drop(opened);
        let number = |stream: Option<Opened>| stream.map(|opened| opened.stream);
        let inbox = |stream: Option<Opened>| stream.map(|opened| opened.inbox);
        let sizes = Vec::new();
        let mut reader = Reader::Spdy { stdin: inbox(stdin), resize: inbox(resize), sizes };
        let mut writer = Writer::Spdy {
            streams,
            stdout: number(stdout),
            stderr: number(stderr),
            error: error.stream,
            status: version >= STATUS_VERSION,
        };
        if let Some(outcome) = run(session, call, &mut reader, &mut writer).await {
            // Whether the client hears it is its own business.
            let _ = writer.finish(&outcome).await;
        }
    };
    tokio::select! {
        _ = reading.run() => return,
        () = serving => {}
    }
    // What was sent last is lost if the connection is closed before the client does.
    let _ = timeout(Duration::from_millis(STREAM_LINGER_MS), reading.run()).await;
}

/// The streams of a session, by what they are for.
struct Gathered {
    error: Opened,
    stdin: Option<Opened>,
    stdout: Option<Opened>,
    stderr: Option<Opened>,
    resize: Option<Opened>,
}

/// Waits for all streams that the request has announced.
async fn gather(
    opened: &mut mpsc::Receiver<Opened>,
    call: &Call,
    version: u32,
) -> Option<Gathered> {
    let wanted = call.wanted;
    let (mut error, mut stdin, mut stdout, mut stderr, mut resize) = (None, None, None, None, None);
    loop {
        let missing = error.is_none()
            || wanted.stdin && stdin.is_none()
            || wanted.stdout && stdout.is_none()
            || wanted.stderr && stderr.is_none()
            || wanted.terminal && version >= RESIZE_VERSION && resize.is_none();
        if !missing {
            return Some(Gathered { error: error?, stdin, stdout, stderr, resize });
        }
        let stream = opened.recv().await?;
        let place = match stream.header("streamtype") {
            "error" => &mut error,
            "stdin" => &mut stdin,
            "stdout" => &mut stdout,
            "stderr" => &mut stderr,
            "resize" => &mut resize,
            _ => continue,
        };
        *place = Some(stream);
    }
}

/// Does what was asked for, with whoever asked. `None` if they left before it ended.
async fn run(
    session: &Session,
    call: Call,
    reader: &mut Reader,
    writer: &mut Writer,
) -> Option<Outcome> {
    let Call { id, wanted, what } = call;
    let id = match id {
        Ok(id) => id,
        Err(why) => return Some(Outcome::Failed(why)),
    };
    match what {
        Doing::Exec(command) => {
            let asked = What::Exec { command: command.clone(), wanted };
            exec(session, id, asked, command, reader, writer).await
        }
        Doing::Attach(own) => {
            let wanted = node::streams::Wanted { stdin: wanted.stdin && own.stdin, ..wanted };
            attach(session, id, What::Attach(wanted), own, reader, writer).await
        }
    }
}

async fn exec(
    session: &Session,
    id: ContainerId,
    what: What,
    command: Vec<String>,
    reader: &mut Reader,
    writer: &mut Writer,
) -> Option<Outcome> {
    let mut given = match session.ask(id, what).await {
        Ok(given) => given,
        Err(why) => {
            let why = format!("error executing command in container: {why}");
            return Some(Outcome::Failed(why));
        }
    };
    let ended = given.ended;
    let outcome = async {
        match ended.await {
            Ok(ended) => Outcome::of(command, ended),
            Err(_) => Outcome::Failed(format!("error executing command in container: {GONE}")),
        }
    };
    if given.ends.arrive().await.is_err() {
        return Some(outcome.await);
    }
    let at_end = match given.ends.terminal {
        Some(_) => AtInputEnd::GoOn,
        None => AtInputEnd::End,
    };
    remote::converse(reader, writer, given.ends, at_end, || (), outcome).await
}

async fn attach(
    session: &Session,
    id: ContainerId,
    what: What,
    own: Own,
    reader: &mut Reader,
    writer: &mut Writer,
) -> Option<Outcome> {
    let takes_input = matches!(what, What::Attach(wanted) if wanted.stdin);
    let mut given = match session.ask(id.clone(), what).await {
        Ok(given) => given,
        Err(why) => return Some(Outcome::Failed(format!("error attaching to container: {why}"))),
    };
    if !takes_input {
        given.ends.stdin = None;
    }
    // A terminal has no end of input that could be told, so that is for others too.
    let once = takes_input && own.once && !own.tty;
    let at_end = match (takes_input, once) {
        (false, _) => AtInputEnd::GoOn,
        (true, true) => AtInputEnd::End,
        (true, false) => AtInputEnd::Leave,
    };
    let close = || {
        if once {
            session.close_input(id.clone());
        }
    };
    let outcome = async { Outcome::Success };
    let left = remote::converse(reader, writer, given.ends, at_end, &close, outcome).await;
    close();
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_have_versions() {
        let versions = |names: &[&str]| names.iter().map(|name| version(name)).collect::<Vec<_>>();
        assert_eq!(versions(PROTOCOLS.websocket), [5, 4, 4, 1, 1, 1]);
        assert_eq!(versions(PROTOCOLS.spdy), [5, 4, 3, 2, 1]);
    }
}
