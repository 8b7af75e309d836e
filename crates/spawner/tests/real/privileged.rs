//! What a privileged container may do, and that nobody inherits it.

use crate::harness::{Harness, log_path, wait_for_text};
use spawner::protocol::{Container, Request};
use std::fs;
use std::process::Command;

/// As the node asks for one.
fn privileged(container: &mut Container) {
    container.privileged = true;
    container.capabilities = u64::MAX;
    container.no_new_privileges = false;
    container.masked_paths.clear();
    container.read_only_paths.clear();
}

fn of_machine(command: &str) -> Vec<String> {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn it_has_every_capability_of_the_spawner() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/self/status";
    assert_eq!(spawner.printed(script, privileged), of_machine(script));
    let user = spawner.printed(script, |_| {});
    assert_ne!(user, of_machine(script));
}

#[test]
fn it_may_write_to_the_kernels_file_systems() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "for f in /proc/sys/kernel/printk /sys/kernel/uevent_seqnum /sys/kernel /sys/fs/cgroup; do \
                  test -w $f && echo $f; done; ls /sys/fs/cgroup | head -n 1; wc -c < /proc/kcore | grep -c '^0$'; \
                  mount -t tmpfs x /mnt && echo mounted; true";
    let groups = of_machine("ls /sys/fs/cgroup | head -n 1");
    let lines = spawner.printed(script, privileged);
    for path in ["/proc/sys/kernel/printk", "/sys/kernel", "/sys/fs/cgroup", "mounted"] {
        assert!(lines.iter().any(|line| line == path), "{path}: {lines:?}");
    }
    assert!(lines.contains(&groups[0]), "{lines:?}");
    let lines = spawner.printed(script, |_| {});
    assert!(!lines.iter().any(|line| line.starts_with('/') || line == "mounted"), "{lines:?}");
}

#[test]
fn it_has_the_devices_of_the_machine_and_a_pts_of_its_own() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "find /dev \\( -path /dev/pts -o -path /dev/shm -o -name ptmx -o -name console \\) -prune \
                  -o \\( -type c -o -type b \\) -exec stat -c '%n %t:%T %a %u:%g' {} + | sort; ls /dev/pts";
    let mine = of_machine(&script.replace("; ls /dev/pts", ""));
    assert!(mine.len() > 6, "{mine:?}");
    let lines = spawner.printed(script, privileged);
    assert_eq!(lines[lines.len() - 1..], ["ptmx"], "no terminal of the machine");
    let differ: Vec<_> = mine.iter().filter(|line| !lines.contains(line)).collect();
    assert!(differ.is_empty(), "{differ:?}");
    assert_eq!(spawner.printed(script, |_| {}).len(), 6 + 1);
}

/// It could leave anything in its namespaces and mounts: nobody gets them, neither alone nor as a pod.
#[test]
fn nothing_of_it_is_used_again() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/mnt; exec sleep 1000";
    for keep in [false, true] {
        let mut seen: Vec<(Vec<String>, Vec<fs::File>)> = Vec::new();
        // Capabilities by themselves must not be what decides.
        for change in [|c: &mut Container| c.privileged = true, |_: &mut Container| {}] {
            let mut start = spawner.isolated("a", script, |container| {
                container.keep_namespaces = keep;
                change(container);
            });
            start.id.attempt = spawner.next_attempt();
            start.id.pod = format!("pod{}", start.id.attempt);
            start.log.name = format!("{}.log", start.id.attempt);
            let log = log_path(&start.log);
            let (pod, id) = (start.id.pod.clone(), spawner.start(start));
            let pid = spawner.started(&id).pid;
            wait_for_text(&log, "mnt:");
            // A number that is free is given out again, so they are held.
            let held = ["net", "ipc", "mnt"];
            let held = held.map(|name| fs::File::open(format!("/proc/{pid}/ns/{name}")).unwrap());
            let text = fs::read_to_string(&log).unwrap();
            let words = text.lines().filter_map(|line| line.rsplit(' ').next());
            seen.push((words.map(str::to_owned).collect(), held.into()));
            spawner.send(&Request::EndPod { pod: pod.clone() });
            spawner.ended(&id);
            spawner.send(&Request::Forget { id });
        }
        let both = seen[0].0.iter().any(|namespace| seen[1].0.contains(namespace));
        assert!(!both, "{:?} {:?}", seen[0].0, seen[1].0);
    }
}
