//! Attending runs: while a client holds a watch in the name of a run, the server acts on what that
//! run submitted. A client attends its own run and those whose Jobs it joined.

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    client::{self, RunGuard},
    exit::Failure,
    link::{self, Link},
};

/// The runs that this client attends.
#[derive(Debug)]
pub(crate) struct Attendance {
    attended: Vec<Attended>,
    failures: mpsc::UnboundedReceiver<Failure>,
    failed: mpsc::UnboundedSender<Failure>,
}

/// One of them: a task holds the watch, and opens it anew when the server went away.
#[derive(Debug)]
struct Attended {
    run: String,
    leave: oneshot::Sender<bool>,
    task: JoinHandle<bool>,
}

impl Attendance {
    /// Of no run so far.
    pub(crate) fn new() -> Self {
        let (failed, failures) = mpsc::unbounded_channel();
        Self { attended: Vec::new(), failures, failed }
    }

    /// Attends a run from now on, if that is not so already.
    pub(crate) async fn attend(&mut self, link: &Link, run: &str) -> Result<(), client::Error> {
        if self.attended.iter().any(|attended| attended.run == run) {
            return Ok(());
        }
        let guard = link.guard(run).await?;
        let (leave, left) = oneshot::channel();
        let failed = self.failed.clone();
        let task = tokio::spawn(hold(link.clone(), run.to_owned(), guard, left, failed));
        self.attended.push(Attended { run: run.to_owned(), leave, task });
        Ok(())
    }

    /// Why a run cannot be attended any longer: the server would not act on it, so waiting for its end
    /// would be waiting for ever. Pending while all is well.
    pub(crate) async fn lost(&mut self) -> Failure {
        match self.failures.recv().await {
            Some(failure) => failure,
            // Not while this value holds a sender itself.
            None => std::future::pending().await,
        }
    }

    /// Leaves every run, with `detach` so that it goes on without a client. Gives the runs whose
    /// unfinished rest the server is ending now: those that nobody else attends.
    pub(crate) async fn leave(&mut self, detach: bool) -> Vec<String> {
        let mut ended = Vec::new();
        for attended in self.attended.drain(..) {
            // A task that is over lost its server for good; there is nothing to leave.
            let _ = attended.leave.send(detach);
            if attended.task.await.unwrap_or(false) {
                ended.push(attended.run);
            }
        }
        ended
    }
}

async fn hold(
    link: Link,
    run: String,
    mut guard: RunGuard,
    mut left: oneshot::Receiver<bool>,
    failed: mpsc::UnboundedSender<Failure>,
) -> bool {
    loop {
        let mark = link.mark();
        tokio::select! {
            // Dropped without a word, the run's rest is the server's to end.
            detach = &mut left => return match detach {
                Ok(detach) => guard.goodbye(detach).await.unwrap_or(false),
                Err(_) => false,
            },
            _ = guard.lost() => {}
        }
        let again = async {
            link.recover(mark).await?;
            link.guard(&run).await.map_err(|error| link::failure(&error))
        };
        match again.await {
            Ok(again) => guard = again,
            Err(failure) => {
                // Nobody listens any more: the run is over.
                let _ = failed.send(failure);
                return false;
            }
        }
    }
}
