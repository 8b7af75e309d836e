//! Attending runs: while a client holds a watch in the name of a run, the server acts on what that
//! run submitted. A client attends its own run and those whose Jobs it joined.

use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    client::{self, RunGuard},
    link::Link,
};

/// The runs that this client attends.
#[derive(Debug, Default)]
pub(crate) struct Attendance {
    attended: Vec<Attended>,
}

/// One of them: a task holds the watch, and opens it anew when the server went away.
#[derive(Debug)]
struct Attended {
    run: String,
    leave: oneshot::Sender<bool>,
    task: JoinHandle<bool>,
}

impl Attendance {
    /// Attends a run from now on, if that is not so already.
    pub(crate) async fn attend(&mut self, link: &Link, run: &str) -> Result<(), client::Error> {
        if self.attended.iter().any(|attended| attended.run == run) {
            return Ok(());
        }
        let guard = link.guard(run).await?;
        let (leave, left) = oneshot::channel();
        let task = tokio::spawn(hold(link.clone(), run.to_owned(), guard, left));
        self.attended.push(Attended { run: run.to_owned(), leave, task });
        Ok(())
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
) -> bool {
    loop {
        tokio::select! {
            // Dropped without a word, the run's rest is the server's to end.
            detach = &mut left => return match detach {
                Ok(detach) => guard.goodbye(detach).await.unwrap_or(false),
                Err(_) => false,
            },
            _ = guard.lost() => {}
        }
        if link.recover().await.is_err() {
            return false;
        }
        match link.guard(&run).await {
            Ok(again) => guard = again,
            Err(_) => return false,
        }
    }
}
