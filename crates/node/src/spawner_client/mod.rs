//! The talk with the spawner: finds it or starts it, sends requests, hands on replies, and outlives
//! its crashes.
//!
//! A pidfd of every running container is kept. When the spawner dies, its containers go on without
//! a parent; the next spawner knows nothing of them. This client then speaks for them: they are in
//! the list that comes with [`Event::Connected`], signals go to them directly, and their end is read
//! from the pidfd where the kernel can tell.

mod connection;
mod orphans;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use spawner::protocol::{ContainerId, Given, Record, Reply, Request, Running, State, VERSION};
use tokio::task::JoinHandle;

use self::{connection::Connection, orphans::Orphans};

/// The wait after the first failure to reach or start a spawner, milliseconds; it doubles.
const RETRY_FIRST_MS: u64 = 20;
/// The longest wait between two tries, milliseconds.
const RETRY_MAX_MS: u64 = 5000;

/// What the spawner has to say.
#[derive(Debug)]
pub enum Event {
    /// A spawner answered.
    Connected {
        /// Which one: compare it with the one that is on record.
        instance: String,
        /// What it knows, and what is left of the one before.
        containers: Vec<Record>,
    },
    /// The connection broke; the next event is another `Connected`, however long that takes.
    Disconnected {
        /// Why.
        error: String,
    },
    /// No spawner could be reached or started; it is tried again.
    Unreachable {
        /// Why.
        error: String,
    },
    /// A reply.
    Reply(Reply),
    /// Streams that a request asked for ([`Reply::Given`]).
    Given {
        /// The number of the request.
        number: u64,
        /// What they are.
        streams: Vec<(Given, OwnedFd)>,
    },
}

/// The connection of a server with the spawner of its data directory.
pub struct SpawnerClient {
    data_dir: PathBuf,
    program: PathBuf,
    link: Link,
    /// Pidfds of running containers.
    pidfds: BTreeMap<ContainerId, (Running, OwnedFd)>,
    orphans: Orphans,
    instance: Option<String>,
    /// The version of the protocol that both speak.
    version: u32,
    /// What it was not asked because it would not understand, as answered in its place.
    refusals: VecDeque<Reply>,
    clock: fn() -> Timestamp,
}

enum Link {
    Down {
        retry_ms: u64,
    },
    /// A connection is being opened, by a task of its own: dropping [`SpawnerClient::next`] must
    /// neither begin the wait anew nor start a second spawner.
    Opening {
        task: JoinHandle<io::Result<Connection>>,
        retry_ms: u64,
    },
    Greeting(Connection),
    Up(Connection),
}

impl SpawnerClient {
    /// A client for the spawner of this data directory; `program spawner <data dir>` starts one.
    /// `clock` gives the time at which a container without a spawner ended.
    pub fn new(data_dir: &Path, program: &Path, clock: fn() -> Timestamp) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            program: program.to_owned(),
            link: Link::Down { retry_ms: 0 },
            pidfds: BTreeMap::new(),
            orphans: Orphans::new(clock),
            instance: None,
            version: 0,
            refusals: VecDeque::new(),
            clock,
        }
    }

    /// Sends a request, or keeps it until the socket takes it. Without a connection it is dropped:
    /// the list that comes with the next one tells what has to be said again.
    pub fn send(&mut self, request: &Request) {
        self.send_all([request]);
    }

    /// Sends several requests at once, which costs less. What an older spawner does not know is
    /// answered without it.
    pub fn send_all<'r>(&mut self, requests: impl IntoIterator<Item = &'r Request>) {
        for request in requests {
            if !self.orphans.take(request)
                && let Link::Up(connection) = &mut self.link
            {
                if request.is_known_to(self.version) {
                    connection.queue(request);
                } else {
                    let now = (self.clock)().as_nanosecond();
                    let now = i64::try_from(now).unwrap_or(i64::MAX);
                    self.refusals.extend(request.refusal(now));
                }
            }
        }
        if let Link::Up(connection) = &mut self.link {
            let _ = connection.flush();
        }
    }

    /// The version of the protocol that is spoken, while there is a connection.
    pub fn version(&self) -> Option<u32> {
        matches!(self.link, Link::Up(_)).then_some(self.version)
    }

    /// The next event. May be dropped and called again at any time without losing one.
    pub async fn next(&mut self) -> Event {
        loop {
            match &mut self.link {
                Link::Down { retry_ms } => {
                    let (retry_ms, data_dir) = (*retry_ms, self.data_dir.clone());
                    let program = self.program.clone();
                    let task = tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_millis(retry_ms)).await;
                        connection::open(&data_dir, &program).await
                    });
                    self.link = Link::Opening { task, retry_ms };
                }
                Link::Opening { task, retry_ms } => {
                    let retry_ms = (2 * *retry_ms).clamp(RETRY_FIRST_MS, RETRY_MAX_MS);
                    match task.await.map_err(io::Error::other).flatten() {
                        Ok(connection) => self.link = Link::Greeting(connection),
                        Err(error) => {
                            self.link = Link::Down { retry_ms };
                            return Event::Unreachable { error: error.to_string() };
                        }
                    }
                }
                Link::Greeting(connection) => match connection.next().await {
                    Ok((Reply::Hello { instance, version }, _)) => {
                        self.instance = Some(instance);
                        self.version = version.min(VERSION);
                    }
                    Ok((Reply::Listed { containers }, fds)) => {
                        return self.connected(containers, fds);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        self.link = Link::Down { retry_ms: RETRY_FIRST_MS };
                        return Event::Unreachable { error: error.to_string() };
                    }
                },
                Link::Up(connection) => {
                    if let Some(reply) = self.refusals.pop_front() {
                        return Event::Reply(reply);
                    }
                    let next = tokio::select! {
                        next = connection.next() => next,
                        (id, end) = self.orphans.next() => {
                            return Event::Reply(Reply::Ended { id, end });
                        }
                    };
                    match next {
                        Ok((reply, fds)) => return self.reply(reply, fds),
                        Err(error) => return self.disconnected(&error),
                    }
                }
            }
        }
    }

    fn connected(&mut self, mut containers: Vec<Record>, fds: Vec<OwnedFd>) -> Event {
        let known: Vec<ContainerId> = containers.iter().map(|record| record.id.clone()).collect();
        for (id, (running, pidfd)) in std::mem::take(&mut self.pidfds) {
            if !known.contains(&id) {
                self.orphans.adopt(id, running, pidfd);
            }
        }
        let mut fds = fds.into_iter();
        for record in &containers {
            if let State::Running(running) = &record.state
                && let Some(pidfd) = fds.next()
            {
                self.pidfds.insert(record.id.clone(), (running.clone(), pidfd));
            }
        }
        containers.extend(self.orphans.records());
        self.link = match std::mem::replace(&mut self.link, Link::Down { retry_ms: 0 }) {
            Link::Greeting(connection) => Link::Up(connection),
            other => other,
        };
        Event::Connected { instance: self.instance.clone().unwrap_or_default(), containers }
    }

    fn disconnected(&mut self, error: &io::Error) -> Event {
        self.link = Link::Down { retry_ms: 0 };
        self.refusals.clear();
        Event::Disconnected { error: error.to_string() }
    }

    fn reply(&mut self, reply: Reply, fds: Vec<OwnedFd>) -> Event {
        if let Reply::Given { number, given, .. } = reply {
            return Event::Given { number, streams: given.into_iter().zip(fds).collect() };
        }
        match &reply {
            Reply::Started { id, running } => {
                if let Some(pidfd) = fds.into_iter().next() {
                    self.pidfds.insert(id.clone(), (running.clone(), pidfd));
                }
            }
            Reply::Ended { id, .. } | Reply::Failed { id, .. } => {
                self.pidfds.remove(id);
            }
            _ => {}
        }
        Event::Reply(reply)
    }
}
