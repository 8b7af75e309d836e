//! Rules for source files: sizes, headers, words that must not be there.

use super::{File, Problems};
use std::fmt::Write;

/// From here on a file has to be split.
const FILE_LINES_MAX: usize = 1000;
/// From here on a file is listed, to be looked at.
const FILE_LINES_LISTED: usize = 500;
/// The median file stays below.
const MEDIAN_LINES_MAX: usize = 250;
/// How many functions may be excused from clippy's limit of 70 lines. This number only goes down.
const LONG_FUNCTIONS_MAX: usize = 3;

/// Words that no file may contain, and why. Written in halves, so that this file passes too.
const BANNED: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "open an issue instead"),
    (concat!("FIX", "ME"), "mend it or open an issue"),
    (concat!("../", "shared"), "the tree stands alone"),
    (concat!("/tmp/", "contracts"), "the tree stands alone"),
    (concat!("/work", "/"), "a path of somebody's machine"),
    (concat!("/root", "/"), "a path of somebody's machine"),
];

/// What must be absent from the production code under a path, and why: the invariants of
/// ARCHITECTURE.md that `cargo metadata` cannot see.
const ABSENT: &[(&str, &[&str], &str)] = &[
    ("crates/kinds/src/", IO, "kinds is pure: what it needs are arguments"),
    ("crates/reconcile/src/", IO, "reconcile is pure: what it needs are arguments"),
    ("crates/engine/src/", IO, "the engine does no I/O: its driver does"),
    ("crates/driver/src/", IO, "the driver joins engine and node; server and simulation act"),
    ("crates/node/src/machine", IO, "the pod machine decides, the rest of node acts"),
];

const IO: &[&str] = &[
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "tokio::",
    "rustix::",
];

/// The only crate that may be unsafe.
const UNSAFE_CRATE: &str = "crates/spawner/";

/// What is wrong with one file, whatever else the tree holds.
pub(super) fn check(file: &File) -> Problems {
    let mut problems = Problems::new();
    let path = &file.path;
    for (number, line) in file.text.lines().enumerate() {
        for (word, why) in BANNED {
            if line.contains(word) {
                problems.push(format!("{path}:{}: `{word}`: {why}", number + 1));
            }
        }
    }
    if !path.ends_with(".rs") {
        return problems;
    }
    let lines = file.text.lines().count();
    if lines >= FILE_LINES_MAX {
        problems.push(format!("{path}: {lines} lines: split it"));
    }
    if !file.text.starts_with("//!") {
        problems.push(format!("{path}: begin with `//!`: what is this, and why is it so"));
    }
    if file.text.contains(concat!("allow(unsafe", "_code)")) && !path.starts_with(UNSAFE_CRATE) {
        problems.push(format!("{path}: unsafe code belongs in {UNSAFE_CRATE}"));
    }
    let production = production(&file.text);
    for (place, words, why) in ABSENT.iter().filter(|(place, ..)| path.starts_with(place)) {
        for word in words.iter().filter(|word| production.contains(**word)) {
            problems.push(format!("{path}: `{word}` in {place}: {why}"));
        }
    }
    problems
}

/// The text before the unit tests, which stand last.
fn production(text: &str) -> &str {
    text.split_once("#[cfg(test)]").map_or(text, |(production, _)| production)
}

/// What is wrong with all files together.
pub(super) fn check_all(files: &[File]) -> Problems {
    let mut problems = Problems::new();
    let median = median(files);
    if median >= MEDIAN_LINES_MAX {
        problems.push(format!("the median file has {median} lines: below {MEDIAN_LINES_MAX}"));
    }
    let excuse = concat!("clippy::too_many", "_lines");
    let excused: Vec<_> = files.iter().filter(|file| file.text.contains(excuse)).collect();
    let count: usize = excused.iter().map(|file| file.text.matches(excuse).count()).sum();
    if count > LONG_FUNCTIONS_MAX {
        let names: Vec<_> = excused.iter().map(|file| file.path.as_str()).collect();
        problems.push(format!(
            "{count} functions are excused from the limit of 70 lines, at most \
             {LONG_FUNCTIONS_MAX} may be: {}",
            names.join(", ")
        ));
    }
    problems
}

/// A file of cases that no test reads proves nothing. A test names what it reads: the file, the first
/// word of its name, or the folder of which it reads every file.
pub(super) fn unused_cases(files: &[File]) -> Problems {
    let mut problems = Problems::new();
    for file in files {
        let Some((package, case)) = file.path.split_once("/cases/") else { continue };
        let package = package.split_once('/').map_or(package, |(first, rest)| {
            let end = first.len() + 1 + rest.find('/').unwrap_or(rest.len());
            &package[..end]
        });
        let (folder, name) = case.rsplit_once('/').unwrap_or(("cases", case));
        let stem = name.split('.').next().unwrap_or(name);
        let word = stem.split(['-', '_']).next().unwrap_or(stem);
        let names = [folder, name, stem, word].map(|name| format!("{name}\""));
        let mut tests =
            files.iter().filter(|f| f.path.ends_with(".rs") && f.path.starts_with(package));
        if !tests.any(|test| names.iter().any(|name| test.text.contains(name))) {
            problems.push(format!("{}: no test in {package} reads it", file.path));
        }
    }
    problems
}

/// The sizes, in words.
pub(super) fn summary(files: &[File]) -> String {
    let sources = sources(files);
    let lines: usize = sources.iter().map(|(lines, _)| lines).sum();
    let mut text = format!("{} Rust files, {lines} lines, median {}", sources.len(), median(files));
    for (lines, path) in sources.iter().filter(|(lines, _)| *lines > FILE_LINES_LISTED) {
        let _ = write!(text, "\nlong: {lines:>4} {path}");
    }
    text
}

fn median(files: &[File]) -> usize {
    let sources = sources(files);
    sources.get(sources.len() / 2).map_or(0, |(lines, _)| *lines)
}

/// Every Rust file with its lines, the shortest first.
fn sources(files: &[File]) -> Vec<(usize, &str)> {
    let mut sources: Vec<_> = files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .map(|file| (file.text.lines().count(), file.path.as_str()))
        .collect();
    sources.sort_unstable();
    sources
}

#[cfg(test)]
mod tests {
    use super::{File, check, check_all, unused_cases};

    fn problems(path: &str, text: &str) -> String {
        check(&File { path: path.to_owned(), text: text.to_owned() }).join("\n")
    }

    #[test]
    fn a_good_file_has_no_problem() {
        assert_eq!(problems("crates/kinds/src/job.rs", "//! Jobs.\n"), "");
        let test = "//! Jobs.\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert_eq!(problems("crates/kinds/src/job.rs", test), "");
    }

    #[test]
    fn each_rule_finds_its_breach() {
        let long = format!("//! Long.\n{}", "\n".repeat(1000));
        for (path, text, found) in [
            ("a.rs", "fn f() {}\n", "begin with"),
            ("a.rs", long.as_str(), "split it"),
            ("a.md", concat!("x\nTO", "DO: y\n"), "a.md:2"),
            ("a.yaml", concat!("f: /root", "/x\n"), "machine"),
            ("crates/node/src/a.rs", concat!("//! A.\n#![allow(unsafe", "_code)]\n"), "unsafe"),
            ("crates/kinds/src/a.rs", "//! A.\nuse std::fs;\n", "kinds is pure"),
            ("crates/engine/src/a.rs", "//! A.\nuse tokio::fs;\n", "no I/O"),
        ] {
            let problems = problems(path, text);
            assert!(problems.contains(found), "{path} {text:?}: {problems:?}");
        }
    }

    #[test]
    fn a_case_that_no_test_reads_is_found() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let test =
            file("crates/a/tests/a.rs", "check(\"body\"); include_str!(\"cases/pod/x.txt\")");
        let cases = ["crates/a/tests/cases/body.txt", "crates/a/src/job/cases/body-2.txt"];
        let used = cases.map(|path| file(path, ""));
        let unused = file("crates/a/tests/cases/late.txt", "");
        let other = file("crates/b/tests/cases/body.txt", "");
        let whole = file("crates/c/tests/api.rs", "read_dir(\"tests/cases\")");
        let read = file("crates/c/tests/cases/get.txt", "");
        let [one, two] = used;
        let problems = unused_cases(&[test, one, two, unused, other, whole, read]);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("crates/a/tests/cases/late.txt"), "{problems:?}");
        assert!(problems[1].starts_with("crates/b/tests/cases/body.txt"), "{problems:?}");
    }

    #[test]
    fn excuses_for_long_functions_are_counted() {
        let text = concat!("//! A.\n#[expect(clippy::too_many", "_lines)]\n").repeat(4);
        let problems = check_all(&[File { path: "a.rs".to_owned(), text }]);
        assert!(problems[0].contains("4 functions"), "{problems:?}");
    }
}
