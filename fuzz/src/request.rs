//! Whole requests to the server, which lives anew for each of them, in memory and in a time that
//! jumps ahead whenever nothing happens. The input is a line `METHOD TARGET`, headers, an empty line
//! and a body; length and host are added, so that what follows the head is always the body.

use apiserver::{About, Mode, Server, serve};
use engine::{Config, Engine, Scope};
use jiff::Timestamp;
use std::{
    cell::RefCell,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener as StdListener, UnixStream as StdStream},
    },
    rc::Rc,
    sync::OnceLock,
};
use store::{Limits, MemoryDisk, Store};
use tokens::Signer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    task::{LocalSet, spawn_local},
};

/// No more of an answer is read: watches go on for as long as somebody reads.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Small, because a store reads its segments whole at every start.
const LIMITS: Limits = Limits {
    window_bytes: 1 << 20,
    window_age_s: 300,
    segment_bytes: 64 << 10,
    garbage_bytes: 64 << 10,
    compact_bytes: 16 << 10,
};

/// What requests may be about.
const OBJECTS: &[(&str, &str)] = &[
    (
        "/api/v1/namespaces/default/configmaps",
        r#"{"metadata":{"name":"a","labels":{"app":"x"}},"data":{"k":"v"}}"#,
    ),
    (
        "/api/v1/namespaces/default/pods",
        r#"{"metadata":{"name":"p"},"spec":{"nodeSelector":{"no":"such"},"containers":[{"name":"c","image":"coracle.local/host","command":["true"]}]}}"#,
    ),
    (
        "/apis/batch/v1/namespaces/default/jobs",
        r#"{"metadata":{"name":"j"},"spec":{"suspend":true,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"coracle.local/host","command":["true"]}]}}}}"#,
    ),
];

pub(crate) fn fuzz(data: &[u8]) {
    static FURNISHED: OnceLock<MemoryDisk> = OnceLock::new();
    let disk = FURNISHED.get_or_init(furnish).clone();
    let (_, answer) = exchange(disk, &request(data));
    let answer = String::from_utf8_lossy(&answer);
    let fault = answer.starts_with("HTTP/1.1 5") && !answer.contains("ResourceVersionTooLarge");
    assert!(!fault, "the server takes the blame: {answer}");
}

/// A disk on which the objects are.
fn furnish() -> MemoryDisk {
    let mut disk = MemoryDisk::new();
    for (target, json) in OBJECTS {
        let text = format!("POST {target}\ncontent-type: application/json\n\n{json}");
        let (after, answer) = exchange(disk, &request(text.as_bytes()));
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        disk = after;
    }
    disk
}

/// The input as bytes on the wire.
fn request(data: &[u8]) -> Vec<u8> {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((data, &[][..]), |end| (&data[..end], &data[end + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut bytes = [lines.next().unwrap_or_default(), b" HTTP/1.1\r\nhost: localhost"].concat();
    for line in lines {
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(line);
    }
    let length = format!("\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    bytes.extend_from_slice(length.as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// A server's whole life: it opens the disk, answers one connection and stops.
fn exchange(disk: MemoryDisk, request: &[u8]) -> (MemoryDisk, Vec<u8>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().expect("a runtime");
    let disk = Rc::new(RefCell::new(disk));
    let answer = LocalSet::new().block_on(&runtime, answer(&disk, request));
    (disk.take(), answer)
}

async fn answer(disk: &Rc<RefCell<MemoryDisk>>, request: &[u8]) -> Vec<u8> {
    let server = start(disk);
    let name = format!("coracle-fuzz-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name).expect("a name");
    let listener = StdListener::bind_addr(&address).expect("the name is free");
    listener.set_nonblocking(true).expect("a socket");
    let listener = UnixListener::from_std(listener).expect("a socket");
    spawn_local(serve(listener, None, Rc::clone(&server), std::future::pending()));
    spawn_local(drive(server, Rc::clone(disk)));
    let stream = StdStream::connect_addr(&address).expect("the server listens");
    stream.set_nonblocking(true).expect("a socket");
    let mut stream = UnixStream::from_std(stream).expect("a socket");
    // A request may be refused before it was read whole.
    drop(stream.write_all(request).await);
    let mut answer = Vec::new();
    while answer.len() < ANSWER_BYTES_MAX
        && stream.read_buf(&mut answer).await.is_ok_and(|read| read > 0)
    {}
    answer
}

fn clock() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a time")
}

fn start(disk: &RefCell<MemoryDisk>) -> Rc<Server> {
    let store = Store::open(&mut *disk.borrow_mut(), LIMITS, clock()).expect("the store opens");
    let node = serde_json::from_str(
        r#"{"metadata":{"name":"here"},"status":{"allocatable":{"cpu":"4","memory":"4Gi","pods":"110"}}}"#,
    );
    let config = Config {
        node: node.expect("a node"),
        scope: Scope::All,
        seed: 7,
        limits: engine::Limits::default(),
        root_ca: None,
        zone: kinds::cron::Zone::UTC,
    };
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    let key = KEY.get_or_init(|| Signer::generate().expect("a key"));
    let signer = Signer::new(key).expect("the key is one").into();
    let about = About { mode: Mode::Up, data_dir: "/nonexistent".into(), signer, endpoint: None };
    let server = Server::new(Engine::open(store, config, clock()), about, clock);
    server.kick();
    server
}

/// Plays the server's driver.
async fn drive(server: Rc<Server>, disk: Rc<RefCell<MemoryDisk>>) {
    loop {
        server.engine().settle(clock());
        loop {
            let Some(batch) = server.engine().store_mut().take_batch() else { break };
            let (done, result) = batch.perform(&mut *disk.borrow_mut());
            result.expect("memory takes everything");
            server.engine().store_mut().batch_done(done);
        }
        server.durable_moved();
        server.kicked().await;
    }
}
