//! Whose turn it is: init containers one after the other, then the regular ones together.

use super::{
    Cause, Context, News, PodMachine,
    container::{Container, State},
    hook::PostStart,
};
use crate::{containers::Role, start};

impl Container {
    /// Whether the next one may begin: it succeeded and that is on record, or it has started.
    fn lets_pass(&self) -> bool {
        match self.role {
            Role::Init => self.succeeded() && self.durable > 2 * self.attempt,
            Role::Sidecar => self.has_started(),
            Role::Regular | Role::Ephemeral => true,
        }
    }

    /// Whether it is being started, or does what it has to do right after.
    fn is_beginning(&self) -> bool {
        matches!(self.state, State::Starting)
            || self.runs() && matches!(self.post_start, Some(PostStart::Pending(_)))
    }

    /// Whether it ended well.
    pub(super) fn succeeded(&self) -> bool {
        self.ended().is_some_and(|ended| ended.status.exit_code == 0)
    }

    /// `started` of its status.
    pub(super) fn has_started(&self) -> bool {
        let runs = matches!(self.state, State::Running { .. } | State::Closing(_));
        runs && self.post_start.is_none()
            && self.probes.as_ref().is_none_or(|probes| probes.started())
    }
}

impl PodMachine {
    /// Starts what waits and whose turn has come.
    pub(super) fn start_waiting(&mut self, context: &mut Context) {
        if !self.volumes.there() {
            return;
        }
        for index in 0..self.containers.len() {
            if self.containers[index].role == Role::Ephemeral {
                return self.start_ephemeral(context);
            }
            if self.containers[index].due().is_some_and(|due| due <= context.now) {
                self.start(index, context);
            }
            if self.has_post_start(index) && self.containers[index].is_beginning() {
                return self.start_ephemeral(context);
            }
            let container = &mut self.containers[index];
            if container.role.is_early() && !container.passed {
                if !container.lets_pass() {
                    return self.start_ephemeral(context);
                }
                container.passed = true;
            }
        }
    }

    /// Ephemeral containers wait for no others, unless there is one whose namespaces they share.
    fn start_ephemeral(&mut self, context: &mut Context) {
        let Some(spec) = &self.pod.spec else { return };
        if start::starts_once(spec) && !self.containers[0].runs() {
            return;
        }
        for index in 0..self.containers.len() {
            let container = &self.containers[index];
            let due = container.due().is_some_and(|due| due <= context.now);
            if container.role == Role::Ephemeral && due {
                self.start(index, context);
            }
        }
    }

    /// Whether an earlier server or spawner may have started the newest attempt of a container: every
    /// init container before it is on record as done, or it waits for none.
    pub(super) fn had_turn(&self, index: usize) -> bool {
        let done = |c: &Container| c.role != Role::Init || c.lets_pass();
        let waits = self.containers[index].role != Role::Ephemeral;
        !waits || self.containers[..index].iter().all(done)
    }

    /// Whether all init containers were done once.
    pub(super) fn initialized(&self) -> bool {
        self.containers.iter().all(|c| !c.role.is_early() || c.passed)
    }

    /// The pod's namespaces went with their spawner: what init containers made of them has to be made
    /// again, unless nothing is left to start.
    pub(super) fn initialize_again(&mut self) {
        if self.completed() || self.broken() {
            return;
        }
        for container in self.containers.iter_mut().filter(|c| c.role.is_early()) {
            container.passed = false;
            if container.role == Role::Init && container.succeeded() {
                container.next_attempt();
                container.back_off_steps -= 1;
                container.owed = container.owed.max(2 * container.attempt);
                self.news = News::Urgent;
            }
        }
    }

    /// Whether every regular container has ended for good.
    fn completed(&self) -> bool {
        let ended = |index: usize, c: &Container| match &c.state {
            State::Stopped(ended) => !self.restarts(index, ended.status.exit_code),
            _ => false,
        };
        let mut all = self.containers.iter().enumerate();
        all.all(|(index, c)| c.role != Role::Regular || ended(index, c))
    }

    /// Whether an init container has failed for good.
    fn broken(&self) -> bool {
        let failed = |index: usize, c: &Container| match &c.state {
            State::Stopped(ended) => {
                let code = ended.status.exit_code;
                code != 0 && !self.restarts(index, code)
            }
            _ => false,
        };
        let mut all = self.containers.iter().enumerate();
        all.any(|(index, c)| c.role == Role::Init && failed(index, c))
    }

    /// Ends the pod when its containers have done what they are for, or never will: sidecars do not
    /// keep it.
    pub(super) fn notice_completion(&mut self, context: &mut Context) {
        if self.completed() || self.broken() {
            let until = self.grace_until(context.now);
            self.end(Cause::Completion, until, context);
        }
    }
}
