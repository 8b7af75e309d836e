//! The loop of a run: hears the watches, the logs, the signals and the clock, puts what they say into
//! the state, and shows what changed. Everything it does to the server beside reading is to cancel.

use std::{collections::HashMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use kinds::{Key, Kind, Uid};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use super::{
    attendance::Attendance,
    events::{Event, Happening},
    outcome::Interruption,
    progress::{Changes, Progress},
    readers::Readers,
    screen::{Screen, Show},
    submit, text,
    watching::Seen,
    work::Id,
};
use crate::{clock, exit::Failure, link::Link};

/// How long the ends of pods may come after the end of their Job, in milliseconds.
const PODS_LAG_MS: i64 = 2_000;

/// How long cancelled pods may take to end, in milliseconds; the default grace period is 30 s.
const CANCEL_WAIT_MS: i64 = 40_000;

/// Between two redraws of the live block while nothing changes, in milliseconds.
const REDRAW_MS: u64 = 1_000;

/// Between two lines of counts of the same Job on the plain display, in milliseconds.
const COUNTS_MS: i64 = 1_000;

/// How the run is shown and how long it may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) live: bool,
    pub(crate) quiet: bool,
    pub(crate) json: bool,
    pub(crate) start_timeout: SignedDuration,
    /// When `--timeout` passes.
    pub(crate) deadline: Option<Timestamp>,
}

/// Everything the loop holds.
pub(crate) struct Follow<'a> {
    pub(crate) link: &'a Link,
    pub(crate) run: &'a str,
    pub(crate) screen: &'a Screen,
    pub(crate) settings: Settings,
    pub(crate) progress: Progress,
    pub(crate) readers: Readers,
    pub(crate) seen: mpsc::Receiver<Seen>,
    pub(crate) attendance: Attendance,
    /// Which run submitted each Job and Pod, where one did.
    pub(crate) runs: HashMap<Uid, String>,
    /// When the last line of counts was written, and what it said.
    counts: Vec<(Timestamp, String)>,
    interruption: Option<(Interruption, Timestamp)>,
    /// When everything was over for the first time.
    over: Option<Timestamp>,
}

/// The signals that cancel a run.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::engine(error.to_string()));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }
}

impl<'a> Follow<'a> {
    pub(crate) fn new(
        link: &'a Link,
        run: &'a str,
        screen: &'a Screen,
        settings: Settings,
        readers: Readers,
        seen: mpsc::Receiver<Seen>,
        attendance: Attendance,
    ) -> Self {
        Self {
            link,
            run,
            screen,
            settings,
            progress: Progress::default(),
            readers,
            seen,
            attendance,
            runs: HashMap::new(),
            counts: Vec::new(),
            interruption: None,
            over: None,
        }
    }

    /// Follows to the end. Gives why it ended early, if it did.
    pub(crate) async fn until_the_end(&mut self) -> Result<Option<Interruption>, Failure> {
        let mut signals = Signals::listen()?;
        let mut redraw = tokio::time::interval(Duration::from_millis(REDRAW_MS));
        while !self.done(clock::now()) {
            let wake = self.wake_in(clock::now());
            tokio::select! {
                biased;
                number = signals.next() => {
                    if self.interrupt(number).await {
                        break;
                    }
                }
                seen = self.seen.recv() => match seen {
                    Some(seen) => self.take(seen).await?,
                    None => return Err(Failure::engine("every watch of the run ended")),
                },
                failure = self.attendance.lost() => return Err(failure),
                () = self.readers.one_done() => {}
                () = tokio::time::sleep(wake) => self.look_at_clock(clock::now()).await,
                _ = redraw.tick(), if self.settings.live => {}
            }
            if self.settings.live && !self.settings.quiet {
                self.screen.try_block(text::block(self.progress.works(), clock::now()));
            }
        }
        Ok(self.interruption.map(|(interruption, _)| interruption))
    }

    /// Whether nothing is left to wait for.
    fn done(&mut self, now: Timestamp) -> bool {
        let waited =
            |since: Timestamp, ms: i64| now.duration_since(since).as_millis() >= i128::from(ms);
        if let Some((_, since)) = self.interruption {
            let at_rest = self.progress.finished() && self.progress.no_pods();
            return at_rest && self.readers.idle() || waited(since, CANCEL_WAIT_MS);
        }
        if !self.progress.finished() {
            return false;
        }
        let over = *self.over.get_or_insert(now);
        (self.progress.all_pods_seen() || waited(over, PODS_LAG_MS)) && self.readers.idle()
    }

    /// How long nothing needs to be looked at, if nothing happens.
    fn wake_in(&self, now: Timestamp) -> Duration {
        let after = |since: Timestamp, ms| since.checked_add(SignedDuration::from_millis(ms)).ok();
        let mut times = vec![self.over.and_then(|since| after(since, PODS_LAG_MS))];
        match self.interruption {
            Some((_, since)) => times.push(after(since, CANCEL_WAIT_MS)),
            None => {
                times.push(self.settings.deadline);
                times.push(self.progress.stuck_at(self.settings.start_timeout));
            }
        }
        let next = times.into_iter().flatten().filter(|time| *time > now).min();
        let wait = next.map_or(SignedDuration::from_hours(1), |time| time.duration_since(now));
        // Rounded up, so that the time has come when it is looked at.
        Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(0) + 1)
    }

    async fn look_at_clock(&mut self, now: Timestamp) {
        if self.interruption.is_some() {
            return;
        }
        if self.settings.deadline.is_some_and(|deadline| deadline <= now) {
            self.say("the timeout has passed: cancelling".to_owned()).await;
            self.cancel(Interruption::Timeout, now).await;
            return;
        }
        for stuck in self.progress.stuck(self.settings.start_timeout, now) {
            self.say(text::gave_up(&stuck, self.settings.start_timeout)).await;
            self.progress.give_up(&stuck, now);
            self.end(&stuck.work).await;
        }
    }

    /// A signal came: the first cancels, the second ends the run at once (true).
    async fn interrupt(&mut self, number: u8) -> bool {
        let first = self.interruption.is_none();
        if first {
            let again = if number == 2 { "; Ctrl-C again to stop waiting" } else { "" };
            self.say(format!("cancelling: waiting for the pods to end{again}")).await;
            self.cancel(Interruption::Signal(number), clock::now()).await;
        } else {
            self.interruption = Some((Interruption::Signal(number), clock::now()));
            self.readers.stop();
        }
        !first
    }

    /// Leaves what is not over: the server ends it, unless somebody else attends it, and then this
    /// client has nothing more to do with it.
    async fn cancel(&mut self, why: Interruption, now: Timestamp) {
        self.interruption = Some((why, now));
        let ended = self.attendance.leave(false).await;
        let unfinished: Vec<Uid> = self.progress.unfinished().map(|(uid, _)| uid).collect();
        for uid in unfinished {
            let run = self.runs.get(&uid);
            if run.is_none_or(|run| !ended.contains(run)) {
                self.progress.leave(uid, now);
            }
        }
        if self.progress.finished() {
            // Others go on with all of it; their output is none of this client's business.
            self.readers.stop();
        }
    }

    /// Deletes what could not start, if this run submitted it.
    async fn end(&self, id: &Id) {
        let own = self
            .progress
            .uid_of(id)
            .and_then(|uid| self.runs.get(&uid))
            .is_some_and(|run| run == self.run);
        if !own {
            return;
        }
        if let Err(error) = submit::delete(self.link, &key(id)).await {
            self.say(format!("{id} could not be deleted: {error}")).await;
        }
    }

    async fn take(&mut self, seen: Seen) -> Result<(), Failure> {
        if let Seen::All { kind: Kind::Job, asked, there } = &seen {
            self.recall(asked, there).await?;
        }
        let changes = self.progress.take(seen, clock::now())?;
        self.show(changes).await;
        Ok(())
    }

    /// Shows what changed and begins to read the logs that can be read now.
    pub(crate) async fn show(&mut self, changes: Changes) {
        for event in &changes.events {
            self.show_event(event).await;
        }
        if let Some(stuck) = changes.waits {
            self.say(text::waits(&stuck)).await;
        }
        self.show_counts(clock::now()).await;
        for read in changes.logs {
            let work = self.progress.works().iter().find(|work| work.id == read.work);
            let several = work.is_some_and(|work| work.containers.len() > 1);
            self.readers.add(read, several);
        }
    }

    async fn show_event(&self, event: &Event) {
        if self.settings.json {
            self.screen.show(Show::Output(event.to_json_line())).await;
        }
        let about = |work: &&super::work::Work| {
            work.id.namespace == event.namespace
                && (event.job.as_ref() == Some(&work.id.name)
                    || event.job.is_none() && event.pod.as_ref() == Some(&work.id.name))
        };
        let Some(work) = self.progress.works().iter().find(about) else { return };
        // The live block shows the course; only failures stay on the screen above it.
        let lasting = !self.settings.live || event.event == Happening::Failed;
        // What was cancelled ends badly, which is no news.
        let lasting = lasting && self.interruption.is_none();
        if let Some(line) = text::line(event, work).filter(|_| lasting) {
            self.say(line).await;
        }
    }

    /// On the plain display: the counts of every Job whose counts changed, not too often.
    async fn show_counts(&mut self, now: Timestamp) {
        if self.settings.live || self.settings.quiet {
            return;
        }
        let works = self.progress.works();
        self.counts.resize(works.len(), (Timestamp::UNIX_EPOCH, String::new()));
        let mut lines = Vec::new();
        for (work, (at, last)) in works.iter().zip(&mut self.counts) {
            // That its end is decided may be the last news for long.
            let decided = work.ending.is_some() && !last.contains(text::ENDING_ITS_PODS);
            let due = decided || now.duration_since(*at).as_millis() >= i128::from(COUNTS_MS);
            if work.single_pod || work.end.is_some() || !due {
                continue;
            }
            let nothing_yet = work.running == 0 && work.succeeded == 0 && work.failures == 0;
            if nothing_yet {
                continue;
            }
            let line = text::progress(work);
            if line != *last {
                (*at, *last) = (now, line.clone());
                lines.push(line);
            }
        }
        for line in lines {
            self.say(line).await;
        }
    }

    async fn say(&self, line: String) {
        if !self.settings.quiet {
            self.screen.show(Show::Line(line)).await;
        }
    }
}

/// The key of a Job or Pod of the run.
pub(crate) fn key(id: &Id) -> Key {
    Key::new(if id.is_job { Kind::Job } else { Kind::Pod }, &id.namespace, &id.name)
}
