//! What a seed draws before anything happens: the Jobs, how their tasks behave, what clients do to
//! them, and how hard the world is.

use fastrand::Rng;

use crate::{
    cron_jobs::CronPlan,
    deletions::draw_ttl_s,
    policies::{CODES, Policies},
};

/// How a world treats its server.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The Jobs, submitted over the first seconds.
    pub(crate) jobs: Vec<JobPlan>,
    /// The CronJobs, in some worlds; there the clock is set, too.
    pub(crate) cron_jobs: Vec<CronPlan>,
    /// Faults, spread over the time in which there are any.
    pub(crate) faults: Vec<Fault>,
    /// What clients do besides.
    pub(crate) actions: Vec<Action>,
    /// Seconds in which faults and actions happen; then the world is left in peace.
    pub(crate) stormy_s: u64,
    /// CPU of the node, thousandths: sometimes too few for all.
    pub(crate) cpu_milli: u64,
    /// One reply in so many arrives twice; 0 for never.
    pub(crate) doubled_in: u32,
    /// Longest delay of a message, milliseconds.
    pub(crate) late_ms_max: u64,
    /// The server is a private one of a run, whose client is back so many milliseconds at most after
    /// each of its starts.
    pub(crate) client_back_ms_max: Option<u64>,
}

/// The run that the Jobs belong to.
pub(crate) const RUN: &str = "run";

/// The init container that a pod may have, and the sidecar.
pub(crate) const INIT: &str = "init";
pub(crate) const SIDECAR: &str = "side";

/// One Job and how its tasks behave.
#[derive(Clone, Debug)]
pub(crate) struct JobPlan {
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) parallelism: u32,
    pub(crate) backoff_limit: u32,
    pub(crate) on_failure: bool,
    pub(crate) deadline_s: Option<u32>,
    pub(crate) replace_failed_only: bool,
    pub(crate) policies: Policies,
    /// Whether an init container comes before all others.
    pub(crate) init: bool,
    /// Whether a sidecar runs beside them.
    pub(crate) sidecar: bool,
    pub(crate) containers: u32,
    /// One attempt in so many fails; 0 for never.
    pub(crate) fails_in: u32,
    /// With one of these exit codes.
    pub(crate) codes: Vec<i32>,
    /// Longest run of a task, milliseconds.
    pub(crate) task_ms_max: u64,
    pub(crate) cpu_milli: u64,
    /// Seconds it stays after its end.
    pub(crate) ttl_s: Option<u32>,
}

/// Which kind of Job it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Indexed(u32),
    NonIndexed(u32),
    WorkQueue,
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The server is killed; the machine goes on.
    ServerKilled,
    /// The disk fails at one of the next writes or syncs, and the power with it: spawner and
    /// containers are gone, and what was not synced may be.
    PowerLost,
    /// The server is killed at one of the next writes or syncs.
    KilledWhileWriting,
    /// The spawner dies; its containers die with it.
    SpawnerKilled,
    /// The connection breaks: messages under way are lost.
    Disconnected,
    /// The disk takes its time.
    SlowDisk,
    /// Somebody sets the clock; only where there are CronJobs, which have to bear it.
    ClockSet,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] = [
        Self::ServerKilled,
        Self::PowerLost,
        Self::KilledWhileWriting,
        Self::SpawnerKilled,
        Self::Disconnected,
        Self::SlowDisk,
    ];
}

/// What a client does to a Job or one of its pods.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Suspend,
    Resume,
    Scale(u32),
    /// An Indexed Job gets this many completions and as many places.
    Stretch(u32),
    DeletePod,
    EvictPod,
    DeleteJob,
}

impl Plan {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let jobs = (0..random.u32(1..5)).map(|number| JobPlan::draw(random, number)).collect();
        let faults = (0..random.usize(3..9)).map(|_| *pick(random, &Fault::ALL)).collect();
        let actions = (0..random.usize(0..6)).map(|_| action(random)).collect();
        let client_back_ms_max = *pick(random, &[None, None, Some(1), Some(2000)]);
        // A private server leaves CronJobs alone.
        let cron_jobs = match client_back_ms_max.is_none() && random.u32(0..4) == 0 {
            true => (0..random.u32(1..3)).map(|number| CronPlan::draw(random, number)).collect(),
            false => Vec::new(),
        };
        let with_cron_jobs = !cron_jobs.is_empty();
        let mut faults: Vec<Fault> = faults;
        if with_cron_jobs {
            faults.extend((0..random.usize(0..3)).map(|_| Fault::ClockSet));
        }
        Self {
            jobs,
            cron_jobs,
            faults,
            actions,
            stormy_s: if with_cron_jobs { random.u64(60..500) } else { random.u64(2..40) },
            cpu_milli: *pick(random, &[1000, 2000, 16_000]),
            doubled_in: *pick(random, &[0, 3, 20]),
            late_ms_max: *pick(random, &[1, 20, 1500]),
            client_back_ms_max,
        }
    }
}

impl JobPlan {
    fn draw(random: &mut Rng, number: u32) -> Self {
        let on_failure = random.u32(0..3) == 0;
        let mode = match random.u32(0..4) {
            0 => Mode::NonIndexed(random.u32(1..12)),
            1 => Mode::WorkQueue,
            _ => Mode::Indexed(random.u32(1..20)),
        };
        let indexes = if let Mode::Indexed(indexes) = mode { Some(indexes) } else { None };
        let policies = Policies::draw(random, indexes, on_failure);
        Self {
            name: format!("job{number}"),
            mode,
            policies,
            parallelism: random.u32(1..5),
            backoff_limit: *pick(random, &[0, 2, 6, 20]),
            on_failure,
            deadline_s: (random.u32(0..8) == 0).then(|| random.u32(1..60)),
            replace_failed_only: random.bool(),
            init: random.u32(0..6) == 0,
            sidecar: random.u32(0..6) == 0,
            containers: 1 + u32::from(random.u32(0..5) == 0),
            fails_in: *pick(random, &[0, 0, 10, 3]),
            codes: (0..random.usize(1..4)).map(|_| *pick(random, &CODES)).collect(),
            task_ms_max: *pick(random, &[1, 300, 5000]),
            cpu_milli: *pick(random, &[0, 250, 500]),
            ttl_s: draw_ttl_s(random),
        }
    }

    /// The manifest, as a client would post it.
    pub(crate) fn manifest(&self) -> serde_json::Value {
        let container = |name: String| {
            serde_json::json!({
                "name": name, "image": "coracle.local/host", "command": ["task"],
                "resources": {"requests": {"cpu": format!("{}m", self.cpu_milli)}},
            })
        };
        let containers: Vec<_> =
            (0..self.containers).map(|number| container(format!("c{number}"))).collect();
        let init = self.init.then(|| container(INIT.to_owned()));
        let sidecar = self.sidecar.then(|| {
            let mut sidecar = container(SIDECAR.to_owned());
            sidecar["restartPolicy"] = "Always".into();
            // What the others ask for may be all there is.
            sidecar["resources"] = serde_json::json!({});
            sidecar
        });
        let early: Vec<_> = init.into_iter().chain(sidecar).collect();
        let mut spec = serde_json::json!({
            "parallelism": self.parallelism,
            "backoffLimit": self.backoff_limit,
            "podReplacementPolicy": if self.replace_failed_only { "Failed" } else { "TerminatingOrFailed" },
            "template": {"spec": {
                "restartPolicy": if self.on_failure { "OnFailure" } else { "Never" },
                "terminationGracePeriodSeconds": 5,
                "initContainers": early, "containers": containers,
            }},
        });
        match self.mode {
            Mode::Indexed(completions) => {
                spec["completions"] = completions.into();
                spec["completionMode"] = "Indexed".into();
            }
            Mode::NonIndexed(completions) => spec["completions"] = completions.into(),
            Mode::WorkQueue => {}
        }
        self.policies.write(&mut spec);
        if let Some(deadline) = self.deadline_s {
            spec["activeDeadlineSeconds"] = deadline.into();
        }
        if let Some(ttl) = self.ttl_s {
            spec["ttlSecondsAfterFinished"] = ttl.into();
        }
        serde_json::json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {
                "name": self.name, "namespace": "default",
                "annotations": {kinds::RUN_ANNOTATION: RUN},
            },
            "spec": spec,
        })
    }
}

fn action(random: &mut Rng) -> Action {
    match random.u32(0..11) {
        0 => Action::Suspend,
        1 | 2 => Action::Resume,
        3 | 4 => Action::Scale(random.u32(0..6)),
        5 | 6 => Action::DeletePod,
        7 | 8 => Action::EvictPod,
        9 => Action::Stretch(random.u32(1..20)),
        _ => Action::DeleteJob,
    }
}

fn pick<'a, T>(random: &mut Rng, choices: &'a [T]) -> &'a T {
    &choices[random.usize(..choices.len())]
}
