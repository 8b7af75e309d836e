//! Streams of containers: exec, attach, port-forward. A request is checked like any other; then its
//! connection ceases to be one of HTTP and becomes a session. What the node gives are pipes and
//! sockets, so nothing but copying is left to do: a session reads from one side only as fast as the
//! other takes it, in pieces, and holds up nobody but itself.

mod activity;
mod channels;
mod command;
mod forward;
mod handshake;
mod remote;
mod spdy;
mod status;
mod target;
mod tunnel;

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use kinds::{Key, Reason, StatusError, Uid};
use node::streams::{Ask, ContainerId, Ended, Ends, What};
use tokio::sync::oneshot;

pub use spdy::{Decoder as SpdyDecoder, Frame as SpdyFrame};

use crate::{
    RequestInfo, Server, Subresource,
    answer::Answer,
    handle::Context,
    limits::{RETRY_AFTER_S, STREAMS_PER_POD_MAX},
};
use handshake::Speech;

/// Answers a request for streams.
pub(crate) async fn streams(info: &RequestInfo, context: Context<'_>) -> Answer {
    let server = context.server;
    let key = Key::new(info.kind, &info.namespace, &info.name);
    let (found, head) = {
        let engine = server.engine();
        (engine.get(&key), engine.store().head())
    };
    server.durable(found.as_ref().map_or(head, |object| object.meta.revision)).await?;
    let (pod, uid) = found.map(|object| (object.pod(), object.meta.uid))?;
    let session = Session {
        place: server.pod_sessions.enter(uid)?,
        server: Rc::clone(server),
        stopping: context.stopping,
    };
    if info.subresource == Subresource::PortForward {
        let target = target::port_forward(&pod, uid)?;
        let speech = match Speech::agree(&context.headers, &forward::PROTOCOLS) {
            Ok(speech) => speech,
            Err(refusal) => return Ok(*refusal),
        };
        let ports = target::ports(&speech, &info.query)?;
        let answer = speech.answer();
        context
            .upgrade
            .to(move |connection| forward::serve(session, target, ports, speech, connection));
        return Ok(answer);
    }
    let call = target::call(info.subresource, &pod, uid, &info.query)?;
    let speech = match Speech::agree(&context.headers, &command::PROTOCOLS) {
        Ok(speech) => speech,
        Err(refusal) => return Ok(*refusal),
    };
    let answer = speech.answer();
    context.upgrade.to(move |connection| command::serve(session, call, speech, connection));
    Ok(answer)
}

/// What every session has.
struct Session {
    server: Rc<Server>,
    /// Turns true when the server stops.
    stopping: tokio::sync::watch::Receiver<bool>,
    #[expect(dead_code, reason = "it is held as long as the session lasts")]
    place: PodSession,
}

impl Session {
    /// Asks the node for streams.
    ///
    /// # Errors
    /// Why there are none.
    async fn ask(&self, id: ContainerId, what: What) -> Result<Given, String> {
        let ((streams, given), (ended, end)) = (oneshot::channel(), oneshot::channel());
        self.server.ask(Ask { id, what, streams, ended });
        let ends = given.await.map_err(|_| GONE.to_owned())??;
        Ok(Given { ends, ended: end })
    }

    /// Lets go of a container's input.
    fn close_input(&self, id: ContainerId) {
        let ((streams, _), (ended, _)) = (oneshot::channel(), oneshot::channel());
        self.server.ask(Ask { id, what: What::CloseInput, streams, ended });
    }
}

/// Why there is no answer.
const GONE: &str = "the spawner of containers was lost";

/// Streams, and the end of the program that has them if it was run for them.
struct Given {
    ends: Ends,
    ended: oneshot::Receiver<Ended>,
}

/// How many sessions each pod has.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodSessions(Rc<RefCell<HashMap<Uid, usize>>>);

/// One of them, counted until it is dropped.
struct PodSession {
    sessions: PodSessions,
    uid: Uid,
}

impl PodSessions {
    /// # Errors
    /// 429 when it has as many as it may.
    fn enter(&self, uid: Uid) -> Result<PodSession, StatusError> {
        let mut counts = self.0.borrow_mut();
        let count = counts.entry(uid).or_default();
        if *count >= STREAMS_PER_POD_MAX {
            let text =
                format!("a pod has at most {STREAMS_PER_POD_MAX} streaming sessions at a time");
            let error = StatusError::new(Reason::TooManyRequests, text);
            return Err(StatusError { retry_after_seconds: RETRY_AFTER_S, ..error });
        }
        *count += 1;
        Ok(PodSession { sessions: self.clone(), uid })
    }
}

impl Drop for PodSession {
    fn drop(&mut self) {
        let mut counts = self.sessions.0.borrow_mut();
        if let Some(count) = counts.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.uid);
            }
        }
    }
}
