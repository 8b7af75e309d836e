//! `coracle wait`: until a condition holds, a field has a value, or an object comes or goes; without
//! `--for`, until Jobs are Complete or Failed, with the codes of `run`. Watches, and never polls.

use std::time::Duration;

use jiff::SignedDuration;
use kinds::{Facts, Kind, Object, StatusError};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{
    problem::{self, Problem},
    session::Session,
    until::Until,
    which::{Asked, Named, typed},
};
use crate::{
    cli,
    client::{As, Change, Error},
    exit::{Code, Failure},
    run::{self, Ended, Hints},
};

/// How long `--for` is waited for where nothing else is said, as kubectl does, in seconds.
const FOR_WAIT_S: u64 = 30;

/// What a negative `--timeout` means, and none where kubectl has no limit, in seconds: a week.
pub(super) const LONG_WAIT_S: u64 = 7 * 24 * 3600;

/// Waits.
pub(crate) async fn wait(args: &cli::Wait) -> Result<Code, Failure> {
    wait_as_asked(args).await.map_err(|failure| match failure.code {
        // Nothing was waited for: without --for that is told from a Job that failed.
        Code::FAILED if args.until.is_none() => Failure::usage(failure.message),
        _ => failure,
    })
}

async fn wait_as_asked(args: &cli::Wait) -> Result<Code, Failure> {
    let (asked, _) = Asked::read_cautiously(&args.which, &args.place, &args.among)?;
    let until = args.until.as_deref().map(Until::parse).transpose().map_err(Failure::failed)?;
    let session = Session::look(&args.place, args.among.reach.all_namespaces).await?;
    let result = match until {
        Some(until) => Ok(wait_until(args, &session, asked, &until).await),
        None => wait_for_jobs(args, &session, asked).await,
    };
    session.end().await;
    result
}

async fn wait_until(args: &cli::Wait, session: &Session, asked: Asked, until: &Until) -> Code {
    let objects = match session.names(asked, &args.which, &args.among).await {
        Ok(objects) => objects,
        Err(problem) => return problem::tell(&[problem]),
    };
    if objects.is_empty() && *until != Until::Gone {
        return problem::tell(&[Problem::Said("no matching resources found".to_owned())]);
    }
    let limit = match args.timeout {
        None => Duration::from_secs(FOR_WAIT_S),
        Some(limit) => limit_of(limit),
    };
    let deadline = Instant::now() + limit;
    let mut problems = Vec::new();
    for object in &objects {
        // With no time at all it still looks once.
        let met = match limit {
            Duration::ZERO => {
                look_once(session, object, until).await.map(|met| met.then_some(true))
            }
            _ => timeout_at(deadline, met(session, object, until)).await.ok().transpose(),
        };
        match met {
            Ok(Some(true)) => tell_met(args, object),
            // It was gone before: nothing happened.
            Ok(Some(false)) => {}
            Ok(None) => problems.push(late(object)),
            Err(problem) => problems.push(problem),
        }
    }
    problem::tell(&problems)
}

/// The time is up.
pub(super) fn late(object: &Named) -> Problem {
    let plural = object.kind.info().plural;
    Problem::Said(format!("timed out waiting for the condition on {plural}/{}", object.name))
}

/// Whether it holds now.
async fn look_once(session: &Session, object: &Named, until: &Until) -> Result<bool, Problem> {
    match (session.read_object(object, As::Object, "").await, until) {
        (Ok(value), _) => until.holds(&value).map_err(Problem::Said),
        (Err(problem), Until::Gone | Until::There) if problem.not_found() => {
            Ok(*until == Until::Gone)
        }
        (Err(problem), _) => Err(problem),
    }
}

fn limit_of(limit: SignedDuration) -> Duration {
    Duration::try_from(limit).unwrap_or(Duration::from_secs(LONG_WAIT_S))
}

fn tell_met(args: &cli::Wait, object: &Named) {
    let name = object.shown();
    match args.output {
        Some(cli::NameOnly::Name) => tell!("{name}"),
        None => tell!("{name} condition met"),
    }
}

/// Returns once it holds, with whether the object was ever there.
async fn met(session: &Session, object: &Named, until: &Until) -> Result<bool, Problem> {
    let mut seen = false;
    watch_until(session, object, |value| match (value, until) {
        (Some(value), _) => {
            seen = true;
            until.holds(value).map_err(Problem::Said)
        }
        (None, Until::Gone) => Ok(true),
        (None, Until::There) => Ok(false),
        // One that goes while it is waited for may come back.
        (None, _) if seen => Ok(false),
        (None, _) => Err(Error::from(StatusError::not_found(object.kind, &object.name)).into()),
    })
    .await?;
    Ok(seen)
}

/// Watches an object until `done` says so of what it is, or of `None` while it is not there. Goes on
/// when the server ends a watch or comes back.
pub(super) async fn watch_until(
    session: &Session,
    object: &Named,
    mut done: impl FnMut(Option<&Value>) -> Result<bool, Problem>,
) -> Result<(), Problem> {
    loop {
        let mark = session.link().mark();
        match watch_once(session, object, &mut done).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(Problem::Request(error)) if error.lost() => {
                if session.link().recover(mark).await.is_err() {
                    return Err(error.into());
                }
            }
            Err(problem) => return Err(problem),
        }
    }
}

/// One watch; false when it ended before that.
async fn watch_once(
    session: &Session,
    object: &Named,
    done: &mut impl FnMut(Option<&Value>) -> Result<bool, Problem>,
) -> Result<bool, Problem> {
    let mut changes = session.client().changes(session.watch_of(object), As::Object).await?;
    let mut there = false;
    while let Some(change) = changes.next().await? {
        let enough = match &change {
            Change::Added(value) | Change::Modified(value) => {
                there = true;
                done(Some(value))?
            }
            Change::Deleted(_) => {
                there = false;
                done(None)?
            }
            // The end of what was there when the watch began.
            Change::Bookmark => !there && done(None)?,
        };
        if enough {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Without `--for`: Jobs to their ends.
async fn wait_for_jobs(args: &cli::Wait, session: &Session, asked: Asked) -> Result<Code, Failure> {
    // Nothing was waited for: that is told from a Job that failed.
    let usage = |problem: Problem| {
        problem::tell(&[problem]);
        Ok(Code::USAGE)
    };
    let named = match session.names(asked, &args.which, &args.among).await {
        Ok(named) => named,
        Err(problem) => return usage(problem),
    };
    if named.is_empty() {
        return Err(Failure::usage("no matching resources found"));
    }
    if let Some(other) = named.iter().find(|named| named.kind != Kind::Job) {
        return Err(Failure::usage(format!(
            "{} needs --for: only jobs are waited for without",
            other.shown()
        )));
    }
    let mut jobs: Vec<Object> = Vec::new();
    for named in &named {
        match session.read_object(named, As::Object, "").await {
            Ok(value) => jobs.push(typed(Kind::Job, &value).map_err(Failure::engine)?),
            Err(problem) => return usage(problem),
        }
    }
    let hints = Hints { data_dir: args.place.data_dir.on_command_line() };
    for job in jobs.iter().filter(|job| !is_over(job)) {
        if !session.acts_on(job.meta.run.as_deref()).await? {
            return Err(Failure::engine(format!(
                "job/{} has not finished, and nothing goes on with it: it is left over from an \
                 earlier server; start one with: {}",
                job.key.name,
                hints.up()
            )));
        }
    }
    let limit = args.timeout.map(limit_of);
    let told = |ended: Ended<'_>| match ended.complete {
        true => tell_met(args, &named[ended.at]),
        false => (ended.lines)().iter().for_each(|line| complain!("{line}")),
    };
    let code = run::wait_for_jobs(session.link(), &jobs, limit, &hints, told).await?;
    if code == Code::TIMEOUT && args.timeout.is_some() {
        complain!("error: timed out waiting for jobs");
    }
    Ok(code)
}

fn is_over(job: &Object) -> bool {
    matches!(job.meta.facts, Facts::Job { finished: true, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_timeout_is_a_week() {
        assert_eq!(limit_of(SignedDuration::from_secs(-1)), Duration::from_secs(LONG_WAIT_S));
        assert_eq!(limit_of(SignedDuration::from_secs(2)), Duration::from_secs(2));
    }
}
