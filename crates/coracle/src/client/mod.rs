//! The client half of every verb: Kubernetes' API over the server's unix socket. `run` uses nothing
//! else. Typed at the edge (drafts go in, objects come out), HTTP inside.

mod connection;
mod error;
mod options;
mod raw;
mod run_guard;
mod stream;
#[cfg(test)]
mod tests;
mod verbs;

pub(crate) use error::Error;
pub(crate) use options::{LogOptions, Selection};
pub(crate) use raw::{As, Body, Change};
pub(crate) use run_guard::RunGuard;
pub(crate) use stream::{Event, LogStream, Watch};
pub(crate) use verbs::WATCH_S;

use std::{path::Path, sync::Arc};

use connection::Pool;

/// A handle to one server. Cheap to clone; clones share a few kept-alive connections.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pool: Arc<Pool>,
    /// Sent as [`apiserver::RUN_HEADER`] with everything.
    run: Option<Arc<str>>,
}

impl Client {
    /// Connects to the server that listens on `socket`.
    ///
    /// # Errors
    /// [`Error::NoServer`] when nobody listens there.
    pub(crate) async fn connect(socket: &Path) -> Result<Self, Error> {
        let pool = Arc::new(Pool::new(socket));
        pool.warm().await?;
        Ok(Self { pool, run: None })
    }

    /// The same client in the name of a run: what it creates is stamped with the run's id.
    pub(crate) fn for_run(&self, run: &str) -> Self {
        Self { pool: self.pool.clone(), run: Some(run.into()) }
    }
}
