//! The spawner's memory, which children share until they run their programs.

use crate::harness::{Harness, lines};

/// The private beginning, which holds what a child writes to, is a few pages.
#[test]
fn children_share_the_heap_and_copy_nothing_of_it() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.plain("a", "exit 0");
    spawner.run(start);
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", spawner.spawner_pid())).unwrap();
    let range = |line: &str| {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        (number(start), number(end))
    };
    let mut lines = maps.lines();
    let (start, end) = range(lines.find(|line| line.ends_with("[heap]")).unwrap());
    assert!(end - start <= 16 * 1024, "{maps}");
    let next = lines.next().unwrap();
    assert!(range(next).0 == end && next.contains(" rw-s "), "{maps}");
}

/// The heap grows and is shared anew while children read in it.
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
