//! Watches. A watcher is a cursor into the store's window and no queue: when its connection takes
//! more, it looks for the next change that concerns it. One that falls behind the window is told so
//! with upstream's 410 event. The bytes of an event are the store's own, or made once for all
//! watchers of a form.

mod event;
mod shared;
mod stream;

use std::{sync::Arc, time::Duration};

use hyper::StatusCode;
use kinds::{Object, Revision, StatusError};
use tokio::time::Instant;

use crate::{
    Query, RequestInfo,
    answer::{self, Answer},
    body::Body,
    filter::Filter,
    form::Form,
    get::not_ahead,
    handle::Context,
    limits::{WATCH_S_MAX, WATCH_S_MIN},
    revision::{self, WatchFrom},
};
pub(crate) use shared::Shared;
use stream::{Terms, Watcher};

/// Where a watcher stands at first.
struct Start {
    /// Everything up to here is known to the client, after `initial`.
    cursor: Revision,
    /// The state to begin with, where one was asked for.
    initial: Option<Vec<Arc<Object>>>,
}

pub(crate) async fn watch(info: &RequestInfo, form: Form, context: Context<'_>) -> Answer {
    let filter = Filter::read(info)?;
    let from = revision::watch(&info.query)?;
    let lasts = lasts(&info.query, context.server.next_watch())?;
    let start = start(&context, &filter, from)?;
    let server = context.server;
    let run = context.run.map(|run| server.run_watched(run));
    if start.initial.is_some() {
        server.durable(start.cursor).await?;
    }
    let terms = Terms {
        form,
        bookmarks: info.query.flag("allowWatchBookmarks"),
        deadline: Instant::now() + lasts,
        stopping: context.stopping,
        run,
    };
    let watcher = Watcher::new(server, filter, start, terms);
    Ok(answer::json(StatusCode::OK, Body::stream(watcher.events())))
}

fn start(context: &Context<'_>, filter: &Filter, from: WatchFrom) -> Result<Start, StatusError> {
    let engine = context.server.engine();
    let store = engine.store();
    Ok(match from {
        WatchFrom::After(cursor) => Start { cursor, initial: None },
        WatchFrom::Now => Start { cursor: store.head(), initial: None },
        WatchFrom::State(at_least) => {
            not_ahead(at_least, store.head())?;
            let objects = filter.candidates(store).filter(|object| filter.matches(object));
            Start { cursor: store.head(), initial: Some(objects.cloned().collect()) }
        }
    })
}

/// How long a watch lasts. Without a wish of the client the ends of many watches are spread by
/// their number, so that they do not all come back at once.
fn lasts(query: &Query, number: u64) -> Result<Duration, StatusError> {
    let seconds = match query.integer("timeoutSeconds")? {
        None | Some(0) => WATCH_S_MIN + number.wrapping_mul(61) % WATCH_S_MIN,
        Some(wish) => u64::try_from(wish).unwrap_or(0).min(WATCH_S_MAX),
    };
    Ok(Duration::from_secs(seconds))
}
