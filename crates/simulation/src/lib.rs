//! A seeded world: the real engine, store and pod machine over a pretended disk, spawner and clock.
//!
//! Everything that happens, faults included, is drawn from one seed, and nothing runs in parallel,
//! so a seed is a complete account of a failure. After every step the checkers of [`checks`] look at
//! what a client would have seen and at what really ran.

mod bugs;
mod checks;
mod clients;
mod cron_jobs;
mod deletions;
mod machine;
mod observer;
mod plan;
mod policies;
mod spawner;
mod story;
mod world;

pub use bugs::{BUGS, Bug};
pub use machine::{indexed_job, node_config, node_object};
pub use world::{Outcome, Stats, run};
