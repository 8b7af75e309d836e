//! Times of a schedule that have passed, and what becomes of each. Pure.

use jiff::{SignedDuration, Timestamp, civil};
use kinds::{
    cron::{Schedule, Zone},
    types::batch::v1::Job,
};

use crate::exit::Code;

/// How many Jobs one command creates.
const JOBS_MAX: usize = 100;

/// How times are written.
const HINT: &str = "write it as 2026-11-20T02:00:00Z, as 2026-11-20 or 2026-11-20T02:00 in the zone of \
                    the cronjob, or as 36h or 3d, which is so long ago";

/// What of a Job is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing: it is to be run.
    Missing,
    /// A Job that goes on.
    Unfinished,
    /// A Job that is over.
    Finished,
    /// A record of one that was Complete.
    Gone,
}

impl Fate {
    /// Why it is skipped; `None` if it is not.
    pub(super) fn why(self) -> Option<&'static str> {
        match self {
            Self::Missing => None,
            Self::Unfinished => Some("it is there and goes on"),
            Self::Finished => Some("it is there and has finished; coracle rerun runs it again"),
            Self::Gone => {
                Some("it was Complete, as the history has it; coracle rerun runs it again")
            }
        }
    }
}

/// Reads a time: RFC 3339, a date with or without a time of day in `zone`, or how long ago.
///
/// # Errors
/// How it is to be written.
pub(super) fn time(text: &str, now: Timestamp, zone: &Zone) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let local = text.parse::<civil::DateTime>().ok();
    let local = local.or_else(|| text.parse::<civil::Date>().ok().map(|day| day.at(0, 0, 0, 0)));
    if let Some(local) = local {
        return zone.at(local).ok_or_else(|| HINT.to_owned());
    }
    // A day is 24 hours here, as it is in `72h`: whoever means a date can write it.
    let hours =
        |days: &str| Some(SignedDuration::from_hours(24 * i64::from(days.parse::<u32>().ok()?)));
    let ago = match text.strip_suffix('d').and_then(hours) {
        Some(days) => Some(days),
        None => text.parse::<SignedDuration>().ok().filter(|ago| !ago.is_negative()),
    };
    ago.and_then(|ago| now.checked_sub(ago).ok()).ok_or_else(|| HINT.to_owned())
}

/// The times of a schedule from `since` to `until`, which is now unless it is said, both included.
///
/// # Errors
/// They are too many, or not fixed, or lie ahead, for people.
pub(super) fn times(
    text: &str,
    schedule: &Schedule,
    zone: &Zone,
    since: Timestamp,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Timestamp>, String> {
    if text.contains("@every") {
        return Err(format!(
            "the schedule {text:?} counts from the last run: no time was missed that could be named"
        ));
    }
    let until = until.unwrap_or(now);
    if until > now {
        return Err("--until lies ahead: only times that have passed are filled in".to_owned());
    }
    if since > until {
        return Err("--since lies after --until, which is now unless it is given".to_owned());
    }
    // What is due at the very beginning counts.
    let before = since.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(since);
    let next = |after: &Timestamp| schedule.next(*after, zone);
    let all = std::iter::successors(next(&before), next).take_while(|at| *at <= until);
    let all: Vec<Timestamp> = all.take(JOBS_MAX + 1).collect();
    if all.len() > JOBS_MAX {
        return Err(format!(
            "more than {JOBS_MAX} times lie between {since:.0} and {until:.0}: narrow --since and --until"
        ));
    }
    Ok(all)
}

/// `job/nightly-29384756  for 2026-11-20T02:00:00Z`
pub(super) fn shown(job: &Job) -> String {
    let annotations = job.metadata.annotations.as_ref();
    let time = annotations.and_then(|all| all.get(reconcile::cron_job::SCHEDULED));
    let name = job.metadata.name.as_deref().unwrap_or_default();
    format!("job/{name}  for {}", time.map_or("", |time| time))
}

/// The same of a Job that is left alone.
pub(super) fn skipped(job: &Job, why: &str) -> String {
    format!("{}  skipped: {why}", shown(job))
}

/// Whether a run that ended so is no reason to go on with the next.
pub(super) fn cancels(code: Code) -> bool {
    [Code::signal(2), Code::signal(15), Code::ENGINE].contains(&code)
}

/// The code of several runs: that of the only one, or of the one that was cancelled.
pub(super) fn code(codes: &[Code]) -> Code {
    match codes {
        [one] => *one,
        [.., last] if cancels(*last) => *last,
        all if all.iter().all(|code| *code == Code::OK) => Code::OK,
        _ => Code::FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn berlin() -> Zone {
        Zone::load("Europe/Berlin").unwrap()
    }

    #[test]
    fn times_are_absolute_local_or_so_long_ago() {
        let now = at("2026-11-24T10:00:00Z");
        for (text, wanted) in [
            ("2026-11-20T02:00:00Z", "2026-11-20T02:00:00Z"),
            ("2026-11-20T02:00:00+01:00", "2026-11-20T01:00:00Z"),
            ("2026-11-20", "2026-11-19T23:00:00Z"),
            ("2026-07-20T02:00", "2026-07-20T00:00:00Z"),
            ("36h", "2026-11-22T22:00:00Z"),
            ("3d", "2026-11-21T10:00:00Z"),
            ("1h30m", "2026-11-24T08:30:00Z"),
        ] {
            assert_eq!(time(text, now, &berlin()), Ok(at(wanted)), "{text}");
        }
        for text in ["yesterday", "-3h", "", "2026-13-01", "12"] {
            assert!(time(text, now, &berlin()).is_err(), "{text}");
        }
    }

    fn found(text: &str, since: &str, until: Option<&str>) -> Result<Vec<String>, String> {
        let schedule = Schedule::parse(text).unwrap();
        let now = at("2026-11-24T10:00:00Z");
        let found = times(text, &schedule, &berlin(), at(since), until.map(at), now)?;
        Ok(found.iter().map(Timestamp::to_string).collect())
    }

    #[test]
    fn both_ends_count() {
        let days = found("0 2 * * *", "2026-11-21T01:00:00Z", Some("2026-11-23T01:00:00Z"));
        let wanted = ["2026-11-21T01:00:00Z", "2026-11-22T01:00:00Z", "2026-11-23T01:00:00Z"];
        assert_eq!(days.unwrap(), wanted);
        let last = found("0 2 * * *", "2026-11-24T00:00:00Z", None);
        assert_eq!(last.unwrap(), ["2026-11-24T01:00:00Z"]);
    }

    #[test]
    fn what_cannot_be_filled_in_is_said() {
        for (schedule, since, until, part) in [
            ("* * * * *", "2026-11-24T00:00:00Z", None, "more than 100 times"),
            ("@every 1h", "2026-11-24T00:00:00Z", None, "counts from the last run"),
            ("@daily", "2026-11-24T00:00:00Z", Some("2026-11-25T00:00:00Z"), "--until lies ahead"),
            ("@daily", "2026-11-24T00:00:00Z", Some("2026-11-23T00:00:00Z"), "--since lies after"),
        ] {
            let wrong = found(schedule, since, until).unwrap_err();
            assert!(wrong.contains(part), "{wrong}");
        }
    }

    #[test]
    fn the_code_is_that_of_the_only_run_or_tells_that_one_failed() {
        let own = Code::container(7);
        for (codes, wanted) in [
            (vec![own], own),
            (vec![Code::OK, Code::OK], Code::OK),
            (vec![Code::OK, own, Code::OK], Code::FAILED),
            (vec![own, Code::signal(2)], Code::signal(2)),
        ] {
            assert_eq!(code(&codes), wanted, "{codes:?}");
        }
    }
}
