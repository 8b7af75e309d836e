//! A log on its way out: what is there, or everything until the container has ended.

use std::{io, rc::Rc, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};
use kinds::{Object, Revision};
use node::logs::LogReader;
use tokio::sync::watch;

use super::attempt::{Attempt, is_over};
use crate::{
    Server,
    body::{Chunk, Cut},
};

/// What is there now.
pub(super) fn present(reader: LogReader) -> impl Stream<Item = Result<Chunk, Cut>> {
    stream::unfold(Some(reader), async |reader| {
        let mut reader = reader?;
        match or_cut(reader.read()) {
            Ok(piece) => Some((Ok(piece?.into()), Some(reader))),
            Err(cut) => Some((Err(cut), None)),
        }
    })
}

/// A log that grows.
pub(super) struct Follow {
    server: Rc<Server>,
    pod: Arc<Object>,
    attempt: Attempt,
    reader: LogReader,
    /// Nothing will be written any more: what is there is all.
    over: bool,
    durable: watch::Receiver<Revision>,
    stopping: watch::Receiver<bool>,
}

impl Follow {
    pub(super) fn new(
        server: &Rc<Server>,
        pod: &Arc<Object>,
        attempt: Attempt,
        reader: LogReader,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            over: is_over(&pod.pod(), &attempt),
            server: Rc::clone(server),
            pod: Arc::clone(pod),
            attempt,
            reader,
            durable: server.subscribe(),
            stopping,
        }
    }

    /// The log, piece by piece. A server that stops cuts it off: whoever follows a container to its end
    /// must not take this for one.
    pub(super) fn pieces(self) -> impl Stream<Item = Result<Chunk, Cut>> {
        stream::unfold(Some(self), async |follow| {
            let mut follow = follow?;
            match follow.next().await {
                Ok(piece) => Some((Ok(piece?.into()), Some(follow))),
                Err(cut) => Some((Err(cut), None)),
            }
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Cut> {
        loop {
            if let Some(piece) = or_cut(self.reader.read())? {
                return Ok(Some(piece));
            }
            if self.over || self.reader.full() {
                return Ok(None);
            }
            if *self.stopping.borrow() {
                return Err(Cut);
            }
            self.durable.mark_unchanged();
            self.over = self.has_ended();
            if self.over {
                // What was written up to the end comes with one more look.
                continue;
            }
            tokio::select! {
                changed = self.reader.changed() => or_cut(changed)?,
                changed = self.durable.changed() => changed.map_err(|_| Cut)?,
                stopping = self.stopping.changed() => stopping.map_err(|_| Cut)?,
            }
        }
    }

    /// Whether the pod says that the attempt has ended. Each of its revisions is looked at once,
    /// when it is durable.
    fn has_ended(&mut self) -> bool {
        let engine = self.server.engine();
        let store = engine.store();
        let Some(pod) = store.get(&self.pod.key).filter(|p| p.meta.uid == self.pod.meta.uid) else {
            return true;
        };
        let news = pod.meta.revision > self.pod.meta.revision;
        if !news || pod.meta.revision > store.durable() {
            return false;
        }
        self.pod = Arc::clone(pod);
        is_over(&pod.pod(), &self.attempt)
    }
}

/// A log that cannot be read on is cut off; the headers have long been sent.
fn or_cut<T>(result: io::Result<T>) -> Result<T, Cut> {
    result.map_err(|error| {
        tracing::warn!(%error, "a log cannot be read");
        Cut
    })
}
