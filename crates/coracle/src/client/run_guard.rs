//! What keeps a run alive: an open watch in its name. The server ends the run's pods a few seconds
//! after the last such watch is gone, unless the client said goodbye first.

use apiserver::query_pair;
use hyper::Method;
use kinds::Kind;

use serde::Deserialize;

use super::{Client, Error, Selection, Watch, stream::unreadable};

/// The open watch. While it lives, so does the run.
#[derive(Debug)]
pub(crate) struct RunGuard {
    client: Client,
    watch: Watch,
}

impl Client {
    /// Keeps the run alive from now on, and makes it known to the server.
    pub(crate) async fn run_guard(&self, run: &str) -> Result<RunGuard, Error> {
        let client = self.for_run(run);
        // No object has an empty name: a watch that never says anything.
        let nothing = Selection { fields: "metadata.name=", ..Selection::default() };
        let watch = client.watch(Kind::Node, nothing, None).await?;
        Ok(RunGuard { client, watch })
    }
}

impl RunGuard {
    /// Returns when the guard no longer guards: the server went away or ended the watch. Ask for
    /// a new one within the time of grace.
    pub(crate) async fn lost(&mut self) -> Error {
        loop {
            match self.watch.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return Error::Unexpected("the end of the run's watch".to_owned()),
                Err(error) => return error,
            }
        }
    }

    /// Leaves the run: what is unfinished is ended, unless somebody else attends it (false), or goes
    /// on without a client when `detach` is set.
    pub(crate) async fn goodbye(self, detach: bool) -> Result<bool, Error> {
        let run = self.client.run.as_deref().expect("a guard has a run");
        let target = format!("/coracle/runs/{run}?{}", query_pair("detach", &detach.to_string()));
        let answer = self.client.send(Method::DELETE, target, Vec::new()).await?;
        let left: Left = serde_json::from_slice(&answer.body).map_err(unreadable)?;
        Ok(left.ended)
    }
}

/// What the server says to a goodbye.
#[derive(Deserialize)]
struct Left {
    ended: bool,
}
