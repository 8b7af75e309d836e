//! The server: engine, node, disk and spawner driven by one thread; only the disk has a thread of
//! its own. This file opens what is there and closes it again; [`machine`] does the work between.

mod disk;
mod lock;
mod machine;
mod this_node;

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    rc::Rc,
};

use apiserver::{About, Server, Stop};
use engine::{Engine, Limits, Scope};
use node::host::Machine;
use store::{Disk, FileDisk, Store};
use tokio::{net::UnixListener, task::LocalSet};

use self::{disk::Writer, lock::Lock, machine::Works};
use crate::{
    clock,
    exit::{Code, Failure},
};

/// How long a private server waits for its first client, in milliseconds.
const LINGER_MS: u64 = 2_000;

/// Threads for file work that may hang, such as looking at a path on a network file system.
const BLOCKING_THREADS_MAX: usize = 4;

/// What a server is told at its start.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// Whether a stop by SIGTERM or SIGINT ends the running pods too.
    pub(crate) stop_pods: bool,
    /// The turn to start a server, to be dropped as soon as this one answers.
    pub(crate) turn: Option<File>,
}

/// On whose behalf a server acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Acts on everything in the data directory, until stopped.
    Up,
    /// Acts on what live runs submitted, and ends with the last of them.
    Private,
}

impl Mode {
    /// As it stands in the file `lock` and in the status.
    fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Private => "private",
        }
    }
}

/// Takes the file `lock` (`Up`: or fails at once, naming the holder; `Private`: waits for a server
/// that is just ending), opens the store and serves until stopped. Prints `ready unix:PATH` on
/// standard output when it answers.
pub(crate) fn serve(config: Config, mode: Mode) -> Result<Code, Failure> {
    // A log that cannot be written, on a full disk say, is no reason to end.
    let log = tracing_subscriber::fmt().with_writer(io::stderr).log_internal_errors(false);
    log.with_ansi(false).with_target(false).init();
    let _lock = Lock::take(&config.data_dir, mode)?;
    let (engine, disk) = open(&config.data_dir, mode)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|error| Failure::engine(format!("cannot start: {error}")))?;
    let result = LocalSet::new().block_on(&runtime, run(config, mode, engine, disk));
    // What hangs in the file system must not keep the server from ending.
    runtime.shutdown_background();
    result
}

/// Opens the store and the engine over it; everything found and everything added is durable.
fn open(data_dir: &Path, mode: Mode) -> Result<(Engine, FileDisk), Failure> {
    let directory = data_dir.join("store");
    let trouble = |error: &dyn std::error::Error| {
        Failure::engine(format!("{}: {}", data_dir.display(), chain(error)))
    };
    let mut disk = FileDisk::new(&directory).map_err(|error| trouble(&error))?;
    let now = clock::now();
    let store =
        Store::open(&mut disk, store::Limits::default(), now).map_err(|error| trouble(&error))?;
    let scope = match mode {
        Mode::Up => Scope::All,
        Mode::Private => Scope::Runs(Default::default()),
    };
    let node = this_node::object(&Machine::observe(data_dir));
    let config = engine::Config { node, scope, seed: fastrand::u64(..), limits: Limits::default() };
    let mut engine = Engine::open(store, config, now);
    flush(&mut engine, &mut disk).map_err(|error| trouble(&error))?;
    Ok((engine, disk))
}

/// Makes everything committed durable, here and now.
fn flush(engine: &mut Engine, disk: &mut dyn Disk) -> io::Result<()> {
    while let Some(batch) = engine.store_mut().take_batch() {
        let (done, result) = batch.perform(disk);
        result?;
        engine.store_mut().batch_done(done);
    }
    Ok(())
}

/// An error with its causes, outermost first.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

async fn run(
    mut config: Config,
    mode: Mode,
    engine: Engine,
    disk: FileDisk,
) -> Result<Code, Failure> {
    let socket = config.data_dir.join("server.sock");
    let trouble =
        |error: io::Error| Failure::engine(format!("{}: {error}", config.data_dir.display()));
    let listener = listen(&socket).map_err(trouble)?;
    let about = About {
        mode: match mode {
            Mode::Up => apiserver::Mode::Up,
            Mode::Private => apiserver::Mode::Private,
        },
        data_dir: config.data_dir.clone(),
    };
    let server = Server::new(engine, about, clock::now);
    let writer = Writer::start(disk).map_err(trouble)?;
    let mut works = Works::start(Rc::clone(&server), writer, &config.data_dir).map_err(trouble)?;
    let stopping = asked_to_stop(Rc::clone(&server), mode, config.stop_pods);
    let (closed, closing) = tokio::sync::oneshot::channel::<()>();
    let serving = apiserver::serve(listener, Rc::clone(&server), async {
        // The sender going away is as good a reason to stop.
        let _ = closing.await;
    });
    tell!("ready unix:{}", socket.display());
    drop(config.turn.take());
    let ended = async {
        let result = tokio::select! {
            result = works.go_on() => result,
            stop = stopping => {
                tracing::info!(pods = stop.pods, "stopping");
                works.stop(stop.pods).await
            }
        };
        drop(closed);
        result
    };
    let (served, result) = tokio::join!(serving, ended);
    // From here on a client finds nobody and may start a server of its own, which waits for the lock.
    let _ = fs::remove_file(&socket);
    served.map_err(trouble)?;
    result.map(|()| Code::OK)
}

/// The socket, for its owner only; one left behind by a server that was killed makes room.
fn listen(socket: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Returns when the server should end: a signal, a client's word, or nobody left to serve.
async fn asked_to_stop(server: Rc<Server>, mode: Mode, stop_pods: bool) -> Stop {
    use tokio::signal::unix::{SignalKind, signal};
    let by_signal = async {
        let (mut term, mut int) =
            match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
                (Ok(term), Ok(int)) => (term, int),
                _ => return std::future::pending().await,
            };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    };
    tokio::select! {
        stop = server.stop_requested() => stop,
        () = by_signal => Stop { pods: stop_pods },
        () = abandoned(&server), if mode == Mode::Private => Stop { pods: false },
    }
}

/// Returns when a private server has neither run nor client, at first after a while: those who only
/// look whether it answers are about to come back.
async fn abandoned(server: &Server) {
    let linger = std::time::Duration::from_millis(LINGER_MS);
    let first_visit = async {
        while !server.visited() {
            server.left_alone().await;
        }
    };
    // Whether somebody left or the time is over: what counts is who is there.
    let _ = tokio::time::timeout(linger, first_visit).await;
    while server.has_runs() || server.has_clients() {
        server.left_alone().await;
    }
}
