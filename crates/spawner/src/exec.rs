//! A program that is run in a container beside its own: what is kept of its output, how it ended.

use crate::child::read_report;
use crate::container::Process;
use crate::protocol::{ContainerId, Executed, Failure};
use crate::step::Steps;
use crate::sys::files;
use crate::sys::process::{self, Exit};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

/// The most that is kept of each output, bytes, whatever is asked for.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// How often what is left in a pipe is read after the end: more than a full pipe needs. A process left
/// behind that goes on writing is not waited for.
const LAST_READS_MAX: u32 = 8;

/// One such program.
#[derive(Debug)]
pub(crate) struct Exec {
    pub(crate) id: ContainerId,
    /// The server's number of it.
    pub(crate) exec: u64,
    /// Whether what it leaves behind must be killed by group.
    pub(crate) plain: bool,
    pub(crate) phase: Phase,
    /// What its child does.
    pub(crate) steps: Steps,
    pub(crate) process: Option<Process>,
    pub(crate) exit: Option<Exit>,
    /// Output and errors, until their ends.
    pub(crate) pipes: [Option<OwnedFd>; 2],
    /// What is kept of them.
    pub(crate) kept: [Vec<u8>; 2],
    pub(crate) bytes_max: usize,
    /// Whether its streams were given away: they break when whoever has them is gone.
    pub(crate) streamed: bool,
    /// Whether whoever asked for it is gone: its number may mean another one by now.
    pub(crate) unheard: bool,
}

/// How far it is.
#[derive(Debug)]
pub(crate) enum Phase {
    /// The child does its steps.
    Starting { report: OwnedFd },
    /// Its program runs or has run.
    Running,
    /// A step failed.
    Failed(Failure),
}

impl Exec {
    /// How much is kept of each output when so much is asked for.
    pub(crate) fn bytes_max(asked: u32) -> usize {
        usize::try_from(asked).unwrap_or(OUTPUT_BYTES_MAX).min(OUTPUT_BYTES_MAX)
    }

    /// End it, and what it started unless that left its process group.
    pub(crate) fn kill(&self) {
        let Some(Process { pid, pidfd }) = &self.process else { return };
        // Before it has begun its session there is no such group.
        let _ = process::signal_group(*pid, libc::SIGKILL);
        let _ = process::signal(pidfd.as_fd(), libc::SIGKILL);
    }

    /// The report pipe has something.
    pub(crate) fn hear_report(&mut self, now_ns: i64) {
        let Phase::Starting { report } = &self.phase else { return };
        self.phase = match read_report(report.as_fd()) {
            None => {
                self.steps = Steps::default();
                Phase::Running
            }
            Some(report) => Phase::Failed(self.steps.failure(report, now_ns)),
        };
    }

    /// Read once from a pipe. Whether it is at its end.
    pub(crate) fn read(&mut self, index: usize, input: &mut [u8]) -> io::Result<bool> {
        let Some(pipe) = &self.pipes[index] else { return Ok(true) };
        let count = files::read(pipe.as_fd(), input)?;
        let kept = &mut self.kept[index];
        let room = self.bytes_max.saturating_sub(kept.len());
        kept.extend_from_slice(&input[..count.min(room)]);
        Ok(count == 0)
    }

    /// Reap it, if it has ended; its pidfd is given back then.
    pub(crate) fn reap(&mut self) -> io::Result<Option<Rc<OwnedFd>>> {
        let Some(Process { pid, pidfd }) = &self.process else { return Ok(None) };
        if self.plain {
            let _ = process::signal_group(*pid, libc::SIGKILL);
        }
        let Some(exit) = process::reap(pidfd.as_fd())? else { return Ok(None) };
        self.exit = Some(exit);
        Ok(self.process.take().map(|process| process.pidfd))
    }

    /// Read what is in the pipes without waiting for more.
    pub(crate) fn read_rest(&mut self, input: &mut [u8]) {
        for index in 0..self.pipes.len() {
            let there = |pipe: &OwnedFd| files::has_input(pipe.as_fd(), 0).unwrap_or(false);
            let mut reads = 0;
            while reads < LAST_READS_MAX && self.pipes[index].as_ref().is_some_and(there) {
                reads += 1;
                if !matches!(self.read(index, input), Ok(false)) {
                    break;
                }
            }
        }
    }

    /// Whether it was killed.
    pub(crate) fn is_killed(&self) -> bool {
        self.exit.is_some_and(|exit| exit.signal == Some(libc::SIGKILL))
    }

    /// What is told of it once it is reaped. `container_ends` says that the container does at this moment.
    pub(crate) fn outcome(&self, container_ends: bool) -> Executed {
        if let Phase::Failed(failure) = &self.phase {
            return Executed::Failed(failure.clone());
        }
        let [stdout, stderr] = &self.kept;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Executed::Ended {
            code: self.exit.and_then(|exit| exit.code),
            signal: self.exit.and_then(|exit| exit.signal),
            stdout: text(stdout),
            stderr: text(stderr),
            with_container: container_ends && self.is_killed(),
        }
    }
}
