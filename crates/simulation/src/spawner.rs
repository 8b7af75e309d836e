//! A pretended spawner: keeps what a real one keeps, runs nothing, and remembers what "ran", which
//! is the truth that the checkers hold the server's count against.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use spawner::protocol::{ContainerId, End, Record, Reply, Request, Running, State};

use crate::plan::JobPlan;

/// How an attempt really ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Real {
    /// It runs.
    Runs,
    /// Its program exited by itself with this code.
    Exited(i32),
    /// It was ended by a signal, or with its spawner.
    Killed,
}

/// One spawner process after another, and everything that ever ran.
pub(crate) struct Spawner {
    pub(crate) instance: u64,
    containers: BTreeMap<ContainerId, State>,
    /// Every attempt that was ever started, by any instance.
    pub(crate) ran: BTreeMap<ContainerId, Real>,
    /// Attempts that were started a second time: must stay empty.
    pub(crate) started_twice: Vec<ContainerId>,
}

/// What happens after a request: replies now, and ends later.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) replies: Vec<Reply>,
    pub(crate) ends: Vec<(Timestamp, ContainerId, i32)>,
}

impl Spawner {
    pub(crate) fn new() -> Self {
        let started_twice = Vec::new();
        Self { instance: 1, containers: BTreeMap::new(), ran: BTreeMap::new(), started_twice }
    }

    /// It dies with all its containers; another will be started.
    pub(crate) fn die(&mut self) {
        for id in std::mem::take(&mut self.containers).into_keys() {
            self.killed(&id);
        }
        self.instance += 1;
    }

    pub(crate) fn list(&self) -> Vec<Record> {
        let all = self.containers.iter();
        all.map(|(id, state)| Record { id: id.clone(), state: state.clone() }).collect()
    }

    /// Every attempt that ever ran of the pod with this uid, in order.
    pub(crate) fn ran_of(&self, pod: &str) -> impl Iterator<Item = (&ContainerId, &Real)> {
        let first = ContainerId { pod: pod.to_owned(), container: String::new(), attempt: 0 };
        self.ran.range(first.clone()..).take_while(move |(id, _)| id.pod == first.pod)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.containers.is_empty()
    }

    pub(crate) fn request(
        &mut self,
        request: Request,
        plan: Option<&JobPlan>,
        random: &mut Rng,
        now: Timestamp,
    ) -> Effects {
        let mut effects = Effects::default();
        match request {
            Request::Start(start) => self.start(start.id, plan, random, now, &mut effects),
            Request::Signal { id, signal } => {
                // Half of the programs end on a signal at once, the others have to be killed.
                if random.bool() {
                    self.end(&id, None, Some(signal), now, &mut effects);
                }
            }
            Request::Kill { id } => self.end(&id, None, Some(9), now, &mut effects),
            Request::Forget { id } => {
                if !matches!(self.containers.get(&id), Some(State::Running(_))) {
                    self.containers.remove(&id);
                }
            }
            Request::EndPod { pod } => {
                let ids: Vec<_> =
                    self.containers.keys().filter(|id| id.pod == pod).cloned().collect();
                for id in ids {
                    self.end(&id, None, Some(9), now, &mut effects);
                }
                effects.replies.push(Reply::PodEnded { pod });
            }
            // Nothing that is simulated asks for it.
            Request::Exec(_)
            | Request::KillExec { .. }
            | Request::Attach { .. }
            | Request::CloseInput { .. }
            | Request::Sockets { .. } => {}
            Request::Hello { .. } | Request::Stop => {}
        }
        effects
    }

    fn start(
        &mut self,
        id: ContainerId,
        plan: Option<&JobPlan>,
        random: &mut Rng,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        if let Some(state) = self.containers.get(&id) {
            effects.replies.push(report(id, state.clone()));
            return;
        }
        let running = Running { pid: 1, started_ns: ns(now), ..Running::default() };
        if self.ran.insert(id.clone(), Real::Runs).is_some() {
            self.started_twice.push(id.clone());
        }
        self.containers.insert(id.clone(), State::Running(running.clone()));
        let (fails_in, task_ms_max) = plan.map_or((0, 1), |plan| (plan.fails_in, plan.task_ms_max));
        let fails = fails_in > 0 && random.u32(0..fails_in) == 0;
        let codes = plan.filter(|_| fails).map_or(&[][..], |plan| &plan.codes);
        let code = random.choice(codes).copied().unwrap_or(0);
        let lasts = SignedDuration::from_millis(random.u64(0..=task_ms_max) as i64);
        effects.ends.push((now + lasts, id.clone(), code));
        effects.replies.push(Reply::Started { id, running });
    }

    /// The program exits, if it still runs.
    pub(crate) fn exit(&mut self, id: &ContainerId, code: i32, now: Timestamp) -> Effects {
        let mut effects = Effects::default();
        self.end(id, Some(code), None, now, &mut effects);
        effects
    }

    fn end(
        &mut self,
        id: &ContainerId,
        code: Option<i32>,
        signal: Option<i32>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(State::Running(running)) = self.containers.get(id) else { return };
        let end = End {
            code,
            signal,
            oom_killed: false,
            started_ns: running.started_ns,
            finished_ns: ns(now),
            cpu_us: 0,
            memory_peak_bytes: 0,
            message: String::new(),
            log_bytes: 0,
        };
        match code {
            Some(code) => drop(self.ran.insert(id.clone(), Real::Exited(code))),
            None => self.killed(id),
        }
        self.containers.insert(id.clone(), State::Ended(end.clone()));
        effects.replies.push(Reply::Ended { id: id.clone(), end });
    }

    fn killed(&mut self, id: &ContainerId) {
        if let Some(real @ Real::Runs) = self.ran.get_mut(id) {
            *real = Real::Killed;
        }
    }
}

fn report(id: ContainerId, state: State) -> Reply {
    match state {
        State::Running(running) => Reply::Started { id, running },
        State::Failed(failure) => Reply::Failed { id, failure },
        State::Ended(end) => Reply::Ended { id, end },
        State::Starting => unreachable!("pretended starts take no time"),
    }
}

fn ns(now: Timestamp) -> i64 {
    now.as_nanosecond() as i64
}
