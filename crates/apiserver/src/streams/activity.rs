//! When anything was last sent or received in a session: one in which nothing moves for hours is ended.

use std::{cell::Cell, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::limits::STREAM_IDLE_MS;

/// That time.
pub(super) struct Activity(Cell<Instant>);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Cell::new(Instant::now()))
    }

    /// Something moves.
    pub(super) fn note(&self) {
        self.0.set(Instant::now());
    }

    /// Comes back when nothing has moved for too long.
    pub(super) async fn idle(&self) {
        loop {
            let until = self.0.get() + Duration::from_millis(STREAM_IDLE_MS);
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{sleep, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_who_does_nothing_is_idle() {
        let limit = Duration::from_millis(STREAM_IDLE_MS);
        let activity = Activity::new();
        let began = Instant::now();
        let busy = async {
            for _ in 0..3 {
                sleep(limit * 9 / 10).await;
                activity.note();
            }
        };
        let ((), ()) = tokio::join!(activity.idle(), busy);
        assert_eq!(began.elapsed(), limit * 27 / 10 + limit);
        assert!(timeout(limit / 2, Activity::new().idle()).await.is_err());
    }
}
