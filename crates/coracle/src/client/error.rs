//! What can go wrong between a verb and the server, told apart by what the caller can do about it.

use std::{io, path::PathBuf};

use kinds::StatusError;

/// Why a request brought no answer, or a refusal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The server refused: asking again unchanged brings the same answer, except for
    /// `TooManyRequests` and, on a watch, `Expired` (list anew).
    #[error("{0}")]
    Status(Box<StatusError>),
    /// Nobody listens on the socket: nothing was sent. A server can be started.
    #[error("no server listens on {}", socket.display())]
    NoServer {
        /// The socket that was tried.
        socket: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The connection broke after the request was sent: a write may or may not have happened.
    /// Connect again and look.
    #[error("the connection to the server broke")]
    Broken(#[source] hyper::Error),
    /// The server answers something this version does not understand. Not worth a retry.
    #[error("the server sent {0}")]
    Unexpected(String),
}

impl Error {
    /// The refusal, if the server answered one.
    pub(crate) fn status(&self) -> Option<&StatusError> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Whether the server went away: reconnect, or start one.
    pub(crate) fn lost(&self) -> bool {
        matches!(self, Self::NoServer { .. } | Self::Broken(_))
    }
}

impl From<StatusError> for Error {
    fn from(status: StatusError) -> Self {
        Self::Status(Box::new(status))
    }
}
