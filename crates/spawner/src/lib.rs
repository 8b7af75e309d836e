//! The small process that creates containers and outlives the server.

pub mod protocol;
