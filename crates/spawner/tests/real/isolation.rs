//! What an isolated container sees, may do, and leaves behind.

use crate::harness::{DEFAULT_CAPABILITIES, Harness, children, log_path, wait_for_text};
use spawner::protocol::{Mount, MountSource, Propagation, Request, Root, Stage, User};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

#[test]
fn it_is_the_first_process_of_a_machine_of_its_own() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "echo $$; hostname; ls -d /proc/[0-9]* | wc -l; tail -n +3 /proc/net/dev | cut -d: -f1; \
                  cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ls /sys/class/net";
    let lines = spawner.printed(script, |_| {});
    let count: i32 = lines[2].parse().unwrap();
    assert!(count < 10, "only its own processes");
    assert_eq!([&lines[..2], &lines[3..]].concat(), ["1", "box", "    lo", "0", "lo"]);
}

#[test]
fn its_loopback_works_and_its_network_is_empty() {
    let Some(mut spawner) = Harness::new() else { return };
    if !Path::new("/usr/bin/python3").exists() {
        eprintln!("SKIPPED: no python3");
        return;
    }
    let script = "/usr/bin/python3 -c '
import socket
s = socket.create_server((\"127.0.0.1\", 80)); c = socket.create_connection(s.getsockname())
c.sendall(b\"hi\"); print(s.accept()[0].recv(2).decode())'; cat /proc/net/route | wc -l";
    assert_eq!(spawner.printed(script, |_| {}), ["hi", "1"]);
    let own = fs::read_link("/proc/self/ns/net").unwrap().display().to_string();
    let host = spawner.printed("readlink /proc/self/ns/net", |c| c.host_network = true);
    assert_eq!(host, [own]);
}

#[test]
fn it_sees_no_mount_and_no_secret_of_the_machine() {
    let Some(mut spawner) = Harness::new() else { return };
    let data_dir = spawner.data_dir.path().display().to_string();
    let script = format!(
        "cut -d' ' -f5 /proc/self/mountinfo | tr '\\n' ' '; echo; \
         for p in /etc/shadow /etc/gshadow /etc/ssl/private {data_dir}; do test -e $p && echo sees $p; done; \
         ls /home /mnt /media /srv /tmp /root; stat -c '%a %n' /tmp /var/tmp /root /dev/null; test -e /etc/passwd && echo ok"
    );
    let lines = spawner.printed(&script, |_| {});
    let allowed = ["/", "/proc", "/sys", "/dev"];
    for point in lines[0].split_whitespace() {
        let below =
            |top: &str| point == top || (top != "/" && point.starts_with(&format!("{top}/")));
        assert!(allowed.iter().any(|top| below(top)), "{point} is mounted");
    }
    let expected = [
        "/home:",
        "",
        "/media:",
        "",
        "/mnt:",
        "",
        "/root:",
        "",
        "/srv:",
        "",
        "/tmp:",
        "1777 /tmp",
        "1777 /var/tmp",
        "700 /root",
        "666 /dev/null",
        "ok",
    ];
    assert_eq!(lines[1..], expected);
}

/// Mounts of the machine within its trees are seen read-only. One below another was writable, and one
/// that held the data directory showed it.
#[test]
fn mounts_of_the_machine_are_read_only_to_the_last_and_show_no_data_directory() {
    let line = "[ \"$APART\" ] || APART=1 exec unshare -m \"$0\" \"$@\"\n\
                mount -t tmpfs coracle-test /opt && mkdir -p /opt/a /opt/data\n\
                mount -t tmpfs coracle-test /opt/a && mkdir /opt/a/b\n\
                mount -t tmpfs coracle-test /opt/a/b && touch /opt/a/b/there\n\
                mount --bind \"$(dirname \"$2\")\" /opt/data\n\
                set -- \"$1\" \"/opt/data/$(basename \"$2\")\"";
    let Some(mut spawner) = Harness::after(line) else { return };
    let script =
        "ls /opt /opt/a/b; for d in /opt/a /opt/a/b; do touch $d/x && echo wrote; done; true";
    assert_eq!(spawner.printed(script, |_| {}), ["/opt:", "a", "data", "", "/opt/a/b:", "there"]);
    assert!(spawner.printed("ls /opt/data", |_| {}).is_empty());
}

#[test]
fn what_it_writes_stays_with_it() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "echo x > /etc/coracle-test && echo y >> /etc/passwd && rm /etc/hostname; rm -rf /usr/share/doc; \
                  echo 1 > /usr/coracle-test; cat /etc/coracle-test; test -e /etc/hostname || echo removed";
    assert_eq!(spawner.printed(script, |_| {}), ["x", "removed"]);
    assert!(!Path::new("/etc/coracle-test").exists() && !Path::new("/usr/coracle-test").exists());
    assert!(Path::new("/usr/share/doc").exists());
    let again = "test -e /etc/coracle-test || echo fresh; test -e /usr/share/doc && echo there";
    assert_eq!(spawner.printed(again, |_| {}), ["fresh", "there"]);
}

#[test]
fn a_read_only_root_keeps_its_mounts_writable() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "(echo x > /etc/x) 2>/dev/null || echo no; (echo x > /x) 2>/dev/null || echo no; \
                  echo x > /data/x && echo x > /dev/shm/x && echo x > /dev/null && echo yes";
    let lines = spawner.printed(script, |c| {
        c.read_only_root = true;
        c.mounts = vec![mount(MountSource::Tmpfs(1 << 20), "/data", false)];
    });
    assert_eq!(lines, ["no", "no", "yes"]);
}

#[test]
fn masked_and_read_only_paths_are_so() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "wc -c < /proc/keys; ls -A /proc/acpi /sys/firmware 2>&1 | grep -v : | grep -c .; \
                  (echo 1 > /proc/sys/kernel/hung_task_warnings) 2>/dev/null || echo no; \
                  (echo > /sys/kernel/profiling) 2>/dev/null || echo no";
    assert_eq!(spawner.printed(script, |_| {}), ["0", "0", "no", "no"]);
}

/// A mount of the container's own must not take away what others are hidden with.
#[test]
fn a_file_that_cannot_be_masked_ends_the_start() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.isolated("a", "true", |c| {
        c.mounts = vec![mount(MountSource::Tmpfs(1 << 20), "/dev", false)];
    });
    let id = spawner.start(start);
    let failure = spawner.failed(&id);
    assert_eq!((failure.stage, failure.errno), (Stage::Mount, libc::ENOENT), "{failure:?}");
    assert!(failure.message.starts_with("mask /proc/"), "{failure:?}");
}

#[test]
fn privileges_are_those_asked_for() {
    let Some(mut spawner) = Harness::new() else { return };
    let script =
        "grep -E '^(Cap|NoNew|Seccomp:|Groups|Uid|Gid)' /proc/self/status | tr -s '\\t ' ' '";
    let caps = format!("{DEFAULT_CAPABILITIES:016x}");
    let none = "0000000000000000";
    let expect = |ids: [&str; 3], sets: [&str; 3], nnp: &str| -> Vec<String> {
        let [effective, bounding, _] = sets;
        [
            format!("Uid: {0} {0} {0} {0}", ids[0]),
            format!("Gid: {0} {0} {0} {0}", ids[1]),
            format!("Groups: {} ", ids[2]),
            format!("CapInh: {none}"),
            format!("CapPrm: {effective}"),
            format!("CapEff: {effective}"),
            format!("CapBnd: {bounding}"),
            format!("CapAmb: {none}"),
            format!("NoNewPrivs: {nnp}"),
            "Seccomp: 0".to_owned(),
        ]
        .to_vec()
    };
    let lines = spawner.printed(script, |_| {});
    assert_eq!(
        lines.join("|").replace("Groups: |", "Groups:  |"),
        expect(["0", "0", ""], [&caps, &caps, ""], "1").join("|")
    );
    let mut start = spawner.isolated("b", script, |c| c.no_new_privileges = false);
    start.user = User { uid: 1000, gid: 1001, groups: vec![5, 6] };
    let (_, lines) = spawner.run(start);
    let expected = expect(["1000", "1001", "5 6"], [none, &caps, ""], "0");
    assert_eq!(lines, expected.iter().map(|line| format!("stdout F {line}")).collect::<Vec<_>>());
}

#[test]
fn a_seccomp_program_applies() {
    let Some(mut spawner) = Harness::new() else { return };
    // Load the call's number; if it is uname's answer EPERM, else allow.
    let number = u32::try_from(libc::SYS_uname).unwrap();
    let program: [(u16, u8, u8, u32); 4] = [
        (0x20, 0, 0, 0),
        (0x15, 0, 1, number),
        (0x06, 0, 0, 0x0005_0001),
        (0x06, 0, 0, 0x7fff_0000),
    ];
    let bytes: Vec<u8> = program
        .iter()
        .flat_map(|(code, yes, no, k)| {
            let [a, b] = code.to_ne_bytes();
            let [c, d, e, f] = k.to_ne_bytes();
            [a, b, *yes, *no, c, d, e, f]
        })
        .collect();
    for nnp in [true, false] {
        let script = "grep Seccomp: /proc/self/status; uname 2>/dev/null || echo refused";
        let lines = spawner.printed(script, |c| {
            c.seccomp.clone_from(&bytes);
            c.no_new_privileges = nnp;
        });
        assert_eq!(lines, ["Seccomp:\t2", "refused"]);
    }
}

fn mount(source: MountSource, target: &str, read_only: bool) -> Mount {
    Mount { source, target: target.to_owned(), read_only, propagation: Propagation::Private }
}

#[test]
fn mounts_are_made_where_asked() {
    let Some(mut spawner) = Harness::new() else { return };
    let place = spawner.data_dir.path().join("volume");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("file"), "text\n").unwrap();
    let bind = |path: &Path| MountSource::Bind(path.display().to_string());
    let mounts = vec![
        mount(bind(&place), "/a/b/c", false),
        mount(bind(&place), "/ro", true),
        mount(bind(&place.join("file")), "/etc/hosts", true),
        mount(bind(&place.join("file")), "/new/deep/file", false),
        mount(MountSource::Tmpfs(1 << 20), "/a/b/c/inner", false),
    ];
    let script = "cat /a/b/c/file /etc/hosts /new/deep/file; echo w > /a/b/c/written; \
                  (echo w > /ro/x) 2>/dev/null || echo no; echo w > /a/b/c/inner/x && ls /a/b/c; pwd";
    let lines = spawner.printed(script, |c| c.mounts.clone_from(&mounts));
    assert_eq!(lines, ["text", "text", "text", "no", "file", "inner", "written", "/"]);
    assert_eq!(fs::read_to_string(place.join("written")).unwrap(), "w\n");
    assert_eq!(fs::read_dir(place.join("inner")).unwrap().count(), 0, "a tmpfs of its own");
    let mut start = spawner.isolated("b", "true", |c| {
        c.mounts = vec![mount(MountSource::Bind("/no/such/source".to_owned()), "/x", false)];
    });
    start.cwd = "/made/here".to_owned();
    let id = spawner.start(start);
    let failure = spawner.failed(&id);
    assert_eq!((failure.stage, failure.errno), (Stage::Mount, libc::ENOENT), "{failure:?}");
    assert_eq!(failure.message, "mount /no/such/source: no such file or directory");
}

#[test]
fn a_missing_working_directory_is_made_and_a_missing_program_named() {
    let Some(mut spawner) = Harness::new() else { return };
    let mut start = spawner.isolated("a", "pwd", |_| {});
    start.cwd = "/made/here".to_owned();
    assert_eq!(spawner.run(start).1, ["stdout F /made/here"]);
    let mut start = spawner.isolated("b", "", |_| {});
    start.argv = vec!["nosuch".to_owned()];
    let id = spawner.start(start);
    let failure = spawner.failed(&id);
    assert_eq!((failure.stage, failure.errno), (Stage::Exec, libc::ENOENT));
}

/// An image could hold links in the hope that a mount through them lands on the machine.
#[test]
fn links_in_an_image_lead_no_mount_outside() {
    let Some(mut spawner) = Harness::new() else { return };
    let base = spawner.data_dir.path().to_owned();
    let (image, outside, volume) = (base.join("image"), base.join("outside"), base.join("volume"));
    for directory in [&image, &outside, &volume, &image.join("bin"), &image.join("etc")] {
        fs::create_dir(directory).unwrap();
    }
    fs::write(volume.join("planted"), "x").unwrap();
    symlink(&outside, image.join("absolute")).unwrap();
    symlink(format!("../../../../../..{}", outside.display()), image.join("relative")).unwrap();
    symlink("/proc/1/root", image.join("magic")).unwrap();
    symlink("/etc", image.join("fine")).unwrap();
    fs::write(image.join("etc/from-image"), "x").unwrap();
    let bind = || MountSource::Bind(volume.display().to_string());
    let script = "cat /fine/from-image; echo; ls /etc/sub /dev; cat /proc/sys/kernel/ostype";
    let mut start = spawner.isolated("a", script, |c| {
        c.root = Root::Directory(image.display().to_string());
        c.mounts = ["/usr", "/bin", "/lib", "/lib64"]
            .map(|path| mount(MountSource::Bind(path.to_owned()), path, true))
            .to_vec();
        c.mounts.push(mount(bind(), "/fine/sub", false));
    });
    start.argv[0] = "/usr/bin/sh".to_owned();
    let (end, lines) = spawner.run(start.clone());
    assert_eq!(end.code, Some(0), "{lines:?}");
    assert_eq!(lines[0], "stdout F x");
    assert!(lines.contains(&"stdout F planted".to_owned()), "{lines:?}");
    for (attempt, target) in
        (1..).zip(["/absolute/sub", "/relative/sub", "/magic/sub", "/../../sub"])
    {
        let mut next = start.clone();
        next.id.attempt = attempt;
        if let spawner::protocol::Isolation::Container(container) = &mut next.isolation {
            container.mounts.pop();
            container.mounts.push(mount(bind(), target, false));
        }
        let id = spawner.start(next);
        spawner.wait(|reply| match reply {
            spawner::protocol::Reply::Ended { id: of, .. }
            | spawner::protocol::Reply::Failed { id: of, .. } => (of == &id).then_some(()),
            _ => None,
        });
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "{target} reached the machine");
    }
    assert_eq!(fs::read_dir(image.join("etc")).unwrap().count(), 1, "the image is untouched");
}

#[test]
fn a_pods_containers_share_what_is_the_pods() {
    let Some(mut spawner) = Harness::new() else { return };
    let script = "readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts; hostname; echo s >> /dev/shm/s; wc -l < /dev/shm/s; exec sleep 1000";
    let start = spawner.isolated("first", script, |c| c.keep_namespaces = true);
    let path = log_path(&start.log);
    let (first_log, first) = (start.log.clone(), spawner.start(start));
    spawner.started(&first);
    wait_for_text(&path, "stdout F 1\n");
    let second = spawner.isolated("second", &script.replace("exec sleep 1000", ""), |c| {
        c.keep_namespaces = true;
    });
    let (end, lines) = spawner.run(second);
    assert_eq!(end.code, Some(0));
    let before = crate::harness::lines(&first_log);
    assert_eq!(lines[..4], before[..4]);
    assert_eq!((before[4].as_str(), lines[4].as_str()), ("stdout F 1", "stdout F 2"));
    let own = fs::read_link("/proc/self/ns/net").unwrap().display().to_string();
    assert!(!lines.contains(&format!("stdout F {own}")));
}

/// Everything of a pod is given back at its end: counted before and after.
#[test]
fn the_end_of_a_pod_leaves_nothing() {
    let Some(mut spawner) = Harness::new() else { return };
    let pid = spawner.spawner_pid();
    let count = || {
        let lines = |path: String| fs::read_to_string(path).unwrap().lines().count();
        let entries = |path: String| fs::read_dir(path).unwrap().count();
        let children = children(pid);
        let mounts = lines(format!("/proc/{pid}/mountinfo"));
        (mounts, entries(format!("/proc/{pid}/fd")), children, groups(pid))
    };
    // The prepared layer of the root and clean namespaces are kept on purpose: made by a first one.
    spawner.printed("true", |c| c.keep_namespaces = true);
    spawner.end_pod("pod");
    let before = count();
    for name in ["a", "b", "c"] {
        let mut start =
            spawner.isolated(name, "sleep 1000 & sleep 1000", |c| c.keep_namespaces = true);
        start.limits.pids = Some(50);
        let id = spawner.start(start);
        spawner.started(&id);
    }
    assert_ne!(count(), before);
    spawner.end_pod("pod");
    let after = count();
    assert_eq!(after, before);
    spawner.send(&Request::EndPod { pod: "never-was".to_owned() });
    spawner.end_pod("never-was");
}

/// The control groups below those of one spawner, found by the group its process is in.
fn groups(spawner_pid: i32) -> Vec<String> {
    let own = fs::read_to_string(format!("/proc/{spawner_pid}/cgroup")).unwrap();
    let tag = own.lines().find_map(|line| line.split("/coracle/").nth(1)).unwrap_or("none");
    let tag = tag.split('/').next().unwrap();
    let mut found: Vec<String> = Vec::new();
    for hierarchy in fs::read_dir("/sys/fs/cgroup").unwrap().flatten() {
        let entries = fs::read_dir(hierarchy.path().join("coracle").join(tag));
        for entry in entries.into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()) {
            found.push(entry.path().display().to_string());
        }
    }
    found.sort();
    found
}

/// A file system whose server never answers: the start is given up, and nobody else waits for it.
#[test]
fn a_mount_that_hangs_ends_one_start_only() {
    let Some(mut spawner) = Harness::after("export START_DEADLINE_MS=500") else { return };
    let dead = spawner.data_dir.path().join("dead");
    fs::create_dir(&dead).unwrap();
    let script = "exec 5<>/dev/fuse && mount -i -t fuse -o fd=5,rootmode=40000,user_id=0,group_id=0 dead \"$0\" && echo ok && read x; umount -l \"$0\"";
    let mut server = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(&dead)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0; 3];
    let out = server.stdout.as_mut().unwrap();
    if std::io::Read::read_exact(out, &mut said).is_err() {
        eprintln!("SKIPPED: no FUSE here");
        server.wait().unwrap();
        return;
    }
    let source = MountSource::Bind(dead.join("sub").display().to_string());
    let start = spawner.isolated("hangs", "true", |c| c.mounts = vec![mount(source, "/x", false)]);
    let id = spawner.start(start);
    let (end, _) = spawner.run(spawner.isolated("other", "exit 5", |_| {}));
    assert_eq!(end.code, Some(5));
    let failure = spawner.failed(&id);
    assert_eq!((failure.stage, failure.errno), (Stage::Mount, libc::ETIMEDOUT), "{failure:?}");
    spawner.send(&Request::Forget { id });
    drop(server.stdin.take());
    server.wait().unwrap();
}
