//! Schedules: data cases under `cases/`, and equality with the library that Kubernetes uses.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod cases;
mod library;
mod random;
