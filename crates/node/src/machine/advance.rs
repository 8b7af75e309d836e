//! Every step a pod can take with what is known: one function that reads like a table of contents,
//! and the steps below it.

use jiff::{SignedDuration, Timestamp};

use super::{
    Cause, Context, Event, GRACE_DEFAULT_S, GRACE_MAX_S, GRACE_MIN_S, Mark, News, Phase,
    PodMachine, Release, Stage,
    container::State,
    events, phase, restart,
    status::{self, View},
};
use crate::{
    Output,
    containers::{self, Role},
};

impl PodMachine {
    /// Takes every step that is possible now.
    pub(crate) fn advance(&mut self, context: &mut Context) {
        if matches!(self.stage, Stage::Active) {
            self.check_deadline(context);
        }
        if matches!(self.stage, Stage::Active) {
            self.restart_ended(context);
            self.make_files(context);
            self.post_start(context);
            self.start_waiting(context);
            self.probe(context);
            self.stop_single(context);
            self.notice_completion(context);
        }
        if matches!(self.stage, Stage::Ending { .. }) {
            self.stop_all(context);
            self.probe(context);
            self.finish_ending(context);
        }
        self.say(context);
    }

    fn check_deadline(&mut self, context: &mut Context) {
        if self.deadline().is_some_and(|at| context.now >= at) {
            self.event(None, &Event::DeadlineExceeded, context);
            self.end(Cause::Deadline, self.grace_until(context.now), context);
        }
    }

    pub(super) fn spec_grace_s(&self) -> i64 {
        let spec = self.pod.spec.as_ref();
        spec.and_then(|s| s.termination_grace_period_seconds)
            .unwrap_or(GRACE_DEFAULT_S)
            .clamp(GRACE_MIN_S, GRACE_MAX_S)
    }

    /// When the spec's grace period is over if it begins now.
    pub(super) fn grace_until(&self, now: Timestamp) -> Timestamp {
        now + SignedDuration::from_secs(self.spec_grace_s())
    }

    /// Reads a deletion off the object: begins the end, or brings it nearer.
    pub(super) fn notice_deletion(&mut self, restored: bool, context: &mut Context) {
        let Some(deletion_s) = self.object.meta.deletion_s else { return };
        let grace_s = match self.object.draft().metadata.deletion_grace_period_seconds {
            // The time of the deletion counts for a server that was not there when it began.
            _ if restored => deletion_s - context.now.as_second(),
            Some(grace_s) => grace_s,
            None => self.spec_grace_s(),
        };
        let until =
            context.now + SignedDuration::from_secs(grace_s.clamp(GRACE_MIN_S, GRACE_MAX_S));
        self.end(Cause::Deletion, until, context);
    }

    /// A terminal phase that someone else wrote stays, and so the pod has to end.
    pub(super) fn notice_foreign_end(&mut self, context: &mut Context) {
        let phase = self.pod.status.as_ref().and_then(|s| s.phase.as_deref());
        if let Some(phase) = phase.and_then(Phase::terminal)
            && !matches!(self.stage, Stage::Over { .. })
        {
            let theirs = self.pod.status.clone().unwrap_or_default();
            self.status.phase = theirs.phase;
            self.status.reason = theirs.reason;
            self.status.message = theirs.message;
            self.end(Cause::Foreign(phase), self.grace_until(context.now), context);
        }
    }

    /// Begins the end of the pod; if it has begun, the earlier kill counts.
    pub(super) fn end(&mut self, why: Cause, at: Timestamp, context: &mut Context) {
        match &mut self.stage {
            Stage::Active => {
                self.stage = Stage::Ending { cause: why, until: at };
                self.say_quietly(context);
            }
            Stage::Ending { until, cause } => {
                *until = at.min(*until);
                if let Cause::Foreign(_) = why {
                    *cause = why;
                }
            }
            Stage::Over { .. } => {}
        }
    }

    /// Containers that ended and are to run again get their wait, and those that waited their turn.
    fn restart_ended(&mut self, context: &mut Context) {
        for index in 0..self.containers.len() {
            let code = self.containers[index].ended().map_or(0, |ended| ended.status.exit_code);
            let restarts = self.restarts(index, code);
            let container = &mut self.containers[index];
            match container.state.clone() {
                State::Stopped(ended) if restarts => {
                    let steps = container.back_off_steps;
                    container.back_off_steps =
                        restart::steps_after(steps, ended.started, ended.finished);
                    let delay_s = restart::delay_s(container.back_off_steps);
                    let until = ended.finished + SignedDuration::from_secs(delay_s.into());
                    if until <= context.now {
                        container.next_attempt();
                    } else {
                        container.state = State::BackOff { until, delay_s, ended };
                        self.back_off_event(index, context);
                    }
                    self.news = News::Urgent;
                }
                State::BackOff { until, .. } if until <= context.now => {
                    container.next_attempt();
                    self.news = News::Urgent;
                }
                _ => {}
            }
        }
    }

    /// Whether the container is started again after it ended with this code, or because of a probe.
    pub(super) fn restarts(&self, index: usize, exit_code: i32) -> bool {
        let container = &self.containers[index];
        match container.role {
            Role::Ephemeral => return false,
            Role::Init if exit_code == 0 => return false,
            _ => {}
        }
        if container.stop.as_ref().is_some_and(|stop| stop.restarts) {
            return true;
        }
        let spec = containers::nth(&self.pod, index);
        spec.is_some_and(|spec| restart::restarts(self.policy, spec, exit_code))
    }

    fn back_off_event(&self, index: usize, context: &mut Context) {
        let key = &self.object.key;
        let pod = format!("{}_{}({})", key.name, key.namespace, self.name);
        let container = self.containers[index].name.as_str();
        self.event(Some(index), &Event::BackOff { container, pod: &pod }, context);
    }

    fn finish_ending(&mut self, context: &mut Context) {
        let Stage::Ending { cause, .. } = self.stage else { return };
        if !self.containers.iter().any(super::Container::alive) {
            self.finish(cause, context);
        }
    }

    /// Nothing runs and nothing will: fixes the phase and gives everything back.
    fn finish(&mut self, cause: Cause, context: &mut Context) {
        let initialized = self.initialized();
        for container in &mut self.containers {
            container.settle(initialized, context.now);
        }
        let phase = match cause {
            Cause::Foreign(phase) => phase,
            Cause::Deadline => Phase::Failed,
            Cause::Deletion | Cause::Completion => phase::of_ended(&self.containers),
        };
        self.release_images(context);
        let preparing = self.volumes.underway();
        let release = Release::begin(self.uid, self.files, preparing, context);
        self.stage = Stage::Over { phase, cause, release };
        self.news = News::Urgent;
    }

    /// Gives out the status if there is something to say and it is time.
    fn say(&mut self, context: &mut Context) {
        let due = match self.news {
            News::Nothing => false,
            News::Quiet(until) => until <= context.now && !self.closing(),
            News::Urgent => true,
        };
        let unknown = |c: &super::Container| matches!(c.state, State::Unknown { .. });
        if !due || self.containers.iter().any(unknown) {
            return;
        }
        self.news = News::Nothing;
        let status = self.current_status(context);
        let terminal = matches!(self.stage, Stage::Over { .. });
        let progress = self.containers.iter().map(super::Container::progress).collect();
        self.told = Mark { progress, terminal };
        if status == self.status {
            return;
        }
        self.status = status.clone();
        context.out.push(Output::Status {
            key: self.object.key.clone(),
            uid: self.uid,
            status: Box::new(status),
        });
    }

    /// Whether the end of a container is about to be told.
    pub(super) fn closing(&self) -> bool {
        self.containers.iter().any(|c| matches!(c.state, State::Closing(_)))
    }

    fn current_status(&self, context: &Context) -> kinds::types::core::v1::PodStatus {
        let (phase, cause) = match &self.stage {
            Stage::Over { phase, cause, .. } => (*phase, Some(*cause)),
            _ => (phase::of_live(&self.containers), None),
        };
        let reason = (cause == Some(Cause::Deadline))
            .then_some(("DeadlineExceeded", events::DEADLINE_MESSAGE));
        let over = matches!(self.stage, Stage::Over { .. });
        let view = View {
            pod: &self.pod,
            uid: &self.name,
            containers: &self.containers,
            addresses: &self.addresses,
            phase,
            reason,
            ready_to_start: !over && self.ready_to_start,
            start_time: self.start_time,
            generation: self.object.meta.generation,
            config: context.config,
            now: context.now,
        };
        status::build(&view, &self.status)
    }
}
