//! Kubernetes' HTTP API over the engine: HTTP/1.1 on a unix socket and over TLS, one thread, JSON.
//!
//! A request line becomes a [`RequestInfo`] in one pure function ([`parse`]); the routes follow from
//! the table of kinds. Nothing leaves the server before it is durable. Watches keep a cursor into
//! the store's window and send the stored bytes themselves, so a slow client costs nobody anything.

mod accept;
mod account;
mod answer;
mod body;
mod caller;
mod compress;
mod connection;
mod content;
mod discovery;
mod envelope;
mod etag;
mod filter;
mod form;
mod gates;
mod get;
mod handle;
mod health;
pub mod limits;
mod list;
mod log;
mod metrics;
mod negotiate;
mod openapi;
mod own;
mod page;
mod query;
mod request;
mod review;
mod revision;
mod runs;
mod serve;
mod server;
mod stall;
mod status;
mod streams;
mod tls;
mod version;
mod watch;
mod write;

pub use caller::{ADMIN_GROUP, ADMIN_USER};
pub use query::{Query, query_pair};
pub use request::{
    Discovery, Endpoint, Health, OpenApi, Own, Request, RequestInfo, Subresource, Unroutable, Verb,
    parse, path,
};
pub use review::{REVIEWS, Review, ReviewInfo};
pub use serve::serve;
pub use server::{About, Server, Stop};
pub use status::{HistoryLine, Mode, RunStatus, ServerStatus, TlsEndpoint};
pub use streams::{SpdyDecoder, SpdyFrame};
pub use tls::{BadIdentity, Identity, TlsListener};
pub use version::GIT_VERSION;

/// Header that names the run of the command line a request belongs to. On a create the server
/// stamps it on the object; on a watch it keeps the run alive while the watch is open.
pub const RUN_HEADER: &str = "coracle-run";
