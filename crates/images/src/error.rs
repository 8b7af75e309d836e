//! What can be wrong with an image, in words that fit into a pod's status.

use std::io;

use crate::Digest;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name cannot be read.
    #[error("couldn't parse image name \"{0}\": invalid reference format")]
    Reference(String),
    /// The registry has no such image, or does not show it.
    #[error("{0}: not found")]
    NotFound(String),
    /// The registry wants other credentials, or any.
    #[error("{0}: authorization failed")]
    Unauthorized(String),
    /// The registry does not answer, or not as a registry does.
    #[error("{registry}: {why}")]
    Registry {
        /// Host and port.
        registry: String,
        /// What went wrong.
        why: String,
    },
    /// Neither the mirrors nor the registry gave it.
    #[error("{last} (mirrors: {mirrors})")]
    Mirrors {
        /// What the registry itself said.
        last: Box<Self>,
        /// What the mirrors said.
        mirrors: String,
    },
    /// Content is other than its digest says.
    #[error("{what}: digest is {found}, want {wanted}")]
    Digest {
        /// Whose content.
        what: String,
        /// As named.
        wanted: Digest,
        /// As computed.
        found: Digest,
    },
    /// A manifest, configuration, archive or layer that makes no sense.
    #[error("{0}")]
    Broken(String),
    /// An entry of a layer that would reach out of the image's root.
    #[error("layer entry \"{path}\": {why}")]
    Hostile {
        /// Its name.
        path: String,
        /// What it would do.
        why: &'static str,
    },
    /// More than any image may have.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The image is made for other machines.
    #[error("no match for platform linux/{0} in manifest")]
    Platform(String),
    /// It is in use.
    #[error("image {0} is used by {1}")]
    InUse(String, String),
    /// The disk.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

/// Names what was being done when the disk refused.
pub(crate) fn io_error(what: impl std::fmt::Display) -> impl FnOnce(io::Error) -> Error {
    let what = what.to_string();
    move |source| Error::Io { what, source }
}

/// An error of ours that came through a reader comes out as it went in.
pub(crate) fn unwrap(error: io::Error, what: &str) -> Error {
    match error.downcast::<Error>() {
        Ok(own) => own,
        Err(error) => Error::Broken(format!("{what}: {error}")),
    }
}
