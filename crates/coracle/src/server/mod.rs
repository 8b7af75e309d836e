//! The server: engine, node, disk and spawner driven by one thread; only the disk has a thread of
//! its own. This file opens what is there and closes it again; [`machine`] does the work between.

mod disk;
mod images;
pub(crate) mod local_zone;
mod lock;
mod machine;
mod notifier;
mod this_node;
mod tls;
mod token_key;

pub(crate) use tls::Reach;

use std::{
    convert::Infallible,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use apiserver::{About, Server, Stop, TlsEndpoint};
use engine::{Engine, Limits, Scope};
use node::host::Machine;
use rustix::{fs::Mode as FileMode, process::umask};
use store::{Disk, FileDisk, Store};
use tokio::{
    net::UnixListener,
    sync::Notify,
    task::{LocalSet, spawn_local},
};

use self::{
    disk::Writer,
    lock::Lock,
    machine::Works,
    tls::{Papers, Tls},
};
use crate::{
    clock,
    exit::{Code, Failure},
};

/// How long a private server waits for its first client, in milliseconds.
const LINGER_MS: u64 = 2_000;

/// How long a private server whose last client has left goes on to tell others of the ends of its
/// Jobs, in milliseconds. What is not told by then is told by the next server of the directory.
pub(crate) const NOTIFY_LINGER_MS: u64 = 30_000;

/// Threads for work that may hang, such as looking at a path on a network file system or for the
/// address of a name.
const BLOCKING_THREADS_MAX: usize = 6;

/// What a server is told at its start.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// Where Kubernetes' own clients reach it; a private server has only its socket.
    pub(crate) reach: Option<Reach>,
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
/// that is just ending), opens the store and serves until stopped. Prints `ready https://ADDR:PORT
/// kubeconfig=FILE`, or `ready unix:PATH` for a private one, on standard output when it answers.
pub(crate) fn serve(config: Config, mode: Mode) -> Result<Code, Failure> {
    // A log that cannot be written, on a full disk say, is no reason to end.
    let log = tracing_subscriber::fmt().with_writer(io::stderr).log_internal_errors(false);
    log.with_ansi(false).with_target(false).init();
    let _lock = Lock::take(&config.data_dir, mode)?;
    let prepare = |reach| Papers::prepare(reach, &config.data_dir, clock::now());
    let papers = config.reach.as_ref().map(prepare).transpose()?;
    let (engine, disk) = open(&config.data_dir, mode, papers.as_ref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|error| Failure::engine(format!("cannot start: {error}")))?;
    let result = LocalSet::new().block_on(&runtime, run(config, mode, papers, engine, disk));
    // What hangs in the file system must not keep the server from ending.
    runtime.shutdown_background();
    result
}

/// Opens the store and the engine over it; everything found and everything added is durable.
fn open(
    data_dir: &Path,
    mode: Mode,
    papers: Option<&Papers>,
) -> Result<(Engine, FileDisk), Failure> {
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
    let config = engine::Config {
        node,
        scope,
        seed: fastrand::u64(..),
        limits: Limits::default(),
        root_ca: papers.map(|papers| papers.authority().to_owned()),
        zone: local_zone::read(),
    };
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
    papers: Option<Papers>,
    engine: Engine,
    disk: FileDisk,
) -> Result<Code, Failure> {
    let socket = config.data_dir.join("server.sock");
    let trouble =
        |error: io::Error| Failure::engine(format!("{}: {error}", config.data_dir.display()));
    let open_tls = |(reach, papers)| Tls::open(reach, papers);
    let (mut tls, tls_listener) =
        config.reach.as_ref().zip(papers).map(open_tls).transpose()?.unzip();
    let listener = listen(&socket).map_err(trouble)?;
    let endpoint = tls.as_ref().map(Tls::endpoint);
    let ready = match &endpoint {
        Some(TlsEndpoint { url, kubeconfig }) => {
            format!("{url} kubeconfig={}", kubeconfig.display())
        }
        None => format!("unix:{}", socket.display()),
    };
    let mode_told = match mode {
        Mode::Up => apiserver::Mode::Up,
        Mode::Private => apiserver::Mode::Private,
    };
    let signer = token_key::signer(&config.data_dir)?;
    let about = About {
        mode: mode_told,
        data_dir: config.data_dir.clone(),
        signer: Arc::clone(&signer),
        endpoint,
    };
    let server = Server::new(engine, about, clock::now);
    let writer = Writer::start(disk).map_err(trouble)?;
    let mut works =
        Works::start(Rc::clone(&server), writer, &config.data_dir, signer).map_err(trouble)?;
    let stopping = asked_to_stop(Rc::clone(&server), works.told(), mode, config.stop_pods);
    let (closed, closing) = tokio::sync::oneshot::channel::<()>();
    let mut closed = Some(closed);
    let serving = apiserver::serve(listener, tls_listener, Rc::clone(&server), async {
        // The sender going away is as good a reason to stop.
        let _ = closing.await;
    });
    // A task of its own: it goes on while the works come to their end.
    let mut serving = spawn_local(serving);
    tell!("ready {ready}");
    drop(config.turn.take());
    let result = tokio::select! {
        result = works.go_on() => result,
        never = keep_valid(tls.as_mut()) => match never {},
        stop = stopping => {
            tracing::info!(pods = stop.pods, "stopping");
            if mode == Mode::Private && !server.has_clients() {
                // Who comes now shall find nobody, rather than a server that leaves in a moment.
                drop(closed.take());
                let _ = (&mut serving).await;
                let _ = fs::remove_file(&socket);
            }
            works.stop(stop.pods).await
        }
        // Whatever it was: work that nobody can ask about must not go on unseen.
        served = &mut serving => {
            let why = served.map_err(io::Error::other).flatten().err();
            works.stop(false).await.and(Err(no_longer_served(why)))
        }
    };
    drop(closed);
    if !serving.is_finished() {
        // What it has to say at the end was said in the log.
        let _ = serving.await;
    }
    // From here on a client finds nobody and may start a server of its own, which waits for the lock.
    let _ = fs::remove_file(&socket);
    result.map(|()| Code::OK)
}

async fn keep_valid(tls: Option<&mut Tls>) -> Infallible {
    match tls {
        Some(tls) => tls.keep_valid().await,
        None => std::future::pending().await,
    }
}

fn no_longer_served(why: Option<io::Error>) -> Failure {
    let why = why.map_or_else(String::new, |error| format!(": {error}"));
    Failure::engine(format!("the API can no longer be served{why}; containers go on"))
}

/// The socket, at no time open to others; one left behind by a server that was killed makes room.
fn listen(socket: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // The mask is the whole process's, which at this time has no other thread that makes files.
    let before = umask(FileMode::from(0o177));
    let listener = UnixListener::bind(socket);
    umask(before);
    listener
}

/// Returns when the server should end: a signal, a client's word, or nobody left to serve.
async fn asked_to_stop(server: Rc<Server>, told: Rc<Notify>, mode: Mode, stop_pods: bool) -> Stop {
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
        () = abandoned(&server, &told), if mode == Mode::Private => Stop { pods: false },
    }
}

/// Returns when a private server has neither run nor client, at first after a while: those who only
/// look whether it answers are about to come back.
async fn abandoned(server: &Server, told: &Notify) {
    let linger = std::time::Duration::from_millis(LINGER_MS);
    let first_visit = async {
        while !server.visited() {
            server.left_alone().await;
        }
    };
    // Whether somebody left or the time is over: what counts is who is there.
    let _ = tokio::time::timeout(linger, first_visit).await;
    let attended = || server.has_runs() || server.has_clients();
    loop {
        while attended() {
            server.left_alone().await;
        }
        let linger = std::time::Duration::from_millis(NOTIFY_LINGER_MS);
        // Told or not, the time is over.
        let _ = tokio::time::timeout(linger, all_told(server, told)).await;
        if !attended() {
            return;
        }
    }
}

/// Returns when nobody is to be told of the end of a Job any more.
async fn all_told(server: &Server, told: &Notify) {
    let waiting = server.engine().notices_waiting();
    if waiting > 0 {
        tracing::info!(waiting, limit_ms = NOTIFY_LINGER_MS, "going on to tell of ends of jobs");
    }
    while server.engine().notices_waiting() > 0 {
        told.notified().await;
    }
}
