//! `coracle trigger` and `coracle backfill`: Jobs of a CronJob that its schedule did not make: one
//! now, or those of times that have passed. They are run as `run` runs Jobs.

mod jobs;
mod past;

use std::collections::HashSet;

use engine::history::Outcome;
use jiff::Timestamp;
use kinds::{
    Facts, Key, Kind, Reason,
    cron::{Schedule, Zone},
    types::batch::v1::{CronJob, Job},
};

use self::past::Fate;
use crate::{
    cli, clock,
    data_dir::Home,
    exit::{Code, Failure},
    history,
    link::{self, Link, Visit},
    objects,
    run::{self, Hints, Plan},
    server,
};

/// Where objects are that name no namespace.
const NAMESPACE: &str = "default";

/// Runs a Job of a CronJob now.
pub(crate) async fn trigger(args: &cli::Trigger) -> Result<Code, Failure> {
    let name = named(&args.cron_job)?;
    let visit = begin(&args.place, &name).await?;
    let result = trigger_at(args, visit.link(), &name).await;
    visit.end().await;
    result
}

async fn trigger_at(args: &cli::Trigger, link: &Link, name: &str) -> Result<Code, Failure> {
    let cron_job = read(link, &args.place, name).await?;
    let now = clock::now();
    let job = jobs::now(&cron_job, now, fastrand::u64(..), &args.set_env, &args.arguments);
    let plan = plan(name, &[job.map_err(Failure::usage)?])?;
    run::carry_out(link, &plan, &args.following, &hints(&args.place), now).await
}

/// Runs the Jobs of times that have passed.
pub(crate) async fn backfill(args: &cli::Backfill) -> Result<Code, Failure> {
    let name = named(&args.cron_job)?;
    let visit = begin(&args.place, &name).await?;
    let result = backfill_at(args, visit.link(), &name).await;
    visit.end().await;
    result
}

async fn backfill_at(args: &cli::Backfill, link: &Link, name: &str) -> Result<Code, Failure> {
    let cron_job = read(link, &args.place, name).await?;
    let due = times(args, &cron_job)?;
    let mut wanted = Vec::new();
    let past = link.repeat(async |client| client.history(namespace(&args.place), "").await);
    let complete = complete(&past.await.map_err(|error| link::failure(&error))?)?;
    for at in due {
        let job = reconcile::cron_job::job_for(&cron_job, at);
        let fate = fate(link, &job, &complete).await?;
        if let Some(why) = fate.why() {
            complain!("{}", past::skipped(&job, why));
        } else {
            wanted.push(job);
        }
    }
    if wanted.is_empty() {
        complain!("nothing to fill in for cronjob/{name}");
        return Ok(Code::OK);
    }
    if args.dry_run {
        wanted.iter().for_each(|job| tell!("{} (dry run)", past::shown(job)));
        return Ok(Code::OK);
    }
    let together = matches!(cron_job.spec.concurrency_policy.as_deref(), None | Some("Allow"));
    if !together && args.following.detach && wanted.len() > 1 {
        return Err(Failure::usage(format!(
            "cronjob/{name} does not allow its jobs to run at once, so that somebody has to wait for \
             one after the other: leave out -d"
        )));
    }
    wanted.iter().for_each(|job| complain!("{}", past::shown(job)));
    let each = if together { wanted.len() } else { 1 };
    let mut codes = Vec::new();
    for jobs in wanted.chunks(each) {
        let (plan, hints) = (plan(name, jobs)?, hints(&args.place));
        codes.push(run::carry_out(link, &plan, &args.following, &hints, clock::now()).await?);
        if codes.last().is_some_and(|code| past::cancels(*code)) {
            break;
        }
    }
    Ok(past::code(&codes))
}

/// The times that are asked for.
fn times(args: &cli::Backfill, cron_job: &CronJob) -> Result<Vec<Timestamp>, Failure> {
    let zone = match cron_job.spec.time_zone.as_deref() {
        Some(zone) => Zone::load(zone).map_err(Failure::usage)?,
        None => server::local_zone::read(),
    };
    let text = &cron_job.spec.schedule;
    let schedule = Schedule::parse(text)
        .map_err(|wrong| Failure::usage(format!("the schedule {text:?}: {wrong}")))?;
    let read = |flag: &str, text: &str| {
        past::time(text, clock::now(), &zone)
            .map_err(|wrong| Failure::usage(format!("{flag} {text:?}: {wrong}")))
    };
    let since = read("--since", &args.since)?;
    let until = args.until.as_deref().map(|text| read("--until", text)).transpose()?;
    past::times(text, &schedule, &zone, since, until, clock::now()).map_err(Failure::usage)
}

/// The Jobs of the history that are Complete, by name.
fn complete(bytes: &[u8]) -> Result<HashSet<String>, Failure> {
    let lines = history::parse(bytes)?;
    let complete = lines.into_iter().filter(|line| line.job.outcome == Outcome::Complete);
    Ok(complete.map(|line| line.job.job).collect())
}

/// What of this Job is there.
async fn fate(link: &Link, job: &Job, complete: &HashSet<String>) -> Result<Fate, Failure> {
    let meta = &job.metadata;
    let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref().unwrap_or_default());
    let key = Key::new(Kind::Job, namespace.unwrap_or_default(), name);
    match link.repeat(async |client| client.get(&key).await).await {
        Ok(object) => Ok(match &object.meta.facts {
            Facts::Job { finished: true, .. } => Fate::Finished,
            _ => Fate::Unfinished,
        }),
        Err(error) if error.status().is_some_and(|s| s.reason == Reason::NotFound) => {
            Ok(if complete.contains(name) { Fate::Gone } else { Fate::Missing })
        }
        Err(error) => Err(link::failure(&error)),
    }
}

/// The name in `cronjob/NAME`.
fn named(text: &str) -> Result<String, Failure> {
    match text.split_once('/') {
        None => Ok(text.to_owned()),
        Some((kind, name)) if objects::kind(kind) == Ok(Kind::CronJob) => Ok(name.to_owned()),
        Some(_) => Err(Failure::usage(format!("{text:?} is no cronjob: say cronjob/NAME"))),
    }
}

fn namespace(place: &cli::Place) -> &str {
    place.namespace.as_deref().unwrap_or(NAMESPACE)
}

fn hints(place: &cli::Place) -> Hints {
    Hints { data_dir: place.data_dir.on_command_line() }
}

/// A server for as long as it takes, from the look to the end of the run.
async fn begin(place: &cli::Place, name: &str) -> Result<Visit, Failure> {
    match Home::existing(&place.data_dir)? {
        Some(home) => Visit::begin(&home).await,
        None => Err(missing(place, name)),
    }
}

async fn read(link: &Link, place: &cli::Place, name: &str) -> Result<CronJob, Failure> {
    let key = Key::new(Kind::CronJob, namespace(place), name);
    match link.repeat(async |client| client.get(&key).await).await {
        Ok(object) => Ok(object.cron_job()),
        Err(error) if error.status().is_some_and(|s| s.reason == Reason::NotFound) => {
            Err(missing(place, name))
        }
        Err(error) => Err(link::failure(&error)),
    }
}

fn missing(place: &cli::Place, name: &str) -> Failure {
    Failure::usage(format!("there is no cronjob {name:?} in namespace {:?}", namespace(place)))
}

/// These Jobs as a run submits them.
fn plan(cron_job: &str, jobs: &[Job]) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    for job in jobs {
        let suspended = job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true));
        if suspended {
            return Err(Failure::usage(format!(
                "the jobs of cronjob/{cron_job} are suspended (spec.jobTemplate.spec.suspend) and \
                 would never finish"
            )));
        }
        let source = format!("cronjob/{cron_job}");
        let json = kinds::Draft::of_job(job).to_json();
        let parsed = kinds::manifest::parse(&source, &json);
        plan.run.extend(parsed.map_err(|wrong| Failure::engine(wrong.to_string()))?);
    }
    Ok(plan)
}
