//! The small process that creates containers and outlives the server.
//!
//! One per data directory, parent of every container. One thread does everything, and waits in one epoll
//! set for its server, its children and their output; nothing polls. Others only wait for children that
//! have not run their programs yet (module `sys::starters`). [`launch`] starts it, [`protocol`] is
//! how to talk to it.
//!
//! The way of a start: a request becomes a list of [`step`]s (module `plan`, pure), a child made by
//! `clone3` does them with system calls only (module `child`), and the spawner (module `spawner`)
//! hears which step failed, or that none did, and watches its pidfd and its output.

/// Says something in the file of messages. That may be on a disk that is full, which `eprintln!` takes
/// for a reason to panic; the parent of all containers must not end by it.
macro_rules! complain {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod attached;
mod base;
mod cgroup;
mod child;
pub mod client;
mod connection;
mod container;
mod devices;
mod exec;
pub mod frame;
mod launch;
mod log;
mod make;
mod namespaces;
mod network;
mod plan;
mod pod;
pub mod protocol;
mod room;
mod spawner;
mod stdio;
mod step;
mod sys;
mod termination;
mod versions;

pub use launch::{
    LOCK_NAME, MESSAGES_NAME, SOCKET_NAME, START_DEADLINE_MS, launch, main, main_with,
};
pub use network::{Families, try_out as try_network};
pub use stdio::arrived;
pub use sys::pidfd::exit_status;
