//! Containers whose spawner died before them: they are signalled and watched by pidfd.

use std::{
    collections::BTreeMap,
    io,
    os::fd::{AsFd, OwnedFd},
};

use jiff::Timestamp;
use rustix::process::{Signal, pidfd_send_signal};
use spawner::protocol::{ContainerId, End, Record, Request, Running, State};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc,
};

/// The clock of the machine.
pub(super) type Clock = fn() -> Timestamp;

pub(super) struct Orphans {
    clock: Clock,
    containers: BTreeMap<ContainerId, Orphan>,
    ends: mpsc::UnboundedReceiver<(ContainerId, End)>,
    ended: mpsc::UnboundedSender<(ContainerId, End)>,
}

struct Orphan {
    state: State,
    pidfd: OwnedFd,
}

impl Orphans {
    pub(super) fn new(clock: Clock) -> Self {
        let (ended, ends) = mpsc::unbounded_channel();
        Self { clock, containers: BTreeMap::new(), ends, ended }
    }

    /// Watches a container that the new spawner does not know.
    pub(super) fn adopt(&mut self, id: ContainerId, running: Running, pidfd: OwnedFd) {
        match watch(&pidfd) {
            Ok(watched) => {
                let (id, ended, clock) = (id.clone(), self.ended.clone(), self.clock);
                let started_ns = running.started_ns;
                // It ends with the container, or with the runtime.
                tokio::spawn(async move {
                    let end = end(&watched, started_ns, clock).await;
                    let _ = ended.send((id, end));
                });
            }
            Err(error) => tracing::error!("a container without a spawner is not watched: {error}"),
        }
        self.containers.insert(id, Orphan { state: State::Running(running), pidfd });
    }

    /// What is known of them, for the list that a new spawner cannot give.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        let record = |(id, orphan): (&ContainerId, &Orphan)| Record {
            id: id.clone(),
            state: orphan.state.clone(),
        };
        self.containers.iter().map(record)
    }

    /// Does what a request asks of an orphan; `true` if it is of no concern to the spawner.
    pub(super) fn take(&mut self, request: &Request) -> bool {
        match request {
            Request::Signal { id, signal } => self.signal(id, Signal::from_named_raw(*signal)),
            Request::Kill { id } => self.signal(id, Some(Signal::KILL)),
            Request::Forget { id } => self.containers.remove(id).is_some(),
            Request::EndPod { pod } => {
                let of_pod: Vec<ContainerId> =
                    self.containers.keys().filter(|id| id.pod == *pod).cloned().collect();
                for id in &of_pod {
                    self.signal(id, Some(Signal::KILL));
                }
                false
            }
            _ => false,
        }
    }

    fn signal(&self, id: &ContainerId, signal: Option<Signal>) -> bool {
        let Some(orphan) = self.containers.get(id) else { return false };
        if let (State::Running(_), Some(signal)) = (&orphan.state, signal) {
            // One that is gone by now needs no signal.
            let _ = pidfd_send_signal(orphan.pidfd.as_fd(), signal);
        }
        true
    }

    /// The next end. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> (ContainerId, End) {
        let (id, end) = self.ends.recv().await.expect("this side holds a sender");
        if let Some(orphan) = self.containers.get_mut(&id) {
            orphan.state = State::Ended(end.clone());
        }
        (id, end)
    }
}

#[expect(deprecated, reason = "what the deprecation warns of cannot be done with an OwnedFd")]
fn watch(pidfd: &OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(pidfd.try_clone()?, Interest::READABLE)
}

/// Waits for the end of a process that is nobody's child here. Where the kernel cannot tell how it
/// ended, neither code nor signal is given.
async fn end(pidfd: &AsyncFd<OwnedFd>, started_ns: i64, clock: Clock) -> End {
    let (code, signal) = loop {
        let Ok(mut ready) = pidfd.readable().await else { break (None, None) };
        match spawner::exit_status(pidfd.get_ref().as_fd()) {
            // It has ended and waits to be reaped by its new parent, which is told of separately.
            Ok(None) => ready.clear_ready(),
            Ok(Some(status)) => break status,
            Err(_) => break (None, None),
        }
    };
    let finished_ns = i64::try_from(clock().as_nanosecond()).unwrap_or(i64::MAX);
    End {
        code,
        signal,
        oom_killed: false,
        started_ns,
        finished_ns,
        cpu_us: 0,
        memory_peak_bytes: 0,
        message: String::new(),
        log_bytes: 0,
    }
}
