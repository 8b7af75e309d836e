//! The loop: one epoll set, one event after another. Everything the spawner knows is here.

mod attach;
mod events;
mod execs;
mod maker;
mod place;
mod requests;
mod start;

pub(crate) use place::Place;

use crate::attached::Attached;
use crate::base::Base;
use crate::connection::Connection;
use crate::container::{Container, READ_BYTES, Scratch};
use crate::exec::Exec;
use crate::pod::Shared;
use crate::protocol::{ContainerId, Root};
use crate::sys::epoll::Epoll;
use crate::sys::starters::Starters;
use crate::sys::{monotonic_ms, random};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::rc::Rc;

/// The spawner.
pub(crate) struct Spawner {
    place: Place,
    epoll: Epoll,
    listener: UnixListener,
    connection: Option<Connection>,
    instance: String,
    /// Containers by a number that is never used again, so that a late event finds nothing.
    containers: HashMap<u32, Container>,
    numbers: BTreeMap<ContainerId, u32>,
    /// Programs that are run in them beside their own, by numbers of the same kind.
    execs: HashMap<u32, Exec>,
    /// Who gets copies of what they write, by numbers of the same kind.
    attached: HashMap<u32, Attached>,
    /// The seccomp program of the container that was started last.
    seccomp: Rc<[u8]>,
    last: u32,
    pods: BTreeMap<String, Pod>,
    bases: Vec<Kept>,
    bases_made: u32,
    shms_made: u32,
    /// When to look at a container again: (steady clock in milliseconds, number).
    timers: BTreeSet<(i64, u32)>,
    scratch: Scratch,
    stopping: bool,
    start_deadline_ms: i64,
    starters: Starters,
}

/// A pod that has something of its own or is being ended.
#[derive(Default)]
struct Pod {
    shared: Option<Shared>,
    ending: bool,
}

/// A prepared layer and what it was made from.
struct Kept {
    root: Root,
    mounts: Rc<Vec<String>>,
    base: Rc<Base>,
}

/// How long it stays with no server and nothing to keep, in milliseconds.
const ALONE_MS_MAX: i64 = 10_000;

/// What an event is about; travels with a container's number in the event's 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Listener,
    Connection,
    Bell,
    Report,
    Exit,
    Stdout,
    Stderr,
    Straggler,
    ExecReport,
    ExecExit,
    ExecStdout,
    ExecStderr,
    Attached,
}

impl Token {
    const ALL: [Token; 13] = [
        Token::Listener,
        Token::Connection,
        Token::Bell,
        Token::Report,
        Token::Exit,
        Token::Stdout,
        Token::Stderr,
        Token::Straggler,
        Token::ExecReport,
        Token::ExecExit,
        Token::ExecStdout,
        Token::ExecStderr,
        Token::Attached,
    ];

    fn pack(self, number: u32) -> u64 {
        (self as u64) << 32 | u64::from(number)
    }

    fn unpack(packed: u64) -> (Option<Token>, u32) {
        let kind = usize::try_from(packed >> 32).unwrap_or(usize::MAX);
        (Token::ALL.get(kind).copied(), (packed & 0xffff_ffff) as u32)
    }
}

impl Spawner {
    pub(crate) fn new(
        place: Place,
        listener: UnixListener,
        start_deadline_ms: i64,
    ) -> io::Result<Spawner> {
        let epoll = Epoll::new()?;
        listener.set_nonblocking(true)?;
        epoll.add(listener.as_fd(), Token::Listener.pack(0))?;
        let starters = Starters::new();
        if let Some(bell) = starters.bell() {
            epoll.add(bell, Token::Bell.pack(0))?;
        }
        Ok(Spawner {
            place,
            epoll,
            listener,
            connection: None,
            instance: format!("{:016x}", random()),
            containers: HashMap::new(),
            numbers: BTreeMap::new(),
            execs: HashMap::new(),
            attached: HashMap::new(),
            seccomp: Rc::from([]),
            last: 0,
            pods: BTreeMap::new(),
            bases: Vec::new(),
            bases_made: 0,
            shms_made: 0,
            timers: BTreeSet::new(),
            scratch: Scratch { input: vec![0; READ_BYTES], records: Vec::new() },
            stopping: false,
            start_deadline_ms,
            starters,
        })
    }

    /// A number that was never used.
    fn next_number(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    /// Serve until empty, and told to stop or alone for long: a server that was killed, or that
    /// ended before it could connect, tells nobody anything.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Epoll::events();
        let mut alone_since = None;
        while !(self.stopping && self.containers.is_empty()) {
            let now = monotonic_ms();
            let alone =
                self.connection.is_none() && self.containers.is_empty() && self.pods.is_empty();
            alone_since = alone.then(|| alone_since.unwrap_or(now));
            let leave = alone_since.map(|since| since + ALONE_MS_MAX);
            if leave.is_some_and(|at| at <= now) {
                break;
            }
            let wake = self.timers.first().map(|(at, _)| *at).into_iter().chain(leave).min();
            let timeout = wake.map(|at| (at - now).max(0));
            let timeout = timeout.map_or(-1, |ms| i32::try_from(ms).unwrap_or(i32::MAX));
            let count = match self.epoll.wait(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            for event in &events[..count] {
                let (token, number) = Token::unpack(event.u64);
                match token {
                    Some(Token::Listener) => self.on_connect(),
                    Some(Token::Connection) => self.on_connection(),
                    Some(Token::Bell) => self.on_bell(),
                    Some(Token::Report) => self.on_report(number),
                    Some(Token::Exit) => self.on_exit(number),
                    Some(Token::Stdout) => self.on_output(number, 0),
                    Some(Token::Stderr) => self.on_output(number, 1),
                    Some(Token::Straggler) => self.settle(number),
                    Some(Token::ExecReport) => self.on_exec_report(number),
                    Some(Token::ExecExit) => self.on_exec_exit(number),
                    Some(Token::ExecStdout) => self.on_exec_output(number, 0),
                    Some(Token::ExecStderr) => self.on_exec_output(number, 1),
                    Some(Token::Attached) => self.on_attached(number),
                    None => {}
                }
            }
            self.fire_timers();
            self.flush();
        }
        self.flush();
        Ok(())
    }
}
