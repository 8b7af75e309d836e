//! Jobs that were gone before this client saw their end, as by `ttlSecondsAfterFinished` or the
//! history limits of a CronJob: the history says how they ended.

use std::collections::HashSet;

use kinds::Uid;

use super::follow::Follow;
use crate::{
    clock,
    exit::Failure,
    history,
    link::{self, Link},
};

impl Follow<'_> {
    /// Takes the end of those of the Jobs asked for that are not there, where the history has it.
    pub(super) async fn recall(
        &mut self,
        asked: &HashSet<Uid>,
        there: &HashSet<Uid>,
    ) -> Result<(), Failure> {
        let missing = self
            .progress
            .unfinished()
            .filter(|(uid, id)| id.is_job && asked.contains(uid) && !there.contains(uid));
        let missing: Vec<_> = missing.map(|(uid, id)| (uid, id.clone())).collect();
        for (uid, id) in missing {
            let lines = of_job(self.link, &id.namespace, &id.name).await?;
            if let Some(line) = lines.iter().find(|line| line.job.uid == uid) {
                let changes = self.progress.recorded(line, clock::now());
                self.show(changes).await;
            }
        }
        Ok(())
    }
}

async fn of_job(
    link: &Link,
    namespace: &str,
    job: &str,
) -> Result<Vec<apiserver::HistoryLine>, Failure> {
    let bytes = link.repeat(async |client| client.history(namespace, job).await).await;
    history::parse(&bytes.map_err(|error| link::failure(&error))?)
}
