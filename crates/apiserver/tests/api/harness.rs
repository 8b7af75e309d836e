//! A server on a socket in a temporary directory, its driver, and a client that speaks HTTP.

use std::{path::PathBuf, rc::Rc, sync::Arc};

use apiserver::{About, Mode, Server, serve};
use bytes::Bytes;
use engine::{Config, Engine, Scope};
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::Value;
use store::{MemoryDisk, Store};
use tokens::Signer;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
    task::{LocalSet, spawn_local},
};

pub(crate) struct Harness {
    pub(crate) server: Rc<Server>,
    socket: PathBuf,
    /// While false, nothing becomes durable.
    pub(crate) disk_works: watch::Sender<bool>,
    shutdown: watch::Sender<bool>,
    dir: tempfile::TempDir,
}

/// An answer that was read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What a test may change about its server.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) store: store::Limits,
    pub(crate) scope: Scope,
    /// How many pods find room on the node.
    pub(crate) pods: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self { store: store::Limits::default(), scope: Scope::All, pods: "110" }
    }
}

/// The time never moves: no answer depends on it.
pub(crate) fn clock() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(crate) fn signer() -> Arc<Signer> {
    Arc::new(Signer::new(&Signer::generate().unwrap()).unwrap())
}

/// Runs a test against a fresh server.
pub(crate) fn with_server(test: impl AsyncFnOnce(&Harness)) {
    with_setup(Setup::default(), test);
}

pub(crate) fn with_setup(setup: Setup, test: impl AsyncFnOnce(&Harness)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let harness = Harness::start(setup);
        test(&harness).await;
        harness.stop();
    });
}

impl Harness {
    fn start(setup: Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut disk = MemoryDisk::new();
        let store = Store::open(&mut disk, setup.store, clock()).unwrap();
        let node = serde_json::json!({
            "metadata": {"name": "here"},
            "status": {"allocatable": {"cpu": "4", "memory": "4Gi", "pods": setup.pods}},
        });
        let node = serde_json::from_value(node).unwrap();
        let config = Config {
            node,
            scope: setup.scope,
            seed: 7,
            limits: engine::Limits::default(),
            root_ca: None,
            zone: kinds::cron::Zone::UTC,
        };
        let engine = Engine::open(store, config, clock());
        let about = About {
            mode: Mode::Up,
            data_dir: dir.path().to_owned(),
            signer: signer(),
            endpoint: None,
        };
        let server = Server::new(engine, about, clock);
        let socket = dir.path().join("server.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (shutdown, mut ended) = watch::channel(false);
        let (disk_works, works) = watch::channel(true);
        spawn_local(drive(Rc::clone(&server), disk, works));
        let serving = Rc::clone(&server);
        spawn_local(async move {
            let ended = async { drop(ended.wait_for(|ended| *ended).await) };
            serve(listener, None, serving, ended).await.unwrap();
        });
        server.kick();
        Self { server, socket, disk_works, shutdown, dir }
    }

    pub(crate) fn data_dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Stops the server in good order.
    pub(crate) fn stop(&self) {
        self.shutdown.send_replace(true);
    }

    pub(crate) async fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.socket).await.unwrap()
    }

    /// Sends a request on a connection of its own, and gives the head of the answer.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let io = TokioIo::new(self.connect().await);
        let (mut sender, connection) = http1::handshake(io).await.unwrap();
        spawn_local(connection);
        sender.send_request(request).await.unwrap()
    }

    pub(crate) async fn call(&self, request: Request<Full<Bytes>>) -> Answer {
        Self::read(self.send(request).await).await
    }

    /// Reads an answer whole.
    pub(crate) async fn read(response: Response<Incoming>) -> Answer {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { code: head.status.as_u16(), headers: head.headers, body }
    }

    /// GET, expecting success; the JSON of the answer.
    pub(crate) async fn get(&self, target: &str) -> Value {
        let answer = self.call(request("GET", target, "")).await;
        assert_eq!(answer.code, 200, "GET {target}: {answer:?}");
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Creates an object, expecting success; gives it as stored.
    pub(crate) async fn create(&self, target: &str, json: &str) -> Value {
        let answer = self.call(request("POST", target, json)).await;
        assert_eq!(answer.code, 201, "POST {target}: {answer:?}");
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Opens a watch or follows a log.
    pub(crate) async fn lines(&self, target: &str) -> Lines {
        Lines::of(self.send(request("GET", target, "")).await)
    }
}

pub(crate) fn request(method: &str, target: &str, body: &str) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::from(body.to_owned()));
    Request::builder().method(method).uri(target).header("host", "localhost").body(body).unwrap()
}

/// Plays the server's driver with a disk in memory.
async fn drive(server: Rc<Server>, mut disk: MemoryDisk, mut works: watch::Receiver<bool>) {
    loop {
        server.engine().settle(clock());
        if works.wait_for(|works| *works).await.is_err() {
            return;
        }
        loop {
            let Some(batch) = server.engine().store_mut().take_batch() else { break };
            let (done, result) = batch.perform(&mut disk);
            result.unwrap();
            server.engine().store_mut().batch_done(done);
        }
        server.durable_moved();
        server.kicked().await;
    }
}

/// A streamed answer, line by line.
pub(crate) struct Lines {
    pub(crate) code: u16,
    body: Incoming,
    buffer: Vec<u8>,
}

impl Lines {
    pub(crate) fn of(response: Response<Incoming>) -> Self {
        Self { code: response.status().as_u16(), body: response.into_body(), buffer: Vec::new() }
    }

    /// The next line without its end; `None` at the end of the answer.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                return Some(String::from_utf8(line[..end].to_vec()).unwrap());
            }
            let frame = self.body.frame().await?.unwrap();
            self.buffer.extend_from_slice(&frame.into_data().unwrap_or_default());
        }
    }

    /// Whether the answer breaks off before its end.
    pub(crate) async fn is_cut(&mut self) -> bool {
        matches!(self.body.frame().await, Some(Err(_)))
    }

    /// The next event's type and object.
    pub(crate) async fn event(&mut self) -> Option<(String, Value)> {
        let event: Value = serde_json::from_str(&self.next().await?).unwrap();
        Some((event["type"].as_str().unwrap().to_owned(), event["object"].clone()))
    }
}
