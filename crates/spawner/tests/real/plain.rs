//! Plain processes: RuntimeClass `process`.

use crate::harness::{Harness, assert_gone, lines, log_path, wait_for_text};
use spawner::protocol::{Limits, Request, Stage, User};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn exit_codes_and_output_come_back() {
    let Some(mut spawner) = Harness::new() else { return };
    let (end, lines) = spawner.run(spawner.plain("a", "echo out; echo err >&2; exit 7"));
    assert_eq!((end.code, end.signal, end.oom_killed), (Some(7), None, false));
    assert!(end.finished_ns >= end.started_ns && end.started_ns > 0);
    assert!(end.memory_peak_bytes > 100_000, "{end:?}");
    assert!(lines.contains(&"stdout F out".to_owned()), "{lines:?}");
    assert!(lines.contains(&"stderr F err".to_owned()), "{lines:?}");
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

#[test]
fn environment_directory_mask_and_streams_are_as_asked() {
    let Some(mut spawner) = Harness::new() else { return };
    let mut start =
        spawner.plain("a", "env | sort; pwd; umask; ls /proc/self/fd; readlink /proc/self/fd/0");
    start.env = vec!["PATH=/usr/bin:/bin".to_owned(), "A=1 2".to_owned()];
    start.cwd = "/usr/lib".to_owned();
    let (_, lines) = spawner.run(start);
    // The fourth descriptor is the directory that ls reads.
    let expected = [
        "A=1 2",
        "PATH=/usr/bin:/bin",
        "PWD=/usr/lib",
        "/usr/lib",
        "0022",
        "0",
        "1",
        "2",
        "3",
        "/dev/null",
    ];
    assert_eq!(lines, expected.map(|line| format!("stdout F {line}")));
}

#[test]
fn no_signal_is_blocked_or_ignored() {
    let Some(mut spawner) = Harness::new() else { return };
    let mut start = spawner.plain("a", "");
    start.argv = ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"].map(str::to_owned).to_vec();
    let (_, lines) = spawner.run(start);
    let none = ["SigBlk", "SigIgn"].map(|name| format!("stdout F {name}:\t0000000000000000"));
    assert_eq!(lines, none);
}

#[test]
fn signals_reach_the_group() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.plain("a", "sleep 1000 & echo $!; wait");
    let (path, log) = (log_path(&start.log), start.log.clone());
    let id = spawner.start(start);
    spawner.started(&id);
    wait_for_text(&path, "\n");
    spawner.send(&Request::Signal { id: id.clone(), signal: libc::SIGTERM });
    let end = spawner.ended(&id);
    assert_eq!((end.code, end.signal), (None, Some(libc::SIGTERM)));
    assert_gone(lines(&log)[0].trim_start_matches("stdout F ").parse().unwrap());
}

#[test]
fn what_a_program_leaves_behind_in_its_group_is_killed() {
    let Some(mut spawner) = Harness::new() else { return };
    let (end, lines) = spawner.run(spawner.plain("a", "sleep 1000 & echo $!; exit 3"));
    assert_eq!(end.code, Some(3));
    let left = lines[0].trim_start_matches("stdout F ");
    assert_gone(left.parse().unwrap());
}

/// Processes with much memory take a moment to die; the end is not told before.
#[test]
fn the_end_comes_after_that_of_the_whole_group() {
    let Some(mut spawner) = Harness::new() else { return };
    let ready = spawner.data_dir.path().join("ready").display().to_string();
    let script = format!(
        "mkfifo fifo; for n in 1 2 3; do (x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo >> {ready}; exec 8<> fifo; read y <&8) >/dev/null 2>&1 & echo $!; done; \
         until [ \"$(wc -l < {ready})\" = 3 ]; do sleep 0.01; done 2>/dev/null; exit 3"
    );
    let mut start = spawner.plain("a", &script);
    start.cwd = spawner.data_dir.path().display().to_string();
    let (end, lines) = spawner.run(start);
    assert_eq!(end.code, Some(3), "{lines:?}");
    for line in &lines {
        let pid: i32 = line.trim_start_matches("stdout F ").parse().unwrap();
        assert!(!crate::harness::lives(pid), "process {pid} is left");
    }
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_process_that_escapes_does_not_hold_the_end_up() {
    let Some(mut spawner) = Harness::new() else { return };
    let (end, lines) = spawner.run(spawner.plain("a", "setsid sleep 1000 & echo $!; exit 3"));
    assert_eq!(end.code, Some(3));
    let escaped: i32 = lines[0].trim_start_matches("stdout F ").parse().unwrap();
    crate::harness::kill(escaped);
}

#[test]
fn with_a_limit_even_one_that_escapes_is_killed() {
    let Some(mut spawner) = Harness::new() else { return };
    let mut start = spawner.plain("a", "setsid sleep 1000 & echo $!; exit 3");
    start.limits = Limits { pids: Some(20), ..Limits::default() };
    let (end, lines) = spawner.run(start);
    assert_eq!(end.code, Some(3));
    assert_gone(lines[0].trim_start_matches("stdout F ").parse().unwrap());
}

#[test]
fn programs_that_cannot_run_say_why() {
    let Some(mut spawner) = Harness::new() else { return };
    let place = spawner.data_dir.path().join("bin");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("plain"), "x").unwrap();
    fs::write(place.join("orphan"), "#!/no/such/shell\n").unwrap();
    fs::set_permissions(place.join("orphan"), fs::Permissions::from_mode(0o755)).unwrap();
    let place = place.to_str().unwrap().to_owned();
    let cases = [
        ("nosuch", libc::ENOENT, "exec: \"nosuch\": executable file not found in $PATH"),
        ("plain", libc::EACCES, "exec: \"plain\": permission denied"),
        ("/no/such", libc::ENOENT, "exec: \"/no/such\": no such file or directory"),
        ("orphan", libc::ENOENT, "exec: \"orphan\": executable file not found in $PATH"),
    ];
    for (attempt, (program, errno, message)) in (0..).zip(cases) {
        let mut start = spawner.plain("a", "");
        start.id.attempt = attempt;
        start.argv = vec![program.to_owned()];
        start.env = vec![format!("PATH=/none:{place}:/usr/bin")];
        let id = spawner.start(start);
        let failure = spawner.failed(&id);
        assert_eq!((failure.stage, failure.errno), (Stage::Exec, errno), "{failure:?}");
        assert_eq!(failure.message, message);
        assert!(failure.at_ns > 0);
    }
    let mut start = spawner.plain("b", "true");
    start.cwd = "/no/such".to_owned();
    let id = spawner.start(start);
    let failure = spawner.failed(&id);
    assert_eq!((failure.stage, failure.errno), (Stage::WorkingDirectory, libc::ENOENT));
}

#[test]
fn users_and_groups_are_set_and_may_reopen_their_output() {
    let Some(mut spawner) = Harness::new() else { return };
    let mut start = spawner.plain("a", "id -u; id -g; id -G; echo again > /dev/stdout");
    start.user = User { uid: 1234, gid: 2345, groups: vec![77, 88] };
    let (end, lines) = spawner.run(start);
    assert_eq!(end.code, Some(0), "{lines:?}");
    assert_eq!(lines, ["1234", "2345", "2345 77 88", "again"].map(|l| format!("stdout F {l}")));
}

#[test]
fn it_lives_in_the_machines_own_mounts() {
    let Some(mut spawner) = Harness::new() else { return };
    let (_, lines) =
        spawner.run(spawner.plain("a", "readlink /proc/self/ns/mnt /proc/self/ns/net"));
    let own =
        |name: &str| fs::read_link(format!("/proc/self/ns/{name}")).unwrap().display().to_string();
    assert_eq!(lines, [own("mnt"), own("net")].map(|line| format!("stdout F {line}")));
}

/// The kernel has no process to give: that start fails with its reason, and the next one works.
#[test]
fn a_machine_full_of_processes_says_so_and_recovers() {
    let group = format!("/sys/fs/cgroup/pids/coracle-test-{}", std::process::id());
    if fs::create_dir(&group).is_err() {
        eprintln!("SKIPPED: no v1 pids hierarchy to write to");
        return;
    }
    let join = format!("echo $$ > {group}/cgroup.procs");
    let Some(mut spawner) = Harness::after(&join) else { return };
    fs::write(format!("{group}/pids.max"), "1").unwrap();
    let mut failing = vec![spawner.plain("plain", "true"), spawner.isolated("own", "true", |_| {})];
    for start in failing.drain(..) {
        let id = spawner.start(start);
        let failure = spawner.failed(&id);
        assert_eq!((failure.stage, failure.errno), (Stage::Clone, libc::EAGAIN), "{failure:?}");
        assert_eq!(failure.message, "new process: resource temporarily unavailable");
    }
    fs::write(format!("{group}/pids.max"), "max").unwrap();
    for start in [spawner.plain("plain", "exit 3"), spawner.isolated("own", "exit 3", |_| {})] {
        assert_eq!(spawner.run(start).0.code, Some(3), "the same id may try again");
    }
    let pid = spawner.spawner_pid();
    drop(spawner);
    crate::harness::assert_gone(pid);
    // Its threads are counted a moment longer than it.
    let removed = || fs::remove_dir(&group).is_ok();
    crate::harness::assert_soon(removed, "the group is in use");
}

/// A filter that lets `clone3` fail as it does when the kernel has no memory.
#[test]
fn a_kernel_without_memory_fails_one_start_only() {
    if !Path::new("/usr/bin/python3").exists() {
        eprintln!("SKIPPED: no python3");
        return;
    }
    let script = "
import ctypes, os, struct, sys
def i(code, jt, jf, k): return struct.pack(\"HBBI\", code, jt, jf, k)
text = i(0x20, 0, 0, 0) + i(0x15, 0, 1, 435) + i(0x06, 0, 0, 0x5000c) + i(0x06, 0, 0, 0x7fff0000)
class Program(ctypes.Structure): _fields_ = [(\"len\", ctypes.c_ushort), (\"filter\", ctypes.c_char_p)]
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(Program(4, text))) == 0
os.execv(sys.argv[1], sys.argv[1:])";
    let exe = env!("CARGO_BIN_EXE_spawner-alone");
    let line = format!("exec /usr/bin/python3 -c '{script}' {exe} \"$@\"");
    let Some(mut spawner) = Harness::after(&line) else { return };
    for start in [spawner.plain("plain", "true"), spawner.isolated("own", "true", |_| {})] {
        let id = spawner.start(start);
        let failure = spawner.failed(&id);
        assert_eq!((failure.stage, failure.errno), (Stage::Clone, libc::ENOMEM), "{failure:?}");
    }
    spawner.reconnect();
    assert_eq!(spawner.listed, [], "what made no child leaves no record");
}
