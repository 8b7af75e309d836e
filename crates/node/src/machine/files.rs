//! The pod's files: made before its first container starts, made anew when what they were made of
//! changes.

use jiff::{SignedDuration, Timestamp};
use kinds::{Key, types::core::v1::Pod};

use super::{Context, Event, PodMachine, Stage, container::State};
use crate::{
    Output, start,
    volumes::{self, Around, PrepareError, Sources},
};

/// The wait after the first failure to make volumes, milliseconds; each further one doubles.
const RETRY_FIRST_MS: i64 = 500;
/// The longest wait before volumes are tried again, milliseconds: upstream's two minutes and two
/// seconds.
const RETRY_MAX_MS: i64 = 122_000;

/// The files of a pod and what they are made of.
#[derive(Clone, Debug)]
pub(super) struct Files {
    state: Making,
    sources: Sources,
}

/// How far along they are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Making {
    /// To be made at this time; `tries` failed so far. If `there`, containers can start meanwhile
    /// with what was made before.
    Wanted { there: bool, tries: u32, at: Timestamp },
    /// Being made, and perhaps `changed` again since that began.
    Underway { there: bool, tries: u32, changed: bool },
    /// There.
    Ready,
}

impl Files {
    pub(super) fn new(now: Timestamp) -> Self {
        let state = Making::Wanted { there: false, tries: 0, at: now };
        Self { state, sources: Sources::default() }
    }

    /// Whether containers can start.
    pub(super) fn there(&self) -> bool {
        match self.state {
            Making::Wanted { there, .. } | Making::Underway { there, .. } => there,
            Making::Ready => true,
        }
    }

    pub(super) fn underway(&self) -> bool {
        matches!(self.state, Making::Underway { .. })
    }

    /// When time alone brings them on.
    pub(super) fn timer(&self) -> Option<Timestamp> {
        match self.state {
            Making::Wanted { tries: 1.., at, .. } => Some(at),
            Making::Ready => self.sources.renew_at,
            _ => None,
        }
    }

    /// An object changed that a pod in this namespace can see.
    pub(super) fn object_changed(&mut self, key: &Key, now: Timestamp) {
        if !self.there() || self.sources.objects.contains(key) {
            self.make_anew(now);
        }
    }

    /// The pod changed.
    pub(super) fn pod_changed(&mut self, before: &Pod, pod: &Pod, now: Timestamp) {
        let (before, after) = (&before.metadata, &pod.metadata);
        let same = before.labels == after.labels
            && before.annotations == after.annotations
            && before.generation == after.generation;
        if self.sources.pod && !same {
            self.make_anew(now);
        }
    }

    fn too_old(&self, now: Timestamp) -> bool {
        self.state == Making::Ready && self.sources.renew_at.is_some_and(|at| at <= now)
    }

    fn make_anew(&mut self, now: Timestamp) {
        match &mut self.state {
            Making::Wanted { at, .. } => *at = now,
            Making::Underway { changed, .. } => *changed = true,
            Making::Ready => self.state = Making::Wanted { there: true, tries: 0, at: now },
        }
    }
}

impl PodMachine {
    /// Makes the volumes when a container waits for them, or finds them as an earlier server left
    /// them, or when what they were made of has changed or is too old.
    pub(super) fn make_files(&mut self, context: &mut Context) {
        if self.volumes.too_old(context.now) {
            self.volumes.make_anew(context.now);
        }
        let Making::Wanted { there, tries, at } = self.volumes.state else { return };
        let waits = |c: &super::Container| matches!(c.state, State::Waiting(_)) || c.alive();
        if at > context.now || !there && !self.containers.iter().any(waits) {
            return;
        }
        // A pod that is refused gets its reason when its containers are looked at.
        let Ok(class) = start::class_of(&self.pod, context.objects) else {
            return self.files_ready(there, context);
        };
        let around = Around { config: context.config, objects: context.objects, now: context.now };
        match volumes::plan(&self.pod, &self.name, class, &around) {
            Ok(planned) => {
                self.volumes.sources = planned.sources;
                let Some(plan) = planned.plan else { return self.files_ready(there, context) };
                self.files = true;
                self.volumes.state = Making::Underway { there, tries, changed: false };
                context.out.push(Output::Prepare { uid: self.uid, plan: Box::new(plan) });
            }
            // What is there stays until the object that is missing comes back.
            Err(error) if there => {
                self.volumes.state = Making::Ready;
                let later = context.now + SignedDuration::from_millis(RETRY_MAX_MS);
                if let Some(at) = &mut self.volumes.sources.renew_at {
                    *at = later.max(*at);
                }
                self.mount_failed(&error, context);
            }
            Err(error) => self.files_failed(false, tries, &error, context),
        }
    }

    /// The volumes are there, or could not be made.
    pub(crate) fn prepared(&mut self, result: Result<(), PrepareError>, context: &mut Context) {
        if let Stage::Over { release, .. } = &mut self.stage {
            return release.prepared(context);
        }
        let Making::Underway { there, tries, changed } = self.volumes.state else { return };
        match result {
            Ok(()) => self.files_ready(there, context),
            Err(error) => self.files_failed(there, tries, &error, context),
        }
        if changed {
            self.volumes.make_anew(context.now);
        }
    }

    fn files_ready(&mut self, there: bool, context: &mut Context) {
        self.volumes.state = Making::Ready;
        if !there {
            self.ready_to_start = true;
            self.say_quietly(context);
        }
    }

    fn files_failed(
        &mut self,
        there: bool,
        tries: u32,
        error: &PrepareError,
        context: &mut Context,
    ) {
        let wait_ms = (RETRY_FIRST_MS << tries.min(16)).min(RETRY_MAX_MS);
        let at = context.now + SignedDuration::from_millis(wait_ms);
        self.volumes.state = Making::Wanted { there, tries: tries + 1, at };
        self.mount_failed(error, context);
    }

    fn mount_failed(&mut self, error: &PrepareError, context: &mut Context) {
        let event = Event::FailedMount { volume: &error.volume, error: &error.message };
        self.event(None, &event, context);
        self.say_quietly(context);
    }
}
