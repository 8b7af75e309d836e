//! Jobs that somebody else submitted, looked at from outside: waited for to their ends, or told about
//! once they have failed, in the words and with the codes of `run`.

use std::time::Duration;

use jiff::Timestamp;
use kinds::{Object, Uid};
use tokio::time::{Instant, sleep_until};

use super::{
    lines::{Lines, Tail},
    outcome::{self, End, Interruption},
    progress::Progress,
    text::{self, Hints},
    watching::{self, Seen},
    work::{Id, Work},
};
use crate::{
    clock,
    exit::{Code, Failure},
    link::Link,
};

/// How long after the end of the last Job the ends of its pods may still come, in milliseconds. They
/// were one transaction, but two watches; and a pod that is gone never comes.
const PODS_LAG_MS: u64 = 500;

/// How a Job ended that was waited for.
pub(crate) struct Ended<'a> {
    /// Its place among the Jobs that were waited for.
    pub(crate) at: usize,
    /// Whether it is Complete.
    pub(crate) complete: bool,
    /// What is said about it otherwise.
    pub(crate) lines: &'a dyn Fn() -> Vec<String>,
}

/// Waits until every Job is over or the time is up, and gives the code `run` would end with. `each`
/// hears of each Job, in the order of their ends.
pub(crate) async fn wait_for_jobs(
    link: &Link,
    jobs: &[Object],
    limit: Option<Duration>,
    hints: &Hints,
    mut each: impl FnMut(Ended<'_>),
) -> Result<Code, Failure> {
    let mut progress = Progress::default();
    let mut works: Vec<(Uid, Id)> = Vec::new();
    for object in jobs {
        progress.submitted_job(object.meta.uid, &object.job(), began(object));
        works.push((object.meta.uid, progress.works()[works.len()].id.clone()));
    }
    let mut seen = watching::start(link, &works);
    let deadline = limit.map(|limit| Instant::now() + limit);
    let mut told = vec![false; works.len()];
    let mut lag = None;
    while !(progress.finished() && progress.all_pods_seen()) {
        let until = lag.or(deadline);
        let time = async {
            match until {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            seen = seen.recv() => match seen {
                Some(seen) => {
                    let when = happened(&seen).unwrap_or_else(clock::now);
                    progress.take(seen, when)?;
                }
                None => return Err(Failure::engine("every watch of the jobs ended")),
            },
            () = time => break,
        }
        if progress.finished() && lag.is_none() {
            lag = Some(Instant::now() + Duration::from_millis(PODS_LAG_MS));
        }
        // Failures wait for their pods: the report names what failed.
        tell(&progress, &mut told, hints, &mut each, |work| work.all_pods_seen());
    }
    tell(&progress, &mut told, hints, &mut each, |_| true);
    let interruption = (!progress.finished()).then_some(Interruption::Timeout);
    Ok(outcome::code(&progress.results(), interruption))
}

/// Tells of the ends that are ripe.
fn tell(
    progress: &Progress,
    told: &mut [bool],
    hints: &Hints,
    each: &mut impl FnMut(Ended<'_>),
    ripe: impl Fn(&Work) -> bool,
) {
    for (at, work) in progress.works().iter().enumerate() {
        let Some(end) = work.end.as_ref().filter(|_| !told[at] && ripe(work)) else { continue };
        told[at] = true;
        let lines = || text::ending(work, None, hints);
        each(Ended { at, complete: matches!(end, End::Complete), lines: &lines });
    }
}

/// When a Job was created.
fn began(job: &Object) -> Timestamp {
    Timestamp::from_second(job.meta.created_s).unwrap_or_else(|_| clock::now())
}

/// When a Job ended, where that is what was seen.
fn happened(seen: &Seen) -> Option<Timestamp> {
    let Seen::Now(object) = seen else { return None };
    if object.key.kind != kinds::Kind::Job {
        return None;
    }
    let conditions = object.job().status?.conditions?;
    let over = conditions
        .into_iter()
        .find(|c| matches!(c.type_.as_str(), "Complete" | "Failed") && c.status == "True")?;
    Some(over.last_transition_time?.0)
}
/// A failed Job as its objects tell it.
pub(crate) struct LookBack {
    progress: Progress,
}

/// Which log tells more about a failure.
pub(crate) struct Clue {
    pub(crate) pod: String,
    pub(crate) container: String,
}

impl LookBack {
    /// `pods` are those of the Job that are still there; `None` unless it failed.
    pub(crate) fn at(job: &Object, pods: &[Object]) -> Option<Self> {
        let mut progress = Progress::default();
        progress.submitted_job(job.meta.uid, &job.job(), began(job));
        let mut pods: Vec<&Object> = pods.iter().collect();
        pods.sort_by_key(|pod| (pod.meta.created_s, pod.meta.revision));
        let seen = Seen::Now(job.clone());
        let when = happened(&seen).unwrap_or_else(|| began(job));
        for pod in pods {
            progress.pod(pod.meta.uid, &pod.pod(), when);
        }
        progress.job(job.meta.uid, &job.job(), when);
        let failed = matches!(progress.works()[0].end, Some(End::Failed { .. }));
        failed.then_some(Self { progress })
    }

    /// The log of the container that failed last.
    pub(crate) fn clue(&self) -> Option<Clue> {
        let failure = self.progress.works()[0].last_failure.as_ref()?;
        let (pod, container) = (failure.pod.clone(), failure.container.clone());
        (!container.is_empty()).then_some(Clue { pod, container })
    }

    /// What `run` would say at its end; `log` is the end of that log.
    pub(crate) fn lines(&self, log: &[u8], hints: &Hints) -> Vec<String> {
        let (mut lines, mut tail) = (Lines::default(), Tail::default());
        lines.push(log, |line| tail.push(line));
        lines.finish(|line| tail.push(line));
        text::ending(&self.progress.works()[0], Some(&tail), hints)
    }
}
