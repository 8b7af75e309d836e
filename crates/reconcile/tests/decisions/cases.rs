//! Runs every case under `cases/`, in the folder of the controller that they ask. A file
//! holds cases of one subject: `=== name`, what is there, `----`, what is decided.
//! `UPDATE_EXPECT=1` rewrites the second halves.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    collector, cron_job,
    notation::{parse, render},
    orphans::let_go,
    world::World,
};

/// Fewer would mean that files were not found.
const CASES_MIN: usize = 500;

#[test]
fn every_case_is_decided_as_written() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let (mut count, mut wrong) = (0, Vec::new());
    for (file, decide) in files() {
        let text = fs::read_to_string(&file).unwrap();
        let (head, cases) = split(&text);
        let names: BTreeSet<_> = cases.iter().map(|case| case.0).collect();
        assert_eq!(names.len(), cases.len(), "{} has two cases of one name", file.display());
        let mut rewritten = head.trim_end().to_owned() + "\n\n";
        for (name, given, expected) in cases {
            count += 1;
            let decided = decide(&format!("{}: {name}", file.display()), given);
            if decided.trim() != expected.trim() {
                wrong.push(format!("{name}\n{given}----\n{decided}expected\n{expected}"));
            }
            rewritten += &format!("=== {name}\n{}\n----\n{decided}\n", given.trim());
        }
        if update {
            fs::write(&file, rewritten.trim_end().to_owned() + "\n").unwrap();
        }
    }
    assert!(update || wrong.is_empty(), "{} wrong:\n\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= CASES_MIN, "only {count} cases");
}

/// What answers a case, given its name and its first half.
type Decide = fn(&str, &str) -> String;

/// The folders of cases, and what is asked there.
const FOLDERS: [(&str, Decide); 7] = [
    ("cron_job", cron_job::decide),
    ("garbage", collector::live),
    ("job", decide),
    ("namespace", collector::live),
    ("orphan", let_go),
    ("terminated", collector::terminated),
    ("ttl", collector::ttl),
];

fn files() -> Vec<(PathBuf, Decide)> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut files: Vec<(PathBuf, Decide)> = Vec::new();
    for (folder, decide) in FOLDERS {
        let entries = fs::read_dir(cases.join(folder)).unwrap();
        files.extend(entries.map(|entry| (entry.unwrap().path(), decide)));
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

/// The comment at the top of a file, and its cases: name, first half, second half.
fn split(text: &str) -> (&str, Vec<(&str, &str, &str)>) {
    let mut parts = text.split("\n=== ");
    let head = parts.next().unwrap_or_default();
    let cases = parts.map(|part| {
        let (name, rest) = part.split_once('\n').expect("a case has lines");
        let (given, expected) = rest.split_once("----").unwrap_or((rest, ""));
        (name, given, expected)
    });
    (head, cases.collect())
}

/// The plan for a case. Every case also has to come to rest, whatever order its pods are shown in,
/// with nothing decided twice.
fn decide(name: &str, given: &str) -> String {
    let input = parse(given);
    let show_pods = input.show_pods;
    let mut world = World::of(input);
    let plan = world.plan(false);
    let rest = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert_eq!(plan, world.plan(false), "two plans of one view differ");
        world.settle();
    }));
    if let Err(panic) = rest {
        eprintln!("in {name}");
        std::panic::resume_unwind(panic);
    }
    render(&plan, show_pods)
}
