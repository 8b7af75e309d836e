//! What the controllers and placement decide: data cases under `cases/`, golden pods, and properties
//! over a small random world.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod collector;
mod cron_job;
mod draw;
mod index_set;
mod notation;
mod orphans;
mod placement;
mod pods;
mod policies;
mod properties;
mod template;
mod watched;
mod world;
