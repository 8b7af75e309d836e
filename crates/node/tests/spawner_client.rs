//! The client of the spawner against a spawner that the test plays.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{IoSlice, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use jiff::Timestamp;
use node::spawner_client::{Event, SpawnerClient};
use rustix::{
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    process::{Pid, PidfdFlags, pidfd_open},
};
use spawner::{
    frame::{Decoder, encode},
    protocol::{
        ContainerId, Exec, Executed, Record, Reply, Request, Running, State, Task, VERSION,
    },
};

const PATIENCE: Duration = Duration::from_secs(20);

/// The spawner's side of one connection.
struct Spawner(UnixStream);

impl Spawner {
    /// Accepts a client and tells it who this is and what is known.
    fn accept(listener: &UnixListener, instance: &str, containers: Vec<Record>) -> Self {
        Self::accept_as(listener, VERSION, instance, containers)
    }

    /// The same as one that speaks another version.
    fn accept_as(
        listener: &UnixListener,
        version: u32,
        instance: &str,
        containers: Vec<Record>,
    ) -> Self {
        let spawner = Self(listener.accept().unwrap().0);
        assert!(matches!(spawner.hear(), Request::Hello { version: VERSION }));
        spawner.say(&Reply::Hello { version, instance: instance.into() }, &[]);
        spawner.say(&Reply::Listed { containers }, &[]);
        spawner
    }

    fn say(&self, reply: &Reply, fds: &[BorrowedFd]) {
        let frame = encode(reply).unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            assert!(ancillary.push(SendAncillaryMessage::ScmRights(fds)));
        }
        // The descriptors ride beside the first byte; the rest may come in pieces.
        let (first, rest) = frame.split_at(1);
        let parts = [IoSlice::new(first)];
        sendmsg(self.0.as_fd(), &parts, &mut ancillary, SendFlags::empty()).unwrap();
        (&self.0).write_all(rest).unwrap();
    }

    fn hear(&self) -> Request {
        let mut decoder = Decoder::default();
        let mut byte = [0];
        loop {
            (&self.0).read_exact(&mut byte).unwrap();
            decoder.push(&byte);
            if let Some(request) = decoder.next().unwrap() {
                return request;
            }
        }
    }
}

fn listen(data_dir: &Path) -> UnixListener {
    let path = data_dir.join(spawner::SOCKET_NAME);
    let _ = std::fs::remove_file(&path);
    UnixListener::bind(path).unwrap()
}

fn id() -> ContainerId {
    ContainerId { pod: "p".into(), container: "c".into(), attempt: 0 }
}

fn clock() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

async fn next(client: &mut SpawnerClient) -> Event {
    tokio::time::timeout(PATIENCE, client.next()).await.unwrap()
}

/// A process that ends with `code` when its input closes.
fn process(code: i32) -> Child {
    let script = format!("read x; exit {code}");
    Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap()
}

/// A spawner of the first version goes on serving: it is asked what it knows, and the rest is refused
/// in its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_older_spawner_is_asked_only_what_it_knows() {
    let dir = tempfile::tempdir().unwrap();
    let listener = listen(dir.path());
    let side = std::thread::spawn(move || {
        let spawner = Spawner::accept_as(&listener, 1, "old", vec![]);
        assert!(matches!(spawner.hear(), Request::Signal { id: of, signal: 15 } if of == id()));
        spawner.say(&Reply::PodEnded { pod: "p".into() }, &[]);
    });
    let mut client = client(dir.path());
    assert!(matches!(next(&mut client).await, Event::Connected { .. }));
    let task = Task::Program(vec!["true".into()]);
    let exec = Exec { id: id(), exec: 7, task, output_bytes_max: 0, streams: None };
    client.send_all([
        &Request::Exec(Box::new(exec)),
        &Request::KillExec { id: id(), exec: 7 },
        &Request::Signal { id: id(), signal: 15 },
    ]);
    let Event::Reply(Reply::Executed { exec: 7, how: Executed::Failed(failure), .. }) =
        next(&mut client).await
    else {
        panic!("the program is refused");
    };
    assert!(failure.message.contains("older than its server"), "{failure:?}");
    assert!(matches!(next(&mut client).await, Event::Reply(Reply::PodEnded { .. })));
    side.join().unwrap();
}

fn client(data_dir: &Path) -> SpawnerClient {
    SpawnerClient::new(data_dir, Path::new("/nonexistent/program"), clock)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn requests_arrive_and_replies_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let listener = listen(dir.path());
    let side = std::thread::spawn(move || {
        let spawner = Spawner::accept(&listener, "one", vec![]);
        assert!(matches!(spawner.hear(), Request::Kill { id: of } if of == id()));
        spawner.say(&Reply::PodEnded { pod: "p".into() }, &[]);
    });
    let mut client = client(dir.path());
    let connected = next(&mut client).await;
    assert!(
        matches!(&connected, Event::Connected { instance, containers }
            if instance == "one" && containers.is_empty()),
        "{connected:?}"
    );
    client.send(&Request::Kill { id: id() });
    assert!(matches!(next(&mut client).await, Event::Reply(Reply::PodEnded { .. })));
    assert!(matches!(next(&mut client).await, Event::Disconnected { .. }));
    side.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_a_spawner_and_a_program_to_start_one_it_says_so_and_tries_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut client = client(dir.path());
    for _ in 0..3 {
        assert!(matches!(next(&mut client).await, Event::Unreachable { .. }));
    }
    let listener = listen(dir.path());
    let side = std::thread::spawn(move || Spawner::accept(&listener, "one", vec![]));
    assert!(matches!(next(&mut client).await, Event::Connected { .. }));
    side.join().unwrap();
}

/// Whoever waits for several things drops the future all the time; still a spawner is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dropped_wait_does_not_begin_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut client = client(dir.path());
    let mut failures = 0;
    let patience = tokio::time::Instant::now() + PATIENCE;
    // The waits between tries soon are longer than each call here.
    while failures < 4 {
        assert!(tokio::time::Instant::now() < patience, "{failures} tries");
        let next = tokio::time::timeout(Duration::from_millis(1), client.next());
        failures += u32::from(matches!(next.await, Ok(Event::Unreachable { .. })));
    }
}

/// The spawner dies, its container does not: the client speaks for it, can end it, and reports an
/// end that is not a success unless the kernel says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_container_that_outlives_its_spawner_is_listed_and_its_end_is_reported() {
    for kill in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = process(7);
        let pid = Pid::from_child(&child);
        let running =
            Running { pid: pid.as_raw_nonzero().get(), started_ns: 5, ..Running::default() };
        let listener = listen(dir.path());
        let started = Reply::Started { id: id(), running: running.clone() };
        let side = std::thread::spawn(move || {
            let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
            Spawner::accept(&listener, "one", vec![]).say(&started, &[pidfd.as_fd()]);
            Spawner::accept(&listener, "two", vec![])
        });
        let mut client = client(dir.path());
        assert!(matches!(next(&mut client).await, Event::Connected { .. }));
        assert!(matches!(next(&mut client).await, Event::Reply(Reply::Started { .. })));
        assert!(matches!(next(&mut client).await, Event::Disconnected { .. }));
        let Event::Connected { instance, containers } = next(&mut client).await else {
            panic!("not connected again")
        };
        assert_eq!(instance, "two");
        assert_eq!(containers, [Record { id: id(), state: State::Running(running) }]);
        match kill {
            true => client.send(&Request::Kill { id: id() }),
            false => drop(child.stdin.take()),
        }
        // Whoever inherits the process reaps it.
        let reaper = std::thread::spawn(move || child.wait().unwrap());
        let Event::Reply(Reply::Ended { id: of, end }) = next(&mut client).await else {
            panic!("no end")
        };
        assert_eq!((of, end.started_ns), (id(), 5));
        let told = (end.code, end.signal);
        let expected = if kill { (None, Some(9)) } else { (Some(7), None) };
        // Before Linux 6.15 the kernel cannot tell.
        assert!(told == expected || told == (None, None), "{told:?}");
        reaper.join().unwrap();
        drop(side.join().unwrap());
    }
}
