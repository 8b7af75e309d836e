//! Network and IPC namespaces are used again, but only clean ones.

use crate::harness::{DEFAULT_CAPABILITIES, Harness, log_path, wait_for_text};
use spawner::protocol::{Container, Mount, MountSource, Propagation, Request};
use std::fs;
use std::path::Path;
use std::process::Command;

/// CAP_NET_ADMIN.
const NET_ADMIN: u64 = 1 << 12;

/// The namespaces of one container, by number. Kept open, because a free number is given out again.
#[derive(Debug)]
struct Seen(String, String, [fs::File; 2]);

impl PartialEq for Seen {
    fn eq(&self, other: &Seen) -> bool {
        (&self.0, &self.1) == (&other.0, &other.1)
    }
}

/// Run a script in a container, see its network and IPC namespace, and end it.
fn seen(spawner: &mut Harness, script: &str, change: impl FnOnce(&mut Container)) -> Seen {
    let script = format!("{script}\nreadlink /proc/self/ns/net /proc/self/ns/ipc; exec sleep 1000");
    let mut start = spawner.isolated("a", &script, change);
    start.id.attempt = spawner.next_attempt();
    start.log.name = format!("{}.log", start.id.attempt);
    let log = start.log.clone();
    let id = spawner.start(start);
    let pid = spawner.started(&id).pid;
    wait_for_text(&log_path(&log), "ipc:[");
    let open = |kind: &str| fs::File::open(format!("/proc/{pid}/ns/{kind}")).unwrap();
    let held = [open("net"), open("ipc")];
    spawner.send(&Request::Kill { id: id.clone() });
    spawner.ended(&id);
    let lines = crate::harness::lines(&log);
    let of = |kind: &str| {
        let line = lines.iter().find(|line| line.contains(kind));
        line.unwrap_or_else(|| panic!("{lines:?}")).clone()
    };
    Seen(of("net:["), of("ipc:["), held)
}

fn has_python() -> bool {
    let there = fs::metadata("/usr/bin/python3").is_ok();
    if !there {
        eprintln!("SKIPPED: no python3");
    }
    there
}

#[test]
fn clean_ones_go_to_the_next() {
    let Some(mut spawner) = Harness::new() else { return };
    let first = seen(&mut spawner, "true", |_| {});
    assert_eq!(seen(&mut spawner, "true", |_| {}), first);
    // NET_RAW is among the default capabilities; fewer are as good.
    assert_eq!(seen(&mut spawner, "true", |c| c.capabilities = 0), first);
    let own = fs::read_link("/proc/self/ns/net").unwrap().display().to_string();
    assert!(!first.0.contains(&own));
}

#[test]
fn who_could_change_one_is_its_last() {
    let Some(mut spawner) = Harness::new() else { return };
    let proc = Mount {
        source: MountSource::Bind("/proc".to_owned()),
        target: "/machine".to_owned(),
        read_only: false,
        propagation: Propagation::Private,
    };
    type Change<'a> = (&'static str, &'a dyn Fn(&mut Container));
    let changes: [Change; 3] = [
        ("NET_ADMIN", &|c| c.capabilities = DEFAULT_CAPABILITIES | NET_ADMIN),
        ("writable /proc/sys", &|c| c.read_only_paths.clear()),
        ("the machine's /proc", &|c| c.mounts = vec![proc.clone()]),
    ];
    for (what, change) in changes {
        let changed = seen(&mut spawner, "true", change);
        let next = seen(&mut spawner, "true", |_| {});
        assert!(changed.0 != next.0 && changed.1 != next.1, "{what}");
        assert_eq!(seen(&mut spawner, "true", |_| {}), next, "{what}");
    }
}

#[test]
fn a_connection_in_time_wait_keeps_its_namespace_from_the_next() {
    let Some(mut spawner) = Harness::new() else { return };
    if !has_python() {
        return;
    }
    let connect = "/usr/bin/python3 -c '
import socket
server = socket.create_server((\"127.0.0.1\", 8080))
client = socket.create_connection(server.getsockname())
accepted = server.accept()[0]
client.close(); accepted.close()'; grep -q 'tw [1-9]' /proc/net/sockstat || exit 9";
    let Seen(left, ipc, _held) = seen(&mut spawner, connect, |_| {});
    let next = seen(&mut spawner, "true", |_| {});
    assert_ne!(next.0, left);
    assert_eq!(next.1, ipc, "its IPC namespace is clean");
}

#[test]
fn shared_memory_and_queues_keep_theirs_from_the_next() {
    let Some(mut spawner) = Harness::new() else { return };
    if !has_python() {
        return;
    }
    let segment = "libc.shmget(7, 4096, 0o1600) >= 0";
    let queue = "libc.mq_open(b\"/left\", 0o102, 0o600, None) >= 0";
    for made in [segment, queue] {
        let script = format!(
            "/usr/bin/python3 -c '\nimport ctypes\nlibc = ctypes.CDLL(\"librt.so.1\")\nassert {made}'"
        );
        let Seen(net, left, _held) = seen(&mut spawner, &script, |_| {});
        let next = seen(&mut spawner, "ipcs -m | grep -q 0x00000007 && exit 9; true", |_| {});
        assert_eq!(next.0, net, "{made}");
        assert_ne!(next.1, left, "{made}");
    }
}

#[test]
fn nobody_meets_a_listener_of_the_one_before() {
    let Some(mut spawner) = Harness::new() else { return };
    if !has_python() {
        return;
    }
    let listen = "/usr/bin/python3 -c '
import socket, os
socket.create_server((\"127.0.0.1\", 80))
socket.create_server((\"::1\", 80), family=socket.AF_INET6) if socket.has_ipv6 else None
socket.socket(socket.AF_UNIX).bind(\"\\0left\")
s = socket.create_server((\"127.0.0.1\", 8080))
if os.fork() == 0: os.setsid(); s.accept()'";
    let first = seen(&mut spawner, listen, |_| {});
    let look =
        "sed -s 1d /proc/net/tcp /proc/net/tcp6 /proc/net/unix /proc/net/raw | grep . && exit 9";
    let next = seen(&mut spawner, look, |_| {});
    assert_eq!(next, first, "sockets end with their processes");
}

#[test]
fn those_that_run_together_share_none() {
    let Some(mut spawner) = Harness::new() else { return };
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..2 {
        let mut running = Vec::new();
        for n in 0..10 {
            let script = "readlink /proc/self/ns/net; exec sleep 1000";
            let mut start = spawner.isolated(&format!("c{n}"), script, |_| {});
            (start.id.attempt, start.log.name) = (round, format!("{round}.log"));
            let path = log_path(&start.log);
            running.push((spawner.start(start), path));
        }
        let mut now = std::collections::BTreeSet::new();
        for (id, path) in &running {
            spawner.started(id);
            wait_for_text(path, "]\n");
            let text = fs::read_to_string(path).unwrap();
            now.insert(text.split(' ').next_back().unwrap().to_owned());
        }
        assert_eq!(now.len(), 10);
        seen.extend(now);
        for (id, _) in &running {
            spawner.send(&Request::Kill { id: id.clone() });
            spawner.ended(id);
        }
    }
    assert_eq!(seen.len(), 10, "the second ten had those of the first");
}

#[test]
fn those_of_a_pod_are_free_at_its_end() {
    let Some(mut spawner) = Harness::new() else { return };
    let kept = seen(&mut spawner, "true", |c| c.keep_namespaces = true);
    assert_eq!(seen(&mut spawner, "true", |c| c.keep_namespaces = true), kept);
    let other = seen(&mut spawner, "true", |_| {});
    assert!(other.0 != kept.0 && other.1 != kept.1, "the pod still has them");
    spawner.end_pod("pod");
    // The network of the other one waits with its mounts for one of its kind.
    let next = seen(&mut spawner, "true", |c| c.keep_namespaces = true);
    assert_eq!(next.0, kept.0);
    spawner.end_pod("pod");
    assert_eq!(seen(&mut spawner, "true", |_| {}).0, other.0);
}

/// Another container may join the namespaces of one that has them for itself; nobody gets them after
/// that, as the other one may still be in them.
#[test]
fn those_that_another_container_joined_are_given_to_nobody() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts; exec sleep 1000";
    let start = spawner.isolated("first", script, |_| {});
    let (first_log, first) = (start.log.clone(), spawner.start(start));
    spawner.started(&first);
    wait_for_text(&log_path(&first_log), "uts:[");
    let start = spawner.isolated("second", script, |c| {
        c.keep_namespaces = true;
        c.joins = Some(first.clone());
    });
    let (second_log, second) = (start.log.clone(), spawner.start(start));
    spawner.started(&second);
    wait_for_text(&log_path(&second_log), "uts:[");
    assert_eq!(crate::harness::lines(&second_log), crate::harness::lines(&first_log));
    spawner.send(&Request::Kill { id: first.clone() });
    spawner.ended(&first);
    let Seen(net, ipc, _) = seen(&mut spawner, "true", |_| {});
    let lines = crate::harness::lines(&second_log);
    assert!(!lines.contains(&net) && !lines.contains(&ipc), "{lines:?} has {net} {ipc}");
    let start = spawner.isolated("third", script, |c| {
        c.keep_namespaces = true;
        c.joins = Some(first.clone());
    });
    let third = spawner.start(start);
    assert_eq!(spawner.failed(&third).errno, 3, "the first one does not run any more");
    spawner.send(&Request::Kill { id: second.clone() });
    spawner.ended(&second);
}

/// A spawner that is killed takes all its namespaces along, idle ones too.
#[test]
fn a_crash_leaves_none() {
    let Some(mut spawner) = Harness::new() else { return };
    let number = {
        let Seen(idle, ..) = seen(&mut spawner, "true", |_| {});
        idle.split(['[', ']']).nth(1).unwrap().to_owned()
    };
    let script =
        format!("ls -l /proc/[0-9]*/fd /proc/[0-9]*/ns 2>/dev/null | grep -c 'net:.{number}.'");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1", "the spawner's descriptor");
    let pid = spawner.spawner_pid();
    crate::harness::kill(pid);
    crate::harness::assert_gone(pid);
    // The next one finds its control groups and removes them when it leaves.
    spawner::launch(Path::new(env!("CARGO_BIN_EXE_spawner-alone")), spawner.data_dir.path())
        .unwrap();
}
