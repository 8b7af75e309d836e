//! The spawner's memory, which children share until they run their programs.

use crate::harness::{Harness, lines};
use spawner::protocol::{Reply, Request};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whoever could write to a child that has not run its program yet could write to the spawner. What
/// /proc has of a process that hides its memory is root's, whatever group the process is of.
#[test]
fn the_memory_is_hidden() {
    if !Path::new("/usr/bin/setpriv").exists() {
        eprintln!("SKIPPED: no setpriv");
        return;
    }
    let exe = env!("CARGO_BIN_EXE_spawner-alone");
    let line = format!("exec setpriv --regid 65534 --clear-groups {exe} \"$@\"");
    let Some(mut spawner) = Harness::after(&line) else { return };
    let (end, _) = spawner.run(spawner.plain("a", "exit 4"));
    assert_eq!(end.code, Some(4));
    let group = |name: &str| {
        std::fs::metadata(format!("/proc/{}/{name}", spawner.spawner_pid())).unwrap().gid()
    };
    assert_eq!((group(""), group("mem")), (65534, 0));
}

/// Children are made by threads that share everything with the spawner; what they do to themselves
/// stays with them.
#[test]
fn children_share_memory_and_nothing_else() {
    let Some(mut spawner) = Harness::new() else { return };
    let of_spawner = format!("/proc/{}", spawner.spawner_pid());
    let own = |name: &str| std::fs::read_to_string(format!("{of_spawner}/{name}")).unwrap();
    let limits = own("limits");
    let mut start = spawner.isolated("a", "cat /proc/self/oom_score_adj; umask 077", |_| {});
    start.limits.oom_score_adj = Some(1000);
    start.user.uid = 1000;
    let (end, lines) = spawner.run(start);
    assert_eq!((end.code, lines), (Some(0), vec!["stdout F 1000".to_owned()]));
    let status = own("status");
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert_ne!(line("Threads:"), "Threads:\t1", "the child was made by a thread");
    assert_eq!(line("Uid:"), "Uid:\t0\t0\t0\t0");
    assert_eq!(own("oom_score_adj"), "0\n");
    assert_eq!(own("limits"), limits);
}

/// An ordinary user's processes may look into each other: their spawner shares nothing with children.
#[test]
fn children_of_an_ordinary_user_get_copies() {
    if !Path::new("/usr/bin/setpriv").exists() {
        eprintln!("SKIPPED: no setpriv");
        return;
    }
    let exe = env!("CARGO_BIN_EXE_spawner-alone");
    let line = format!(
        "cp {exe} \"$2/exe\"; chown -R 65534:65534 \"$2\"; \
         exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$2/exe\" \"$@\""
    );
    let Some(mut spawner) = Harness::after(&line) else { return };
    let mut start = spawner.plain("a", "id -u; exit 3");
    (start.user.uid, start.user.gid) = (65534, 65534);
    let (end, lines) = spawner.run(start);
    assert_eq!((end.code, lines), (Some(3), vec!["stdout F 65534".to_owned()]));
    let mut start = spawner.plain("b", "true");
    (start.user.uid, start.user.gid) = (65534, 65534);
    start.argv = vec!["/no/such".to_owned()];
    let id = spawner.start(start);
    assert_eq!(spawner.failed(&id).errno, libc::ENOENT, "the pipe tells");
    let status = std::fs::read_to_string(format!("/proc/{}/status", spawner.spawner_pid()));
    assert!(status.unwrap().contains("Threads:\t1\n"));
}

/// The OOM killer ends all who share a victim's memory: a child must not be one.
#[test]
fn a_limit_too_small_for_a_child_ends_nobody_else() {
    let Some(mut spawner) = Harness::new() else { return };
    let neighbour = spawner.plain("neighbour", "exec sleep 1000");
    let neighbour = spawner.start(neighbour);
    spawner.started(&neighbour);
    for bytes in [4096, 64 << 10, 256 << 10] {
        let mut start = spawner.isolated(&format!("small{bytes}"), "true", |_| {});
        start.limits.memory_bytes = Some(bytes);
        let id = spawner.start(start);
        spawner.wait(|reply| match reply {
            Reply::Failed { id: of, .. } | Reply::Ended { id: of, .. } if *of == id => Some(()),
            _ => None,
        });
    }
    spawner.send(&Request::Kill { id: neighbour.clone() });
    assert_eq!(spawner.ended(&neighbour).signal, Some(9), "the spawner still knows it");
}

/// The heap grows while children read in it.
#[test]
fn every_child_does_its_own_steps_while_the_heap_grows() {
    let Some(mut spawner) = Harness::new() else { return };
    let mut started = Vec::new();
    for number in 0..100 {
        let mut start = spawner.plain(&format!("n{number}"), "echo $WHO ${#LONG}");
        start.env.push(format!("WHO=w{number}"));
        start.env.push(format!("LONG={}", "x".repeat(50_000 + number)));
        let log = start.log.clone();
        started.push((number, spawner.start(start), log));
    }
    for (number, id, log) in started {
        assert_eq!(spawner.ended(&id).code, Some(0));
        let text = lines(&log).concat();
        assert!(text.ends_with(&format!("w{number} {}", 50_000 + number)), "{text}");
    }
}
