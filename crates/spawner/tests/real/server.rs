//! The server at the other end: leaves, comes back, talks nonsense, asks twice.

use crate::harness::{Harness, log_path, wait_for_text};
use spawner::protocol::{ContainerId, Reply, Request, State};
use std::collections::BTreeSet;

#[test]
fn nothing_is_lost_while_the_server_is_away() {
    let Some(mut spawner) = Harness::new() else { return };
    let long = spawner.plain("long", "echo ready; sleep 1000");
    let path = log_path(&long.log);
    let (long, short) = (spawner.start(long), spawner.plain("short", "echo done; exit 9"));
    let before = spawner.started(&long);
    wait_for_text(&path, "ready");
    let short_log = log_path(&short.log);
    let instance = spawner.instance.clone();
    let short = spawner.start(short);
    // Gone in the middle of a start.
    spawner.reconnect();
    wait_for_text(&short_log, "done");
    loop {
        spawner.reconnect();
        assert_eq!(spawner.instance, instance);
        let states: Vec<_> = spawner.listed.iter().map(|record| record.state.clone()).collect();
        assert_eq!(spawner.listed.iter().map(|r| &r.id).collect::<Vec<_>>(), [&long, &short]);
        assert_eq!(states[0], State::Running(before.clone()));
        if let State::Ended(end) = &states[1] {
            assert_eq!(end.code, Some(9));
            break;
        }
    }
    assert_eq!(spawner.listed_fds.len(), 1, "the pidfd of the one that runs");
    let info =
        format!("/proc/self/fdinfo/{}", std::os::fd::AsRawFd::as_raw_fd(&spawner.listed_fds[0]));
    let info = std::fs::read_to_string(info).unwrap();
    assert!(info.contains(&format!("Pid:\t{}\n", before.pid)), "{info}");
    spawner.send(&Request::Forget { id: short });
    spawner.reconnect();
    assert_eq!(spawner.listed.len(), 1, "the forgotten one is gone");
}

/// A private server that ended told its spawner to stop; the next one came before it had. Its pods
/// were lost with the spawner that then left under it.
#[test]
fn a_stop_holds_only_until_the_next_hello() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.plain("a", "exec sleep 1000");
    let first = spawner.start(start);
    spawner.started(&first);
    spawner.send(&Request::Stop);
    spawner.reconnect();
    spawner.send(&Request::Kill { id: first.clone() });
    spawner.ended(&first);
    spawner.send(&Request::Forget { id: first });
    let start = spawner.plain("b", "exit 3");
    let second = spawner.start(start);
    assert_eq!(spawner.ended(&second).code, Some(3));
}

#[test]
fn asking_twice_changes_nothing() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.plain("a", "read x; exit 1");
    let start =
        spawner::protocol::Start { argv: vec!["sleep".to_owned(), "1000".to_owned()], ..start };
    let id = spawner.start(start.clone());
    let first = spawner.started(&id);
    spawner.start(start.clone());
    assert_eq!(spawner.started(&id), first);
    spawner.send(&Request::Kill { id: id.clone() });
    spawner.send(&Request::Kill { id: id.clone() });
    let end = spawner.ended(&id);
    assert_eq!(end.signal, Some(libc::SIGKILL));
    spawner.start(start);
    assert_eq!(spawner.ended(&id), end);
    spawner.send(&Request::Signal { id: id.clone(), signal: 15 });
    for _ in 0..2 {
        spawner.send(&Request::Forget { id: id.clone() });
        spawner.end_pod("pod");
    }
    spawner.reconnect();
    assert_eq!(spawner.listed, []);
}

#[test]
fn nonsense_ends_the_connection_and_nothing_else() {
    let Some(mut spawner) = Harness::new() else { return };
    let id = spawner.start(spawner.plain("a", "sleep 1000"));
    spawner.started(&id);
    for nonsense in [&b"\xff\xff\xff\xff"[..], b"\x02\0\0\0{}", b"\x01\0\0\0\xff"] {
        spawner.client.send_raw(nonsense).unwrap();
        let error = loop {
            if let Err(error) = spawner.client.receive() {
                break error;
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        spawner.reconnect();
        assert!(matches!(spawner.listed[0].state, State::Running(_)));
    }
}

#[test]
fn five_hundred_at_once() {
    let Some(mut spawner) = Harness::new() else { return };
    let ids: Vec<ContainerId> = (0..500)
        .map(|n| {
            let name = format!("c{n}");
            let script = format!("echo {n}; exit {}", n % 200);
            let start = if n % 5 == 0 {
                spawner.isolated(&name, &script, |_| {})
            } else {
                spawner.plain(&name, &script)
            };
            spawner.start(start)
        })
        .collect();
    let mut started = BTreeSet::new();
    for _ in 0..500 {
        let (id, code) = spawner.wait(|reply| match reply {
            Reply::Started { id, .. } => {
                started.insert(id.clone());
                None
            }
            Reply::Ended { id, end } => Some((id.clone(), end.code)),
            Reply::Failed { failure, .. } => panic!("{failure:?}"),
            _ => None,
        });
        let n: i32 = id.container[1..].parse().unwrap();
        assert_eq!(code, Some(n % 200));
    }
    assert_eq!(started, ids.into_iter().collect());
}

#[test]
fn more_run_than_one_message_has_room_for() {
    let Some(mut spawner) = Harness::new() else { return };
    let ids: Vec<ContainerId> = (0..300)
        .map(|n| {
            let mut start = spawner.plain(&format!("c{n}"), "");
            start.argv = vec!["sleep".to_owned(), "1000".to_owned()];
            spawner.start(start)
        })
        .collect();
    let pids: BTreeSet<i32> = ids.iter().map(|id| spawner.started(id).pid).collect();
    spawner.reconnect();
    assert_eq!((spawner.listed.len(), spawner.listed_fds.len()), (300, 300));
    let described: BTreeSet<i32> = spawner
        .listed_fds
        .iter()
        .map(|fd| {
            let info = format!("/proc/self/fdinfo/{}", std::os::fd::AsRawFd::as_raw_fd(fd));
            let info = std::fs::read_to_string(info).unwrap();
            let line = info.lines().find_map(|line| line.strip_prefix("Pid:\t")).unwrap();
            line.parse().unwrap()
        })
        .collect();
    assert_eq!(described, pids);
}

/// The spawner of a machine with few descriptors says no in time, and goes on.
#[test]
fn too_many_for_the_limit_of_open_files_are_refused() {
    let Some(mut spawner) = Harness::with_file_limit(200) else { return };
    let ids: Vec<ContainerId> = (0..40)
        .map(|n| {
            let mut start = spawner.plain(&format!("c{n}"), "");
            start.argv = vec!["sleep".to_owned(), "1000".to_owned()];
            spawner.start(start)
        })
        .collect();
    let started = ids
        .iter()
        .filter(|id| {
            spawner.wait(|reply| match reply {
                Reply::Started { id: of, .. } => (of == *id).then_some(true),
                Reply::Failed { id: of, failure } if of == *id => {
                    assert_eq!(failure.errno, libc::EMFILE);
                    assert!(failure.message.contains("limit of open files is 200"), "{failure:?}");
                    Some(false)
                }
                _ => None,
            })
        })
        .count();
    assert!((10..30).contains(&started), "{started}");
    spawner.end_pod("pod");
    let (end, lines) = spawner.run(spawner.plain("after", "ulimit -n"));
    assert_eq!((end.code, lines), (Some(0), vec!["stdout F 200".to_owned()]));
}
