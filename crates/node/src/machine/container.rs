//! One container of a pod: where its newest attempt stands and what became of the one before.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use kinds::types::core::v1::{
    Container as ContainerSpec, ContainerStateTerminated, ContainerStatus,
};

use super::{hook::PostStart, image::ImageWait, probe::Probes, stop::Stop, termination};
use crate::{ReadyImage, containers::Role};

/// A container of a pod that is not over.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// An init container that is done, or has started, so that the next one may begin.
    pub(crate) passed: bool,
    /// The newest attempt, started or to be started: `restartCount`.
    pub(crate) attempt: u32,
    pub(crate) state: State,
    /// How the attempt before the newest ended: `lastState`.
    pub(crate) last: Option<Ended>,
    /// Restarts since the back-off was last forgotten.
    pub(crate) back_off_steps: u32,
    /// Attempts that the spawner may still hold a record of.
    pub(crate) unforgotten: BTreeSet<u32>,
    /// The [`Container::progress`] that the newest durable status tells of.
    pub(crate) durable: u32,
    /// The [`Container::progress`] that must be durable before the spawner that took others along
    /// may be forgotten.
    pub(crate) owed: u32,
    /// What it does right after it started, while it has not done so.
    pub(crate) post_start: Option<PostStart>,
    /// Its end, if that was asked for.
    pub(crate) stop: Option<Stop>,
    /// Whether the event that it is being stopped is out.
    pub(crate) killing_said: bool,
    /// Its probes, if it has some.
    pub(crate) probes: Option<Box<Probes>>,
    /// The image that the newest attempt is started from, once it was found; `None` for the machine's
    /// own.
    pub(crate) image: Option<Arc<ReadyImage>>,
    /// `image` and `imageID` of the status, if they are others than the spec says.
    pub(crate) shown: Option<(String, String)>,
}

/// Where the newest attempt stands.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// An earlier server may have started it; the spawner will tell. `ran` if a status says so.
    Unknown { ran: bool },
    /// Not started yet.
    Waiting(Wait),
    /// The spawner was asked to start it.
    Starting,
    /// It runs.
    Running { started: Timestamp },
    /// It is over; the end of its log is being read.
    Closing(Ended),
    /// It is over.
    Stopped(Ended),
    /// It is over, and the next attempt begins at `until`.
    BackOff { until: Timestamp, delay_s: u32, ended: Ended },
}

/// Why the newest attempt has not started.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wait {
    /// Its turn comes when volumes, spawner and the durable record of the attempt are there.
    Creating,
    /// Something it needs is missing or cannot be had: tried again at `retry_at`.
    Blocked { reason: &'static str, message: String, retry_at: Timestamp },
    /// Its image is being looked for or pulled; `before` is how that failed before.
    Pulling { before: Option<ImageWait> },
    /// Its image is not there.
    Image(ImageWait),
}

/// A finished attempt: what the API says of it and the exact times.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ended {
    pub(crate) status: ContainerStateTerminated,
    pub(crate) started: Timestamp,
    pub(crate) finished: Timestamp,
}

impl Container {
    /// A container that nobody has started.
    pub(crate) fn new(role: Role, spec: &ContainerSpec) -> Self {
        Self {
            name: spec.name.clone(),
            role,
            passed: false,
            attempt: 0,
            state: State::Waiting(Wait::Creating),
            last: None,
            back_off_steps: 0,
            unforgotten: BTreeSet::new(),
            durable: 0,
            owed: 0,
            post_start: None,
            stop: None,
            killing_said: false,
            probes: if role.is_served() { Probes::of(spec) } else { None },
            image: None,
            shown: None,
        }
    }

    /// A container as a durable status of an earlier server has it.
    pub(crate) fn restored(
        role: Role,
        spec: &ContainerSpec,
        status: Option<&ContainerStatus>,
    ) -> Self {
        let mut container = Self::new(role, spec);
        container.state = State::Unknown { ran: false };
        let Some(status) = status else { return container };
        let shown = (status.image.clone(), status.image_id.clone());
        container.shown = (!shown.1.is_empty()).then_some(shown);
        container.attempt = status.restart_count.try_into().unwrap_or(0);
        container.back_off_steps = container.attempt;
        let last = status.last_state.as_ref().and_then(|s| s.terminated.clone()).map(Ended::read);
        let state = status.state.clone().unwrap_or_default();
        if let (Some(probes), Some(_)) = (&mut container.probes, &state.running) {
            probes.restore(status.started.unwrap_or(false), status.ready);
        }
        container.durable = 2 * container.attempt;
        if let Some(terminated) = state.terminated {
            container.state = State::Stopped(Ended::read(terminated));
            container.last = last;
        } else if let Some(ended) = last {
            // Waiting for the back-off: the newest attempt is the one that ended.
            if ended.attempt() == Some(container.attempt) {
                container.state = State::Stopped(ended);
            } else {
                container.state = State::Unknown { ran: state.running.is_some() };
                container.last = Some(ended);
            }
        } else {
            container.state = State::Unknown { ran: state.running.is_some() };
        }
        container.durable = container.progress();
        container.passed = match role {
            Role::Init => container.succeeded(),
            Role::Sidecar => status.started == Some(true),
            Role::Regular | Role::Ephemeral => false,
        };
        container.unforgotten = BTreeSet::from([container.attempt]);
        container
    }

    /// Rises by one with each thing that must be durable before something else may happen: twice
    /// the attempt, and one more once that attempt has ended.
    pub(crate) fn progress(&self) -> u32 {
        2 * self.attempt + u32::from(self.ended().is_some())
    }

    /// Whether what was lost of it with a spawner is known, and durably so.
    pub(crate) fn settled(&self) -> bool {
        !matches!(self.state, State::Unknown { .. }) && self.durable >= self.owed
    }

    /// The progress that is made once what has ended by now is on record.
    pub(crate) fn ended_progress(&self) -> u32 {
        let over =
            matches!(self.state, State::Closing(_) | State::Stopped(_) | State::BackOff { .. });
        (2 * self.attempt + u32::from(over)).saturating_sub(u32::from(!over))
    }

    /// How the newest attempt ended, if it has.
    pub(crate) fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Stopped(ended) | State::BackOff { ended, .. } => Some(ended),
            _ => None,
        }
    }

    /// Whether something of it may be running.
    pub(crate) fn alive(&self) -> bool {
        matches!(
            self.state,
            State::Unknown { .. } | State::Starting | State::Running { .. } | State::Closing(_)
        )
    }

    /// The next attempt is to be started.
    pub(crate) fn next_attempt(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Waiting(Wait::Creating));
        if let State::Stopped(ended) | State::BackOff { ended, .. } = state {
            self.last = Some(ended);
        }
        if let Some(probes) = &mut self.probes {
            probes.reset();
        }
        self.post_start = None;
        self.stop = None;
        self.attempt += 1;
        self.image = None;
        self.back_off_steps += 1;
    }

    /// Nothing will be started any more: an attempt that never began gives way to the one before it,
    /// and a regular container that never ran is recorded as lost, as upstream does, unless the pod
    /// was not `initialized`.
    pub(crate) fn settle(&mut self, initialized: bool, now: Timestamp) {
        let state = std::mem::replace(&mut self.state, State::Waiting(Wait::Creating));
        let lost = initialized && self.role == Role::Regular;
        self.state = match state {
            State::Waiting(wait) => match self.last.take() {
                Some(last) => State::Stopped(last),
                None if lost => State::Stopped(termination::never_located(now)),
                None => State::Waiting(wait),
            },
            State::BackOff { ended, .. } => State::Stopped(ended),
            other => other,
        };
    }
}

impl Ended {
    fn read(status: ContainerStateTerminated) -> Self {
        let time =
            |t: &Option<kinds::metav1::Time>| t.as_ref().map_or(Timestamp::UNIX_EPOCH, |t| t.0);
        Self { started: time(&status.started_at), finished: time(&status.finished_at), status }
    }

    /// Which attempt this was, read back from its container id.
    fn attempt(&self) -> Option<u32> {
        self.status.container_id.as_deref()?.rsplit_once('_')?.1.parse().ok()
    }
}
