//! How much may be under way at once. What is too much is turned away at once with 429, so that it
//! neither waits for nor slows what is already running.

use std::sync::Arc;

use kinds::{Reason, StatusError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{LOG_FOLLOWERS_MAX, REQUESTS_MAX, RETRY_AFTER_S, STREAMS_MAX, WATCHES_MAX};

/// The sorts of requests that are counted apart: the long ones cannot crowd out the short ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Answered as soon as possible.
    Short,
    /// Lasts until its client or a timeout ends it.
    Watch,
    /// Lasts as long as a container.
    LogFollow,
    /// Lasts as long as both sides want.
    Stream,
}

/// The places there are.
#[derive(Debug)]
pub(crate) struct Gates {
    short: Arc<Semaphore>,
    watches: Arc<Semaphore>,
    followers: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Gates {
    pub(crate) fn new() -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self {
            short: places(REQUESTS_MAX),
            watches: places(WATCHES_MAX),
            followers: places(LOG_FOLLOWERS_MAX),
            streams: places(STREAMS_MAX),
        }
    }

    /// Takes a place, to be held until the answer is sent.
    ///
    /// # Errors
    /// 429 when all are taken.
    pub(crate) fn enter(&self, sort: Sort) -> Result<OwnedSemaphorePermit, StatusError> {
        let gate = match sort {
            Sort::Short => &self.short,
            Sort::Watch => &self.watches,
            Sort::LogFollow => &self.followers,
            Sort::Stream => &self.streams,
        };
        Arc::clone(gate).try_acquire_owned().map_err(|_| {
            let text = "Too many requests, please try again later.";
            let error = StatusError::new(Reason::TooManyRequests, text);
            StatusError { retry_after_seconds: RETRY_AFTER_S, ..error }
        })
    }
}
