//! The mounts of a container go to the next one, but only if it changed nothing.

use crate::harness::{Harness, log_path, wait_for_text};
use spawner::protocol::{Container, ContainerFile, Request, Root};
use std::fs;

/// The mount namespace of one container, kept open because a free number is given out again, and what
/// it printed.
#[derive(Debug)]
struct Seen {
    mounts: String,
    printed: Vec<String>,
    _held: fs::File,
}

/// Run a script in a container, see where it is, and end it.
fn seen(spawner: &mut Harness, script: &str, change: impl FnOnce(&mut Container)) -> Seen {
    let script = format!("{script}\nreadlink /proc/self/ns/mnt; exec sleep 1000");
    let mut start = spawner.isolated("a", &script, change);
    start.id.attempt = spawner.next_attempt();
    start.log.name = format!("{}.log", start.id.attempt);
    if let spawner::protocol::Isolation::Container(container) = &mut start.isolation {
        container.termination_path = Some("/dev/termination-log".to_owned());
    }
    let log = start.log.clone();
    let id = spawner.start(start);
    let pid = spawner.started(&id).pid;
    wait_for_text(&log_path(&log), "mnt:[");
    let held = fs::File::open(format!("/proc/{pid}/ns/mnt")).unwrap();
    spawner.send(&Request::Kill { id: id.clone() });
    spawner.ended(&id);
    let mut printed = crate::harness::lines(&log);
    let at = printed.iter().position(|line| line.contains("mnt:[")).unwrap();
    Seen { mounts: printed.remove(at), printed, _held: held }
}

fn file(target: &str, text: &str) -> ContainerFile {
    ContainerFile {
        target: target.to_owned(),
        mode: 0o644,
        text: text.to_owned(),
        ..ContainerFile::default()
    }
}

#[test]
fn a_clean_one_goes_to_the_next_and_looks_like_a_new_one() {
    let Some(mut spawner) = Harness::new() else { return };
    let place = spawner.data_dir.path().join("machines");
    fs::write(&place, "from the machine\n").unwrap();
    let files = |name: &str| {
        let resolv = ContainerFile {
            then: Some(place.to_str().unwrap().to_owned()),
            end: "end\n".to_owned(),
            ..file("/etc/resolv.conf", "begin\n")
        };
        vec![file("/etc/hostname", name), resolv]
    };
    let show = "exec 2>&1; cat /etc/hostname /etc/resolv.conf; echo $$; set -- /proc/[0-9]*; echo $#; \
                ls -A /proc/acpi /proc/scsi /sys/firmware 2>/dev/null | grep -v :; \
                echo 1 >/proc/sys/kernel/panic || echo read-only; head -c1 /proc/kcore | wc -c; \
                cut -d' ' -f5,6 /proc/self/mountinfo | sort; df /dev/shm | tail -1; hostname";
    let first = seen(&mut spawner, show, |c| {
        c.files = files("one\n");
        c.hostname = "a".to_owned();
    });
    let second = seen(&mut spawner, show, |c| {
        c.files = files("two\n");
        c.hostname = "b".to_owned();
    });
    assert_eq!(first.mounts, second.mounts);
    assert_eq!(first.printed[0], "stdout F one");
    let but_the_names = |printed: &[String], name: &str, host: &str| {
        let ours = |line: &&String| !line.ends_with(name) && **line != format!("stdout F {host}");
        printed.iter().filter(ours).cloned().collect::<Vec<_>>()
    };
    assert!(second.printed.contains(&"stdout F two".to_owned()), "{:?}", second.printed);
    assert_eq!(
        but_the_names(&first.printed, "one", "a"),
        but_the_names(&second.printed, "two", "b")
    );
    // The machine's file is read anew, and its absence is no error.
    fs::remove_file(&place).unwrap();
    let third = seen(&mut spawner, "cat /etc/resolv.conf", |c| c.files = files("two\n"));
    assert_eq!(third.mounts, second.mounts);
    assert_eq!(third.printed, ["stdout F begin", "stdout F end"]);
}

#[test]
fn whoever_changed_something_is_its_last() {
    let Some(mut spawner) = Harness::new() else { return };
    let with = |c: &mut Container| c.files = vec![file("/etc/hostname", "a\n")];
    for script in [
        "touch /tmp/x",
        "touch /tmp/x; rm /tmp/x",
        "chmod 700 /",
        "chmod 700 /; chmod 755 /",
        "echo x >>/etc/hostname",
        "chmod 600 /etc/hostname",
        "chown 1 /etc/hostname",
        "touch /etc/x",
        "chmod 600 /etc/passwd",
        "rm -r /opt",
        "touch /dev/x",
        "chmod 600 /dev/null",
        "touch /dev/shm/x",
        "chmod 600 /dev/pts/ptmx",
        "chmod 700 /dev/pts",
        "echo x >/dev/termination-log",
        "chmod 600 /dev/termination-log",
        "mkdir -p /var/lib/x/y",
    ] {
        let before = seen(&mut spawner, "true", with).mounts;
        let changed = seen(&mut spawner, script, with);
        let next = seen(&mut spawner, "ls /tmp /dev/shm; cat /etc/hostname", with);
        assert_eq!(before, changed.mounts, "{script}: got a clean one");
        assert_ne!(changed.mounts, next.mounts, "{script}: went on");
        assert_eq!(
            next.printed,
            ["stdout F /dev/shm:", "stdout F ", "stdout F /tmp:", "stdout F a"]
        );
    }
}

#[test]
fn only_one_of_the_same_kind_gets_it() {
    let Some(mut spawner) = Harness::new() else { return };
    let first = seen(&mut spawner, "true", |_| {}).mounts;
    type Change<'a> = (&'static str, &'a dyn Fn(&mut Container));
    let changes: [Change; 7] = [
        ("another size", &|c| c.writable_bytes += 4096),
        ("read-only root", &|c| c.read_only_root = true),
        ("more files", &|c| c.files.push(file("/etc/x", ""))),
        ("other hidden paths", &|c| c.masked_paths.push("/etc/passwd".to_owned())),
        ("other read-only paths", &|c| c.read_only_paths.push("/etc".to_owned())),
        ("the machine's network", &|c| c.host_network = true),
        ("further containers", &|c| c.keep_namespaces = true),
    ];
    for (what, change) in changes {
        let other = seen(&mut spawner, "true", change).mounts;
        assert_ne!(other, first, "{what}");
    }
    let again = seen(&mut spawner, "true", |c| c.capabilities = 0).mounts;
    assert_eq!(again, first, "who it is for does not matter");
}

/// An overlay remembers the names that were looked up in it: without forgetting them, a tool that was
/// installed after a container had missed it was missed by the next one too.
#[test]
fn what_came_to_the_machine_meanwhile_is_seen() {
    let Some(mut spawner) = Harness::new() else { return };
    let tree = tempfile::tempdir_in("/tmp").unwrap();
    let path = tree.path().to_str().unwrap().to_owned();
    fs::write(tree.path().join("old"), "1\n").unwrap();
    let with = |c: &mut Container| match &mut c.root {
        Root::Host { trees, .. } => trees.push(path.clone()),
        Root::Directory(_) => unreachable!("the tests' root is the machine's"),
    };
    let script = format!("cd {path}; cat new old 2>/dev/null; ls");
    let first = seen(&mut spawner, &script, with);
    fs::write(tree.path().join("new"), "2\n").unwrap();
    fs::write(tree.path().join("other"), "3\n").unwrap();
    fs::rename(tree.path().join("other"), tree.path().join("old")).unwrap();
    let second = seen(&mut spawner, &script, with);
    assert_eq!(first.mounts, second.mounts);
    assert_eq!(first.printed, ["stdout F 1", "stdout F old"]);
    assert_eq!(second.printed, ["stdout F 2", "stdout F 3", "stdout F new", "stdout F old"]);
}
