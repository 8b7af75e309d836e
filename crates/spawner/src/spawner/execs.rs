//! Programs that are run in containers which run already. They belong to the connection they were asked
//! for on: nobody would hear how they ended after it.

use super::{Spawner, Token};
use crate::child;
use crate::container::{Phase as ContainerPhase, Process};
use crate::exec::{Exec, Phase};
use crate::plan::{self, refused};
use crate::protocol::{ContainerId, Exec as Request, Executed, Failure, Reply, Stage, Task};
use crate::stdio::{Parted, Pipes};
use crate::sys::{files, now_ns, process};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// The most such programs at one time.
const EXECS_MAX: usize = 1024;

/// Those of them that have streams, so that they leave room for probes: nobody ends them but
/// themselves and their containers.
const STREAMED_MAX: usize = 768;

impl Spawner {
    /// Run a program in a container, or say why not.
    pub(super) fn exec(&mut self, request: &Request) {
        if let Err(failure) = self.try_exec(request) {
            let (id, exec) = (request.id.clone(), request.exec);
            self.tell(&Reply::Executed { id, exec, how: Executed::Failed(failure) }, None);
        }
    }

    fn try_exec(&mut self, request: &Request) -> Result<(), Failure> {
        let now = now_ns();
        let fail =
            |stage, what: &'static str| move |error: io::Error| refused(stage, &error, what, now);
        let number = self.numbers.get(&request.id);
        let container = number.and_then(|number| self.containers.get(number));
        let running = container.filter(|c| matches!(c.phase, ContainerPhase::Running(_)));
        let Some((container, first)) = running.and_then(|c| Some((c, c.process.as_ref()?))) else {
            let error = io::Error::from_raw_os_error(libc::ESRCH);
            return Err(refused(Stage::Clone, &error, "the container does not run", now));
        };
        let streamed = self.execs.values().filter(|exec| exec.streamed).count();
        if self.execs.len() >= EXECS_MAX || request.streams.is_some() && streamed >= STREAMED_MAX {
            let error = io::Error::from_raw_os_error(libc::EAGAIN);
            return Err(refused(Stage::Clone, &error, "too many programs at one time", now));
        }
        let streams = request.streams.unwrap_or_default();
        let pipes = Pipes::make(streams.stdin, streams.terminal);
        let pipes = pipes.map_err(fail(Stage::Clone, "pipes"))?;
        let report = files::pipe().map_err(fail(Stage::Clone, "pipes"))?;
        let around = self.surroundings(&pipes, Some(&report.1));
        let joins = container.group.joins().map_err(fail(Stage::Cgroup, "control groups"))?;
        let first = first.pidfd.as_fd();
        let inside = container.inside.as_ref().ok_or_else(|| {
            let error = io::Error::from_raw_os_error(libc::ESRCH);
            refused(Stage::Clone, &error, "the container does not run", now)
        })?;
        let steps = plan::exec(inside, &request.task, &around, first.as_raw_fd(), joins)
            .map_err(fail(Stage::Exec, "what is to be run"))?;
        let work = || child::run_and_report(&steps, report.1.as_raw_fd());
        // Who only connects is none of the container's.
        let one_of_it = matches!(request.task, Task::Program(_));
        let group = container.group.target().filter(|_| one_of_it);
        let born = || process::clone_child(0, group, work);
        let child = match one_of_it && inside.is_isolated() {
            true => process::within(first, libc::CLONE_NEWPID, c"/proc/self/ns/pid", born),
            false => born(),
        };
        let child = child.map_err(fail(Stage::Clone, "new process"))?;
        let Parted { given, fds, kept } = pipes.part(streams);
        let exec = Exec {
            id: request.id.clone(),
            exec: request.exec,
            plain: container.plain,
            phase: Phase::Starting { report: report.0 },
            steps,
            process: Some(Process::of(child)),
            exit: None,
            pipes: kept,
            kept: [Vec::new(), Vec::new()],
            bytes_max: Exec::bytes_max(request.output_bytes_max),
            streamed: request.streams.is_some(),
            unheard: false,
        };
        self.follow(exec);
        if request.streams.is_some() {
            let (id, number) = (request.id.clone(), request.exec);
            self.tell(&Reply::Given { id, number, given }, fds);
        }
        Ok(())
    }

    fn follow(&mut self, exec: Exec) {
        let number = self.next_number();
        let watch = |fd: std::os::fd::BorrowedFd, kind: Token| {
            if let Err(error) = self.epoll.add(fd, kind.pack(number)) {
                complain!("watch a program in {:?}: {error}", exec.id);
            }
        };
        if let Phase::Starting { report } = &exec.phase {
            watch(report.as_fd(), Token::ExecReport);
        }
        for (pipe, token) in exec.pipes.iter().zip([Token::ExecStdout, Token::ExecStderr]) {
            if let Some(pipe) = pipe {
                watch(pipe.as_fd(), token);
            }
        }
        if let Some(process) = &exec.process {
            watch(process.pidfd.as_fd(), Token::ExecExit);
        }
        self.execs.insert(number, exec);
    }

    /// Its report pipe: closed by a successful `execve`, or the failure of a step.
    pub(super) fn on_exec_report(&mut self, number: u32) {
        let Some(exec) = self.execs.get_mut(&number) else { return };
        if let Phase::Starting { report } = &exec.phase {
            self.epoll.remove(report.as_fd());
        }
        exec.hear_report(now_ns());
    }

    /// One of its outputs has bytes or has ended.
    pub(super) fn on_exec_output(&mut self, number: u32, index: usize) {
        let Some(exec) = self.execs.get_mut(&number) else { return };
        if let Ok(false) = exec.read(index, &mut self.scratch.input) {
            return;
        }
        if let Some(pipe) = exec.pipes[index].take() {
            self.epoll.remove(pipe.as_fd());
        }
    }

    /// It has ended: what it said so far is told at once, whoever else holds its output open.
    pub(super) fn on_exec_exit(&mut self, number: u32) {
        self.on_exec_report(number);
        let Some(exec) = self.execs.get_mut(&number) else { return };
        match exec.reap() {
            Ok(None) => return,
            Ok(Some(pidfd)) => self.epoll.remove(pidfd.as_fd()),
            Err(error) => return complain!("reap a program in {:?}: {error}", exec.id),
        }
        let Some(mut exec) = self.execs.remove(&number) else { return };
        exec.read_rest(&mut self.scratch.input);
        for pipe in exec.pipes.iter().flatten() {
            self.epoll.remove(pipe.as_fd());
        }
        if !exec.unheard {
            let ends = exec.is_killed() && !self.goes_on(&exec.id);
            let how = exec.outcome(ends);
            self.tell(&Reply::Executed { id: exec.id, exec: exec.exec, how }, None);
        }
    }

    /// Whether a container's first process is there and not on its way out. A PID namespace takes all
    /// others along before its first is seen to have ended.
    fn goes_on(&self, id: &ContainerId) -> bool {
        let container = self.numbers.get(id).and_then(|number| self.containers.get(number));
        let first = container.and_then(|container| container.process.as_ref());
        first.is_some_and(|first| !process::is_exiting(first.pid))
    }

    /// End one of them.
    pub(super) fn kill_exec(&self, id: &ContainerId, exec: u64) {
        let asked = |e: &&Exec| e.id == *id && e.exec == exec && !e.unheard;
        self.execs.values().filter(asked).for_each(Exec::kill);
    }

    /// End those of a container that is over. Where it had a PID namespace they are gone.
    pub(super) fn kill_execs_of(&self, number: u32) {
        if let Some(container) = self.containers.get(&number) {
            self.execs.values().filter(|exec| exec.id == container.id).for_each(Exec::kill);
        }
    }

    /// End all but those whose streams break: there is nobody to tell.
    pub(super) fn kill_execs(&mut self) {
        for exec in self.execs.values_mut() {
            exec.unheard = true;
            if !exec.streamed {
                exec.kill();
            }
        }
    }
}
