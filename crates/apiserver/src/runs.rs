//! The runs of the command line that live, and when one no longer does. Pure: the time is an
//! argument; [`crate::Server`] acts on what is decided here.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{RunStatus, limits::RUN_GRACE_MS};

const GRACE: Duration = Duration::from_millis(RUN_GRACE_MS);

/// The runs whose objects the server acts on.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    live: BTreeMap<String, Run>,
}

#[derive(Debug)]
struct Run {
    /// Open watches in its name.
    watches: usize,
    end: End,
}

/// What would end a run.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// No watch, and the client not back by then.
    Vanishing(Instant),
    /// Its client left it behind on purpose: it lives until its last object is finished.
    Detached,
    /// Its client is gone: it lives until its last object is ended.
    Ending,
}

impl Runs {
    /// A request in the name of the run came in. True when the run is new.
    pub(crate) fn seen(&mut self, id: &str, now: Instant) -> bool {
        let Some(run) = self.live.get_mut(id) else {
            let run = Run { watches: 0, end: End::Vanishing(now + GRACE) };
            self.live.insert(id.to_owned(), run);
            return true;
        };
        if let End::Vanishing(until) = &mut run.end {
            *until = now + GRACE;
        }
        false
    }

    /// A watch in the name of the run was opened. True when the run is new. A run that was ending
    /// is alive again: its client is back.
    pub(crate) fn watch_opened(&mut self, id: &str, now: Instant) -> bool {
        let new = self.seen(id, now);
        if let Some(run) = self.live.get_mut(id) {
            run.watches += 1;
            if run.end == End::Ending {
                run.end = End::Vanishing(now + GRACE);
            }
        }
        new
    }

    /// A watch that [`Runs::watch_opened`] counted is gone.
    pub(crate) fn watch_closed(&mut self, id: &str, now: Instant) {
        if let Some(run) = self.live.get_mut(id) {
            run.watches = run.watches.saturating_sub(1);
            if let End::Vanishing(until) = &mut run.end {
                *until = now + GRACE;
            }
        }
    }

    /// A client said goodbye. True when what is left of the run is to be ended now: nobody else
    /// attends it, and nobody left it behind on purpose. Each client holds one watch in the run's
    /// name, the one that leaves still its own.
    pub(crate) fn goodbye(&mut self, id: &str, detach: bool) -> bool {
        let Some(run) = self.live.get_mut(id) else { return false };
        match detach {
            true => run.end = End::Detached,
            false if run.watches > 1 || run.end == End::Detached => return false,
            false => run.end = End::Ending,
        }
        !detach
    }

    /// The runs whose client has been away for too long by now: what is left of them is to be
    /// ended. Each is named once.
    pub(crate) fn vanished(&mut self, now: Instant) -> Vec<String> {
        let mut vanished = Vec::new();
        for (id, run) in &mut self.live {
            if run.vanishes_at().is_some_and(|until| until <= now) {
                run.end = End::Ending;
                vanished.push(id.clone());
            }
        }
        vanished
    }

    /// When to look for vanished runs again.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        self.live.values().filter_map(Run::vanishes_at).min()
    }

    /// The runs that are over as soon as none of their objects is unfinished.
    pub(crate) fn without_client(&self) -> Vec<String> {
        let alone = self.live.iter().filter(|(_, run)| !matches!(run.end, End::Vanishing(_)));
        alone.map(|(id, _)| id.clone()).collect()
    }

    /// The run is over.
    pub(crate) fn over(&mut self, id: &str) {
        self.live.remove(id);
    }

    /// Whether no run lives.
    pub(crate) fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// What `GET /coracle/status` says of them.
    pub(crate) fn status(&self) -> Vec<RunStatus> {
        let status = |(id, run): (&String, &Run)| RunStatus {
            id: id.clone(),
            detached: run.end == End::Detached,
        };
        self.live.iter().map(status).collect()
    }
}

impl Run {
    fn vanishes_at(&self) -> Option<Instant> {
        match self.end {
            End::Vanishing(until) if self.watches == 0 => Some(until),
            End::Vanishing(_) | End::Detached | End::Ending => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays one letter per event and says what became of run `r`.
    fn play(events: &str) -> String {
        let start = Instant::now();
        let (mut runs, mut now) = (Runs::default(), start);
        let mut said = Vec::new();
        for event in events.split(' ') {
            match event {
                "create" => said.extend(runs.seen("r", now).then_some("begins")),
                "open" => said.extend(runs.watch_opened("r", now).then_some("begins")),
                "close" => runs.watch_closed("r", now),
                "detach" => assert!(!runs.goodbye("r", true)),
                "bye" => said.extend(runs.goodbye("r", false).then_some("cancelled")),
                "over" => runs.without_client().iter().for_each(|id| runs.over(id)),
                wait => now += Duration::from_millis(wait.parse().unwrap()),
            }
            said.extend(runs.vanished(now).iter().map(|_| "vanished"));
            assert!(runs.wake_at().is_none_or(|at| at > now), "{events}: a time that has passed");
        }
        said.push(match runs.status().first() {
            None => "none",
            Some(run) if run.detached => "detached",
            Some(_) if !runs.without_client().is_empty() => "ending",
            Some(_) => "lives",
        });
        said.join(" ")
    }

    #[test]
    fn a_run_lives_as_long_as_its_client_watches() {
        for (events, outcome) in [
            ("open 9999", "begins lives"),
            ("create 4999 open 9999", "begins lives"),
            ("create 5000", "begins vanished ending"),
            ("create 4000 create 4000", "begins lives"),
            ("open close 4999", "begins lives"),
            ("open close 5000", "begins vanished ending"),
            ("open close 4999 open 9999", "begins lives"),
            ("open open close 9999 close 5000", "begins vanished ending"),
            ("open close 5000 5000 over", "begins vanished none"),
            ("open close 5000 open 9999", "begins vanished lives"),
            ("open bye close 9999 over", "begins cancelled none"),
            ("open bye open close 5000", "begins cancelled lives"),
            ("open open bye close 9999", "begins lives"),
            ("open open bye close bye", "begins cancelled ending"),
            ("open open bye close close 5000", "begins vanished ending"),
            ("open detach close open bye close", "begins detached"),
            ("open detach close 9999", "begins detached"),
            ("open detach close 9999 over", "begins none"),
            ("open over", "begins lives"),
            ("bye", "none"),
        ] {
            assert_eq!(play(events), outcome, "{events}");
        }
    }
}
