//! Real files and a real kill -9.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use kinds::Kind;
use store::{Disk, FileDisk, Limits, Store, Write};

use crate::common::*;

const DIRECTORY: &str = "CORACLE_STORE_TEST_DIRECTORY";
const OBJECTS_PER_COMMIT: &str = "CORACLE_STORE_TEST_OBJECTS_PER_COMMIT";

/// Starts this test binary again as one of the children here.
fn child(test: &str, directory: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--ignored"]);
    command.env(DIRECTORY, directory).stdout(Stdio::piped());
    command
}

fn writer(directory: &Path, objects_per_commit: u64) -> Child {
    let mut command = child("process::writes_until_it_is_killed", directory);
    command.env(OBJECTS_PER_COMMIT, objects_per_commit.to_string()).spawn().unwrap()
}

#[test]
#[ignore = "the child of the other tests here"]
fn writes_until_it_is_killed() {
    let Ok(directory) = env::var(DIRECTORY) else { return };
    let per_commit: u64 = env::var(OBJECTS_PER_COMMIT).unwrap().parse().unwrap();
    let mut disk = FileDisk::new(directory).unwrap();
    let limits = Limits { segment_bytes: 1 << 20, garbage_bytes: 1 << 20, ..Limits::default() };
    let mut store = Store::open(&mut disk, limits, time(0)).unwrap();
    for n in store.count(Kind::ConfigMap) as u64 / per_commit.. {
        let names = (0..per_commit).map(|m| format!("o{:07}", n * per_commit + m));
        let writes = names.map(|name| Write::Put(config_map_of(&name, n, 3700)));
        store.commit(writes.chain([Write::Put(config_map("last", n))]).collect(), time(1));
        run_batch(&mut store, &mut disk).unwrap();
        println!("\nacknowledged {n}");
    }
}

/// Waits for the writer to acknowledge so many commits more, kills it, returns the last number.
fn kill_after(mut child: Child, commits: usize) -> u64 {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let numbers = lines.filter_map(|l| l.strip_prefix("acknowledged ")?.parse().ok());
    let mut numbers = numbers.skip(commits - 1);
    let first = numbers.next();
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts too.
    numbers.last().or(first).unwrap()
}

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..8 {
        let last = kill_after(writer(directory.path(), 2), 20 + round * 37);
        let mut disk = FileDisk::new(directory.path()).unwrap();
        let store = Store::open(&mut disk, Limits::default(), time(2)).unwrap();
        let commits = store.count(Kind::ConfigMap) as u64 / 2;
        assert!((last + 1..=last + 2).contains(&commits), "{commits} kept, {last} acknowledged");
        let expected: View = (0..commits * 2).map(|n| (format!("o{n:07}"), n / 2)).collect();
        let mut found = view(&store);
        assert_eq!(found.remove("last"), Some(commits - 1), "a transaction is whole");
        assert!(found == expected);
    }
    let numbers = FileDisk::new(directory.path()).unwrap().segments().unwrap();
    assert!(numbers.len() > 2, "segments were filled: {numbers:?}");
}

#[test]
#[ignore = "the child of the other tests here"]
fn opens_once() {
    let Ok(directory) = env::var(DIRECTORY) else { return };
    let mut disk = FileDisk::new(directory).unwrap();
    let start = Instant::now();
    let store = Store::open(&mut disk, Limits::default(), time(2)).unwrap();
    println!("\nopened {} {}", start.elapsed().as_millis(), store.count(Kind::ConfigMap));
}

/// Each time in a new process: most of the time goes into memory that is touched first.
#[test]
#[ignore = "full tier: writes 400 MB; the bound is for a release build"]
fn a_hundred_thousand_objects_open_in_half_a_second_after_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    kill_after(writer(directory.path(), 100), 1000);
    let open = |_| {
        let output = child("process::opens_once", directory.path()).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let line = output.lines().find_map(|l| l.strip_prefix("opened ")).unwrap();
        let (millis, count) = line.split_once(' ').unwrap();
        assert!(count.parse::<u64>().unwrap() >= 100_000);
        millis.parse().unwrap()
    };
    let mut times: Vec<u64> = (0..5).map(open).collect();
    times.sort_unstable();
    println!("opened in {times:?} ms");
    assert!(times[0] <= 500, "{times:?} ms");
}
