//! Real processes and containers, made by a real spawner on this machine. Needs root; without, every
//! test says so and passes.

// A test fails by panicking, wherever it notices.
#![allow(clippy::unwrap_used)]

mod exec;
mod files;
mod harness;
mod isolation;
mod limits;
mod logs;
mod memory;
mod namespaces;
mod network;
mod plain;
mod privileged;
mod rooms;
mod server;
mod streams;
mod volumes;
