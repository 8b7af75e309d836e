//! Data cases: `=== what it shows [RULES]`, the question, `----`, the answer. `UPDATE_EXPECT=1 cargo
//! test -p kinds --test cron` writes the answers anew.
//!
//! A question is a line with a schedule; with lines `zone`, `after` and `count` it asks for times, in
//! that zone. A line may be quoted, to have white space at its ends or in it.

use std::{fs, path::Path};

use jiff::Timestamp;
use kinds::cron::{Schedule, Zone};

#[test]
fn every_case_is_answered_as_written() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cron/cases");
    let (mut count, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let mut parts = text.split("\n=== ");
        let mut rewritten = parts.next().unwrap().trim_end().to_owned() + "\n";
        for case in parts {
            count += 1;
            let (title, rest) = case.split_once('\n').unwrap();
            let (question, expected) = rest.split_once("\n----\n").unwrap_or((rest, ""));
            let actual = answer(question.trim_end());
            if actual != expected.trim_end() {
                wrong.push(format!("{title}\n{question}\n----\n{actual}\nexpected\n{expected}"));
            }
            rewritten += &format!("\n=== {title}\n{}\n----\n{actual}\n", question.trim_end());
        }
        if update {
            fs::write(&path, rewritten).unwrap();
        }
    }
    assert!(update || wrong.is_empty(), "{} wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(count >= 60, "only {count} cases");
}

fn answer(question: &str) -> String {
    let (mut zone, mut after, mut count) = (Ok(Zone::UTC), None, 1);
    let mut schedules = Vec::new();
    for line in question.lines() {
        match line.split_once(' ') {
            Some(("zone", name)) => zone = Zone::load(name),
            Some(("after", time)) => after = Some(time.parse::<Timestamp>().unwrap()),
            Some(("count", number)) => count = number.parse().unwrap(),
            _ => schedules.push(serde_json::from_str(line).unwrap_or_else(|_| line.to_owned())),
        }
    }
    let zone = match zone {
        Ok(zone) => zone,
        Err(error) => return error,
    };
    let answers = schedules.iter().map(|text| match (Schedule::parse(text), after) {
        (Err(error), _) => error,
        (Ok(_), None) => "ok".to_owned(),
        (Ok(schedule), Some(after)) => times(&schedule, after, &zone, count).join("\n"),
    });
    answers.collect::<Vec<_>>().join("\n")
}

fn times(schedule: &Schedule, after: Timestamp, zone: &Zone, count: usize) -> Vec<String> {
    let next = |at: &Timestamp| schedule.next(*at, zone);
    let found: Vec<_> = std::iter::successors(next(&after), next).take(count).collect();
    match found[..] {
        [] => vec!["never".to_owned()],
        _ => found.iter().map(|at| zone.rfc3339(*at)).collect(),
    }
}
