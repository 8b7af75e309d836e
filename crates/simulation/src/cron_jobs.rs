//! CronJobs in the worlds, and the clock that somebody sets: whatever dies when, no time may be used
//! twice, and none that the rules want met may be lost.

use std::collections::{BTreeSet, HashMap};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use kinds::{Draft, Key, Kind, Object, Uid, types::batch::v1::CronJob};
use store::{Change, ChangeKind};

use crate::{
    observer::Observer,
    world::{Event, World},
};

/// How long a client waits before it tries again, milliseconds.
const RETRY_MS: u64 = 100;

/// How far the clock is set back and forward at most, in seconds.
const BACK_S_MAX: i64 = 150;
const FORWARD_S_MAX: i64 = 400;

/// One CronJob: every so many minutes.
#[derive(Clone, Debug)]
pub(crate) struct CronPlan {
    name: String,
    minutes: i64,
    policy: &'static str,
    deadline_s: Option<i64>,
    history: i32,
}

impl CronPlan {
    pub(crate) fn draw(random: &mut Rng, number: u32) -> Self {
        let policies = ["Allow", "Forbid", "Replace"];
        Self {
            name: format!("cron{number}"),
            minutes: random.i64(1..4),
            policy: policies[random.usize(..policies.len())],
            deadline_s: (random.u32(0..4) == 0).then(|| random.i64(1..200)),
            history: random.i32(0..3),
        }
    }

    fn manifest(&self) -> serde_json::Value {
        serde_json::json!({
            "apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": {"name": self.name, "namespace": "default"},
            "spec": {
                "schedule": format!("*/{} * * * *", self.minutes),
                "concurrencyPolicy": self.policy,
                "startingDeadlineSeconds": self.deadline_s,
                "successfulJobsHistoryLimit": self.history,
                "failedJobsHistoryLimit": self.history,
                "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": {
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": 5,
                    "containers": [
                        {"name": "c", "image": "coracle.local/host", "command": ["task"]},
                    ],
                }}}},
            },
        })
    }
}

/// What was seen of CronJobs.
#[derive(Default)]
pub(crate) struct Fires {
    /// The times for which there was a Job, by CronJob.
    met: HashMap<Uid, BTreeSet<String>>,
}

impl Fires {
    /// One change that became durable.
    pub(crate) fn change(&mut self, change: &Change) -> Result<(), String> {
        let object = &change.object;
        if object.key.kind != Kind::Job || change.kind != ChangeKind::Added {
            return Ok(());
        }
        let owner = object.meta.owners.iter().find(|owner| owner.controller);
        let job = object.job();
        let annotations = job.metadata.annotations.unwrap_or_default();
        let due = annotations.get("batch.kubernetes.io/cronjob-scheduled-timestamp");
        match owner.zip(due) {
            Some((owner, due)) if !self.met.entry(owner.uid).or_default().insert(due.clone()) => {
                Err(format!("{}: the time {due} has a second Job", object.key))
            }
            _ => Ok(()),
        }
    }
}

/// What holds of a CronJob whenever nothing is under way and its server stands at this time.
fn check(object: &Object, plan: &CronPlan, clock: Timestamp) -> Result<(), String> {
    let CronJob { metadata, spec, status } = object.cron_job();
    let status = status.unwrap_or_default();
    let active = status.active.map_or(0, |active| active.len());
    if active > 1 && plan.policy != "Allow" {
        return Err(format!("{} has {active} Jobs under {}", object.key, plan.policy));
    }
    let step_s = 60 * plan.minutes;
    let second = clock.as_second();
    let hour_s = second - second.rem_euclid(3600);
    let due = hour_s + (second - hour_s) / step_s * step_s;
    let created = metadata.creation_timestamp.map_or(i64::MAX, |time| time.0.as_second());
    let last = status.last_schedule_time.map(|time| time.0.as_second());
    let waits = plan.policy == "Forbid" && active > 0;
    let excused = spec.suspend == Some(true) || plan.deadline_s.is_some() || waits;
    if !excused && due > created && last.is_none_or(|last| last < due) {
        let due = Timestamp::from_second(due).unwrap_or_default();
        return Err(format!("{}: {due} was not met, the last is {last:?}", object.key));
    }
    Ok(())
}

impl World {
    /// A client posts the CronJob with this number until it is there.
    pub(crate) fn submit_cron_job(&mut self, number: usize) -> Result<(), String> {
        let manifest = self.plan.cron_jobs[number].manifest().to_string();
        let key = Key::new(Kind::CronJob, "default", &self.plan.cron_jobs[number].name);
        let now = self.clock();
        let Some(server) = &mut self.server else {
            self.after_ms(RETRY_MS, Event::SubmitCronJob(number));
            return Ok(());
        };
        let there = server.engine.store().get(&key).is_some();
        if !there && !self.peace {
            let draft =
                Draft::from_json(Kind::CronJob, manifest.as_bytes()).map_err(|e| e.to_string())?;
            let created = server.engine.create(draft, false, now);
            created.map_err(|error| format!("a valid CronJob was refused: {error}"))?;
        }
        if there {
            return Ok(());
        }
        // What is not durable yet may be forgotten.
        self.after_ms(RETRY_MS, Event::SubmitCronJob(number));
        Ok(())
    }

    /// Once the world is left in peace no more Jobs are to be made, or it would never come to rest.
    pub(crate) fn suspend_cron_jobs(&mut self) -> Result<(), String> {
        let now = self.clock();
        let Some(server) = &mut self.server else { return Ok(()) };
        let open: Vec<_> = server.engine.store().list(Kind::CronJob, None).cloned().collect();
        for object in open {
            let mut json: serde_json::Value =
                serde_json::from_slice(&object.json()).map_err(|e| e.to_string())?;
            if json["spec"]["suspend"] != true {
                json["spec"]["suspend"] = true.into();
                let draft = Draft::from_json(Kind::CronJob, json.to_string().as_bytes());
                let draft = draft.map_err(|e| e.to_string())?;
                let updated = server.engine.update(draft, engine::Subresource::Main, false, now);
                updated.map_err(|error| format!("a CronJob cannot be suspended: {error}"))?;
            }
        }
        Ok(())
    }

    /// Somebody sets the clock of the machine.
    pub(crate) fn set_clock(&mut self) {
        self.checks.clock_was_set = true;
        let by_s = self.random.i64(-BACK_S_MAX..=FORWARD_S_MAX);
        self.ahead += SignedDuration::from_secs(by_s);
    }

    pub(crate) fn check_cron_jobs(&self, observer: &Observer) -> Result<(), String> {
        for object in observer.of_kind(Kind::CronJob) {
            let plan = self.plan.cron_jobs.iter().find(|plan| *plan.name == *object.key.name);
            if let Some(plan) = plan {
                check(object, plan, self.clock())?;
            }
        }
        Ok(())
    }
}
