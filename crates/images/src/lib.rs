//! OCI images: from a registry or an archive to a root directory that containers can be put over.
//!
//! An image's root is one directory in which all its layers were applied, one over the other. Images
//! that begin with the same layers share them: the root of more layers begins as the root of fewer,
//! file by file as hard links, and no layer ever writes to a file that is there. One directory is
//! what an overlay is quickest with, needs no whiteouts, works for ordinary users, and has no limit
//! on how many layers fit into a mount's options. [`Store`] keeps roots and says which image is what;
//! [`pull`] and [`load`] fill it. Nothing here knows of pods.

mod config;
mod digest;
mod error;
mod fetch;
mod limits;
mod load;
mod manifest;
mod reference;
mod registry;
mod store;
mod unpack;

pub use config::RunConfig;
pub use digest::Digest;
pub use error::Error;
pub use fetch::{Listener, Progress, pull};
pub use load::load;
pub use manifest::architecture;
pub use reference::Reference;
pub use registry::{Credentials, Registries};
pub use store::{Image, Layer, Store};
pub use unpack::Account;
