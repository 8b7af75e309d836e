//! Reading the logs of a run: each attempt of each container to its end, exactly once, a bounded
//! number of them at the same time. What waits is a short entry; the log itself waits on disk.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use kinds::{Reason, Uid};
use tokio::task::JoinSet;

use super::{
    lines::Tail,
    output::{Form, Formatter, prefix},
    pods::LogRead,
    screen::{Screen, Show},
};
use crate::{
    client::{self, LogOptions},
    clock,
    link::Link,
};

/// How many logs are read at the same time.
const READS_MAX: usize = 64;

/// How long to wait when the server has no room for another reader, in milliseconds.
const BUSY_WAIT_MS: u64 = 1_000;

/// How many tails of failed pods are kept for the report.
const TAILS_MAX: usize = 16;

/// What a log needs to know of the run to be told apart from the others.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) form: Form,
    pub(crate) several_works: bool,
    /// Which part of each log is read; container and attempt are filled in.
    pub(crate) part: LogOptions,
}

/// The logs that are read and those that wait.
#[derive(Debug)]
pub(crate) struct Readers {
    link: Link,
    screen: Screen,
    surroundings: Surroundings,
    waiting: VecDeque<(LogRead, bool)>,
    reading: HashSet<(Uid, String)>,
    tasks: JoinSet<(LogRead, Tail)>,
    tails: VecDeque<(LogRead, Tail)>,
}

impl Readers {
    pub(crate) fn new(link: Link, screen: Screen, surroundings: Surroundings) -> Self {
        Self {
            link,
            screen,
            surroundings,
            waiting: VecDeque::new(),
            reading: HashSet::new(),
            tasks: JoinSet::new(),
            tails: VecDeque::new(),
        }
    }

    /// Queues a log; `several` is whether its pod has several containers.
    pub(crate) fn add(&mut self, read: LogRead, several: bool) {
        self.waiting.push_back((read, several));
        self.start_more();
    }

    /// Whether every log that was added is read.
    pub(crate) fn idle(&self) -> bool {
        self.tasks.is_empty() && self.waiting.is_empty()
    }

    /// Waits until one more log is read; pending for ever while none is being read.
    pub(crate) async fn one_done(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok((read, tail))) => {
                self.reading.remove(&(read.uid, read.container.clone()));
                if self.tails.len() == TAILS_MAX {
                    self.tails.pop_front();
                }
                self.tails.push_back((read, tail));
                self.start_more();
            }
            // Stopped on purpose.
            Some(Err(error)) if error.is_cancelled() => {}
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => std::future::pending().await,
        }
    }

    /// Stops reading, also in the middle of a log.
    pub(crate) fn stop(&mut self) {
        self.waiting.clear();
        self.tasks.abort_all();
    }

    /// The last lines of the container that failed.
    pub(crate) fn tail(&self, uid: Uid, container: &str) -> Option<&Tail> {
        let same = |read: &LogRead| {
            read.uid == uid && (container.is_empty() || read.container == container)
        };
        self.tails.iter().rev().find(|(read, _)| same(read)).map(|(_, tail)| tail)
    }

    /// Attempts of the same container are read one after the other, so that their lines keep order.
    fn start_more(&mut self) {
        let mut at = 0;
        while self.tasks.len() < READS_MAX && at < self.waiting.len() {
            let (read, _) = &self.waiting[at];
            if !self.reading.insert((read.uid, read.container.clone())) {
                at += 1;
                continue;
            }
            let Some((read, several)) = self.waiting.remove(at) else { break };
            let Surroundings { form, several_works, part } = &self.surroundings;
            let formatter = Formatter::new(*form, &read, prefix(&read, *several_works, several));
            let (link, screen, part) = (self.link.clone(), self.screen.clone(), part.clone());
            self.tasks.spawn(read_log(link, screen, read, part, formatter));
        }
    }
}

async fn read_log(
    link: Link,
    screen: Screen,
    read: LogRead,
    part: LogOptions,
    mut formatter: Formatter,
) -> (LogRead, Tail) {
    let options = LogOptions {
        container: read.container.clone(),
        follow: true,
        attempt: Some(read.restarts),
        uid: Some(read.uid),
        ..part
    };
    let mut shown: u64 = 0;
    loop {
        let mark = link.mark();
        match copy(&link, &screen, &read, &options, &mut formatter, &mut shown).await {
            Ok(()) => break,
            Err(error) if error.lost() => {
                if link.recover(mark).await.is_err() {
                    break;
                }
            }
            Err(error) if error.status().is_some_and(|s| s.reason == Reason::TooManyRequests) => {
                tokio::time::sleep(Duration::from_millis(BUSY_WAIT_MS)).await;
            }
            // The pod is gone, and its log too: it is kept no longer.
            Err(error) if error.status().is_some_and(|s| s.reason == Reason::NotFound) => break,
            Err(error) => {
                let warning = format!("warning: the log of pod {}: {error}", read.pod);
                screen.show(Show::Line(warning)).await;
                break;
            }
        }
    }
    let (rest, tail) = formatter.finish(clock::now());
    if !rest.is_empty() {
        screen.show(Show::Output(rest)).await;
    }
    (read, tail)
}

/// Copies a log from where `shown` says to its end. A log only grows, so that after an interruption
/// what was shown is skipped.
async fn copy(
    link: &Link,
    screen: &Screen,
    read: &LogRead,
    options: &LogOptions,
    formatter: &mut Formatter,
    shown: &mut u64,
) -> Result<(), client::Error> {
    let mut log = link.client().pod_log(&read.namespace, &read.pod, options).await?;
    let mut skip = *shown;
    while let Some(mut bytes) = log.next().await? {
        let skipped = skip.min(bytes.len() as u64);
        skip -= skipped;
        let bytes = bytes.split_off(skipped as usize);
        *shown += bytes.len() as u64;
        let out = formatter.push(&bytes, clock::now());
        if !out.is_empty() {
            screen.show(Show::Output(out)).await;
        }
    }
    Ok(())
}
