//! The life of one watch: the initial state, then changes as they become durable, until its time is
//! over, it fell behind, or the server stops.

use std::{rc::Rc, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use kinds::{Object, Reason, Revision, StatusError};
use store::Expired;
use tokio::{sync::watch, time::Instant};

use super::{
    Start,
    event::{Event, Style, error, event},
};
use crate::{
    Server, body::Chunk, filter::Filter, form::Form, limits::BOOKMARK_MS, server::RunWatch,
};

/// A last bookmark comes so long before a watch ends by its time.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

/// What was agreed with the client of a watch.
pub(super) struct Terms {
    pub(super) form: Form,
    /// Whether bookmarks are wanted.
    pub(super) bookmarks: bool,
    pub(super) deadline: Instant,
    /// Turns true when the server stops.
    pub(super) stopping: watch::Receiver<bool>,
    /// The run that the watch keeps alive.
    pub(super) run: Option<RunWatch>,
}

/// One watch. Its memory is the initial state not sent yet, and the cursor.
pub(super) struct Watcher {
    server: Rc<Server>,
    filter: Filter,
    style: Style,
    /// Everything up to here was looked at.
    cursor: Revision,
    initial: std::vec::IntoIter<Arc<Object>>,
    /// The bookmark that ends the initial state is still to come.
    initial_end: bool,
    /// When the next bookmark is due; `None` for a client that wants none.
    bookmark_at: Option<Instant>,
    deadline: Instant,
    durable: watch::Receiver<Revision>,
    stopping: watch::Receiver<bool>,
    ended: bool,
    _run: Option<RunWatch>,
}

impl Watcher {
    pub(super) fn new(server: &Rc<Server>, filter: Filter, start: Start, terms: Terms) -> Self {
        let Terms { form, bookmarks, deadline, stopping, run } = terms;
        Self {
            server: Rc::clone(server),
            filter,
            style: Style { form, first: true },
            cursor: start.cursor,
            initial_end: bookmarks && start.initial.is_some(),
            initial: start.initial.unwrap_or_default().into_iter(),
            bookmark_at: bookmarks.then(|| next_bookmark(Instant::now(), deadline)),
            deadline,
            durable: server.subscribe(),
            stopping,
            ended: false,
            _run: run,
        }
    }

    /// The lines of the watch.
    pub(super) fn events(self) -> impl Stream<Item = Chunk> {
        stream::unfold(self, async |mut watcher| {
            let line = watcher.next().await?;
            Some((line, watcher))
        })
    }

    async fn next(&mut self) -> Option<Chunk> {
        loop {
            let over = self.ended || *self.stopping.borrow() || Instant::now() >= self.deadline;
            if over {
                return None;
            }
            // What becomes durable from here on wakes the wait below.
            self.durable.mark_unchanged();
            if let Some(line) = self.ready() {
                return Some(line);
            }
            let wake_at = self.wake_at();
            tokio::select! {
                changed = self.durable.changed() => changed.ok()?,
                stopping = self.stopping.changed() => stopping.ok()?,
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
    }

    fn wake_at(&self) -> Instant {
        self.bookmark_at.map_or(self.deadline, |at| at.min(self.deadline))
    }

    /// The next line, if there is one already.
    fn ready(&mut self) -> Option<Chunk> {
        match self.look() {
            Ok(Some(event)) => {
                self.server.metrics.event_sent(self.filter.kind);
                let now = self.server.now();
                Some(self.style.line(event, &mut self.server.shared_events(), now))
            }
            Ok(None) => self.due_bookmark(),
            Err(expired) => {
                self.ended = true;
                let text =
                    format!("too old resource version: {} ({})", self.cursor, expired.oldest);
                Some(error(&StatusError::new(Reason::Expired, text)))
            }
        }
    }

    /// Also the initial state is cut short when the window has moved on: what comes after it could
    /// not be sent, and a client that does not read must not keep old objects in memory for ever.
    fn look(&mut self) -> Result<Option<Event>, Expired> {
        let engine = self.server.engine();
        let changes = engine.store().changes_after(self.cursor)?;
        if let Some(object) = self.initial.next() {
            return Ok(Some(Event::Added(object)));
        }
        if self.initial_end {
            return Ok(None);
        }
        for change in changes {
            self.cursor = change.revision;
            if let Some(event) = event(change, &self.filter) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn due_bookmark(&mut self) -> Option<Chunk> {
        let now = Instant::now();
        let ends_initial_state = std::mem::take(&mut self.initial_end);
        let due = self.bookmark_at.is_some_and(|at| at <= now);
        if !ends_initial_state && !due {
            return None;
        }
        self.bookmark_at = Some(next_bookmark(now, self.deadline));
        let (kind, now) = (self.filter.kind, self.server.now());
        Some(self.style.bookmark(kind, self.cursor, ends_initial_state, now))
    }
}

/// About once a minute, and shortly before the end.
fn next_bookmark(now: Instant, deadline: Instant) -> Instant {
    let last = deadline.checked_sub(LAST_BOOKMARK).filter(|last| *last > now);
    let next = now + Duration::from_millis(BOOKMARK_MS);
    last.map_or(next, |last| next.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bookmarks_come_each_minute_and_two_seconds_before_the_end() {
        let start = Instant::now();
        for (lasts_s, expected) in
            [(150, &[60, 120, 148][..]), (62, &[60]), (61, &[59]), (3, &[1]), (2, &[]), (1, &[])]
        {
            let deadline = start + Duration::from_secs(lasts_s);
            let (mut now, mut marks) = (start, Vec::new());
            loop {
                now = next_bookmark(now, deadline);
                if now >= deadline {
                    break;
                }
                marks.push((now - start).as_secs());
            }
            assert_eq!(marks, expected, "{lasts_s}");
        }
    }
}
