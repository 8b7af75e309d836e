//! Programs that are run in a container beside its own.

use crate::harness::{DEFAULT_CAPABILITIES, Harness, log_path, wait_for_text};
use spawner::protocol::{ContainerId, Exec, Executed, Reply, Request, Stage, Start, Task, User};
use std::fs;

impl Harness {
    fn exec(&mut self, id: &ContainerId, argv: &[&str]) -> u64 {
        self.exec_keeping(id, argv, 65536)
    }

    fn exec_keeping(&mut self, id: &ContainerId, argv: &[&str], output_bytes_max: u32) -> u64 {
        let task = Task::Program(argv.iter().map(|word| (*word).to_owned()).collect());
        self.run_task(id, task, output_bytes_max)
    }

    fn run_task(&mut self, id: &ContainerId, task: Task, output_bytes_max: u32) -> u64 {
        let exec = u64::from(self.next_attempt());
        self.send(&Request::Exec(Box::new(Exec {
            id: id.clone(),
            exec,
            task,
            output_bytes_max,
            streams: None,
        })));
        exec
    }

    fn executed(&mut self, wanted: u64) -> Executed {
        self.wait(|reply| match reply {
            Reply::Executed { exec, how, .. } if *exec == wanted => Some(how.clone()),
            _ => None,
        })
    }

    /// Run a script in a container: its exit code and output.
    fn script(&mut self, id: &ContainerId, script: &str) -> (Option<i32>, String) {
        let exec = self.exec(id, &["sh", "-c", script]);
        match self.executed(exec) {
            Executed::Ended { code, stdout, .. } => (code, stdout),
            Executed::Failed(failure) => panic!("{failure:?}"),
        }
    }

    /// Start it and wait until it runs.
    fn running(&mut self, start: Start) -> ContainerId {
        let id = self.start(start);
        self.started(&id);
        id
    }
}

fn killed(with_container: bool) -> Executed {
    let (stdout, stderr) = (String::new(), String::new());
    Executed::Ended { code: None, signal: Some(9), stdout, stderr, with_container }
}

/// What tells one container, or one set of rights, from another.
const LOOK: &str = "env | grep -v _= | sort; pwd; hostname; umask; ulimit -n; \
    cat /proc/self/oom_score_adj /proc/self/cgroup; \
    for n in mnt net ipc uts pid; do readlink /proc/self/ns/$n; done; \
    grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp)' /proc/self/status";

#[test]
fn it_is_where_the_containers_own_program_is_and_may_do_the_same() {
    let Some(mut spawner) = Harness::new() else { return };
    let user = User { uid: 1000, gid: 1001, groups: vec![5, 7] };
    // Allows everything: BPF_RET, SECCOMP_RET_ALLOW.
    let filter = vec![6, 0, 0, 0, 0, 0, 0xff, 0x7f];
    for (name, plain, user, keep) in [
        ("root", false, User::default(), false),
        ("user", false, user.clone(), true),
        ("plain", true, user, false),
    ] {
        let script = format!("{LOOK}; echo seen; exec sleep 1000");
        let mut start = match plain {
            true => spawner.plain(name, &script),
            false => spawner.isolated(name, &script, |container| {
                container.keep_namespaces = keep;
                container.no_new_privileges = keep;
                container.capabilities = DEFAULT_CAPABILITIES & !1;
                container.seccomp.clone_from(&filter);
            }),
        };
        start.id.pod = name.to_owned();
        start.env.extend(["A=b c".to_owned(), "HOME=/x".to_owned()]);
        start.cwd = "/usr".to_owned();
        start.user = user;
        start.limits.memory_bytes = Some(64 << 20);
        start.limits.oom_score_adj = Some(321);
        let log = log_path(&start.log);
        let id = spawner.running(start);
        wait_for_text(&log, "seen");
        let text = fs::read_to_string(log).unwrap();
        let own = text.lines().map(|line| line.splitn(4, ' ').nth(3).unwrap());
        let own: Vec<&str> = own.take_while(|line| *line != "seen").collect();
        let (code, output) = spawner.script(&id, &format!("{LOOK}; exit 3"));
        assert_eq!(output.lines().collect::<Vec<_>>(), own, "{name}");
        assert_eq!(code, Some(3));
        spawner.end_pod(name);
    }
}

#[test]
fn it_ends_with_its_container() {
    let Some(mut spawner) = Harness::new() else { return };
    for plain in [false, true] {
        let start = match plain {
            true => spawner.plain("plain", "exec sleep 1000"),
            false => spawner.isolated("isolated", "exec sleep 1000", |_| {}),
        };
        let id = spawner.running(start);
        let exec = spawner.exec(&id, &["sleep", "1000"]);
        // It runs, for what is asked for later is answered.
        assert_eq!(spawner.script(&id, "echo x"), (Some(0), "x\n".to_owned()));
        spawner.send(&Request::Kill { id: id.clone() });
        assert_eq!(spawner.executed(exec), killed(true));
        assert_eq!(spawner.ended(&id).signal, Some(9));
        let late = spawner.exec(&id, &["true"]);
        let Executed::Failed(failure) = spawner.executed(late) else { panic!("it ran") };
        assert_eq!(failure.message, "the container does not run: no such process");
    }
}

#[test]
fn it_can_be_killed_alone_with_what_it_started() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.isolated("a", "exec sleep 1000", |_| {});
    let id = spawner.running(start);
    let exec = spawner.exec(&id, &["sh", "-c", "echo $$ > /tmp/pid; sleep 2000; true"]);
    let found = "while ! pgrep -x sleep -a | grep -q 2000; do :; done";
    assert_eq!(spawner.script(&id, found).0, Some(0));
    spawner.send(&Request::KillExec { id: id.clone(), exec });
    assert_eq!(spawner.executed(exec), killed(false));
    assert_eq!(spawner.script(&id, "while pgrep -a sleep | grep -q 2000; do :; done").0, Some(0));
}

#[test]
fn a_server_that_leaves_ends_it() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.isolated("a", "exec sleep 1000", |_| {});
    let id = spawner.running(start);
    let lost = spawner.exec(&id, &["sleep", "2000"]);
    assert_eq!(spawner.script(&id, "while ! pgrep -a sleep | grep -q 2000; do :; done").0, Some(0));
    spawner.reconnect();
    assert_eq!(spawner.script(&id, "while pgrep -a sleep | grep -q 2000; do :; done").0, Some(0));
    // The numbers begin anew with each server: it must not take the end of one for that of another.
    spawner.send(&Request::KillExec { id: id.clone(), exec: lost });
    let exec = Exec {
        id,
        exec: lost,
        task: Task::Program(vec!["true".to_owned()]),
        output_bytes_max: 9,
        streams: None,
    };
    spawner.send(&Request::Exec(Box::new(exec)));
    assert!(matches!(spawner.executed(lost), Executed::Ended { code: Some(0), .. }));
}

#[test]
fn its_output_has_a_limit_and_what_it_leaves_behind_is_not_waited_for() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.isolated("a", "exec sleep 1000", |_| {});
    let id = spawner.running(start);
    let script = "head -c 300000 /dev/zero | tr '\\0' x; echo error >&2; sleep 1000 & exit 4";
    let exec = spawner.exec_keeping(&id, &["sh", "-c", script], 3);
    let (stdout, stderr) = ("xxx".to_owned(), "err".to_owned());
    let how =
        Executed::Ended { code: Some(4), signal: None, stdout, stderr, with_container: false };
    assert_eq!(spawner.executed(exec), how);
}

#[test]
fn what_cannot_be_run_says_why() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.isolated("a", "exec sleep 1000", |_| {});
    let id = spawner.running(start);
    for (argv, stage, message) in [
        (&["nothing"][..], Stage::Exec, "exec: \"nothing\": executable file not found in $PATH"),
        (&["/etc/passwd"], Stage::Exec, "exec: \"/etc/passwd\": permission denied"),
        (&[], Stage::Exec, "what is to be run: invalid argument"),
    ] {
        let exec = spawner.exec(&id, argv);
        let Executed::Failed(failure) = spawner.executed(exec) else { panic!("it ran") };
        assert_eq!((failure.stage, failure.message.as_str()), (stage, message));
    }
}

/// A room goes to the next container only if nothing was changed in it, whoever changed it.
#[test]
fn what_it_writes_reaches_no_other_container() {
    let Some(mut spawner) = Harness::new() else { return };
    let start = spawner.isolated("a", "exec sleep 1000", |_| {});
    let id = spawner.running(start);
    assert_eq!(spawner.script(&id, "echo x > /tmp/left; echo x > /dev/shm/left").0, Some(0));
    spawner.send(&Request::EndPod { pod: id.pod.clone() });
    spawner.ended(&id);
    let mut start = spawner.isolated("b", "ls /tmp /dev/shm", |_| {});
    start.id.pod = "other".to_owned();
    assert_eq!(spawner.run(start).1, ["stdout F /dev/shm:", "stdout F ", "stdout F /tmp:"]);
}

/// Who is on the container's loopback meets what listens there, with an end or without.
#[test]
fn its_ports_are_reached_from_inside() {
    let Some(mut spawner) = Harness::new() else { return };
    if !std::path::Path::new("/usr/bin/python3").exists() {
        eprintln!("SKIPPED: no python3");
        return;
    }
    let script = "exec /usr/bin/python3 -uc '
import socket
s = socket.create_server((\"127.0.0.1\", 8080)); print(\"listens\")
kept = []
while True:
    c = s.accept()[0]; kept.append(c)
    if b\"hello\" in c.recv(100): c.sendall(b\"a\\n\\nb\")'";
    let start = spawner.isolated("a", script, |_| {});
    let log = log_path(&start.log);
    let id = spawner.running(start);
    wait_for_text(&log, "listens");
    let dial =
        |port, send: &str| Task::Dial { port, send: send.to_owned(), until: "\n\n".to_owned() };
    let ended = |stdout: &str| Executed::Ended {
        code: Some(0),
        signal: None,
        stdout: stdout.to_owned(),
        stderr: String::new(),
        with_container: false,
    };
    let exec = spawner.run_task(&id, dial(8080, "hello"), 100);
    assert_eq!(spawner.executed(exec), ended("a\n\nb"));
    let exec = spawner.run_task(&id, dial(8080, ""), 100);
    assert_eq!(spawner.executed(exec), ended(""));
    let exec = spawner.run_task(&id, dial(8081, "hello"), 100);
    let Executed::Failed(failure) = spawner.executed(exec) else { panic!("nobody listens") };
    let text = "dial tcp 127.0.0.1:8081: connect: connection refused";
    assert_eq!((failure.stage, failure.message.as_str()), (Stage::Dial, text));
    let silent = spawner.run_task(&id, dial(8080, "x"), 100);
    spawner.send(&Request::Kill { id: id.clone() });
    spawner.ended(&id);
    // However that ends, it is told.
    spawner.executed(silent);
}
