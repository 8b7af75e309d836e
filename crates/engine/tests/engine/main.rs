//! The engine over a store in memory, with the test playing the node: what clients see, transaction by
//! transaction.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod admission;
mod api;
mod budgets;
mod cron_jobs;
mod deletion;
mod history;
mod jobs;
mod notices;
mod placement;
mod quotas;
mod runs;
mod tokens;
mod ttl;
mod world;
