//! How a running container is brought to its end: it waits for its turn, is asked to stop, and is
//! killed if it still runs when its grace period is over.

use jiff::{SignedDuration, Timestamp};
use spawner::protocol::Request;

use super::{
    Context, Event, GRACE_MIN_S, PodMachine, Stage,
    container::{Container, State},
    hook::Hook,
};
use crate::{containers::Role, start};

/// The end of a container, once it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    /// When its grace period is over.
    until: Timestamp,
    /// What it does before it is asked to stop, while it has not done so.
    pub(super) hook: Option<Hook>,
    /// When it is killed, once it was asked to stop: later than `until` if that was late.
    kill_at: Option<Timestamp>,
    /// Whether the stop signal is out since the spawner last connected.
    told: bool,
    killed: bool,
    /// Whether it is started again, however it ends.
    pub(crate) restarts: bool,
}

/// What the spawner is asked for next.
enum Order {
    Signal,
    Kill,
}

impl Stop {
    /// Begins now and is over at `until`.
    pub(crate) fn new(until: Timestamp, restarts: bool) -> Self {
        Self { until, hook: Some(Hook::Due), kill_at: None, told: false, killed: false, restarts }
    }

    /// Whoever was told is gone or has forgotten it.
    pub(crate) fn reconnected(&mut self) {
        (self.told, self.killed) = (false, false);
        if let Some(hook) = &mut self.hook {
            hook.reconnected();
        }
    }

    /// When its grace period is over.
    pub(super) fn until(&self) -> Timestamp {
        self.until
    }

    /// The pod ends, and its grace period is over then.
    fn bring_nearer(&mut self, until: Timestamp) {
        if until < self.until {
            self.until = until;
            self.kill_at = self.kill_at.map(|at| at.min(until));
        }
    }

    /// When time alone brings it on.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        let until = self.kill_at.filter(|_| self.told).unwrap_or(self.until);
        let hook = self.hook.as_ref().and_then(Hook::wake_at);
        (!self.killed).then(|| hook.map_or(until, |hook| until.min(hook)))
    }

    fn next(&mut self, turn: bool, now: Timestamp) -> Option<Order> {
        if !self.told {
            if !turn && now < self.until {
                return None;
            }
            self.told = true;
            let least = now + SignedDuration::from_secs(GRACE_MIN_S);
            self.kill_at.get_or_insert(self.until.max(least));
            return Some(Order::Signal);
        }
        let due = !self.killed && self.kill_at.is_some_and(|at| at <= now);
        self.killed |= due;
        due.then_some(Order::Kill)
    }
}

impl Container {
    /// Whether it could be asked to stop.
    pub(super) fn runs(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// Whether it runs or is being started.
    pub(super) fn may_be_killed(&self) -> bool {
        self.runs() || matches!(self.state, State::Starting)
    }
}

impl PodMachine {
    /// Brings everything that runs to its end, sidecars last and in reverse order.
    pub(super) fn stop_all(&mut self, context: &mut Context) {
        let Stage::Ending { until, .. } = self.stage else { return };
        if !context.connected {
            return;
        }
        for index in 0..self.containers.len() {
            let starting = matches!(self.containers[index].state, State::Starting);
            if !starting && !self.containers[index].runs() {
                continue;
            }
            self.containers[index]
                .stop
                .get_or_insert_with(|| Stop::new(until, false))
                .bring_nearer(until);
            match starting {
                true => self.stop_starting(index, context),
                false => {
                    self.say_killing(index, context);
                    self.go_on_stopping(index, self.may_stop(index), context);
                }
            }
        }
    }

    /// Containers that are stopped because of what they did themselves.
    pub(super) fn stop_single(&mut self, context: &mut Context) {
        for index in 0..self.containers.len() {
            let container = &self.containers[index];
            if context.connected && container.runs() && container.stop.is_some() {
                self.go_on_stopping(index, true, context);
            }
        }
    }

    /// Whether everything ended that has to end before this one.
    fn may_stop(&self, index: usize) -> bool {
        let before = |c: &Container| c.role.is_served() && c.alive();
        let later = &self.containers[index + 1..];
        self.containers[index].role != Role::Sidecar || !later.iter().any(before)
    }

    fn say_killing(&mut self, index: usize, context: &mut Context) {
        let container = &mut self.containers[index];
        if !std::mem::replace(&mut container.killing_said, true) {
            let name = container.name.clone();
            self.event(Some(index), &Event::Killing { container: &name }, context);
        }
    }

    /// What is only being started cannot be asked, but killed.
    fn stop_starting(&mut self, index: usize, context: &mut Context) {
        let id = self.newest(index);
        let Some(stop) = &mut self.containers[index].stop else { return };
        if context.now >= stop.until && !std::mem::replace(&mut stop.killed, true) {
            context.send(Request::Kill { id });
        }
    }

    fn go_on_stopping(&mut self, index: usize, turn: bool, context: &mut Context) {
        if !self.pre_stopped(index, context) {
            return;
        }
        let id = self.newest(index);
        let container = &mut self.containers[index];
        let signal = start::stop_signal(container.image.as_deref());
        let Some(stop) = &mut container.stop else { return };
        while let Some(order) = stop.next(turn, context.now) {
            context.send(match order {
                Order::Signal => Request::Signal { id: id.clone(), signal },
                Order::Kill => Request::Kill { id: id.clone() },
            });
        }
    }
}
