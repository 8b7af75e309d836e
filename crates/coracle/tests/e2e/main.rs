//! The binary as people use it: each test runs it in a data directory of its own, as root, and
//! makes sure that nothing is left behind.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod again;
mod always_a_client;
mod bad_input;
mod cron;
mod examples;
mod exit_codes;
mod failures;
mod images;
mod notify;
mod objects;
mod output;
mod restarts;
mod space;
mod streams;
mod up;
mod volumes;
