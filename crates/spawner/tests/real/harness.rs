//! A spawner of a test's own, which leaves nothing behind.

use spawner::client::Client;
use spawner::protocol::{
    Container, ContainerId, End, Failure, Given, Isolation, Limits, Log, Record, Reply, Request,
    Root, Running, Start, Stdio, User,
};
use std::collections::VecDeque;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long a test waits for a reply before it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A spawner with a data directory of its own, and a connection to it.
pub(crate) struct Harness {
    pub(crate) client: Client,
    pub(crate) data_dir: tempfile::TempDir,
    /// What `Hello` said, and what was listed then, with pidfds.
    pub(crate) instance: String,
    pub(crate) listed: Vec<Record>,
    pub(crate) listed_fds: Vec<OwnedFd>,
    waiting: VecDeque<(Reply, Vec<OwnedFd>)>,
    attempts: u32,
}

impl Harness {
    /// `None`, with the reason on stderr, where these tests cannot run.
    pub(crate) fn new() -> Option<Harness> {
        Harness::of(Path::new(env!("CARGO_BIN_EXE_spawner-alone")))
    }

    /// One whose spawner may have only so many descriptors.
    pub(crate) fn with_file_limit(limit: u32) -> Option<Harness> {
        Harness::after(&format!("ulimit -n {limit}"))
    }

    /// One whose spawner starts after a line of shell.
    pub(crate) fn after(line: &str) -> Option<Harness> {
        let place = tempfile::tempdir().unwrap();
        let wrapper = place.path().join("wrapper");
        let exe = env!("CARGO_BIN_EXE_spawner-alone");
        fs::write(&wrapper, format!("#!/bin/sh\n{line}\nexec {exe} \"$@\"\n")).unwrap();
        fs::set_permissions(&wrapper, PermissionsExt::from_mode(0o755)).unwrap();
        Harness::of(&wrapper)
    }

    /// One whose own messages meet a full disk.
    pub(crate) fn without_messages() -> Option<Harness> {
        let data_dir = tempfile::tempdir().unwrap();
        let full = data_dir.path().join(spawner::MESSAGES_NAME);
        // The device itself: a link would not be followed.
        let made = Command::new("mknod").arg(full).args(["c", "1", "7"]).status();
        made.is_ok_and(|status| status.success()).then_some(())?;
        Harness::at(data_dir, Path::new(env!("CARGO_BIN_EXE_spawner-alone")))
    }

    fn of(exe: &Path) -> Option<Harness> {
        Harness::at(tempfile::tempdir().unwrap(), exe)
    }

    fn at(data_dir: tempfile::TempDir, exe: &Path) -> Option<Harness> {
        if fs::metadata("/proc/self")
            .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) != 0)
        {
            eprintln!("SKIPPED: real containers need root");
            return None;
        }
        spawner::launch(exe, data_dir.path()).unwrap();
        let (client, instance, listed, listed_fds) = connect(data_dir.path());
        let waiting = VecDeque::new();
        Some(Harness { client, data_dir, instance, listed, listed_fds, waiting, attempts: 0 })
    }

    /// Leave as a server that is killed does, and come back as its successor.
    pub(crate) fn reconnect(&mut self) {
        let (client, instance, listed, listed_fds) = connect(self.data_dir.path());
        self.client = client;
        (self.instance, self.listed, self.listed_fds) = (instance, listed, listed_fds);
        self.waiting.clear();
    }

    /// A number for the next attempt of a test that runs several.
    pub(crate) fn next_attempt(&mut self) -> u32 {
        self.attempts += 1;
        self.attempts
    }

    pub(crate) fn send(&mut self, request: &Request) {
        self.client.send(request).unwrap();
    }

    pub(crate) fn start(&mut self, start: Start) -> ContainerId {
        let id = start.id.clone();
        self.send(&Request::Start(Box::new(start)));
        id
    }

    /// Wait for the first reply that `pick` wants; the others are kept for later.
    pub(crate) fn wait<T>(&mut self, mut pick: impl FnMut(&Reply) -> Option<T>) -> T {
        for index in 0..self.waiting.len() {
            if let Some(found) = pick(&self.waiting[index].0) {
                self.waiting.remove(index);
                return found;
            }
        }
        loop {
            let (reply, fds) = self.client.receive().expect("a reply in time");
            if let Some(found) = pick(&reply) {
                return found;
            }
            self.waiting.push_back((reply, fds));
        }
    }

    /// Wait for the streams that a request asked for.
    pub(crate) fn given(&mut self, wanted: u64) -> Vec<(Given, OwnedFd)> {
        loop {
            let (reply, fds) = self.client.receive().expect("a reply in time");
            match reply {
                Reply::Given { number, given, .. } if number == wanted => {
                    return given.into_iter().zip(fds).collect();
                }
                Reply::Executed { exec, how, .. } if exec == wanted => panic!("{how:?}"),
                reply => self.waiting.push_back((reply, fds)),
            }
        }
    }

    pub(crate) fn started(&mut self, id: &ContainerId) -> Running {
        self.wait(|reply| match reply {
            Reply::Started { id: of, running } if of == id => Some(Ok(running.clone())),
            Reply::Failed { id: of, failure } if of == id => Some(Err(failure.clone())),
            _ => None,
        })
        .unwrap_or_else(|failure| panic!("{id:?} did not start: {failure:?}"))
    }

    pub(crate) fn ended(&mut self, id: &ContainerId) -> End {
        self.wait(|reply| match reply {
            Reply::Ended { id: of, end } if of == id => Some(Ok(end.clone())),
            Reply::Failed { id: of, failure } if of == id => Some(Err(failure.clone())),
            _ => None,
        })
        .unwrap_or_else(|failure| panic!("{id:?} did not start: {failure:?}"))
    }

    pub(crate) fn failed(&mut self, id: &ContainerId) -> Failure {
        self.wait(|reply| match reply {
            Reply::Failed { id: of, failure } if of == id => Some(failure.clone()),
            Reply::Started { id: of, .. } if of == id => panic!("{id:?} started"),
            _ => None,
        })
    }

    /// Run to the end: how it ended, and what it printed, as `stdout F text` lines.
    pub(crate) fn run(&mut self, start: Start) -> (End, Vec<String>) {
        let log = start.log.clone();
        let id = self.start(start);
        let end = self.ended(&id);
        (end, lines(&log))
    }

    /// A start of `sh -c script` as a plain process.
    pub(crate) fn plain(&self, name: &str, script: &str) -> Start {
        let directory = self.data_dir.path().join("logs").join(name);
        Start {
            id: ContainerId { pod: "pod".to_owned(), container: name.to_owned(), attempt: 0 },
            argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: vec!["PATH=/usr/bin:/bin".to_owned()],
            cwd: "/".to_owned(),
            user: User::default(),
            limits: Limits::default(),
            log: Log {
                directory: directory.to_str().unwrap().to_owned(),
                name: "0.log".to_owned(),
                file_bytes_max: 10 << 20,
                files_max: 5,
            },
            isolation: Isolation::Process,
            stdio: Stdio::default(),
            address_words: None,
        }
    }

    pub(crate) fn end_pod(&mut self, pod: &str) {
        self.send(&Request::EndPod { pod: pod.to_owned() });
        self.wait(|reply| matches!(reply, Reply::PodEnded { pod: of } if of == pod).then_some(()));
    }

    /// The process id of the spawner.
    pub(crate) fn spawner_pid(&self) -> i32 {
        let lock = self.data_dir.path().join(spawner::LOCK_NAME);
        fs::read_to_string(lock).unwrap().parse().unwrap()
    }
}

impl Drop for Harness {
    /// End everything, wait for the spawner to leave, even if the test has failed.
    fn drop(&mut self) {
        let Ok(client) = Client::connect(self.data_dir.path()) else { return };
        self.client = client;
        self.client.set_patience(Some(PATIENCE)).unwrap();
        let mut left: Vec<ContainerId> = Vec::new();
        if self.client.send(&Request::Stop).is_err() {
            return;
        }
        while let Ok((reply, _)) = self.client.receive() {
            let over = match reply {
                Reply::Listed { containers } => {
                    left.extend(containers.into_iter().map(|record| record.id));
                    for id in &left {
                        let _ = self.client.send(&Request::EndPod { pod: id.pod.clone() });
                        let _ = self.client.send(&Request::Forget { id: id.clone() });
                    }
                    continue;
                }
                Reply::Ended { id, .. } | Reply::Failed { id, .. } => id,
                _ => continue,
            };
            let _ = self.client.send(&Request::Forget { id: over });
        }
        if !std::thread::panicking() {
            return;
        }
        let messages = self.data_dir.path().join(spawner::MESSAGES_NAME);
        eprintln!("spawner: {}", fs::read_to_string(messages).unwrap_or_default());
    }
}

fn connect(data_dir: &Path) -> (Client, String, Vec<Record>, Vec<OwnedFd>) {
    let mut client = Client::connect(data_dir).unwrap();
    client.set_patience(Some(PATIENCE)).unwrap();
    let (Reply::Hello { instance, .. }, _) = client.receive().unwrap() else {
        panic!("no hello");
    };
    let (Reply::Listed { containers }, fds) = client.receive().unwrap() else {
        panic!("no list");
    };
    (client, instance, containers, fds)
}

pub(crate) fn log_path(log: &Log) -> PathBuf {
    Path::new(&log.directory).join(&log.name)
}

/// The records of a log file without their times.
pub(crate) fn lines(log: &Log) -> Vec<String> {
    let text = fs::read_to_string(log_path(log)).unwrap_or_default();
    text.lines().map(|line| line.split_once(' ').expect("a time").1.to_owned()).collect()
}

/// Capabilities a container has by default, as container engines agree: bits of CHOWN, DAC_OVERRIDE,
/// FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD,
/// AUDIT_WRITE and SETFCAP.
pub(crate) const DEFAULT_CAPABILITIES: u64 = 0xa804_25fb;

/// A container made of the machine's own trees, with a network of its own.
pub(crate) fn host_container() -> Container {
    let link = |name: &str| {
        let target = fs::read_link(format!("/{name}")).ok()?;
        Some((format!("/{name}"), target.to_str()?.to_owned()))
    };
    let is_tree = |path: &&&str| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let names = ["bin", "sbin", "lib", "lib64"];
    let trees = ["/usr", "/etc", "/opt", "/bin", "/sbin", "/lib", "/lib64"];
    let path = |text: &&str| (*text).to_owned();
    Container {
        root: Root::Host {
            trees: trees.iter().filter(is_tree).map(path).collect(),
            links: names.into_iter().filter_map(link).collect(),
            hidden: ["/etc/shadow", "/etc/gshadow", "/etc/ssl/private"].iter().map(path).collect(),
        },
        read_only_root: false,
        writable_bytes: 64 << 20,
        mounts: Vec::new(),
        files: Vec::new(),
        termination_path: None,
        hostname: "box".to_owned(),
        host_network: false,
        addresses: None,
        keep_namespaces: false,
        joins: None,
        privileged: false,
        capabilities: DEFAULT_CAPABILITIES,
        no_new_privileges: true,
        seccomp: Vec::new(),
        masked_paths: ["/proc/kcore", "/proc/keys", "/proc/acpi", "/sys/firmware", "/proc/none"]
            .iter()
            .map(path)
            .collect(),
        read_only_paths: ["/proc/sys", "/proc/bus", "/proc/none"].iter().map(path).collect(),
    }
}

impl Harness {
    /// What a script prints in such a container, where it has to succeed.
    pub(crate) fn printed(
        &mut self,
        script: &str,
        change: impl FnOnce(&mut Container),
    ) -> Vec<String> {
        let mut start = self.isolated("a", script, change);
        start.id.attempt = self.next_attempt();
        start.log.name = format!("{}.log", start.id.attempt);
        let (end, lines) = self.run(start);
        assert_eq!(end.code, Some(0), "{lines:?}");
        lines.iter().filter_map(|line| Some(line.strip_prefix("stdout F ")?.to_owned())).collect()
    }

    /// A start of `sh -c script` in an isolated container, changed by `change`.
    pub(crate) fn isolated(
        &self,
        name: &str,
        script: &str,
        change: impl FnOnce(&mut Container),
    ) -> Start {
        let mut container = host_container();
        change(&mut container);
        let isolation = Isolation::Container(Box::new(container));
        Start { isolation, ..self.plain(name, script) }
    }
}

/// Wait until a file holds a text.
pub(crate) fn wait_for_text(path: &Path, text: &str) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !fs::read_to_string(path).is_ok_and(|held| held.contains(text)) {
        assert!(std::time::Instant::now() < deadline, "{} never held {text}", path.display());
        std::thread::yield_now();
    }
}

/// Whether a process exists and is not a zombie.
pub(crate) fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

/// That a process was killed: it may still be on its way out, but one that was not would outlast
/// the patience of a test.
pub(crate) fn assert_gone(pid: i32) {
    assert_soon(|| !lives(pid), &format!("process {pid} is left"));
}

/// That something comes true for which there is no event.
pub(crate) fn assert_soon(is_true: impl Fn() -> bool, otherwise: &str) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !is_true() {
        assert!(std::time::Instant::now() < deadline, "{otherwise}");
        std::thread::yield_now();
    }
}

/// The children of a process and its threads.
pub(crate) fn children(pid: i32) -> String {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let children = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).unwrap();
    tasks.map(|task| children(task.unwrap())).collect()
}

/// Kill a process that a test let escape.
pub(crate) fn kill(pid: i32) {
    let status = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(status.unwrap().success());
}
