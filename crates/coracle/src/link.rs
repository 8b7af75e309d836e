//! A client's tie to the server of a data directory: found or started, and found or started again
//! when it went away under the client, a bounded number of times.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use kinds::Uid;
use tokio::sync::Mutex;

use crate::{
    cli,
    client::{self, Client, RunGuard},
    data_dir::Home,
    exit::Failure,
    start,
};

/// How often a server that went away is found or started again, within one run of a command.
const RECOVERIES_MAX: u32 = 40;

/// How often the server was found again when a request was made: what that request says of the
/// server's absence is said of the one of that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u32);

/// How long a server of `coracle up` gets to come back before a private one takes its place, in
/// milliseconds.
const UP_RETURNS_MS: u64 = 5_000;

/// Between two looks whether it is back, in milliseconds.
const LOOK_AGAIN_MS: u64 = 100;

/// The tie. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    home: Home,
    client: Client,
    up: bool,
    recoveries: Arc<AtomicU32>,
    /// One recovery at a time.
    turn: Arc<Mutex<()>>,
}

impl Link {
    /// Finds the server of the directory, or starts a private one.
    pub(crate) async fn connect(home: &Home) -> Result<Self, Failure> {
        let mut attempts = 0;
        loop {
            ensure(home).await?;
            // A private server may end between the two: its last client left just now.
            match Self::try_connect(home).await {
                Err(error) if error.lost() && attempts < RECOVERIES_MAX => attempts += 1,
                result => return result.map_err(|error| failure(&error)),
            }
        }
    }

    /// The server of the directory that `given` names, if there is one. Makes and starts nothing.
    pub(crate) async fn existing(given: &cli::DataDir) -> Result<Option<(Home, Self)>, Failure> {
        let Some(home) = Home::existing(given)? else { return Ok(None) };
        match Self::try_connect(&home).await {
            Ok(link) => Ok(Some((home, link))),
            Err(client::Error::NoServer { .. }) => Ok(None),
            Err(error) => Err(failure(&error)),
        }
    }

    async fn try_connect(home: &Home) -> Result<Self, client::Error> {
        let client = Client::connect(&home.socket()).await?;
        let up = client.status().await?.mode == apiserver::Mode::Up;
        Ok(Self {
            home: home.clone(),
            client,
            up,
            recoveries: Arc::default(),
            turn: Arc::default(),
        })
    }

    /// Whether the server is one of `coracle up`.
    pub(crate) fn is_up(&self) -> bool {
        self.up
    }

    /// The same tie in the name of a run.
    pub(crate) fn for_run(&self, run: &str) -> Self {
        Self { client: self.client.for_run(run), ..self.clone() }
    }

    /// The client, for one request. Its connections are opened as needed, so that it works again
    /// after [`recover`](Self::recover).
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// To be taken before a request whose failure may call for [`recover`](Self::recover).
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.recoveries.load(Ordering::Relaxed))
    }

    /// Keeps a run alive from now on.
    pub(crate) async fn guard(&self, run: &str) -> Result<RunGuard, client::Error> {
        loop {
            let mark = self.mark();
            match self.client.run_guard(run).await {
                Err(error) if error.lost() => {
                    if self.recover(mark).await.is_err() {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    /// Does a request that may be repeated, again after each recovery of a lost server.
    pub(crate) async fn repeat<T>(
        &self,
        request: impl AsyncFn(&Client) -> Result<T, client::Error>,
    ) -> Result<T, client::Error> {
        loop {
            let mark = self.mark();
            match request(&self.client).await {
                Err(error) if error.lost() => {
                    if self.recover(mark).await.is_err() {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    /// Finds or starts a server again after a request found none. However many requests lose the same
    /// server, it is looked for, and counted, once.
    ///
    /// # Errors
    /// It went away too often, or cannot be started.
    pub(crate) async fn recover(&self, lost: Mark) -> Result<(), Failure> {
        let _turn = self.turn.lock().await;
        if self.mark() != lost {
            return Ok(());
        }
        if lost.0 >= RECOVERIES_MAX {
            return Err(Failure::engine(format!(
                "the server went away {RECOVERIES_MAX} times; see {}",
                self.home.server_log().display()
            )));
        }
        if self.up {
            for _ in 0..UP_RETURNS_MS / LOOK_AGAIN_MS {
                if answers(&self.home).await {
                    self.found();
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(LOOK_AGAIN_MS)).await;
            }
        }
        ensure(&self.home).await?;
        self.found();
        Ok(())
    }

    fn found(&self) {
        self.recoveries.fetch_add(1, Ordering::Relaxed);
    }
}

/// A short stay at a server that nobody may be running: a private one lives as long as the visit.
#[derive(Debug)]
pub(crate) struct Visit {
    link: Link,
    guard: RunGuard,
}

impl Visit {
    /// Finds or starts a server and keeps it.
    pub(crate) async fn begin(home: &Home) -> Result<Self, Failure> {
        let link = Link::connect(home).await?;
        let id = Uid::from_random(fastrand::u128(..)).to_string();
        let guard = link.guard(&id).await.map_err(|error| failure(&error))?;
        Ok(Self { link, guard })
    }

    /// The tie to the server.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Leaves.
    pub(crate) async fn end(self) {
        // The server notices also without a word.
        let _ = self.guard.goodbye(false).await;
    }
}

async fn ensure(home: &Home) -> Result<(), Failure> {
    let home = home.clone();
    aside(move || start::ensure(&home)).await
}

async fn answers(home: &Home) -> bool {
    let home = home.clone();
    aside(move || start::answers(&home)).await
}

/// Does what blocks on a thread of its own.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// A request that brought nothing, as the end of a command.
pub(crate) fn failure(error: &client::Error) -> Failure {
    let source = std::error::Error::source(error);
    match source {
        Some(source) => Failure::engine(format!("{error}: {source}")),
        None => Failure::engine(error.to_string()),
    }
}
