//! The standard streams of a child: pipes, or a socket by which its terminal arrives; and what the
//! spawner keeps of a container's own, for those who attach.

use crate::protocol::{Given, Stdio, Streams};
use crate::sys::{files, socket};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

/// The streams of a child, both ends of each: (ours, its).
pub(crate) struct Pipes {
    /// What it reads: none but where somebody may write to it.
    pub(crate) input: Option<(OwnedFd, OwnedFd)>,
    /// What it writes; with a terminal, the socket by which that comes.
    pub(crate) out: (OwnedFd, OwnedFd),
    /// Its errors; none of their own with a terminal.
    pub(crate) err: Option<(OwnedFd, OwnedFd)>,
}

impl Pipes {
    /// For a child with or without an input, and maybe with a terminal for everything.
    pub(crate) fn make(stdin: bool, terminal: bool) -> io::Result<Pipes> {
        if terminal {
            let (ours, its) = UnixStream::pair()?;
            return Ok(Pipes { input: None, out: (ours.into(), its.into()), err: None });
        }
        let reversed = |(read, write)| (write, read);
        let input = stdin.then(files::pipe).transpose()?.map(reversed);
        Ok(Pipes { input, out: files::pipe()?, err: Some(files::pipe()?) })
    }

    /// Once there is a child: let go of its ends, and part ours into what is given to somebody who
    /// wants these streams and what stays here.
    pub(crate) fn part(self, streams: Streams) -> Parted {
        let (mut given, mut fds) = (Vec::new(), Vec::new());
        let mut give = |what, fd| {
            given.push(what);
            fds.push(Rc::new(fd));
        };
        if let Some((ours, _)) = self.input {
            give(Given::Stdin, ours);
        }
        let output = if streams.terminal { Given::TerminalArrives } else { Given::Stdout };
        let outputs =
            [(streams.stdout || streams.terminal, output), (streams.stderr, Given::Stderr)];
        let mut kept = [Some(self.out.0), self.err.map(|(ours, _)| ours)];
        for ((wanted, what), pipe) in outputs.into_iter().zip(&mut kept) {
            if let Some(pipe) = pipe.take_if(|_| wanted) {
                give(what, pipe);
            }
        }
        Parted { given, fds, kept }
    }
}

/// Our ends of the streams of a child.
pub(crate) struct Parted {
    pub(crate) given: Vec<Given>,
    pub(crate) fds: Vec<Rc<OwnedFd>>,
    /// The outputs that nobody wants.
    pub(crate) kept: [Option<OwnedFd>; 2],
}

/// What a container reads from, as far as the spawner has it.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) pipe: Rc<OwnedFd>,
    /// Whether it ends when the first who attached leaves.
    pub(crate) once: bool,
    /// Whether somebody has attached.
    pub(crate) taken: bool,
}

impl Input {
    /// The input of a container that is about to start, from our end of its pipe.
    pub(crate) fn new(pipe: OwnedFd, stdio: Stdio) -> io::Result<Input> {
        // Whoever attaches has this very end, and must not wait on it.
        files::set_nonblocking(pipe.as_fd())?;
        Ok(Input { pipe: Rc::new(pipe), once: stdio.stdin_once, taken: false })
    }
}

/// Take the controlling side of a terminal out of the socket by which a child sends it
/// ([`Given::TerminalArrives`](crate::protocol::Given::TerminalArrives)). `None` if it is not there yet.
///
/// # Errors
/// `UnexpectedEof` if it will never come.
pub fn arrived(socket: &OwnedFd) -> io::Result<Option<OwnedFd>> {
    let mut fds = Vec::new();
    if !files::has_input(socket.as_fd(), 0)? {
        return Ok(None);
    }
    match socket::receive(socket.as_fd(), &mut [0], &mut fds)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(fds.pop()),
    }
}
