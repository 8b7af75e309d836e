//! One attempt at a container, from its turn to its end.

use jiff::{SignedDuration, Timestamp};
use spawner::protocol::{ContainerId, Failure, Request, Running, Stage};

use super::{
    Context, Event, News, PodMachine,
    container::{Container, Ended, State, Wait},
    hook::{Hook, PostStart},
    image::ImageError,
    termination,
};
use crate::{
    Output,
    start::{self, Attempt, Refusal},
    volumes,
};

/// How long until a container that could not be created is tried again although nothing it waits
/// for was seen to change, seconds.
const BLOCKED_RETRY_S: i64 = 60;

impl Container {
    /// When it wants to be looked at, if it waits to be started.
    pub(super) fn due(&self) -> Option<Timestamp> {
        match &self.state {
            State::Waiting(Wait::Creating) => Some(Timestamp::MIN),
            State::Waiting(Wait::Blocked { retry_at, .. }) => Some(*retry_at),
            State::Waiting(Wait::Image(wait)) => Some(wait.until),
            State::BackOff { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// When time alone brings it on.
    pub(super) fn timer(&self, connected: bool) -> Option<Timestamp> {
        match &self.state {
            State::Waiting(Wait::Creating | Wait::Pulling { .. }) => None,
            State::Waiting(_) if !connected => None,
            _ => self.due(),
        }
    }

    /// Looks again at once if it waits for an object.
    pub(super) fn look_again(&mut self, now: Timestamp) {
        if let State::Waiting(Wait::Blocked { retry_at, .. }) = &mut self.state {
            *retry_at = now;
        }
    }

    /// The spawner is at it.
    pub(super) fn starting(&mut self) {
        if matches!(self.state, State::Unknown { .. } | State::Waiting(_)) {
            self.state = State::Starting;
        }
    }

    /// Its last words were read: now it has stopped.
    pub(super) fn words(&mut self, words: &str, containers: usize, now: Timestamp) {
        let state = std::mem::replace(&mut self.state, State::Waiting(Wait::Creating));
        self.state = match state {
            State::Closing(mut ended) => {
                termination::add_message(&mut ended, words, containers);
                // A clock that was set back must not make the back-off endless.
                ended.finished = ended.finished.min(now);
                State::Stopped(ended)
            }
            other => other,
        };
    }
}

impl PodMachine {
    /// Starts the newest attempt of a container if everything it needs is there.
    pub(super) fn start(&mut self, index: usize, context: &mut Context) {
        let container = &mut self.containers[index];
        if let State::Waiting(Wait::Image(wait)) = &mut container.state
            && matches!(wait.error, ImageError::Pull(_))
            && !wait.backing_off
        {
            wait.back_off(context.now);
            return self.image_backs_off(index, context);
        }
        let recorded =
            container.durable >= 2 * container.attempt || cfg!(feature = "planted-early-start");
        if !context.connected || !recorded {
            return;
        }
        let attempt = Attempt {
            pod: &self.pod,
            uid: &self.name,
            index,
            attempt: container.attempt,
            config: context.config,
            objects: context.objects,
            image: container.image.as_deref(),
        };
        match start::build(&attempt) {
            Ok(start) => {
                if self.containers[index].image.is_none() {
                    let image = self.image(index);
                    self.event(Some(index), &Event::Pulled { image: &image }, context);
                }
                let container = &mut self.containers[index];
                container.unforgotten.insert(container.attempt);
                container.state = State::Starting;
                context.send(Request::Start(Box::new(start)));
            }
            Err(Refusal::NoImageYet) => self.find_image(index, context),
            Err(Refusal::Config(text)) => {
                self.blocked(index, "CreateContainerConfigError", text, context);
            }
            Err(Refusal::Create(text)) => {
                self.blocked(index, "CreateContainerError", text, context)
            }
        }
    }

    /// Whether it has a network of its own.
    fn has_network(&self, context: &Context) -> bool {
        self.pod.spec.as_ref().is_none_or(|spec| spec.host_network != Some(true))
            && start::class_of(&self.pod, context.objects) != Ok(start::Class::Process)
    }

    fn blocked(
        &mut self,
        index: usize,
        reason: &'static str,
        message: String,
        context: &mut Context,
    ) {
        self.event(Some(index), &Event::Failed { what: &message }, context);
        let retry_at = context.now + SignedDuration::from_secs(BLOCKED_RETRY_S);
        self.containers[index].state = State::Waiting(Wait::Blocked { reason, message, retry_at });
        self.news = News::Urgent;
    }

    /// The container's own program runs.
    pub(super) fn started(&mut self, index: usize, running: &Running, context: &mut Context) {
        // Plain processes are where the server is.
        let addresses = match self.has_network(context) {
            true => running.addresses.iter().map(ToString::to_string).collect(),
            false => context.config.host_ips.clone(),
        };
        if self.addresses != addresses {
            self.addresses = addresses;
            self.say_quietly(context);
        }
        let hooked = self.has_post_start(index);
        let state = &mut self.containers[index].state;
        let first = matches!(state, State::Starting);
        let recalled = matches!(state, State::Unknown { .. });
        // A status that says that it runs also says that this was done.
        let hooked = hooked && !matches!(state, State::Unknown { ran: true });
        if first || matches!(state, State::Unknown { .. } | State::Waiting(_)) {
            let started = termination::timestamp(running.started_ns);
            *state = State::Running { started };
            let container = &mut self.containers[index];
            container.post_start = hooked.then_some(PostStart::Pending(Hook::Due));
            if let Some(probes) = container.probes.as_mut().filter(|_| !hooked) {
                probes.begin(started);
            }
            self.say_quietly(context);
        }
        if recalled {
            self.recall_image(index, context);
        }
        if first {
            self.event(Some(index), &Event::Created, context);
            self.event(Some(index), &Event::Started, context);
        }
    }

    /// The container's own program could not be run.
    pub(super) fn start_failed(
        &mut self,
        index: usize,
        id: &ContainerId,
        failure: &Failure,
        context: &mut Context,
    ) {
        if failure.stage == Stage::Within && self.containers[index].open() {
            // It never was: what is wrong is what the pod asks for, and may become right.
            self.containers[index].unforgotten.remove(&id.attempt);
            context.send(Request::Forget { id: id.clone() });
            let message = failure.message.clone();
            return self.blocked(index, "CreateContainerConfigError", message, context);
        }
        let argv0 = start::program(&self.pod, index, self.containers[index].image.as_deref());
        let ended = termination::of_failure(id, &argv0, failure);
        if self.containers[index].open() {
            let what = ended.status.message.clone().unwrap_or_default();
            self.event(Some(index), &Event::Failed { what: &what }, context);
        }
        self.close(index, ended, "", context);
    }

    /// The attempt is over and left these words; if there are none, its log may have some, which is
    /// read next.
    pub(super) fn close(&mut self, index: usize, ended: Ended, words: &str, context: &mut Context) {
        let container = &mut self.containers[index];
        if !container.open() {
            return;
        }
        let id = ContainerId {
            pod: self.name.clone(),
            container: container.name.clone(),
            attempt: container.attempt,
        };
        // Nothing counts that was left by what never ran, or by what nobody saw end.
        let reason = ended.status.reason.as_deref().unwrap_or_default();
        let silent = matches!(reason, "StartError" | "ContainerStatusUnknown");
        let words = if silent { "" } else { words };
        let log = !silent && words.is_empty() && ended.status.exit_code != 0;
        container.state = State::Closing(ended);
        let read = log.then(|| volumes::termination(&self.pod, index, &id, context.config));
        match read.flatten() {
            Some(read) => context.out.push(Output::ReadTermination { id, read: Box::new(read) }),
            None => {
                let count = self.containers.len();
                self.containers[index].words(words, count, context.now);
                self.news = News::Urgent;
            }
        }
    }

    /// A spawner that answered does not know the newest attempt of this container. `never_started`
    /// says that one that nobody saw run cannot have been started.
    pub(super) fn unknown_to_spawner(
        &mut self,
        index: usize,
        never_started: bool,
        context: &mut Context,
    ) {
        let container = &mut self.containers[index];
        let (lost, started) = match container.state {
            // It was never started, or its start never arrived.
            State::Unknown { ran: false } | State::Starting if never_started => {
                container.state = State::Waiting(Wait::Creating);
                return self.say_quietly(context);
            }
            State::Unknown { .. } | State::Starting => (true, Timestamp::UNIX_EPOCH),
            State::Running { started } => (true, started),
            _ => (false, Timestamp::UNIX_EPOCH),
        };
        if lost {
            container.owed = container.owed.max(2 * container.attempt + 1);
            container.unforgotten.remove(&container.attempt);
            let id = ContainerId {
                pod: self.name.clone(),
                container: container.name.clone(),
                attempt: container.attempt,
            };
            self.close(index, termination::lost(&id, started, context.now), "", context);
        }
    }
}

impl Container {
    /// Whether the end of the newest attempt is still to come.
    fn open(&self) -> bool {
        matches!(
            self.state,
            State::Unknown { .. } | State::Waiting(_) | State::Starting | State::Running { .. }
        )
    }
}
