//! Asking running containers how they are, and what is done about it.

use jiff::SignedDuration;
use spawner::protocol::{ContainerId, Exec, Executed, Request, Task};

use super::{
    Context, Event, GRACE_MAX_S, GRACE_MIN_S, PodMachine, Stage,
    container::Container,
    handler::OUTPUT_BYTES_MAX,
    hook::Moment,
    probe::{Answer, Kind, Verdict},
    restart,
    stop::Stop,
};
use crate::containers;

impl PodMachine {
    /// Makes the probes that are due, gives up those that took too long, and stops containers whose
    /// probes failed.
    pub(super) fn probe(&mut self, context: &mut Context) {
        if !context.connected {
            return;
        }
        let ending = !matches!(self.stage, Stage::Active);
        for index in 0..self.containers.len() {
            if !self.containers[index].is_probed() {
                continue;
            }
            while let Some((exec, verdict)) = self.late(index, ending, context) {
                let id = self.newest(index);
                context.send(Request::KillExec { id, exec });
                self.judge(index, verdict, context);
            }
            while let Some((exec, task)) = self.due(index, ending, context) {
                let (id, output_bytes_max) = (self.newest(index), OUTPUT_BYTES_MAX);
                let exec = Exec { id, exec, task, output_bytes_max, streams: None };
                context.send(Request::Exec(Box::new(exec)));
            }
        }
    }

    fn late(&mut self, index: usize, ending: bool, context: &Context) -> Option<(u64, Verdict)> {
        self.containers[index].probes.as_mut()?.take_late(ending, context.now)
    }

    fn due(&mut self, index: usize, ending: bool, context: &Context) -> Option<(u64, Task)> {
        self.containers[index].probes.as_mut()?.take_due(ending, context.now)
    }

    /// What a program in a container came to.
    pub(crate) fn executed(
        &mut self,
        id: &ContainerId,
        exec: u64,
        how: Executed,
        context: &mut Context,
    ) {
        let Some(index) = self.index_of(id) else { return };
        // What went down with the container says nothing of it.
        if matches!(how, Executed::Ended { with_container: true, .. }) {
            return;
        }
        if self.containers[index].attempt != id.attempt || !self.containers[index].runs() {
            return;
        }
        if let Some(moment) = Moment::of(exec) {
            return self.hook_answered(index, moment, how, context);
        }
        let container = &mut self.containers[index];
        let verdict = container.probes.as_mut().and_then(|p| p.answer(exec, how, context.now));
        let ending = !matches!(self.stage, Stage::Active);
        if let Some(verdict) = verdict
            && (!ending || verdict.kind == Kind::Readiness)
        {
            self.judge(index, verdict, context);
        }
    }

    fn judge(&mut self, index: usize, verdict: Verdict, context: &mut Context) {
        let kind = verdict.kind.name();
        match &verdict.answer {
            Answer::Success => {}
            Answer::Failure(output) => {
                self.event(Some(index), &Event::ProbeFailed { kind, output }, context);
            }
            Answer::Error(error) => {
                self.event(Some(index), &Event::ProbeErrored { kind, error }, context);
            }
        }
        if verdict.news {
            self.say_quietly(context);
        }
        if !verdict.stop {
            return;
        }
        let spec = containers::nth(&self.pod, index);
        let restarts = spec.is_some_and(|spec| restart::may_restart(self.policy, spec));
        let grace_s = verdict.grace_s.unwrap_or_else(|| self.spec_grace_s());
        let grace = SignedDuration::from_secs(grace_s.clamp(GRACE_MIN_S, GRACE_MAX_S));
        let container = &mut self.containers[index];
        let (name, role) = (container.name.clone(), container.role);
        container.stop = Some(Stop::new(context.now + grace, restarts));
        let event = Event::Unhealthy { role, container: &name, kind, restarts };
        self.event(Some(index), &event, context);
    }
}

impl Container {
    /// Whether it has started and has probes.
    pub(super) fn is_probed(&self) -> bool {
        self.probes.is_some() && self.post_start.is_none() && self.runs()
    }
}
