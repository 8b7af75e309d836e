//! The probes of one container: when each is due, and what its answers add up to. One worker a probe,
//! as upstream has them. How they ask is in [`Handler`].

use jiff::{SignedDuration, Timestamp};
use kinds::types::core::v1::{Container as ContainerSpec, Probe};
use spawner::protocol::{Executed, Task};

use super::handler::Handler;

/// How often a probe is made anew at once because it could not be made at all.
const TRIES_MAX: u32 = 3;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whether it has started: until it has, nothing else is asked.
    Startup,
    /// Whether it still works; if not, it is started again.
    Liveness,
    /// Whether it is of use to others.
    Readiness,
}

impl Kind {
    /// As Events have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
        }
    }
}

/// All probes of a container that has some.
#[derive(Clone, Debug)]
pub(crate) struct Probes {
    workers: Vec<Worker>,
    /// The number of the next program that is run.
    next_exec: u64,
}

#[derive(Clone, Debug)]
struct Worker {
    kind: Kind,
    spec: Spec,
    /// What its answers have added up to.
    passes: bool,
    /// The newest answer, and how many like it came in a row.
    last: Option<bool>,
    run: u32,
    /// Whether it waits for another attempt.
    held: bool,
    due: Timestamp,
    tries: u32,
    underway: Option<Underway>,
}

#[derive(Clone, Debug)]
struct Spec {
    handler: Handler,
    delay: SignedDuration,
    period: SignedDuration,
    timeout_s: u32,
    successes: u32,
    failures: u32,
    grace_s: Option<i64>,
}

/// A program that runs.
#[derive(Clone, Debug)]
struct Underway {
    exec: u64,
    until: Timestamp,
}

/// What one probe came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Success,
    /// It failed and said this.
    Failure(String),
    /// It could not be made, for this reason.
    Error(String),
}

/// What follows from an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) kind: Kind,
    pub(crate) answer: Answer,
    /// Whether the status has something new to tell.
    pub(crate) news: bool,
    /// Whether the container has to be stopped.
    pub(crate) stop: bool,
    /// `terminationGracePeriodSeconds` of the probe.
    pub(crate) grace_s: Option<i64>,
}

impl Probes {
    /// Those of a container, if it has any.
    pub(crate) fn of(container: &ContainerSpec) -> Option<Box<Probes>> {
        let worker = |kind, probe: &Option<Probe>| {
            let spec = Spec::of(probe.as_ref()?, container)?;
            Some(Worker {
                kind,
                spec,
                passes: kind == Kind::Liveness,
                last: None,
                run: 0,
                held: false,
                due: Timestamp::MIN,
                tries: 0,
                underway: None,
            })
        };
        let workers = [
            worker(Kind::Startup, &container.startup_probe),
            worker(Kind::Liveness, &container.liveness_probe),
            worker(Kind::Readiness, &container.readiness_probe),
        ];
        let workers: Vec<Worker> = workers.into_iter().flatten().collect();
        (!workers.is_empty()).then(|| Box::new(Probes { workers, next_exec: 0 }))
    }

    /// As the status of an earlier server has it.
    pub(crate) fn restore(&mut self, started: bool, ready: bool) {
        for worker in &mut self.workers {
            worker.passes = match worker.kind {
                Kind::Startup => started,
                Kind::Readiness => ready,
                Kind::Liveness => true,
            };
        }
    }

    /// Nothing is known of the next attempt.
    pub(crate) fn reset(&mut self) {
        for worker in &mut self.workers {
            worker.passes = worker.kind == Kind::Liveness;
            (worker.last, worker.run, worker.tries) = (None, 0, 0);
            worker.held = false;
            worker.underway = None;
        }
    }

    /// An attempt runs since `started`.
    pub(crate) fn begin(&mut self, started: Timestamp) {
        for worker in &mut self.workers {
            worker.due = started.saturating_add(worker.spec.delay).unwrap_or(Timestamp::MAX);
        }
    }

    /// Whoever ran programs for it is gone or has forgotten them.
    pub(crate) fn reconnected(&mut self) {
        self.workers.iter_mut().for_each(|worker| worker.underway = None);
    }

    /// `started` of its status, while it runs.
    pub(crate) fn started(&self) -> bool {
        self.passes(Kind::Startup)
    }

    /// `ready` of its status, while it runs.
    pub(crate) fn ready(&self) -> bool {
        self.started() && self.passes(Kind::Readiness)
    }

    fn passes(&self, kind: Kind) -> bool {
        self.workers.iter().all(|worker| worker.kind != kind || worker.passes)
    }

    /// When something is due. `ending` says that the pod is.
    pub(crate) fn wake_at(&self, ending: bool) -> Option<Timestamp> {
        let started = self.started();
        let active = self.workers.iter().filter(|worker| worker.active(started, ending));
        let next = |worker: &Worker| worker.underway.as_ref().map_or(worker.due, |u| u.until);
        active.map(next).min()
    }

    /// What is to be asked next: its number and what is run for it.
    pub(crate) fn take_due(&mut self, ending: bool, now: Timestamp) -> Option<(u64, Task)> {
        let started = self.started();
        let due =
            |w: &&mut Worker| w.active(started, ending) && w.underway.is_none() && w.due <= now;
        let worker = self.workers.iter_mut().find(due)?;
        let exec = self.next_exec;
        self.next_exec += 1;
        let timeout = SignedDuration::from_secs(worker.spec.timeout_s.into());
        worker.underway = Some(Underway { exec, until: now + timeout });
        // What could not be asked for long is not made up for.
        let next = worker.due.saturating_add(worker.spec.period).unwrap_or(Timestamp::MAX);
        worker.due = if next > now { next } else { now + worker.spec.period };
        Some((exec, worker.spec.handler.task()))
    }

    /// The next program that has run for too long: its number, and what follows.
    pub(crate) fn take_late(&mut self, ending: bool, now: Timestamp) -> Option<(u64, Verdict)> {
        let started = self.started();
        let late = |worker: &Worker| {
            let late = worker.underway.as_ref().is_some_and(|underway| underway.until <= now);
            late && worker.active(started, ending)
        };
        let index = self.workers.iter().position(late)?;
        let exec = self.workers[index].underway.take()?.exec;
        let spec = &self.workers[index].spec;
        let text = spec.handler.late(spec.timeout_s);
        Some((exec, self.conclude(index, Answer::Failure(text), now)))
    }

    /// A program has ended. `None` if nobody waits for it, or it is made anew.
    pub(crate) fn answer(&mut self, exec: u64, how: Executed, now: Timestamp) -> Option<Verdict> {
        let waits = |w: &Worker| w.underway.as_ref().is_some_and(|underway| underway.exec == exec);
        let index = self.workers.iter().position(waits)?;
        let worker = &mut self.workers[index];
        worker.underway = None;
        let answer = worker.spec.handler.answer(how);
        if matches!(answer, Answer::Error(_)) {
            worker.tries += 1;
            if worker.tries < TRIES_MAX {
                worker.due = now;
                return None;
            }
        }
        Some(self.conclude(index, answer, now))
    }

    fn conclude(&mut self, index: usize, answer: Answer, now: Timestamp) -> Verdict {
        let before = (self.started(), self.ready());
        let worker = &mut self.workers[index];
        worker.tries = 0;
        let (kind, grace_s) = (worker.kind, worker.spec.grace_s);
        let passed = match answer {
            Answer::Success => Some(true),
            Answer::Failure(_) => Some(false),
            Answer::Error(_) => None,
        };
        let stop = passed.is_some_and(|passed| worker.count(passed)) && !worker.passes;
        let stop = stop && kind != Kind::Readiness;
        worker.held |= stop;
        let after = (self.started(), self.ready());
        if after.0 && !before.0 {
            // Those that waited for it are asked at once, unless they have to wait longer.
            self.workers.iter_mut().for_each(|worker| worker.due = worker.due.max(now));
        }
        Verdict { kind, answer, news: before != after, stop, grace_s }
    }
}

impl Worker {
    fn active(&self, started: bool, ending: bool) -> bool {
        let wanted = match self.kind {
            Kind::Startup => !self.passes && !ending,
            Kind::Liveness => started && !ending,
            Kind::Readiness => started,
        };
        wanted && !self.held
    }

    /// Whether enough answers like this came in a row.
    fn count(&mut self, passed: bool) -> bool {
        self.run = if self.last == Some(passed) { self.run.saturating_add(1) } else { 1 };
        self.last = Some(passed);
        let enough = if passed { self.spec.successes } else { self.spec.failures };
        if self.run >= enough {
            self.passes = passed;
        }
        self.run >= enough
    }
}

impl Spec {
    /// None of a probe that asks in a way that does not work.
    fn of(probe: &Probe, container: &ContainerSpec) -> Option<Spec> {
        let number = |value: Option<i32>, default: u32| {
            value.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(default)
        };
        let seconds = |value, default| SignedDuration::from_secs(number(value, default).into());
        Some(Spec {
            handler: Handler::of_probe(probe, container)?,
            delay: seconds(probe.initial_delay_seconds, 0),
            period: seconds(probe.period_seconds, 10),
            timeout_s: number(probe.timeout_seconds, 1),
            successes: number(probe.success_threshold, 1),
            failures: number(probe.failure_threshold, 3),
            grace_s: probe.termination_grace_period_seconds,
        })
    }
}
