//! Streams of containers: who wants some asks, the [`Desk`] makes requests to the spawner of it and
//! hands on what comes back. The bytes themselves go past both: whoever asked holds the pipes.

mod dial;
mod pipe;

use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{io::Errno, termios::Winsize};
use spawner::protocol::{Exec, Executed, Failure, Given, Request, Stage, Task};
use tokio::sync::oneshot;

pub use self::{dial::dial, pipe::Pipe};
pub use spawner::protocol::{ContainerId, Streams as Wanted};

/// The first version of the spawner's protocol that knows streams.
const SPAWNER_VERSION_MIN: u32 = 2;

/// Numbers of programs begin here: those of probes and hooks are far below.
const NUMBERS_FROM: u64 = 1 << 32;

/// Somebody wants streams of a container.
#[derive(Debug)]
pub struct Ask {
    /// Of which one.
    pub id: ContainerId,
    /// To do what.
    pub what: What,
    /// Where they go. Dropped if there is no spawner, or it goes away.
    pub streams: oneshot::Sender<Result<Ends, String>>,
    /// Told when a program that ran has ended.
    pub ended: oneshot::Sender<Ended>,
}

/// What the streams are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// To run a program.
    Exec {
        /// Program and arguments.
        command: Vec<String>,
        /// Which streams.
        wanted: Wanted,
    },
    /// To come to those of its own program.
    Attach(Wanted),
    /// To let go of its input, if that is for the first who came only.
    CloseInput,
    /// To connect to ports in its network.
    Sockets,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, or by a signal (128 and its number).
    Code(i32),
    /// It did not begin; why.
    NotStarted(String),
}

/// The near ends of streams.
#[derive(Debug, Default)]
pub struct Ends {
    /// Input.
    pub stdin: Option<Pipe>,
    /// Output.
    pub stdout: Option<Pipe>,
    /// Errors.
    pub stderr: Option<Pipe>,
    /// The terminal, for its size.
    pub terminal: Option<Terminal>,
    /// Sockets that are not connected, over IPv4 and over IPv6.
    pub sockets: Vec<OwnedFd>,
    /// Where the terminal of a program arrives.
    arrives: Option<OwnedFd>,
}

/// The controlling side of a terminal.
#[derive(Debug)]
pub struct Terminal(OwnedFd);

impl Terminal {
    /// Sets its size in characters.
    ///
    /// # Errors
    /// It is gone.
    pub fn resize(&self, columns: u16, rows: u16) -> io::Result<()> {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(rustix::termios::tcsetwinsize(&self.0, size)?)
    }
}

impl Ends {
    /// Waits for the terminal of a program, if it is to have one: that is its input and its output.
    ///
    /// # Errors
    /// The program did not begin.
    pub async fn arrive(&mut self) -> io::Result<()> {
        let Some(socket) = self.arrives.take() else { return Ok(()) };
        let socket = pipe::register(socket)?;
        let control = loop {
            let mut ready = socket.readable().await?;
            match spawner::arrived(socket.get_ref())? {
                Some(control) => break control,
                None => ready.clear_ready(),
            }
        };
        self.stdin = Some(Pipe::new(control.try_clone()?)?);
        self.stdout = Some(Pipe::new(control.try_clone()?)?);
        self.terminal = Some(Terminal(control));
        Ok(())
    }

    fn of(given: Vec<(Given, OwnedFd)>) -> io::Result<Self> {
        let mut ends = Self::default();
        for (what, fd) in given {
            match what {
                Given::Stdin => ends.stdin = Some(Pipe::new(fd)?),
                Given::Stdout => ends.stdout = Some(Pipe::new(fd)?),
                Given::Stderr => ends.stderr = Some(Pipe::new(fd)?),
                Given::Terminal => {
                    let writes = fd.as_fd().try_clone_to_owned()?;
                    ends.stdin = Some(Pipe::new(writes)?);
                    ends.terminal = Some(Terminal(fd));
                }
                Given::TerminalArrives => ends.arrives = Some(fd),
                Given::Socket4 | Given::Socket6 => ends.sockets.push(fd),
            }
        }
        Ok(ends)
    }
}

/// Everybody who has asked and was not answered in full yet.
#[derive(Debug)]
pub struct Desk {
    last: u64,
    waiting: HashMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    streams: Option<oneshot::Sender<Result<Ends, String>>>,
    /// Of who has asked for a program.
    ended: Option<oneshot::Sender<Ended>>,
}

impl Desk {
    /// One at which nobody waits. `server` is a random number: programs that an earlier server has
    /// left behind have other ones then.
    pub fn new(server: u32) -> Self {
        Self { last: NUMBERS_FROM + (u64::from(server) << 20), waiting: HashMap::new() }
    }

    /// Somebody asks: the request to the spawner. `version` is that of its protocol, if there is one.
    /// What it cannot do is refused at once.
    pub fn ask(&mut self, ask: Ask, version: Option<u32>) -> Option<Request> {
        let Ask { id, what, streams, ended } = ask;
        let why = match version {
            Some(SPAWNER_VERSION_MIN..) => "",
            Some(_) => {
                "the spawner of an older coracle runs, which has no streams: it leaves when nothing \
                 runs and coracle is started anew"
            }
            None => "the spawner cannot be reached at the moment",
        };
        if !why.is_empty() {
            // Whoever asked may have left meanwhile; so below.
            let _ = streams.send(Err(why.to_owned()));
            return None;
        }
        self.last += 1;
        let number = self.last;
        let (request, program) = match what {
            What::Exec { command, wanted } => {
                let (task, streams) = (Task::Program(command), Some(wanted));
                let exec = Exec { id, exec: number, task, output_bytes_max: 0, streams };
                (Request::Exec(Box::new(exec)), true)
            }
            What::Attach(streams) => (Request::Attach { id, number, streams }, false),
            What::Sockets => (Request::Sockets { id, number }, false),
            What::CloseInput => return Some(Request::CloseInput { id }),
        };
        let ended = program.then_some(ended);
        self.waiting.insert(number, Waiting { streams: Some(streams), ended });
        Some(request)
    }

    /// The streams have come.
    pub fn given(&mut self, number: u64, given: Vec<(Given, OwnedFd)>) {
        let Some(waiting) = self.waiting.get_mut(&number) else { return };
        if let Some(streams) = waiting.streams.take() {
            let _ = streams.send(Ends::of(given).map_err(|error| error.to_string()));
        }
        if waiting.ended.is_none() {
            self.waiting.remove(&number);
        }
    }

    /// A program has ended, or a request came to nothing. Whether it was one of this desk.
    pub fn executed(&mut self, number: u64, how: &Executed) -> bool {
        let Some(waiting) = self.waiting.remove(&number) else { return number > NUMBERS_FROM };
        let ended = match how {
            Executed::Ended { code, signal, .. } => {
                let by_signal = signal.map(|signal| 128 + signal);
                Ended::Code(code.or(by_signal).unwrap_or(255))
            }
            Executed::Failed(failure) => Ended::NotStarted(why(failure)),
        };
        if let (Some(streams), Ended::NotStarted(why)) = (waiting.streams, &ended) {
            let _ = streams.send(Err(why.clone()));
        }
        if let Some(to) = waiting.ended {
            let _ = to.send(ended);
        }
        true
    }

    /// The spawner is gone: nobody hears any more of what they asked for.
    pub fn disconnected(&mut self) {
        self.waiting.clear();
    }
}

/// Why something was not started, as a runtime says it.
fn why(failure: &Failure) -> String {
    let gone = failure.stage == Stage::Clone && failure.errno == Errno::SRCH.raw_os_error();
    match gone {
        true => "container not running".to_owned(),
        false => failure.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(what: What) -> (Ask, oneshot::Receiver<Result<Ends, String>>, oneshot::Receiver<Ended>) {
        let id = ContainerId { pod: "p".into(), container: "c".into(), attempt: 0 };
        let ((streams, given), (ended, end)) = (oneshot::channel(), oneshot::channel());
        (Ask { id, what, streams, ended }, given, end)
    }

    fn exec() -> What {
        What::Exec { command: vec!["true".into()], wanted: Wanted::default() }
    }

    fn ended(signal: Option<i32>) -> Executed {
        let (stdout, stderr) = (String::new(), String::new());
        Executed::Ended { code: None, signal, stdout, stderr, with_container: false }
    }

    #[test]
    fn answers_find_who_asked() {
        let mut desk = Desk::new(7);
        let (first, mut given, mut end) = ask(exec());
        let Some(Request::Exec(request)) = desk.ask(first, Some(2)) else { panic!("no request") };
        desk.given(request.exec, Vec::new());
        assert!(given.try_recv().unwrap().is_ok());
        assert!(!desk.executed(3, &ended(None)), "a probe's");
        assert!(desk.executed(request.exec, &ended(Some(9))));
        assert_eq!(end.try_recv().unwrap(), Ended::Code(137));
        assert!(desk.executed(request.exec, &ended(None)), "one that nobody waits for any more");
        assert!(desk.waiting.is_empty());
    }

    #[test]
    fn what_comes_to_nothing_is_told_and_what_is_lost_is_heard() {
        let mut desk = Desk::new(0);
        let (first, mut given, _) = ask(What::Attach(Wanted::default()));
        let Some(Request::Attach { number, .. }) = desk.ask(first, Some(2)) else {
            panic!("no request")
        };
        let failure = Failure { stage: Stage::Clone, errno: 3, message: "x".into(), at_ns: 0 };
        desk.executed(number, &Executed::Failed(failure));
        assert_eq!(given.try_recv().unwrap().unwrap_err(), "container not running");
        let (second, mut given, mut end) = ask(exec());
        assert!(desk.ask(second, Some(2)).is_some());
        desk.disconnected();
        assert!(given.try_recv().is_err() && end.try_recv().is_err());
        let (third, mut given, _) = ask(exec());
        assert!(desk.ask(third, Some(1)).is_none());
        assert!(given.try_recv().unwrap().unwrap_err().contains("older coracle"));
    }
}
