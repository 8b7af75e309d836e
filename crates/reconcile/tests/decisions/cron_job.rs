//! Cases of the CronJob controller: one line per object in, one line per decision out.
//!
//! The CronJob is `cj`, made at 08:00, with Allow, no deadline and the history limits 3 and 1. Times
//! are UTC: `10:00` on 19 May 2026, a Tuesday, otherwise `05-20T10:00`, with a year before it if it is
//! another. `cj@10:00` is the name of the Job of that time.

use std::fmt::Write as _;

use jiff::Timestamp;
use kinds::{
    cron::Zone,
    metav1::{ObjectMeta, Time},
    types::batch::v1::{CronJob, CronJobSpec, CronJobStatus},
};
use reconcile::cron_job::{Child, End, Plan, View, cron_job, reference, rescheduled, started};

use crate::notation::uid;

const DAY: &str = "2026-05-19";
const NAMESPACE: &str = "default";

/// What goes in, and what becomes of it.
struct World {
    cron_job: CronJob,
    children: Vec<Child>,
    /// Jobs that the CronJob does not control.
    others: Vec<String>,
    zone: Zone,
    rescheduled: bool,
    now: Timestamp,
}

pub(crate) fn decide(name: &str, given: &str) -> String {
    let mut world = World::parse(given);
    let plan = world.plan();
    let text = render(&plan);
    assert_eq!(text, render(&world.plan()), "{name}: two plans of one view differ");
    assert!(plan.wake_at.is_none_or(|at| at >= world.now), "{name}: wakes before now");
    world.apply(&plan);
    let again = world.plan();
    let rests = again.start.is_none() && again.delete.is_empty() && again.status == world.status();
    assert!(rests || plan.wake_at == Some(world.now), "{name}: not at rest: {}", render(&again));
    text
}

impl World {
    fn parse(text: &str) -> Self {
        let mut world = Self {
            cron_job: CronJob {
                metadata: ObjectMeta {
                    name: Some("cj".to_owned()),
                    namespace: Some(NAMESPACE.to_owned()),
                    uid: Some(uid("cj")),
                    creation_timestamp: Some(Time(time("08:00"))),
                    ..ObjectMeta::default()
                },
                spec: CronJobSpec {
                    concurrency_policy: Some("Allow".to_owned()),
                    successful_jobs_history_limit: Some(3),
                    failed_jobs_history_limit: Some(1),
                    ..CronJobSpec::default()
                },
                status: None,
            },
            children: Vec::new(),
            others: Vec::new(),
            zone: Zone::UTC,
            rescheduled: false,
            now: time("08:00"),
        };
        text.trim().lines().filter(|line| !line.starts_with('#')).for_each(|line| world.line(line));
        world
    }

    fn line(&mut self, line: &str) {
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words = rest.split_whitespace().map(|w| w.split_once('=').unwrap_or((w, "")));
        match what {
            "schedule" => self.cron_job.spec.schedule = rest.to_owned(),
            "cronjob" => words.for_each(|(key, value)| self.set(key, value)),
            "status" => {
                let status = self.cron_job.status.get_or_insert_default();
                words.for_each(|(key, value)| set_status(status, key, value));
            }
            "template" => {
                let template = &mut self.cron_job.spec.job_template;
                let meta = template.metadata.get_or_insert_default();
                for (key, value) in words {
                    let (map, key) = match key.split_once('.').expect("labels.K or annotations.K") {
                        ("labels", key) => (&mut meta.labels, key),
                        (_, key) => (&mut meta.annotations, key),
                    };
                    map.get_or_insert_default().insert(key.to_owned(), value.to_owned());
                }
            }
            "job" => self.children.push(child(rest)),
            "other" => self.others.push(job_name(rest)),
            "local" => self.zone = Zone::load(rest).unwrap(),
            "rescheduled" => self.rescheduled = true,
            "now" => self.now = time(rest),
            other => panic!("unknown line {other:?}"),
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        let (meta, spec) = (&mut self.cron_job.metadata, &mut self.cron_job.spec);
        let limit = || (value != "none").then(|| value.parse().unwrap());
        match key {
            "created" => meta.creation_timestamp = Some(Time(time(value))),
            "deleted" => meta.deletion_timestamp = Some(Time(time(value))),
            "policy" => spec.concurrency_policy = Some(value.to_owned()),
            "deadline" => spec.starting_deadline_seconds = Some(value.parse().unwrap()),
            "zone" => spec.time_zone = Some(value.to_owned()),
            "suspend" => spec.suspend = Some(true),
            "successful" => spec.successful_jobs_history_limit = limit(),
            "failed" => spec.failed_jobs_history_limit = limit(),
            other => panic!("unknown word {other:?} of a CronJob"),
        }
    }

    fn plan(&self) -> Plan {
        let jobs: Vec<&Child> = self.children.iter().collect();
        let exists = |name: &str| {
            self.others.iter().any(|other| other == name)
                || self.children.iter().any(|child| *child.name == *name)
        };
        let view =
            View { cron_job: &self.cron_job, jobs: &jobs, exists: &exists, zone: &self.zone };
        match self.rescheduled {
            true => rescheduled(&view, self.now),
            false => cron_job(&view, self.now),
        }
    }

    fn apply(&mut self, plan: &Plan) {
        let deleted = |name: &str| plan.delete.iter().any(|gone| gone == name);
        self.children.retain(|child| !deleted(&child.name));
        self.others.retain(|other| !deleted(other));
        let mut status = plan.status.clone();
        if let Some(start) = &plan.start {
            let mut job = (*start.job).clone();
            let name = job.metadata.name.clone().unwrap();
            job.metadata.uid = Some(uid(&name));
            assert!(self.children.iter().all(|child| *child.name != *name), "{name} is there");
            self.children.push(Child::of(&job));
            started(&mut status, reference(NAMESPACE, &name, &uid(&name)), start.due);
        }
        self.cron_job.status = Some(status);
    }

    fn status(&self) -> CronJobStatus {
        self.cron_job.status.clone().unwrap_or_default()
    }
}

fn set_status(status: &mut CronJobStatus, key: &str, value: &str) {
    match key {
        "last" => status.last_schedule_time = Some(Time(time(value))),
        "successful" => status.last_successful_time = Some(Time(time(value))),
        "active" => {
            let names = value.split(',').map(job_name);
            let active = names.map(|name| reference(NAMESPACE, &name, &uid(&name))).collect();
            status.active = Some(active);
        }
        other => panic!("unknown word {other:?} of a status"),
    }
}

/// `NAME running|complete|failed word…`
fn child(text: &str) -> Child {
    let mut words = text.split_whitespace();
    let name = job_name(words.next().expect("a Job has a name"));
    let end = match words.next().expect("a Job has a state") {
        "complete" => Some(End::Complete),
        "failed" => Some(End::Failed),
        state => {
            assert_eq!(state, "running");
            None
        }
    };
    let uid = uid(&name).into();
    let mut child =
        Child { name: name.into(), uid, deleting: false, end, started: None, completed: None };
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("started", at) => child.started = Some(time(at)),
            ("completed", at) => child.completed = Some(time(at)),
            ("deleting", _) => child.deleting = true,
            (other, _) => panic!("unknown word {other:?} of a Job"),
        }
    }
    child
}

/// `cj@10:00` is `cj-29653560`.
fn job_name(text: &str) -> String {
    match text.split_once('@') {
        Some((name, at)) => format!("{name}-{}", time(at).as_second() / 60),
        None => text.to_owned(),
    }
}

fn time(text: &str) -> Timestamp {
    let (date, clock) = text.split_once('T').unwrap_or((DAY, text));
    let year = if date.len() == 5 { "2026-" } else { "" };
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    format!("{year}{date}T{clock}{seconds}Z").parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    let text = text.trim_end_matches('Z');
    let text = text.strip_suffix(":00").unwrap_or(text);
    let text = text.strip_prefix(&format!("{DAY}T")).unwrap_or(text);
    text.strip_prefix("2026-").unwrap_or(text).to_owned()
}

/// The time that is in a name, if it is one of the CronJob's own.
fn short(name: &str) -> String {
    let minutes = name.strip_prefix("cj-").and_then(|minutes| minutes.parse::<i64>().ok());
    match minutes {
        Some(minutes) => format!("cj@{}", clock(Timestamp::from_second(minutes * 60).unwrap())),
        None => name.to_owned(),
    }
}

fn render(plan: &Plan) -> String {
    let mut out = String::new();
    for name in &plan.delete {
        writeln!(out, "delete {}", short(name)).unwrap();
    }
    if let Some(start) = &plan.start {
        let meta = &start.job.metadata;
        let list = |map: &Option<std::collections::BTreeMap<String, String>>| {
            let pairs = map.iter().flatten().map(|(key, value)| format!(" {key}={value}"));
            pairs.collect::<String>()
        };
        let name = short(meta.name.as_deref().unwrap());
        let (labels, annotations) = (list(&meta.labels), list(&meta.annotations));
        writeln!(out, "start {name}{labels}{annotations}").unwrap();
    }
    let status = &plan.status;
    let mut line = String::new();
    for (name, at) in
        [("last", &status.last_schedule_time), ("successful", &status.last_successful_time)]
    {
        if let Some(at) = at {
            write!(line, " {name}={}", clock(at.0)).unwrap();
        }
    }
    if let Some(active) = &status.active {
        let names: Vec<_> = active.iter().map(|job| short(job.name.as_deref().unwrap())).collect();
        write!(line, " active={}", names.join(",")).unwrap();
    }
    if !line.is_empty() {
        writeln!(out, "status{line}").unwrap();
    }
    for note in &plan.notes {
        let kind = if note.warning { "warning" } else { "normal" };
        let words = note.message.split(' ').map(|word| match word.strip_suffix(',') {
            Some(word) => short(word) + ",",
            None => short(word),
        });
        let message = words.collect::<Vec<_>>().join(" ");
        writeln!(out, "{kind} {}: {message}", note.reason).unwrap();
    }
    if let Some(at) = plan.wake_at {
        writeln!(out, "wake {}", clock(at)).unwrap();
    }
    if out.is_empty() { "nothing\n".to_owned() } else { out }
}
