//! What happens to containers: reports, output, exits, deadlines.

use super::{Spawner, Token};
use crate::child::{Report, read_report};
use crate::container::{Phase, Process, Starting};
use crate::protocol::{ContainerId, Failure, Reply, Stage};
use crate::spawner::maker::no_child;
use crate::sys::starters::Done;
use crate::sys::{monotonic_ms, now_ns};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

/// How long output is awaited after the first process is gone: longer only if a process that
/// escaped, or another container, holds the pipe open.
const DRAIN_MS: i64 = 1000;

/// How soon a container with a process left is looked at again if that one did not end before: twice
/// as long each time, up to [`LOOK_MS_MAX`].
const LOOK_MS: i64 = 20;

/// The longest time between two looks.
const LOOK_MS_MAX: i64 = 5120;

/// How often the process group of a plain process without control groups is looked at: about 1.3 s if
/// nothing of it ends.
const GROUP_LOOKS_MAX: u32 = 6;

impl Spawner {
    /// Children that share memory are done with their steps.
    pub(super) fn on_bell(&mut self) {
        for Done { number, child, failed } in self.starters.done() {
            let Some(container) = self.containers.get_mut(&number) else { continue };
            match child {
                Some(Err(error)) => {
                    self.unmade(number, &error);
                    continue;
                }
                Some(Ok(child)) => container.process = Some(Process::of(child)),
                None => {}
            }
            if let Some(process) = &container.process
                && let Err(error) = self.epoll.add(process.pidfd.as_fd(), Token::Exit.pack(number))
            {
                complain!("watch {:?}: {error}", container.id);
            }
            self.on_begun(number, failed);
        }
    }

    /// There will be no child. That leaves no record, as if it had been known at once.
    fn unmade(&mut self, number: u32, error: &io::Error) {
        let Some(mut container) = self.containers.remove(&number) else { return };
        if let Some(at) = container.timer_ms.take() {
            self.timers.remove(&(at, number));
        }
        for source in container.sources.iter().flatten() {
            self.epoll.remove(source.pipe.as_fd());
        }
        container.group.remove();
        if let Ok(isolated) = &mut self.place.isolation {
            container.namespaces.into_iter().for_each(|namespace| isolated.pool.give(namespace));
        }
        let id = container.id;
        if self.numbers.get(&id) == Some(&number) {
            self.numbers.remove(&id);
            self.tell_failure(&id, no_child(error, now_ns()));
        }
        self.finish_pod(&id.pod);
    }

    /// The report pipe: closed by a successful `execve`, or the failure of a step.
    pub(super) fn on_report(&mut self, number: u32) {
        let container = self.containers.get(&number);
        let phase = container.map(|container| &container.phase);
        if let Some(Phase::Starting(Starting::Copying { report })) = phase {
            self.epoll.remove(report.as_fd());
            let failed = read_report(report.as_fd());
            self.on_begun(number, failed);
        }
    }

    /// A child has run its program, is gone, or has failed.
    fn on_begun(&mut self, number: u32, failed: Option<Report>) {
        let Some(container) = self.containers.get_mut(&number) else { return };
        container.hear(failed, now_ns());
        if let Some(at) = container.timer_ms.take() {
            self.timers.remove(&(at, number));
        }
        if let Phase::Running(running) = &container.phase {
            let reply = Reply::Started { id: container.id.clone(), running: running.clone() };
            let pidfd = container.process.as_ref().map(|process| Rc::clone(&process.pidfd));
            self.tell(&reply, pidfd);
        }
    }

    /// One of the two outputs has bytes or has ended.
    pub(super) fn on_output(&mut self, number: u32, index: usize) {
        if !self.await_terminal(number) {
            return;
        }
        let Some(container) = self.containers.get_mut(&number) else { return };
        match container.read_output(index, now_ns(), &mut self.scratch) {
            Ok(Some(0)) | Err(_) => {}
            Ok(Some(_)) if self.attached.is_empty() => return,
            Ok(Some(count)) => return self.hand_on(number, index, count),
            Ok(None) => return,
        }
        self.end_copies(number, index);
        let Some(container) = self.containers.get_mut(&number) else { return };
        if let Some(source) = container.sources[index].take() {
            self.epoll.remove(source.pipe.as_fd());
        }
        self.settle(number);
    }

    /// The first process has ended.
    pub(super) fn on_exit(&mut self, number: u32) {
        let Some(container) = self.containers.get(&number) else { return };
        if matches!(container.phase, Phase::Starting(_)) {
            self.on_report(number);
        }
        let Some(container) = self.containers.get_mut(&number) else { return };
        match container.reap(now_ns()) {
            Ok(None) => {}
            Ok(Some(pidfd)) => {
                self.epoll.remove(pidfd.as_fd());
                self.kill_execs_of(number);
                (0..2).for_each(|index| self.read_again(number, index));
                self.settle(number);
            }
            Err(error) => complain!("reap {:?}: {error}", container.id),
        }
    }

    /// If its process is reaped and its output read, give back its groups and say that it is over.
    pub(super) fn settle(&mut self, number: u32) {
        let Some(container) = self.containers.get_mut(&number) else { return };
        if container.gone.is_none() {
            return;
        }
        if let Some(at) = container.timer_ms.take() {
            self.timers.remove(&(at, number));
        }
        let drained = container.sources.iter().all(Option::is_none);
        if let Some(straggler) = &container.straggler {
            self.epoll.remove(straggler.as_fd());
        }
        let wait_ms = if !drained {
            DRAIN_MS
        } else if container.is_empty(GROUP_LOOKS_MAX) {
            return self.conclude(number);
        } else {
            (LOOK_MS << container.looks.min(8)).min(LOOK_MS_MAX)
        };
        if let Some(straggler) = &container.straggler
            && let Err(error) = self.epoll.add(straggler.as_fd(), Token::Straggler.pack(number))
        {
            complain!("watch {:?}: {error}", container.id);
        }
        let at = monotonic_ms() + wait_ms;
        container.timer_ms = Some(at);
        self.timers.insert((at, number));
    }

    /// Nothing of it is left. A start that was given up before has been reported already.
    fn conclude(&mut self, number: u32) {
        let Some(container) = self.containers.get_mut(&number) else { return };
        let id = container.id.clone();
        let told = container.is_over();
        container.conclude();
        let termination = container.termination.take();
        let room = container.room.take().filter(|_| matches!(container.phase, Phase::Ended(_)));
        container.port = None;
        let mut namespaces = std::mem::take(&mut container.namespaces);
        if let Ok(isolated) = &mut self.place.isolation {
            if let Some(room) = room {
                isolated.rooms.give(room, &mut namespaces, termination);
            }
            namespaces.into_iter().for_each(|namespace| isolated.pool.give(namespace));
        }
        if self.numbers.get(&id) != Some(&number) {
            self.containers.remove(&number);
        } else if !told {
            self.tell_end(number);
        }
        self.finish_pod(&id.pod);
    }

    /// Send the reply that a container's last state is.
    pub(super) fn tell_end(&mut self, number: u32) {
        let Some(container) = self.containers.get(&number) else { return };
        let id = container.id.clone();
        let reply = match &container.phase {
            Phase::Failed(failure) => Reply::Failed { id, failure: failure.clone() },
            Phase::Ended(end) => Reply::Ended { id, end: end.clone() },
            _ => return,
        };
        self.tell(&reply, None::<Rc<OwnedFd>>);
    }

    /// Look at the containers whose time has come.
    pub(super) fn fire_timers(&mut self) {
        while let Some(&(at, number)) = self.timers.first() {
            if at > monotonic_ms() {
                return;
            }
            self.timers.pop_first();
            self.on_timer(number);
        }
    }

    fn on_timer(&mut self, number: u32) {
        self.on_attached_timer(number);
        let Some(container) = self.containers.get_mut(&number) else { return };
        container.timer_ms = None;
        if let Phase::Starting(how) = &container.phase {
            // The child may hang beyond the reach of SIGKILL, but it will never run its program: the
            // server is told now, the child reaped whenever it goes.
            if let Starting::Copying { report } = how {
                self.epoll.remove(report.as_fd());
            }
            container.kill();
            container.phase = Phase::Failed(Failure {
                stage: Stage::Mount,
                errno: libc::ETIMEDOUT,
                message: format!(
                    "the root was not ready within {} s: a file system of the machine hangs",
                    self.start_deadline_ms / 1000
                ),
                at_ns: now_ns(),
            });
            let pod = container.id.pod.clone();
            if let Some(shared) = self.pods.get_mut(&pod).and_then(|pod| pod.shared.as_mut()) {
                shared.reusable = false;
            }
            self.tell_end(number);
            return self.finish_pod(&pod);
        }
        if container.gone.is_some() {
            container.looks += 1;
            for (index, token) in [Token::Stdout, Token::Stderr].into_iter().enumerate() {
                if let Some(source) = &container.sources[index] {
                    complain!("{:?}: {token:?} is still held open", container.id);
                    self.epoll.remove(source.pipe.as_fd());
                }
                container.abandon_output(index, now_ns(), &mut self.scratch);
            }
            (0..2).for_each(|index| self.end_copies(number, index));
            self.settle(number);
        }
    }

    /// If a pod is being ended and nothing of it is left, give back what it had and say so.
    pub(super) fn finish_pod(&mut self, pod: &str) {
        if !self.pods.get(pod).is_some_and(|pod| pod.ending) {
            return;
        }
        let over = |number: &u32| self.containers.get(number).is_none_or(|c| c.is_over());
        let all = self.of_pod(pod).all(|number| over(&number));
        if all {
            let shared = self.pods.remove(pod).and_then(|pod| pod.shared);
            if let (Some(shared), Ok(isolated)) = (shared, &mut self.place.isolation) {
                shared.give_back(&mut isolated.pool);
            }
            self.tell(&Reply::PodEnded { pod: pod.to_owned() }, None);
        }
    }

    /// The numbers of a pod's containers.
    pub(super) fn of_pod<'s>(&'s self, pod: &'s str) -> impl Iterator<Item = u32> + 's {
        let first = ContainerId { pod: pod.to_owned(), container: String::new(), attempt: 0 };
        self.numbers.range(first..).take_while(move |(id, _)| id.pod == pod).map(|(_, n)| *n)
    }
}
