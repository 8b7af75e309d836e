//! The server's state and its contract with whoever drives it.
//!
//! A driver owns the disk and the clock's wake-ups. It must:
//! - after [`Server::kicked`] returns, settle the engine and make what is committed durable without
//!   delay: somebody waits for it;
//! - call [`Server::durable_moved`] whenever the store's durable revision has risen;
//! - see to those who want streams of containers ([`Server::take_asks`]);
//! - stop when [`Server::stop_requested`] returns; a private server also when [`Server::left_alone`]
//!   returns.
//!
//! Nothing here is `Send`: handlers and driver are tasks of one thread, and the engine is borrowed
//! only between two awaits.

use std::{
    cell::{Cell, OnceCell, RefCell, RefMut},
    path::PathBuf,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use engine::Engine;
use jiff::Timestamp;
use kinds::{Facts, Kind, Object, Reason, Revision, StatusError};
use node::streams::Ask;
use store::{Change, ChangeKind};
use tokens::Signer;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};

use crate::{
    Mode, TlsEndpoint, gates::Gates, limits::DURABLE_WAIT_MS, metrics::Metrics, openapi::Documents,
    runs::Runs, streams::PodSessions, watch::Shared,
};

/// What the server says of itself, and where it finds what is not in the store.
#[derive(Clone, Debug)]
pub struct About {
    /// Who holds the data directory.
    pub mode: Mode,
    /// The data directory, absolute.
    pub data_dir: PathBuf,
    /// Signs the tokens of ServiceAccounts.
    pub signer: Arc<Signer>,
    /// Where it is reached over TLS.
    pub endpoint: Option<TlsEndpoint>,
}

/// How the server was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Whether the pods are to be ended first.
    pub pods: bool,
}

/// Everything that handlers share.
pub struct Server {
    pub(crate) about: About,
    pub(crate) gates: Gates,
    pub(crate) metrics: Rc<Metrics>,
    clock: fn() -> Timestamp,
    engine: RefCell<Engine>,
    durable: watch::Sender<Revision>,
    kick: Notify,
    stop: watch::Sender<Option<Stop>>,
    /// Watches so far.
    watches: Cell<u64>,
    shared_events: RefCell<Shared>,
    openapi: OnceCell<Documents>,
    runs: RefCell<Runs>,
    /// Revision up to which changes were searched for the end of a run.
    runs_searched: Cell<Revision>,
    runs_changed: Notify,
    left_alone: Notify,
    clients: Cell<usize>,
    visited: Cell<bool>,
    pub(crate) pod_sessions: PodSessions,
    asks: mpsc::UnboundedSender<Ask>,
    asked: RefCell<Option<mpsc::UnboundedReceiver<Ask>>>,
}

/// An open connection, counted until it is dropped.
pub(crate) struct Client(Rc<Server>);

impl Drop for Client {
    fn drop(&mut self) {
        let left = self.0.clients.get() - 1;
        self.0.clients.set(left);
        if left == 0 {
            self.0.left_alone.notify_one();
        }
    }
}

impl Server {
    /// A server around an engine; `clock` gives the present time.
    pub fn new(engine: Engine, about: About, clock: fn() -> Timestamp) -> Rc<Self> {
        let durable = engine.store().durable();
        let (asks, asked) = mpsc::unbounded_channel();
        Rc::new(Self {
            about,
            gates: Gates::new(),
            metrics: Rc::default(),
            clock,
            engine: RefCell::new(engine),
            durable: watch::Sender::new(durable),
            kick: Notify::new(),
            stop: watch::Sender::new(None),
            watches: Cell::new(0),
            shared_events: RefCell::default(),
            openapi: OnceCell::new(),
            runs: RefCell::default(),
            runs_searched: Cell::new(durable),
            runs_changed: Notify::new(),
            left_alone: Notify::new(),
            clients: Cell::new(0),
            visited: Cell::new(false),
            pod_sessions: PodSessions::default(),
            asks,
            asked: RefCell::new(Some(asked)),
        })
    }

    /// The engine. The borrow must end before the next await.
    pub fn engine(&self) -> RefMut<'_, Engine> {
        self.engine.borrow_mut()
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Returns when the engine was changed, or somebody waits for what is committed, since the last
    /// call.
    pub async fn kicked(&self) {
        self.kick.notified().await;
    }

    /// Wakes the driver.
    pub fn kick(&self) {
        self.kick.notify_one();
    }

    /// The store's durable revision has risen: answers and watch events go out.
    pub fn durable_moved(&self) {
        let durable = self.engine().store().durable();
        self.end_finished_runs();
        self.metrics.synced();
        self.durable.send_replace(durable);
    }

    /// Those who want streams of containers; each is to be answered. There is one driver: `None` when
    /// it has them already.
    pub fn take_asks(&self) -> Option<mpsc::UnboundedReceiver<Ask>> {
        self.asked.take()
    }

    /// Asks the driver for streams.
    pub(crate) fn ask(&self, ask: Ask) {
        // Without a driver the answer is dropped, which says so.
        let _ = self.asks.send(ask);
    }

    /// Returns when a client asked the server to stop.
    pub async fn stop_requested(&self) -> Stop {
        let mut stop = self.stop.subscribe();
        let asked = stop.wait_for(Option::is_some).await.map(|asked| *asked);
        asked.ok().flatten().expect("the sender lives as long as the server")
    }

    /// Asks the server to stop, as a client does.
    pub fn request_stop(&self, stop: Stop) {
        self.stop.send_replace(Some(stop));
    }

    /// Whether any run lives: has a client, or objects that are not finished yet.
    pub fn has_runs(&self) -> bool {
        !self.runs.borrow().is_empty()
    }

    /// Counts a connection as long as what is returned lives.
    pub(crate) fn client(self: &Rc<Self>) -> Client {
        self.clients.set(self.clients.get() + 1);
        Client(Rc::clone(self))
    }

    /// Whether any connection is open.
    pub fn has_clients(&self) -> bool {
        self.clients.get() > 0
    }

    /// Whether anybody ever wanted more than to know that the server answers.
    pub fn visited(&self) -> bool {
        self.visited.get()
    }

    /// Somebody does.
    pub(crate) fn visit(&self) {
        self.visited.set(true);
    }

    /// Returns when the last run has ended, or the last connection, since the last call.
    pub async fn left_alone(&self) {
        self.left_alone.notified().await;
    }

    pub(crate) fn run_status(&self) -> Vec<crate::RunStatus> {
        self.runs.borrow().status()
    }

    /// The number of the next watch.
    pub(crate) fn next_watch(&self) -> u64 {
        self.watches.replace(self.watches.get() + 1)
    }

    /// What watchers of the same form have in common.
    pub(crate) fn shared_events(&self) -> RefMut<'_, Shared> {
        self.shared_events.borrow_mut()
    }

    /// The documents of OpenAPI, made at the first call.
    pub(crate) fn openapi(&self) -> &Documents {
        self.openapi.get_or_init(Documents::new)
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Revision> {
        self.durable.subscribe()
    }

    /// Waits until everything up to `revision` is on disk.
    ///
    /// # Errors
    /// 504 when that takes too long.
    pub(crate) async fn durable(&self, revision: Revision) -> Result<(), StatusError> {
        if self.durable_within(revision, Duration::from_millis(DURABLE_WAIT_MS)).await {
            return Ok(());
        }
        let text = "Timeout: request did not complete within the allotted timeout";
        Err(StatusError::new(Reason::Timeout, text))
    }

    /// Waits until everything up to `revision` is on disk, and says whether it came to that in time.
    pub(crate) async fn durable_within(&self, revision: Revision, time: Duration) -> bool {
        if *self.durable.borrow() >= revision {
            return true;
        }
        self.kick();
        let mut durable = self.durable.subscribe();
        let reached = durable.wait_for(|durable| *durable >= revision);
        tokio::time::timeout(time, reached).await.is_ok()
    }
}

/// The life of runs: what [`Runs`] decides is done here.
impl Server {
    /// A request in the name of a run came in.
    pub(crate) fn run_seen(&self, run: &str) {
        if self.runs.borrow_mut().seen(run, Instant::now()) {
            self.engine().run_begins(run);
        }
        self.runs_changed.notify_one();
    }

    /// A watch in the name of a run was opened; it keeps the run alive until it is dropped.
    pub(crate) fn run_watched(self: &Rc<Self>, run: String) -> RunWatch {
        if self.runs.borrow_mut().watch_opened(&run, Instant::now()) {
            self.engine().run_begins(&run);
            self.kick();
        }
        self.runs_changed.notify_one();
        RunWatch { server: Rc::clone(self), run }
    }

    /// A client of a run said goodbye. True when what was left of the run is being ended.
    pub(crate) fn run_left(&self, run: &str, detach: bool) -> bool {
        let ended = self.runs.borrow_mut().goodbye(run, detach);
        if ended {
            self.engine().run_vanished(run, self.now());
        }
        self.end_runs_without_work();
        self.kick();
        ended
    }

    /// Ends runs whose clients vanished, for as long as the server lives.
    pub(crate) async fn watch_over_runs(&self) {
        loop {
            let wake_at = self.runs.borrow().wake_at();
            let due = async {
                match wake_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => self.end_vanished_runs(),
                () = self.runs_changed.notified() => {}
            }
        }
    }

    fn end_vanished_runs(&self) {
        let vanished = self.runs.borrow_mut().vanished(Instant::now());
        for run in &vanished {
            tracing::info!(run, "its client vanished: ending its pods");
            self.engine().run_vanished(run, self.now());
        }
        if !vanished.is_empty() {
            self.end_runs_without_work();
            self.kick();
        }
    }

    /// Looks for runs that are over, if anything changed that could have ended one.
    fn end_finished_runs(&self) {
        let engine = self.engine();
        let searched = self.runs_searched.replace(engine.store().durable());
        if self.runs.borrow().without_client().is_empty() {
            return;
        }
        let changed = match engine.store().changes_after(searched) {
            Ok(mut changes) => changes.any(|change| may_end_a_run(change)),
            Err(_) => true,
        };
        drop(engine);
        if changed {
            self.end_runs_without_work();
        }
    }

    fn end_runs_without_work(&self) {
        let mut runs = self.runs.borrow_mut();
        let without_client = runs.without_client();
        let mut engine = self.engine();
        for run in &without_client {
            if !has_work(&engine, run) {
                engine.run_ends(run);
                runs.over(run);
            }
        }
        if !without_client.is_empty() && runs.is_empty() {
            self.left_alone.notify_one();
        }
    }
}

/// Whether something of a run still has to be acted on: a Job that is not finished, a pod that
/// runs or is being ended.
fn has_work(engine: &Engine, run: &str) -> bool {
    let mut pods = engine.store().list(Kind::Pod, None);
    let acts = |pod: &Object| pod.deleting() || !is_over(&pod.meta.facts);
    pods.any(|pod| pod.meta.run.as_deref() == Some(run) && acts(pod))
        || !engine.unfinished_of(run).is_empty()
}

/// Whether a run could be over because of this change. The end of a Job's pod alone ends no run:
/// its Job is still to be finished.
fn may_end_a_run(change: &Change) -> bool {
    let object = &change.object;
    let controlled = object.meta.owners.iter().any(|owner| owner.controller);
    match object.key.kind {
        Kind::Job => change.kind == ChangeKind::Deleted || is_over(&object.meta.facts),
        Kind::Pod if controlled => change.kind == ChangeKind::Deleted,
        Kind::Pod => change.kind == ChangeKind::Deleted || is_over(&object.meta.facts),
        _ => false,
    }
}

fn is_over(facts: &Facts) -> bool {
    match facts {
        Facts::Job { finished, .. } => *finished,
        Facts::Pod { phase, .. } => phase == "Succeeded" || phase == "Failed",
        _ => false,
    }
}

/// An open watch in the name of a run.
pub(crate) struct RunWatch {
    server: Rc<Server>,
    run: String,
}

impl Drop for RunWatch {
    fn drop(&mut self) {
        self.server.runs.borrow_mut().watch_closed(&self.run, Instant::now());
        self.server.runs_changed.notify_one();
    }
}

#[cfg(test)]
mod tests;
