//! What the API serves over TLS: reads, watches and durable creates. The client is ours, small, on
//! the same cores; what it does is said in the table.

use super::Size;
use super::report::{Latency, Report};
use super::server::Server;
use super::tls::{Connection, Identity};
use crate::cargo;
use anyhow::{Result, bail};
use rustix::event::{PollFd, PollFlags, poll};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Connections that read, and requests under way on each.
const READERS: usize = 4;
const PIPELINED: usize = 16;
/// How large the object is that is read, as JSON.
const OBJECT_BYTES: usize = 4096;
/// Who watches, and who creates.
const WATCHERS: usize = 100;
const CREATORS: usize = 16;
/// Requests that the one writer of the watched object has under way, each on a connection of its own,
/// as a client's requests are over HTTP/2.
const WRITES_UNDER_WAY: usize = 8;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

/// One reading of each rate.
pub(super) fn measure(
    coracle: &Path,
    scratch: &Path,
    size: &Size,
    report: &mut Report,
) -> Result<()> {
    let server = Server::start(coracle, scratch)?;
    let identity = Identity::read(&server.kubeconfig())?;
    let gets = gets(&identity, size.serving)?;
    report.add_rate("GET of a 4 KB object: 4 connections, 16 requests under way on each", gets);
    let deliveries = deliveries(&identity, size.serving)?;
    report.add_rate("events to 100 watchers from one writer, 8 writes under way", deliveries);
    let answers = answers(&identity, size.serving)?;
    report.add_rate("the same without a write: GET of a small object", answers);
    let creates = creates(&identity, size.serving)?;
    report.add_rate("creates, durable: 16 connections, one request under way on each", creates);
    drop(server);
    let store = group_commits(scratch, size.serving)?;
    report.add_rate("the store alone, 16 objects in a sync, no API", store);
    Ok(())
}

/// `coracle up` in an empty directory until it says that it is ready.
pub(super) fn ready(
    coracle: &Path,
    scratch: &Path,
    size: &Size,
    report: &mut Report,
) -> Result<()> {
    let ready = (0..size.latencies).map(|_| {
        let begun = Instant::now();
        let server = Server::start(coracle, scratch)?;
        let ready = begun.elapsed();
        drop(server);
        Ok(ready)
    });
    let ready = ready.collect::<Result<Vec<Duration>>>()?;
    report.latencies.push(Latency::new("`coracle up` in an empty directory, to ready", &ready));
    Ok(())
}

/// Answers per second.
fn gets(identity: &Identity, duration: Duration) -> Result<f64> {
    let mut first = identity.connect()?;
    let name = "read";
    create(&mut first, CONFIG_MAPS, &config_map(name, OBJECT_BYTES))?;
    let get = format!("GET {CONFIG_MAPS}/{name} HTTP/1.1\r\nHost: coracle\r\n\r\n");
    let requests = get.repeat(PIPELINED);
    let mut readers = (0..READERS).map(|_| identity.connect()).collect::<Result<Vec<_>>>()?;
    for reader in &mut readers {
        reader.send(requests.as_bytes())?;
    }
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < duration {
        for reader in &mut readers {
            for _ in 0..PIPELINED {
                let (code, bytes) = reader.answer()?;
                if code != 200 || bytes < OBJECT_BYTES {
                    bail!("GET: {code} and {bytes} bytes");
                }
                count += 1;
            }
            reader.send(requests.as_bytes())?;
        }
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

/// Events per second, from the first write until the last watcher has the last event.
fn deliveries(identity: &Identity, duration: Duration) -> Result<f64> {
    let mut writers = connections(identity, WRITES_UNDER_WAY)?;
    let lease = r#"{"metadata":{"name":"bench"},"spec":{"holderIdentity":"0"}}"#;
    create(&mut writers[0], LEASES, lease)?;
    let watch = format!("GET {LEASES}?watch=true HTTP/1.1\r\nHost: coracle\r\n\r\n");
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let mut watcher = identity.connect()?;
        watcher.send(watch.as_bytes())?;
        let code = watcher.begin()?;
        anyhow::ensure!(code == 200, "the watch is answered with {code}");
        // The object as it is.
        let mut seen = 0;
        while seen < 1 {
            seen += events(watcher.take()?);
        }
        watchers.push(watcher);
    }
    let (begun, last) = (Instant::now(), AtomicI64::new(UNKNOWN));
    let events = thread::scope(|scope| {
        let counting = scope.spawn(|| count(&mut watchers, &last));
        let mut writes = 0;
        let mut write = |writer: &mut Connection| {
            writes += 1;
            let body = format!("{{\"spec\":{{\"holderIdentity\":\"{writes}\"}}}}");
            writer.send(request("PATCH", &format!("{LEASES}/bench"), MERGE, &body).as_bytes())
        };
        under_way(&mut writers, duration, &mut write, 200)?;
        // Before it is written, so that its events find the number there.
        last.store(writes + 1, Ordering::SeqCst);
        let body = "{\"spec\":{\"holderIdentity\":\"last\"}}";
        exchange(&mut writers[0], "PATCH", &format!("{LEASES}/bench"), MERGE, body, 200)?;
        counting.join().expect("the counter does not panic")
    })?;
    Ok(events as f64 / begun.elapsed().as_secs_f64())
}

/// While it is not known how many writes there will be.
const UNKNOWN: i64 = i64::MAX;

/// Reads all watches until as many events came as all writes make; their number.
fn count(watchers: &mut [Connection], last: &AtomicI64) -> Result<i64> {
    let watching = watchers.len() as i64;
    let mut count = 0;
    while count < last.load(Ordering::SeqCst).saturating_mul(watching) {
        for index in readable(watchers)? {
            count += events(watchers[index].take()?);
        }
    }
    Ok(count)
}

/// How many events are in these bytes: each is a line, and so are the sizes of chunks around them,
/// which end in a carriage return as no event does.
/// Less than none if the line feed of the last is still to come.
fn events(bytes: &[u8]) -> i64 {
    let one = |byte: &u8| i64::from(*byte == b'\n') - i64::from(*byte == b'\r');
    bytes.iter().map(one).sum()
}

/// Objects per second, each answered when it is durable.
fn creates(identity: &Identity, duration: Duration) -> Result<f64> {
    let mut creators = connections(identity, CREATORS)?;
    let mut count = 0;
    let mut create = |creator: &mut Connection| {
        count += 1;
        let object = config_map(&format!("c{count}"), 0);
        creator.send(request("POST", CONFIG_MAPS, JSON, &object).as_bytes())
    };
    let begun = Instant::now();
    let answered = under_way(&mut creators, duration, &mut create, 201)?;
    Ok(f64::from(answered) / begun.elapsed().as_secs_f64())
}

/// Answers per second in the same way, to requests that ask for nearly nothing: what client,
/// connections and TLS leave to creates.
fn answers(identity: &Identity, duration: Duration) -> Result<f64> {
    let mut askers = connections(identity, CREATORS)?;
    create(&mut askers[0], CONFIG_MAPS, &config_map("small", 0))?;
    let get = format!("GET {CONFIG_MAPS}/small HTTP/1.1\r\nHost: coracle\r\n\r\n");
    let begun = Instant::now();
    let mut ask = |asker: &mut Connection| asker.send(get.as_bytes());
    let answered = under_way(&mut askers, duration, &mut ask, 200)?;
    Ok(f64::from(answered) / begun.elapsed().as_secs_f64())
}

fn connections(identity: &Identity, count: usize) -> Result<Vec<Connection>> {
    (0..count).map(|_| identity.connect()).collect()
}

/// Keeps one request under way on each connection until the time is over and all are answered, with
/// the code that is wanted; how many that were.
fn under_way(
    connections: &mut [Connection],
    duration: Duration,
    send: &mut dyn FnMut(&mut Connection) -> Result<()>,
    wanted: u16,
) -> Result<u32> {
    let begun = Instant::now();
    for connection in &mut *connections {
        send(connection)?;
    }
    let (mut waiting, mut count) = (vec![true; connections.len()], 0);
    while waiting.contains(&true) {
        for index in readable(connections)? {
            let (code, _) = connections[index].answer()?;
            anyhow::ensure!(code == wanted, "answered with {code}");
            count += 1;
            waiting[index] = begun.elapsed() < duration;
            if waiting[index] {
                send(&mut connections[index])?;
            }
        }
    }
    Ok(count)
}

/// Waits until something has come on some of the connections.
fn readable(connections: &[Connection]) -> Result<Vec<usize>> {
    let poll_of = |connection| PollFd::new(Connection::socket(connection), PollFlags::IN);
    let mut polled: Vec<_> = connections.iter().map(poll_of).collect();
    poll(&mut polled, None)?;
    let ready = polled.iter().enumerate().filter(|(_, fd)| !fd.revents().is_empty());
    Ok(ready.map(|(index, _)| index).collect())
}

/// What crate store does alone, in an executable of its own: xtask is built without it.
fn group_commits(scratch: &Path, duration: Duration) -> Result<f64> {
    let executable = cargo::release_example("store", "group_commit")?;
    let directory = tempfile::tempdir_in(scratch)?;
    let mut command = Command::new(executable);
    command.arg(directory.path()).arg(CREATORS.to_string());
    let rate = cargo::output(command.arg(duration.as_secs_f64().to_string()))?;
    Ok(String::from_utf8(rate)?.trim().parse()?)
}

/// A ConfigMap of at least so many bytes.
fn config_map(name: &str, bytes: usize) -> String {
    let value = "x".repeat(bytes);
    format!("{{\"metadata\":{{\"name\":\"{name}\"}},\"data\":{{\"value\":\"{value}\"}}}}")
}

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";

fn create(connection: &mut Connection, target: &str, body: &str) -> Result<()> {
    exchange(connection, "POST", target, JSON, body, 201)
}

/// One request, and its answer with the code that is wanted.
fn exchange(
    connection: &mut Connection,
    method: &str,
    target: &str,
    content: &str,
    body: &str,
    wanted: u16,
) -> Result<()> {
    connection.send(request(method, target, content, body).as_bytes())?;
    let (code, _) = connection.answer()?;
    anyhow::ensure!(code == wanted, "{method} {target}: {code}");
    Ok(())
}

fn request(method: &str, target: &str, content: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\nHost: coracle\r\nContent-Type: {content}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}
