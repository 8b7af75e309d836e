//! The store through its public face, on disks that fail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod basics;
mod common;
mod compaction;
mod crash;
mod damage;
mod model;
mod process;
mod rest;
mod revisions;
