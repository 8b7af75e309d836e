//! SPDY/3.1, which Kubernetes' clients still speak: the older ones for everything, all of them for
//! port-forward. Streams in one connection, opened by the client; no windows, as the library that
//! upstream uses has none.

mod dictionary;
mod frame;
mod headers;
mod session;

pub use frame::{Decoder, Frame};
pub(super) use session::{Inbox, Opened, Piece, Writer, begin};
