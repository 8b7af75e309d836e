//! The machine of one pod. Inputs change what it knows; [`PodMachine::advance`] then takes every step
//! that is possible with what is known, so that a lost, late or doubled input costs nothing but time.
//!
//! An attempt at a container is recorded durably before it is started: attempt 0 by the pod being
//! bound, attempt n by a status with restart count n. So whatever dies when, an attempt is started
//! at most once, and one whose end was not seen is never a success.

mod advance;
mod conditions;
mod container;
mod events;
mod files;
mod handler;
mod hook;
mod image;
mod launch;
mod phase;
mod probe;
mod probing;
mod release;
mod restart;
mod sequence;
mod status;
mod stop;
mod termination;

use std::{collections::VecDeque, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use kinds::{
    Key, Object, Revision, Uid,
    types::core::v1::{Pod, PodStatus},
};
use spawner::protocol::{ContainerId, Record, Request, State as SpawnerState};

pub(crate) use self::{
    container::Container,
    events::{Event, EventLimit},
    image::{is_host as is_host_image, root as image_root},
    phase::Phase,
    release::{Over, Release},
};
use self::{container::State, files::Files, restart::Policy};
use crate::{
    Config, Lookup, Output,
    containers::{self, Role},
};

/// The shortest time between the stop signal and the kill, seconds.
const GRACE_MIN_S: i64 = 2;
/// The longest, seconds: a spec may name more than the calendar holds.
const GRACE_MAX_S: i64 = i32::MAX as i64;
/// The grace period of a pod that names none, seconds.
const GRACE_DEFAULT_S: i64 = 30;

/// The world around a pod machine during one input.
pub(crate) struct Context<'a> {
    pub(crate) now: Timestamp,
    pub(crate) config: &'a Config,
    pub(crate) objects: &'a dyn Lookup,
    /// Whether a spawner can be asked.
    pub(crate) connected: bool,
    pub(crate) events: &'a mut EventLimit,
    pub(crate) out: &'a mut Vec<Output>,
}

impl Context<'_> {
    fn send(&mut self, request: Request) {
        self.out.push(Output::Spawner(request));
    }
}

/// A pod whose terminal status is not yet durable.
#[derive(Clone, Debug)]
pub(crate) struct PodMachine {
    uid: Uid,
    /// `uid` as text, as the spawner names the pod.
    name: String,
    /// The newest durable revision.
    object: Arc<Object>,
    /// `object`, read when the spec was last looked at.
    pod: Pod,
    policy: Policy,
    containers: Vec<Container>,
    stage: Stage,
    volumes: Files,
    /// Whether it has, or may have, a directory.
    files: bool,
    /// Whether it asked for images, which are then in use by it.
    images: bool,
    /// Condition `PodReadyToStartContainers`, while the pod is not over.
    ready_to_start: bool,
    start_time: Timestamp,
    /// The pod's addresses, once a container of it runs, unless it is on the host network.
    addresses: Vec<String>,
    /// The status given out last, or found at first sight.
    status: PodStatus,
    news: News,
    /// What the status given out last tells of.
    told: Mark,
    /// Statuses that were written and are not yet durable.
    written: VecDeque<(Revision, Mark)>,
    /// Whether a terminal status is durable.
    recorded: bool,
}

/// How far along the pod is.
#[derive(Clone, Debug)]
enum Stage {
    /// Containers are started, and started again.
    Active,
    /// Containers are being stopped; their grace period is over at `until`.
    Ending { cause: Cause, until: Timestamp },
    /// Nothing runs any more.
    Over { phase: Phase, cause: Cause, release: Release },
}

/// Why a pod is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// Its regular containers have ended, or an init container failed for good.
    Completion,
    /// Its object is being deleted.
    Deletion,
    /// It outlived `spec.activeDeadlineSeconds`.
    Deadline,
    /// Someone else gave it a terminal phase, which stays.
    Foreign(Phase),
}

/// Whether the pod has something to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum News {
    Nothing,
    /// Nobody decides anything by it: it may wait for more until then.
    Quiet(Timestamp),
    Urgent,
}

/// What a status tells of, as far as something waits for its being durable.
#[derive(Clone, Debug, Default, PartialEq)]
struct Mark {
    /// [`Container::progress`] of each container.
    progress: Vec<u32>,
    terminal: bool,
}

impl PodMachine {
    /// A pod at first sight. `restored` says that an earlier server may have run it.
    pub(crate) fn new(object: Arc<Object>, restored: bool, context: &mut Context) -> Self {
        let pod = containers::of(&object, &[]);
        let status = pod.status.clone().unwrap_or_default();
        let containers = containers_of(&pod, &status, restored);
        let policy = Policy::parse(pod.spec.as_ref().and_then(|s| s.restart_policy.as_deref()));
        let start_time = status.start_time.as_ref().map(|t| t.0);
        let mut machine = Self {
            uid: object.meta.uid,
            name: object.meta.uid.to_string(),
            policy,
            stage: Stage::Active,
            volumes: Files::new(context.now),
            files: restored,
            images: restored && image::any_to_find(pod.spec.as_ref(), context.config),
            ready_to_start: conditions::ready_to_start(&status),
            start_time: start_time.unwrap_or(context.now),
            addresses: status.pod_ips.iter().flatten().map(|ip| ip.ip.clone()).collect(),
            news: News::Nothing,
            told: Mark::default(),
            written: VecDeque::new(),
            recorded: false,
            containers,
            status,
            pod,
            object,
        };
        machine.say_quietly(context);
        machine.notice_deletion(restored, context);
        machine
    }

    /// A later durable revision of the pod.
    pub(crate) fn seen(&mut self, object: Arc<Object>, context: &mut Context) {
        if object.meta.revision <= self.object.meta.revision {
            return;
        }
        let revision = object.meta.revision;
        let own = self.written.back().is_some_and(|(written, _)| *written == revision);
        while self.written.front().is_some_and(|(written, _)| *written <= revision) {
            let (_, mark) = self.written.pop_front().expect("it was just looked at");
            self.durable(&mark, context);
        }
        let deleting_before = self.object.meta.deletion_s;
        let generation_before = self.object.meta.generation;
        self.object = object;
        let over = matches!(self.stage, Stage::Over { .. });
        if !over && (!own || generation_before != self.object.meta.generation) {
            let pod = self.read();
            let before = std::mem::replace(&mut self.pod, pod);
            self.meet_new();
            self.volumes.pod_changed(&before, &self.pod, context.now);
            conditions::adopt(&mut self.status, self.pod.status.as_ref());
            self.notice_foreign_end(context);
            // A gate may have opened, and the generation seen is told.
            self.say_quietly(context);
        }
        if deleting_before != self.object.meta.deletion_s {
            self.notice_deletion(false, context);
        }
    }

    /// The status given out last is in this revision.
    pub(crate) fn wrote(&mut self, revision: Revision, context: &mut Context) {
        let mark = self.told.clone();
        match revision <= self.object.meta.revision {
            true => self.durable(&mark, context),
            false => self.written.push_back((revision, mark)),
        }
    }

    /// The pod's directory is gone.
    pub(crate) fn cleaned_up(&mut self) {
        if let Stage::Over { release, .. } = &mut self.stage {
            release.cleaned_up();
        }
    }

    /// The spawner holds nothing of the pod any more.
    pub(crate) fn pod_ended(&mut self, context: &mut Context) {
        if let Stage::Over { release, .. } = &mut self.stage {
            release.pod_ended(context);
        }
    }

    /// An object changed: what waits for one looks again.
    pub(crate) fn object_changed(&mut self, key: &Key, now: Timestamp) {
        if !key.namespace.is_empty() && key.namespace != self.object.key.namespace {
            return;
        }
        self.volumes.object_changed(key, now);
        self.containers.iter_mut().for_each(|c| c.look_again(now));
    }

    /// A spawner answered, and this is what it knows of the pod.
    pub(crate) fn connected(
        &mut self,
        records: Vec<Record>,
        same_instance: bool,
        context: &mut Context,
    ) {
        if let Stage::Over { release, .. } = &mut self.stage {
            release.connected(Vec::new(), context);
        }
        let mut known = vec![false; self.containers.len()];
        for record in records {
            let index = self.index_of(&record.id);
            if let Some(index) = index
                && self.containers[index].attempt == record.id.attempt
            {
                known[index] = true;
            }
            self.report(&record.id, record.state, context);
        }
        for (index, known) in known.into_iter().enumerate() {
            let had_turn = self.had_turn(index);
            let container = &mut self.containers[index];
            if let Some(stop) = &mut container.stop {
                stop.reconnected();
            }
            if let Some(hook) = &mut container.post_start {
                hook.reconnected();
            }
            if let Some(probes) = &mut container.probes {
                probes.reconnected();
            }
            if !known {
                self.unknown_to_spawner(index, same_instance || !had_turn, context);
            }
            if !same_instance {
                let container = &mut self.containers[index];
                container.owed = container.owed.max(container.ended_progress());
            }
        }
        if !same_instance && matches!(self.stage, Stage::Active) {
            self.initialize_again();
        }
    }

    /// What the spawner says of one attempt, asked or unasked.
    pub(crate) fn report(&mut self, id: &ContainerId, state: SpawnerState, context: &mut Context) {
        let Some(index) = self.index_of(id) else { return };
        let container = &mut self.containers[index];
        if id.attempt != container.attempt {
            // An attempt long over: a later one was recorded only after its end was.
            if matches!(state, SpawnerState::Ended(_) | SpawnerState::Failed(_))
                && container.durable > 2 * id.attempt
            {
                context.send(Request::Forget { id: id.clone() });
            }
            return;
        }
        container.unforgotten.insert(id.attempt);
        match state {
            SpawnerState::Starting => container.starting(),
            SpawnerState::Running(running) => self.started(index, &running, context),
            SpawnerState::Failed(failure) => self.start_failed(index, id, &failure, context),
            SpawnerState::Ended(end) => {
                self.close(index, termination::of_end(id, &end), &end.message, context);
            }
        }
        self.forget_durable(context);
    }

    /// The last words of an attempt.
    pub(crate) fn termination_read(&mut self, id: &ContainerId, words: &str, context: &Context) {
        let Some(index) = self.index_of(id) else { return };
        let count = self.containers.len();
        if self.containers[index].attempt == id.attempt {
            self.containers[index].words(words, count, context.now);
            self.news = News::Urgent;
        }
    }

    /// The earliest time at which something is due.
    pub(crate) fn wake_at(&self, connected: bool) -> Option<Timestamp> {
        let unknown = self.containers.iter().any(|c| matches!(c.state, State::Unknown { .. }));
        let news = match self.news {
            News::Quiet(until) if !unknown && !self.closing() => Some(until),
            _ => None,
        };
        let stage = match self.stage {
            Stage::Active => self.deadline(),
            Stage::Ending { .. } | Stage::Over { .. } => None,
        };
        let active = matches!(self.stage, Stage::Active);
        let starts = self.containers.iter().filter_map(|c| c.timer(connected)).min();
        let waits = if active { [starts, self.volumes.timer()] } else { [None, None] };
        let probed = self.containers.iter().filter(|c| connected && c.is_probed());
        let probes = probed.filter_map(|c| c.probes.as_ref()?.wake_at(!active)).min();
        let stopped = self.containers.iter().filter(|c| connected && c.may_be_killed());
        let stops = stopped.filter_map(|c| c.stop.as_ref()?.wake_at()).min();
        let hooked = self.containers.iter().filter(|c| active && connected && c.runs());
        let hooks = hooked.filter_map(|c| c.post_start.as_ref()?.wake_at()).min();
        [news, stage, probes, stops, hooks].into_iter().chain(waits).flatten().min()
    }

    /// How many of its containers run or are being started.
    pub(crate) fn running(&self) -> usize {
        self.containers.iter().filter(|c| c.alive()).count()
    }

    /// Whether everything that was lost of it with a spawner is durably on record.
    pub(crate) fn settled(&self) -> bool {
        self.containers.iter().all(Container::settled)
    }

    /// Whether nothing of it runs any more; its end may not be on record yet.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Over { .. })
    }

    /// Once the terminal status is durable: what is left to give back.
    pub(crate) fn over(&self) -> Option<Over> {
        match &self.stage {
            Stage::Over { release, .. } if self.recorded => Some(Over::new(
                self.uid,
                self.object.key.clone(),
                self.object.deleting(),
                release.clone(),
            )),
            _ => None,
        }
    }

    /// The object is gone: what is left to give back.
    pub(crate) fn gone(&self, context: &mut Context) -> Over {
        if let Stage::Over { release, .. } = &self.stage {
            let mut release = release.clone();
            release.forget(self.unforgotten(), context);
            return Over::gone(self.uid, release);
        }
        self.release_images(context);
        let preparing = self.volumes.underway();
        let mut release = Release::begin(self.uid, self.files, preparing, context);
        release.forget(self.unforgotten(), context);
        Over::gone(self.uid, release)
    }

    fn unforgotten(&self) -> Vec<ContainerId> {
        let attempts =
            |c: &Container| c.unforgotten.iter().map(|a| self.id(c, *a)).collect::<Vec<_>>();
        self.containers.iter().flat_map(attempts).collect()
    }

    fn id(&self, container: &Container, attempt: u32) -> ContainerId {
        ContainerId { pod: self.name.clone(), container: container.name.clone(), attempt }
    }

    /// The newest revision of the pod, with its containers in the order in which they are known.
    fn read(&self) -> Pod {
        let known: Vec<&str> = self.containers.iter().map(|c| c.name.as_str()).collect();
        containers::of(&self.object, &known)
    }

    /// Ephemeral containers may have come along.
    fn meet_new(&mut self) {
        let known = self.containers.len();
        let all = self.pod.spec.iter().flat_map(containers::all);
        let new = all.skip(known).map(|(role, spec)| Container::new(role, spec));
        let new: Vec<Container> = new.collect();
        self.containers.extend(new);
    }

    fn newest(&self, index: usize) -> ContainerId {
        self.id(&self.containers[index], self.containers[index].attempt)
    }

    fn index_of(&self, id: &ContainerId) -> Option<usize> {
        self.containers.iter().position(|c| c.name == id.container)
    }

    /// What this mark tells of is on disk.
    fn durable(&mut self, mark: &Mark, context: &mut Context) {
        for (container, progress) in self.containers.iter_mut().zip(&mark.progress) {
            container.durable = container.durable.max(*progress);
        }
        self.recorded |= mark.terminal;
        self.forget_durable(context);
    }

    /// Records whose end is on disk are of no more use.
    fn forget_durable(&mut self, context: &mut Context) {
        for index in 0..self.containers.len() {
            let container = &self.containers[index];
            let durable = container.durable;
            let over = |attempt: &u32| 2 * attempt < durable;
            let ids: Vec<ContainerId> = container
                .unforgotten
                .iter()
                .filter(|a| over(a))
                .map(|a| self.id(container, *a))
                .collect();
            self.containers[index].unforgotten.retain(|a| !over(a));
            for id in ids {
                context.send(Request::Forget { id });
            }
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        let seconds = self.pod.spec.as_ref()?.active_deadline_seconds?;
        self.start_time.checked_add(SignedDuration::from_secs(seconds)).ok()
    }

    /// Something changed that nobody decides by.
    fn say_quietly(&mut self, context: &Context) {
        if self.news == News::Nothing {
            let hold = SignedDuration::from_millis(context.config.status_hold_ms.into());
            self.news = News::Quiet(context.now + hold);
        }
    }

    fn event(&self, container: Option<usize>, event: &Event, context: &mut Context) {
        let container = container.map(|index| &self.containers[index]);
        let container = container.map(|c| (c.role, c.name.as_str()));
        let key = &self.object.key;
        context.out.extend(event.output(key, self.uid, container, context.events, context.now));
    }
}

fn containers_of(pod: &Pod, status: &PodStatus, restored: bool) -> Vec<Container> {
    let early = status.init_container_statuses.iter().flatten();
    let regular = status.container_statuses.iter().flatten();
    let ephemeral = status.ephemeral_container_statuses.iter().flatten();
    let statuses = early.chain(regular).chain(ephemeral);
    let container = |(role, spec): (Role, &kinds::types::core::v1::Container)| match restored {
        true => Container::restored(role, spec, statuses.clone().find(|s| s.name == spec.name)),
        false => Container::new(role, spec),
    };
    pod.spec.iter().flat_map(|spec| containers::all(spec).map(container)).collect()
}
