//! The only writer: it admits what clients ask for, commits it, wakes the controllers concerned and
//! commits what they plan. Everything the engine knows beyond the store is derived from it and kept
//! current by [`Engine`]'s two ways to change an object, put and remove.
//!
//! No I/O, no clock, no threads: the server and the simulation drive the same engine. After every
//! input the driver calls [`Engine::settle`], then lets a disk perform the store's next batch.

mod admission;
mod api;
mod binding;
mod bootstrap;
mod budgets;
mod controllers;
mod correlator;
mod cron_job_controller;
mod cron_jobs;
mod delete;
mod dependents;
mod engine;
mod garbage;
mod heartbeat;
pub mod history;
mod job_controller;
mod job_metrics;
mod jobs;
mod limits;
mod log_sizes;
mod logs;
mod namespaces;
mod notices;
mod pending;
mod pods;
mod quotas;
mod recorder;
mod retry;
mod room;
mod runs;
mod scope;
mod service_accounts;
mod takeover;
mod terminated;
mod timers;
mod ttl;

pub use api::{Subresource, Written};
pub use bootstrap::PROCESS_CLASS;
pub use cron_jobs::Skew;
pub use delete::{DeleteOptions, Deleted};
pub use engine::{Config, Engine};
pub use job_metrics::{Family, JOB_FAMILIES};
pub use limits::Limits;
pub use logs::PodLog;
pub use notices::{NOTIFY_ANNOTATION, NOTIFY_URL_BYTES_MAX, Notice, notify_origin};
pub use reconcile::deletion::Propagation;
pub use recorder::{About, Happening};
pub use scope::Scope;
