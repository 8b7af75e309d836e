//! The server over a real socket, with a real engine on a store in memory and no containers: what a
//! client sees.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bearer;
mod cases;
mod discovery;
mod harness;
mod limits;
mod lists;
mod logs;
mod metrics;
mod mutated;
mod openapi;
mod runs;
mod slow;
mod tables;
mod tls;
mod watches;
mod writes;
