//! Every limit of the server, in one table. Two of them are upstream's own numbers: the body limit
//! and the time a write may take.

/// Bytes of a request body; more is answered 413.
pub const REQUEST_BODY_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Bytes that are read of a request's line and headers before their end has to be seen; beyond it
/// the answer is 431.
pub const REQUEST_HEAD_BYTES_MAX: usize = 64 * 1024;
/// Headers of a request; more is answered 431.
pub const REQUEST_HEADERS_MAX: usize = 64;
/// Milliseconds a connection may take to send a request's head; idle connections end by it too.
/// More than the 90 s after which client-go closes an idle connection itself, so that no request of
/// its meets a connection that is just being closed.
pub const REQUEST_HEAD_MS: u64 = 120_000;
/// The same for a connection without a valid certificate, which is good for one request.
pub const ANONYMOUS_HEAD_MS: u64 = 5_000;
/// Milliseconds a TLS handshake may take.
pub const HANDSHAKE_MS: u64 = 10_000;
/// Bytes of a body that is too large that are still read, so that the client gets to its answer.
pub const REQUEST_BODY_DRAINED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Milliseconds a client may take to send a request's body.
pub const REQUEST_BODY_MS: u64 = 30_000;
/// Milliseconds until a write or read that cannot become durable is answered 504.
pub const DURABLE_WAIT_MS: u64 = 34_000;
/// Milliseconds in which a healthy server makes durable what is committed.
pub const HEALTH_STORE_MS: u64 = 2_000;
/// Connections over the unix socket; further ones wait in the socket's backlog.
pub const UNIX_CONNECTIONS_MAX: usize = 768;
/// Connections over TLS with a certificate of ours; further ones wait.
pub const TLS_CONNECTIONS_MAX: usize = 768;
/// Connections over TLS that shake hands or have shown no valid certificate; further ones wait.
pub const ANONYMOUS_CONNECTIONS_MAX: usize = 64;
/// Milliseconds until the next try after no connection could be accepted, mostly for want of
/// descriptors.
pub const ACCEPT_PAUSE_MS: u64 = 100;
/// Requests under way that are neither watch nor followed log; more are answered 429.
pub const REQUESTS_MAX: usize = 200;
/// Open watches; more are answered 429.
pub const WATCHES_MAX: usize = 256;
/// Followed logs; more are answered 429. Each takes an inotify instance, of which Linux gives a user
/// 128 by default.
pub const LOG_FOLLOWERS_MAX: usize = 100;
/// Sessions of exec, attach and port-forward; more are answered 429. Each has its connection, up to
/// three pipes and as many buffers of [`STREAM_PIECE_BYTES`].
pub const STREAMS_MAX: usize = 384;
/// Those of them at one pod.
pub const STREAMS_PER_POD_MAX: usize = 128;
/// Bytes of a stream that are read, and sent, at a time.
pub const STREAM_PIECE_BYTES: usize = 32 * 1024;
/// Pieces that wait in the server for a stream that its reader does not take; then the connection
/// waits.
pub const STREAM_QUEUE_PIECES: usize = 8;
/// Milliseconds after which a session in which nothing moves is ended; upstream's number.
pub const STREAM_IDLE_MS: u64 = 4 * 3600 * 1000;
/// Milliseconds in which a client has to open the streams it has announced; upstream's number.
pub const STREAM_CREATION_MS: u64 = 30_000;
/// Milliseconds in which a client has to close its side when a session has ended.
pub const STREAM_LINGER_MS: u64 = 5_000;
/// Bytes of a message over WebSocket; a longer one ends the session. Upstream's number.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Connections that are forwarded at one time over one connection of a client.
pub const FORWARDED_MAX: usize = 256;
/// Seconds after which a client that was answered 429 may come again.
pub const RETRY_AFTER_S: u32 = 1;
/// Seconds a watch lasts at least when the client names no time; at most twice that.
pub const WATCH_S_MIN: u64 = 1_800;
/// Seconds a watch lasts at most, whatever the client wishes.
pub const WATCH_S_MAX: u64 = 10 * 365 * 24 * 3600;
/// Milliseconds for which the client of a watch may take nothing of what is there for it.
pub const WATCH_STALL_MS: u64 = 60_000;
/// Milliseconds between bookmarks of a watch that asked for them.
pub const BOOKMARK_MS: u64 = 60_000;
/// Bytes of an answer above which it is compressed; upstream's number.
pub const COMPRESSED_BYTES_MIN: u64 = 128 * 1024;
/// Bytes that are compressed, or sent of what is, at a time.
pub const COMPRESSED_PIECE_BYTES: usize = 32 * 1024;
/// Bytes of an id for a request that a client brings; upstream's number.
pub const AUDIT_ID_BYTES_MAX: usize = 64;
/// Events that are kept as they were made for one watcher, for the others of the same form.
pub const SHARED_EVENTS: usize = 64;
/// Bytes of an event that is kept for others; larger ones are made for each watcher.
pub const SHARED_EVENT_BYTES_MAX: usize = 64 * 1024;
/// Milliseconds a run outlives the last watch that kept it alive.
pub const RUN_GRACE_MS: u64 = 5_000;
/// Bytes of a run's id.
pub const RUN_ID_BYTES_MAX: usize = 64;
/// Milliseconds that open connections get to end when the server stops.
pub const STOP_MS: u64 = 2_000;
/// Bytes of the name of a field manager.
pub const FIELD_MANAGER_BYTES_MAX: usize = 128;
/// Bytes of all warnings of one answer; beyond it each is cut to [`WARNING_BYTES_MAX`].
pub const WARNINGS_BYTES_MAX: usize = 4_096;
/// Bytes of one warning once the total is too long.
pub const WARNING_BYTES_MAX: usize = 256;
/// Leftovers that a status names.
pub const LEFTOVERS_MAX: usize = 100;
