//! What runs on this machine: the life of its pods from binding to the last byte given back.
//!
//! [`Node`] decides and does nothing: inputs and the time go in, outputs come out. It holds one pod
//! machine per pod. The other modules do: [`volumes`] makes and removes a pod's files,
//! [`spawner_client`] talks to the process that creates containers, [`logs`] reads what containers
//! wrote, [`host`] finds out what this machine is and can do.

mod config;
mod containers;
mod downward;
mod env;
pub mod host;
pub mod logs;
mod machine;
mod messages;
mod node;
pub mod spawner_client;
mod start;
pub mod streams;
pub mod volumes;

pub use config::{Config, Found, HostRoot};
pub use messages::{ImageNews, ImageRequest, Input, Lookup, Output, PullPolicy, ReadyImage};
pub use node::Node;

/// The image that is the machine itself: its own programs under a private writable layer.
pub const HOST_IMAGE: &str = "coracle.local/host";

/// The handler of the RuntimeClass for plain processes.
pub const PROCESS_HANDLER: &str = "process";
