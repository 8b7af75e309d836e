//! A data directory for one test, the ways to run the binary in it, and the check that nothing of it
//! is left on the machine.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FlockOperation, flock},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};
use serde_json::Value;
use tempfile::TempDir;

/// The longest that anything in these tests may take, in seconds.
const PATIENCE_S: u64 = 120;

pub(crate) const CORACLE: &str = env!("CARGO_BIN_EXE_coracle");

/// `up` on a free port.
pub(crate) const UP: [&str; 3] = ["up", "--listen", "127.0.0.1:0"];

/// What a command said and ended with.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Fails with everything that was said unless the code is this one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// Fails unless standard error says this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not in\n{}", self.err);
        self
    }

    /// The events of `-o json`.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

/// A data directory and a place for files beside it.
pub(crate) struct Space {
    temp: TempDir,
}

impl Space {
    pub(crate) fn new() -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "these tests run containers: run them as root"
        );
        Self { temp: tempfile::tempdir().expect("a temporary directory") }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    /// Writes a file beside the data directory.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.temp.path().join(name);
        fs::write(&path, text).expect("the file can be written");
        path
    }

    /// A path beside the data directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::new(CORACLE);
        command.args(args).env("CORACLE_DATA_DIR", self.data()).current_dir(self.temp.path());
        for name in ["CI", "NO_COLOR"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Ran {
        self.start(args).finish()
    }

    /// Starts the binary.
    pub(crate) fn start<A: AsRef<OsStr>>(&self, args: &[A]) -> Running {
        Running::of(self.command(args))
    }

    /// Starts `up` on a free port and waits until it answers.
    pub(crate) fn up(&self) -> Running {
        let mut up = self.start(&UP);
        if !up.line().starts_with("ready https://127.0.0.1:") {
            panic!("up is not ready: {:?}", up.finish());
        }
        up
    }

    /// The process id of the server, from the lock that it holds.
    pub(crate) fn server(&self) -> Pid {
        let text = fs::read_to_string(self.data().join("lock")).expect("there was a server");
        let pid = text.split(' ').next().and_then(|pid| pid.parse().ok());
        pid.and_then(Pid::from_raw).expect("the lock names a process")
    }

    /// `coracle status -o json`
    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "-o", "json"]).expect(0).out).expect("JSON")
    }

    /// GET of a path of the API: status code and body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let mut socket = UnixStream::connect(self.data().join("server.sock")).expect("a server");
        write!(socket, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).expect("an answer");
        let code =
            text.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
        (code, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    /// Waits until no server and no spawner is there, and fails if anything else of them is.
    pub(crate) fn nothing_left(&self) {
        for lock in ["lock", "spawner.lock"] {
            wait_for_lock(&self.data().join(lock));
        }
        let data = self.data().display().to_string();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mounts: Vec<&str> = mounts.lines().filter(|line| line.contains(&data)).collect();
        assert!(mounts.is_empty(), "mounts are left: {mounts:?}");
        let processes = processes(&data);
        assert!(processes.is_empty(), "processes are left: {processes:?}");
        let pods = fs::read_dir(self.data().join("pods")).into_iter().flatten().count();
        assert_eq!(pods, 0, "volumes of pods are left");
    }
}

/// A test that failed may have left a server, a spawner and containers: they end with it.
impl Drop for Space {
    fn drop(&mut self) {
        if !thread::panicking() || !self.data().exists() {
            return;
        }
        for args in [&[&UP[..], &["-d"]].concat()[..], &["down", "--stop-pods"]] {
            let mut command = self.command(args);
            // Whatever state the test broke off in; what matters comes after.
            let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        for lock in ["lock", "spawner.lock"] {
            let text = fs::read_to_string(self.data().join(lock)).unwrap_or_default();
            let pid = text.split(' ').next().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
            // Gone already, in the best case.
            let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        }
    }
}

/// Processes whose command line names the directory.
fn processes(directory: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        // A process may end while it is looked at.
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(directory) {
            found.push(line);
        }
    }
    found
}

/// Waits until whoever holds the lock is gone: first for the lock, then for the end of the process
/// that it names, which comes a moment later.
fn wait_for_lock(path: &Path) {
    let Ok(file) = File::open(path) else { return };
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(flock(&file, FlockOperation::LockShared)));
    let waited = receiver.recv_timeout(Duration::from_secs(PATIENCE_S));
    waited.unwrap_or_else(|_| panic!("{} is still held", path.display())).expect("flock");
    let text = fs::read_to_string(path).unwrap();
    let pid = text.split(' ').next().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
    // One that is gone by now cannot be opened.
    if let Ok(process) = pidfd_open(pid.expect("the lock names a process"), PidfdFlags::empty()) {
        let patience = Timespec { tv_sec: PATIENCE_S as i64, tv_nsec: 0 };
        let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)).unwrap();
        assert_eq!(ended, 1, "the process of {} goes on", path.display());
    }
}

/// The binary while it runs.
pub(crate) struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    err: thread::JoinHandle<String>,
    err_lines: mpsc::Receiver<String>,
    read: String,
}

impl Running {
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary runs");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, err_lines) = mpsc::channel();
        let err = thread::spawn(move || {
            let mut all = String::new();
            for line in stderr.lines().map(|line| line.expect("text")) {
                all += &format!("{line}\n");
                // Most tests read everything at the end only.
                let _ = sender.send(line);
            }
            all
        });
        Self { child, out, err, err_lines, read: String::new() }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The next line of standard output; empty at its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("text");
        self.read.push_str(&line);
        line.trim_end().to_owned()
    }

    /// Reads lines of standard output until one contains this.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(text) {
                return line;
            }
            assert!(!line.is_empty() || self.alive(), "{text:?} never came: {}", self.read);
        }
    }

    /// Waits until standard error says this.
    pub(crate) fn until_said(&mut self, text: &str) -> String {
        loop {
            let line = self.err_lines.recv_timeout(Duration::from_secs(PATIENCE_S));
            let line = line.unwrap_or_else(|_| panic!("{text:?} was never said"));
            if line.contains(text) {
                return line;
            }
        }
    }

    fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// Waits for the end; a process that takes too long is killed and the test fails.
    pub(crate) fn finish(mut self) -> Ran {
        let (sender, receiver) = mpsc::channel::<()>();
        let pid = self.pid();
        let watch = thread::spawn(move || {
            let late = receiver.recv_timeout(Duration::from_secs(PATIENCE_S)).is_err();
            // It may have ended by itself just now.
            late.then(|| kill_process(pid, Signal::KILL))
        });
        let mut rest = Vec::new();
        self.out.read_to_end(&mut rest).expect("readable");
        self.read.push_str(&String::from_utf8_lossy(&rest));
        let status = self.child.wait().expect("a child");
        let _ = sender.send(());
        assert!(watch.join().unwrap().is_none(), "it took too long; so far: {}", self.read);
        let code = std::os::unix::process::ExitStatusExt::signal(&status)
            .map_or_else(|| status.code().unwrap_or(-1), |signal| -signal);
        Ran { code, out: self.read, err: self.err.join().unwrap() }
    }
}
