//! One container as the spawner follows it: starting, running, draining, over.

use crate::base::Base;
use crate::cgroup::group::Group;
use crate::child::Report;
use crate::log::cri::{Lines, Stream, stamp};
use crate::log::file::LogFile;
use crate::namespaces::Namespace;
use crate::network::Port;
use crate::plan::Inside;
use crate::protocol::{ContainerId, End, Failure, Running, State};
use crate::room::Room;
use crate::stdio::Input;
use crate::step::Steps;
use crate::sys::process::{self, Child, Exit};
use crate::sys::starters::Starter;
use crate::sys::{errno, files, pidfd};
use crate::termination::TerminationFile;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

/// One container.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) id: ContainerId,
    /// Whether it is a plain process: what it leaves behind must be killed by group.
    pub(crate) plain: bool,
    pub(crate) phase: Phase,
    /// What its child does, which reads it here until it has run its program or is gone.
    pub(crate) steps: Option<Rc<Steps>>,
    /// Its first process, until it is reaped.
    pub(crate) process: Option<Process>,
    /// How that ended.
    pub(crate) gone: Option<Gone>,
    /// Output and errors, until they are read to their ends.
    pub(crate) sources: [Option<Source>; 2],
    /// What it reads from, if anybody may write to that.
    pub(crate) input: Option<Input>,
    /// Whether its streams are a terminal.
    pub(crate) terminal: bool,
    /// Whether it is to have a terminal that has not arrived yet: its one source is the socket.
    pub(crate) terminal_awaited: bool,
    pub(crate) log: LogFile,
    pub(crate) group: Group,
    /// A process of it that outlived the first one, and was killed: watched until it is gone.
    pub(crate) straggler: Option<OwnedFd>,
    /// How often that took longer than it was waited for.
    pub(crate) looks: u32,
    /// When to look at it again if nothing happens, in milliseconds of the steady clock.
    pub(crate) timer_ms: Option<i64>,
    /// Namespaces it alone is in, and which others may have after it.
    pub(crate) namespaces: Vec<Namespace>,
    /// The addresses of its pod's own network.
    pub(crate) addresses: Vec<IpAddr>,
    /// What keeps them its own, where its namespaces are not kept.
    pub(crate) port: Option<Port>,
    /// Its mounts, if others may have them after it.
    pub(crate) room: Option<Room>,
    /// Keeps the lower layer of its root while it may be used.
    pub(crate) base: Option<Rc<Base>>,
    /// What programs that are run in it later on have in common with its first.
    pub(crate) inside: Option<Inside>,
    /// Where it leaves its last words, until they are read.
    pub(crate) termination: Option<TerminationFile>,
}

/// How it is heard of the child's steps.
#[derive(Debug)]
pub(crate) enum Starting {
    /// It shares the spawner's memory, and its starter tells.
    Sharing {
        starter: Starter,
        /// What the child takes along when it is made, and nobody else needs.
        needed: Vec<OwnedFd>,
    },
    /// It has a copy of the memory. The pipe is closed by its program, or tells which step failed.
    Copying { report: OwnedFd },
}

/// How far it is.
#[derive(Debug)]
pub(crate) enum Phase {
    /// The child does its steps.
    Starting(Starting),
    /// A step failed; the child is about to be gone.
    Failing(Failure),
    /// Its program runs, or has run and not everything of it is gone yet.
    Running(Running),
    /// It could not be started.
    Failed(Failure),
    /// It is over.
    Ended(End),
}

/// A live first process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) pidfd: Rc<OwnedFd>,
}

impl Process {
    /// A child that was just made.
    pub(crate) fn of(child: Child) -> Process {
        Process { pid: child.pid, pidfd: Rc::new(child.pidfd) }
    }
}

/// How a first process ended, and what its control groups said then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone {
    /// The number it had, and its process group has.
    leader: i32,
    exit: Exit,
    finished_ns: i64,
    oom_killed: bool,
    memory_peak_bytes: u64,
}

/// One of the two pipes a container writes to.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) pipe: OwnedFd,
    /// Whether it is not read, for want of room with who is attached.
    pub(crate) paused: bool,
    lines: Lines,
}

impl Source {
    /// The pipe's reading end; `index` 0 is standard output, 1 standard error.
    pub(crate) fn new(pipe: OwnedFd, index: usize) -> Source {
        let stream = if index == 0 { Stream::Stdout } else { Stream::Stderr };
        Source { pipe, paused: false, lines: Lines::new(stream) }
    }
}

/// Buffers that all containers share.
pub(crate) struct Scratch {
    /// What one read takes.
    pub(crate) input: Vec<u8>,
    /// The records it becomes.
    pub(crate) records: Vec<u8>,
}

/// Bytes read from a pipe at once: all that a pipe holds by default.
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// Room for records that is kept between batches, bytes.
const RECORDS_BYTES_KEPT: usize = 128 * 1024;

impl Container {
    /// As the protocol shows it.
    pub(crate) fn state(&self) -> State {
        match &self.phase {
            Phase::Starting(_) | Phase::Failing(_) => State::Starting,
            Phase::Running(running) => State::Running(running.clone()),
            Phase::Failed(failure) => State::Failed(failure.clone()),
            Phase::Ended(end) => State::Ended(end.clone()),
        }
    }

    /// Whether nothing of it is left but its record.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Failed(_) | Phase::Ended(_))
    }

    /// If a starter was to make its child, that child, as soon as there is one.
    pub(crate) fn find_child(&mut self) {
        if let Phase::Starting(Starting::Sharing { starter, needed }) = &mut self.phase
            && let Some(Ok(child)) = starter.child()
        {
            needed.clear();
            self.process = Some(Process::of(child));
        }
    }

    /// Send a signal: to the first process, or to the process group of a plain one.
    pub(crate) fn signal(&mut self, number: i32) {
        self.find_child();
        let Some(Process { pid, pidfd }) = &self.process else { return };
        let started = matches!(self.phase, Phase::Running(_));
        let result = if self.plain && started {
            process::signal_group(*pid, number)
        } else {
            process::signal(pidfd.as_fd(), number)
        };
        if let Err(error) = result
            && errno(&error) != libc::ESRCH
        {
            complain!("signal {number} to {:?}: {error}", self.id);
        }
    }

    /// End everything in it.
    pub(crate) fn kill(&mut self) {
        self.signal(libc::SIGKILL);
        if self.plain && self.group.exists() {
            self.group.kill();
        }
    }

    /// Its child has run its program, is gone, or has failed.
    pub(crate) fn hear(&mut self, failed: Option<Report>, now_ns: i64) {
        let Phase::Starting(_) = &self.phase else { return };
        self.phase = match (failed, &self.steps) {
            (Some(report), Some(steps)) => Phase::Failing(steps.failure(report, now_ns)),
            _ => {
                let pid = self.process.as_ref().map_or(0, |process| process.pid);
                self.steps = None;
                Phase::Running(Running {
                    pid,
                    started_ns: now_ns,
                    addresses: self.addresses.clone(),
                })
            }
        };
    }

    /// Read once from a pipe and write what it held to the log. How much it was: 0 at its end, nothing
    /// if it has nothing at the moment.
    pub(crate) fn read_output(
        &mut self,
        index: usize,
        now_ns: i64,
        scratch: &mut Scratch,
    ) -> io::Result<Option<usize>> {
        let Some(source) = &mut self.sources[index] else { return Ok(Some(0)) };
        let count = match files::read(source.pipe.as_fd(), &mut scratch.input) {
            // A terminal that no process has open any more.
            Err(error) if errno(&error) == libc::EIO => 0,
            Err(error) if errno(&error) == libc::EAGAIN => return Ok(None),
            result => result?,
        };
        let stamp = stamp(now_ns);
        scratch.records.clear();
        if count == 0 {
            source.lines.finish(stamp.as_bytes(), &mut scratch.records);
        } else {
            source.lines.push(&scratch.input[..count], stamp.as_bytes(), &mut scratch.records);
        }
        self.log.append(&scratch.records, &stamp);
        scratch.records.shrink_to(RECORDS_BYTES_KEPT);
        Ok(Some(count))
    }

    /// Whether it has a terminal.
    pub(crate) fn has_terminal(&self) -> bool {
        self.terminal && !self.terminal_awaited
    }

    /// Give up on a pipe that somebody outside the container holds open.
    pub(crate) fn abandon_output(&mut self, index: usize, now_ns: i64, scratch: &mut Scratch) {
        if let Some(mut source) = self.sources[index].take() {
            let stamp = stamp(now_ns);
            scratch.records.clear();
            source.lines.finish(stamp.as_bytes(), &mut scratch.records);
            self.log.append(&scratch.records, &stamp);
        }
    }

    /// Reap the first process, if it has ended. A plain one's group is killed first, while the
    /// leader's number still belongs to it. Whether it was reaped; its pidfd is given back then.
    pub(crate) fn reap(&mut self, now_ns: i64) -> io::Result<Option<Rc<OwnedFd>>> {
        let Some(Process { pid, pidfd }) = &self.process else { return Ok(None) };
        if self.plain {
            let _ = process::signal_group(*pid, libc::SIGKILL);
        }
        let Some(exit) = process::reap(pidfd.as_fd())? else { return Ok(None) };
        if self.plain && self.group.exists() {
            self.group.kill();
        }
        self.steps = None;
        self.gone = Some(Gone {
            leader: *pid,
            exit,
            finished_ns: now_ns,
            oom_killed: self.group.oom_killed(),
            memory_peak_bytes: self.group.memory_peak().unwrap_or(exit.memory_peak_bytes),
        });
        Ok(self.process.take().map(|process| process.pidfd))
    }

    /// Whether no process of it is left; gives its control groups back. If one is, it is killed again
    /// and watched as the straggler. Of a plain process without groups only `looks_max` times: one
    /// that cannot die is nothing to wait for.
    pub(crate) fn is_empty(&mut self, looks_max: u32) -> bool {
        self.straggler = None;
        let left = if self.group.exists() {
            if self.group.remove() {
                return true;
            }
            self.group.kill();
            self.group.member()
        } else if self.plain && self.looks < looks_max {
            match self.gone.and_then(|gone| process::group_member(gone.leader)) {
                None => return true,
                left => left,
            }
        } else {
            return true;
        };
        self.straggler = left.and_then(|pid| pidfd::open(pid).ok());
        false
    }

    /// The last word on it, once its process is reaped, its output read and its groups empty.
    pub(crate) fn conclude(&mut self) {
        let Some(Gone { exit, finished_ns, oom_killed, memory_peak_bytes, .. }) = self.gone else {
            return;
        };
        let message = self.termination.as_ref().map(TerminationFile::message).unwrap_or_default();
        self.log.close(&stamp(finished_ns));
        let log_bytes = self.log.bytes();
        let end = |running: &Running| {
            Phase::Ended(End {
                code: exit.code,
                signal: exit.signal,
                oom_killed,
                started_ns: running.started_ns,
                finished_ns,
                cpu_us: exit.cpu_us,
                memory_peak_bytes,
                message,
                log_bytes,
            })
        };
        match &self.phase {
            Phase::Running(running) => self.phase = end(running),
            Phase::Failing(failure) => self.phase = Phase::Failed(failure.clone()),
            Phase::Starting(_) | Phase::Failed(_) | Phase::Ended(_) => {}
        }
        self.base = None;
        self.inside = None;
        self.input = None;
    }
}
