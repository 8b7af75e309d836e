//! What really runs and what is left on the machine, read from /proc and /sys.

use std::{
    fs,
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// How long something that is about to happen is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process, as the kernel identifies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// Start time in clock ticks after boot.
    pub(crate) started: u64,
}

/// Lets time pass: there is no event in "a random moment".
pub(crate) fn pause(time: Duration) {
    let (_keep, never) = mpsc::channel::<()>();
    assert!(never.recv_timeout(time).is_err());
}

/// Process id of the spawner that serves this data directory.
fn spawner(data_dir: &Path) -> Option<i32> {
    fs::read_to_string(data_dir.join("spawner.lock")).ok()?.trim().parse().ok()
}

/// The first processes of the containers: the children of the spawner and its threads.
pub(crate) fn containers(data_dir: &Path) -> Vec<Process> {
    let Some(spawner) = spawner(data_dir) else { return Vec::new() };
    let tasks = fs::read_dir(format!("/proc/{spawner}/task")).into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<String> = children.collect();
    let pids = children.iter().flat_map(|children| children.split_whitespace());
    let mut found: Vec<Process> = pids.filter_map(|pid| process(pid.parse().ok()?)).collect();
    found.sort_by_key(|process| process.pid);
    found
}

/// `None` for one that is gone or dead.
fn process(pid: i32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    (fields[0] != "Z").then(|| Process { pid, started: fields[19].parse().unwrap() })
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what} did not come");
        pause(Duration::from_millis(20));
    }
}

pub(crate) fn wait_for_container(data_dir: &Path) -> Process {
    wait_for("a container", || containers(data_dir).first().cloned())
}

pub(crate) fn wait_for_spawner_to_leave(data_dir: &Path) {
    wait_for("the end of the spawner", || {
        let alive = spawner(data_dir).and_then(process);
        alive.is_none().then_some(())
    });
}

/// What a server could leave behind. Namespaces last no longer than processes and mounts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leftovers {
    processes: Vec<String>,
    mounts: Vec<String>,
    cgroups: Vec<String>,
}

impl Leftovers {
    pub(crate) fn of(data_dir: &Path) -> Self {
        let text = data_dir.to_str().unwrap();
        let pids = fs::read_dir("/proc").unwrap().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let mut processes = Vec::new();
        for pid in pids {
            let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if command.contains(text) {
                processes.push(command.replace('\0', " "));
            }
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mounts = mounts.lines().filter(|line| line.contains(text)).map(str::to_owned).collect();
        Self { processes, mounts, cgroups: cgroups() }
    }
}

/// Control groups of pods, in any hierarchy. Groups of spawners of other tests may be there.
fn cgroups() -> Vec<String> {
    let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let groups = hierarchies.filter_map(|entry| fs::read_dir(entry.path().join("coracle")).ok());
    let names = groups.flatten().flatten().map(|entry| entry.path().display().to_string());
    names.filter(|name| name.contains("pod")).collect()
}

/// Ends the spawner of a test that failed, and with it every container.
pub(crate) fn end_everything(data_dir: &Path) {
    for container in containers(data_dir) {
        // It may have ended by itself.
        let _ = kill_process(Pid::from_raw(container.pid).unwrap(), Signal::KILL);
    }
    let spawner = spawner(data_dir).and_then(Pid::from_raw);
    if let Some(spawner) = spawner.filter(|spawner| test_kill_process(*spawner).is_ok()) {
        let _ = kill_process(spawner, Signal::KILL);
    }
}
