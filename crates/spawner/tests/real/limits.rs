//! Control groups: limits hold, and nothing of them stays.

use crate::harness::{Harness, assert_gone, children, log_path, wait_for_text};
use spawner::protocol::{Limits, Request};
use std::fs;
use std::path::Path;

/// What this machine must have for these tests.
fn has_controllers() -> bool {
    let v1 = Path::new("/sys/fs/cgroup/memory/cgroup.procs").exists();
    let v2 = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    if v1 || v2.contains("memory") {
        return true;
    }
    eprintln!("SKIPPED: no memory controller here");
    false
}

#[test]
fn too_much_memory_is_an_oom_kill() {
    let Some(mut spawner) = Harness::new() else { return };
    if !has_controllers() {
        return;
    }
    let hungry = "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo survived";
    for plain in [true, false] {
        let name = if plain { "plain" } else { "isolated" };
        let mut start = spawner.isolated(name, hungry, |_| {});
        if plain {
            start = spawner.plain(name, hungry);
        }
        start.limits.memory_bytes = Some(32 << 20);
        let (end, lines) = spawner.run(start);
        assert!(end.oom_killed, "{end:?} {lines:?}");
        assert!(!lines.contains(&"stdout F survived".to_owned()));
        assert!(end.memory_peak_bytes > 16 << 20 && end.memory_peak_bytes <= 32 << 20, "{end:?}");
    }
    let (end, _) = spawner.run(spawner.plain("fits", "true"));
    assert!(!end.oom_killed);
}

#[test]
fn what_is_written_to_the_root_counts_as_memory_and_is_bounded() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "head -c 20000000 /dev/zero > /var/big || echo full";
    let mut start = spawner.isolated("a", script, |c| c.writable_bytes = 8 << 20);
    start.limits.memory_bytes = Some(64 << 20);
    let (end, lines) = spawner.run(start);
    assert!(lines.contains(&"stdout F full".to_owned()), "{end:?} {lines:?}");
    assert!(end.memory_peak_bytes > 8 << 20, "{end:?}");
}

#[test]
fn cpu_and_process_limits_are_written() {
    let Some(mut spawner) = Harness::new() else { return };
    if !Path::new("/sys/fs/cgroup/pids/cgroup.procs").exists() {
        eprintln!("SKIPPED: this test reads v1 hierarchies");
        return;
    }
    let script = "for c in cpu pids; do p=$(grep -E \":$c(,|:)\" /proc/self/cgroup | cut -d: -f3); \
                  d=/sys/fs/cgroup/$c$p; cat $d/cpu.shares $d/cpu.cfs_quota_us $d/pids.max 2>/dev/null; done; \
                  (sleep 0 & sleep 0 & sleep 0 & sleep 0 & sleep 0 & wait) 2>&1 | grep -c fork; :";
    let mut start = spawner.plain("a", script);
    start.limits = Limits {
        cpu_shares: Some(512),
        cpu_quota_us: Some(50_000),
        pids: Some(6),
        ..Limits::default()
    };
    let (_, lines) = spawner.run(start);
    assert_eq!(lines[..3], ["512", "50000", "6"].map(|line| format!("stdout F {line}")));
    assert_ne!(lines[3], "stdout F 0", "forks beyond the limit are refused: {lines:?}");
}

#[test]
fn a_forking_crowd_dies_at_once() {
    let Some(mut spawner) = Harness::new() else { return };
    for isolated in [true, false] {
        let script = "echo ready; f() { while :; do sleep 1000 & sleep 0.01; done; }; f & f & f & setsid sh -c 'while :; do sleep 1000 & sleep 0.01; done' & wait";
        let name = if isolated { "isolated" } else { "plain" };
        let mut start = spawner.plain(name, script);
        if isolated {
            start = spawner.isolated(name, script, |_| {});
        }
        start.limits.pids = Some(200);
        let path = log_path(&start.log);
        let id = spawner.start(start);
        let running = spawner.started(&id);
        wait_for_text(&path, "ready");
        spawner.send(&Request::Kill { id: id.clone() });
        let end = spawner.ended(&id);
        assert_eq!(end.signal, Some(libc::SIGKILL));
        assert_gone(running.pid);
    }
    assert_eq!(children(spawner.spawner_pid()), "");
}
