//! Those who come to the streams of a container: its input, copies of its outputs, its terminal.
//!
//! The output waits for who is attached, as it does for a terminal: nothing is dropped while both go
//! on. Only who takes nothing for [`ATTACHED_STALL_MS`] is let go, so that nobody can stop a container
//! by falling asleep.

use super::{Spawner, Token};
use crate::attached::Attached;
use crate::container::Phase;
use crate::plan::refused;
use crate::protocol::{ContainerId, Executed, Failure, Given, Reply, Stage, Streams};
use crate::stdio;
use crate::sys::{files, monotonic_ms, now_ns, process, socket};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

/// For how long somebody who is attached may take nothing while something is there, milliseconds.
const ATTACHED_STALL_MS: i64 = 60_000;

/// Copies of outputs that are made at one time.
const ATTACHED_MAX: usize = 1024;

/// Descriptors that are given away, and what they are.
type Gifts = (Vec<Given>, Vec<Rc<OwnedFd>>);

impl Spawner {
    /// Give somebody the streams of a container.
    pub(super) fn attach(&mut self, id: &ContainerId, number: u64, streams: Streams) {
        let gifts = self.try_attach(id, streams);
        self.give(id, number, gifts);
    }

    /// Give somebody sockets in a container's network.
    pub(super) fn sockets(&mut self, id: &ContainerId, number: u64) {
        let gifts = self.try_sockets(id);
        self.give(id, number, gifts);
    }

    fn give(&mut self, id: &ContainerId, number: u64, gifts: Result<Gifts, Failure>) {
        let id = id.clone();
        match gifts {
            Ok((given, fds)) => self.tell(&Reply::Given { id, number, given }, fds),
            Err(failure) => {
                let how = Executed::Failed(failure);
                self.tell(&Reply::Executed { id, exec: number, how }, None);
            }
        }
    }

    /// The number of a container that runs.
    fn running(&self, id: &ContainerId) -> Result<u32, Failure> {
        let runs = |number: &&u32| {
            let container = self.containers.get(*number);
            container.is_some_and(|c| matches!(c.phase, Phase::Running(_)) && c.process.is_some())
        };
        self.numbers.get(id).filter(runs).copied().ok_or_else(|| {
            let error = io::Error::from_raw_os_error(libc::ESRCH);
            refused(Stage::Clone, &error, "the container does not run", now_ns())
        })
    }

    fn try_attach(&mut self, id: &ContainerId, streams: Streams) -> Result<Gifts, Failure> {
        let number = self.running(id)?;
        let fail =
            |error: io::Error| refused(Stage::Clone, &error, "attach to the container", now_ns());
        if self.attached.len() + 2 > ATTACHED_MAX {
            return Err(fail(io::Error::from_raw_os_error(libc::EAGAIN)));
        }
        self.await_terminal(number);
        let (mut given, mut fds) = (Vec::new(), Vec::new());
        let mut gift = |what: Given, fd: Rc<OwnedFd>| {
            given.push(what);
            fds.push(fd);
        };
        let container = self.containers.get_mut(&number).expect("it runs");
        if let Some(input) = container.input.as_mut().filter(|_| streams.stdin) {
            input.taken = true;
            gift(Given::Stdin, Rc::clone(&input.pipe));
        }
        let terminal = container.has_terminal();
        if let Some(source) = container.sources[0].as_ref().filter(|_| terminal) {
            gift(Given::Terminal, Rc::new(source.pipe.try_clone().map_err(fail)?));
        }
        // Its end is seen by the end of its output, so that is given to everybody.
        let stderr = streams.stderr && !terminal;
        let stdout = streams.stdout || !stderr;
        let wanted = [(stdout, 0, Given::Stdout), (stderr, 1, Given::Stderr)];
        for (_, index, what) in wanted.into_iter().filter(|(wanted, ..)| *wanted) {
            let (read, write) = files::pipe().map_err(fail)?;
            gift(what, Rc::new(read));
            if container.sources[index].is_none() {
                continue;
            }
            self.last += 1;
            let attached = Attached::new(number, index, write).map_err(fail)?;
            self.epoll.add(attached.pipe.as_fd(), Token::Attached.pack(self.last)).map_err(fail)?;
            self.attached.insert(self.last, attached);
        }
        Ok((given, fds))
    }

    fn try_sockets(&mut self, id: &ContainerId) -> Result<Gifts, Failure> {
        let number = self.running(id)?;
        let container = &self.containers[&number];
        let isolated = container.inside.as_ref().is_some_and(|inside| inside.is_isolated());
        let make = || {
            let four = socket::tcp(false)?;
            Ok((four, socket::tcp(true).ok()))
        };
        let made = match container.process.as_ref().filter(|_| isolated) {
            Some(first) => {
                let home = c"/proc/self/ns/net";
                process::within(first.pidfd.as_fd(), libc::CLONE_NEWNET, home, make)
            }
            None => make(),
        };
        let fail = |error| refused(Stage::Dial, &error, "network of the container", now_ns());
        let (four, six) = made.map_err(fail)?;
        let mut gifts = (vec![Given::Socket4], vec![Rc::new(four)]);
        if let Some(six) = six {
            gifts.0.push(Given::Socket6);
            gifts.1.push(Rc::new(six));
        }
        Ok(gifts)
    }

    /// The terminal of a container arrives: what was a socket becomes its controlling side. Whether it
    /// is, or was, there.
    pub(super) fn await_terminal(&mut self, number: u32) -> bool {
        let Some(container) = self.containers.get_mut(&number) else { return false };
        if !container.terminal_awaited {
            return true;
        }
        let Some(source) = &mut container.sources[0] else { return false };
        match stdio::arrived(&source.pipe) {
            Ok(Some(control)) => {
                self.epoll.remove(source.pipe.as_fd());
                if let Err(error) = self.epoll.add(control.as_fd(), Token::Stdout.pack(number)) {
                    complain!("watch a terminal of {:?}: {error}", container.id);
                }
                source.pipe = control;
                container.terminal_awaited = false;
                true
            }
            Ok(None) => false,
            // The child ended before it had one; so does its output.
            Err(_) => {
                container.terminal_awaited = false;
                true
            }
        }
    }

    /// The first who attached to an input has left.
    pub(super) fn close_input(&mut self, id: &ContainerId) {
        let container = self.numbers.get(id).and_then(|number| self.containers.get_mut(number));
        if let Some(container) = container {
            container.input = container.input.take().filter(|input| !input.once);
        }
    }

    /// Everybody who was attached has left with the server.
    pub(super) fn detach_all(&mut self) {
        for container in self.containers.values_mut() {
            let stays = |input: &crate::stdio::Input| !(input.once && input.taken);
            container.input = container.input.take().filter(stays);
        }
        for number in self.attached.keys().copied().collect::<Vec<_>>() {
            self.detach(number);
        }
    }

    fn detach(&mut self, number: u32) {
        let Some(attached) = self.attached.remove(&number) else { return };
        self.epoll.remove(attached.pipe.as_fd());
        self.go_on_reading(attached.container, attached.index);
    }

    /// So many bytes were read from an output: hand them on.
    pub(super) fn hand_on(&mut self, container: u32, index: usize, count: usize) {
        let (now, mut behind, mut gone) = (monotonic_ms(), false, Vec::new());
        for (number, attached) in &mut self.attached {
            if (attached.container, attached.index) != (container, index) {
                continue;
            }
            let was_behind = attached.is_behind();
            if attached.push(&self.scratch.input[..count], now).is_err() {
                gone.push(*number);
            } else if attached.is_behind() && !was_behind {
                let token = Token::Attached.pack(*number);
                let _ = self.epoll.want_output(attached.pipe.as_fd(), token, true);
                self.timers.insert((now + ATTACHED_STALL_MS, *number));
            }
            behind |= attached.is_behind();
        }
        gone.into_iter().for_each(|number| self.detach(number));
        let Some(container) = self.containers.get_mut(&container) else { return };
        // What is left when it has ended is at most what its pipes hold.
        if behind
            && container.gone.is_none()
            && let Some(source) = container.sources[index].as_mut().filter(|s| !s.paused)
        {
            source.paused = true;
            self.epoll.remove(source.pipe.as_fd());
        }
    }

    /// An output has ended: so it has for who is attached, once they have everything.
    pub(super) fn end_copies(&mut self, container: u32, index: usize) {
        let of = |attached: &Attached| (attached.container, attached.index) == (container, index);
        let mut done = Vec::new();
        for (number, attached) in self.attached.iter_mut().filter(|(_, attached)| of(attached)) {
            attached.ended = true;
            done.extend((!attached.is_behind()).then_some(*number));
        }
        done.into_iter().for_each(|number| self.detach(number));
    }

    /// Somebody who is attached has room, or is gone.
    pub(super) fn on_attached(&mut self, number: u32) {
        let Some(attached) = self.attached.get_mut(&number) else { return };
        let broken = match attached.is_behind() {
            true => attached.flush(monotonic_ms()).is_err(),
            false => files::is_broken(attached.pipe.as_fd()).unwrap_or(true),
        };
        if broken || attached.ended && !attached.is_behind() {
            return self.detach(number);
        }
        if !attached.is_behind() {
            let token = Token::Attached.pack(number);
            let _ = self.epoll.want_output(attached.pipe.as_fd(), token, false);
            let (container, index) = (attached.container, attached.index);
            self.go_on_reading(container, index);
        }
    }

    /// Look whether somebody has taken anything since.
    pub(super) fn on_attached_timer(&mut self, number: u32) {
        let Some(attached) = self.attached.get(&number).filter(|a| a.is_behind()) else { return };
        let until = attached.stalled_since_ms + ATTACHED_STALL_MS;
        if until > monotonic_ms() {
            self.timers.insert((until, number));
        } else {
            complain!("who is attached to an output takes nothing, and is let go");
            self.detach(number);
        }
    }

    /// Read an output again, if nobody is behind any more.
    fn go_on_reading(&mut self, container: u32, index: usize) {
        let of = |attached: &Attached| (attached.container, attached.index) == (container, index);
        if self.attached.values().any(|attached| of(attached) && attached.is_behind()) {
            return;
        }
        self.read_again(container, index);
    }

    /// Read an output again, whoever is behind.
    pub(super) fn read_again(&mut self, number: u32, index: usize) {
        let Some(container) = self.containers.get_mut(&number) else { return };
        if let Some(source) = container.sources[index].as_mut().filter(|source| source.paused) {
            source.paused = false;
            let token = [Token::Stdout, Token::Stderr][index];
            if let Err(error) = self.epoll.add(source.pipe.as_fd(), token.pack(number)) {
                complain!("watch {:?}: {error}", container.id);
            }
        }
    }
}
