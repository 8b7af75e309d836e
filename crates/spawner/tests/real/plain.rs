//! Plain processes.

use crate::harness::{Harness, lines, log_path};
use spawner::protocol::{Request, Stage, State, User};
use std::fs;

#[test]
fn exit_codes_and_output_come_back() {
    let Some(mut spawner) = Harness::new() else { return };
    let (end, lines) = spawner.run(spawner.plain("a", "echo out; echo err >&2; exit 7"));
    assert_eq!((end.code, end.signal, end.oom_killed), (Some(7), None, false));
    assert!(end.finished_ns >= end.started_ns && end.started_ns > 0);
    assert!(end.memory_peak_bytes > 100_000, "{end:?}");
    assert_eq!(lines, ["stdout F out", "stderr F err"]);
}

#[test]
fn a_silent_program_makes_no_file() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.plain("a", "true");
    let path = log_path(&start.log);
    let (end, _) = spawner.run(start);
    assert_eq!(end.code, Some(0));
    assert!(!path.parent().unwrap().exists());
}
