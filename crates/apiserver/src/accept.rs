//! Accepting connections without ever giving up on it for want of descriptors.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use crate::limits::ACCEPT_PAUSE_MS;

/// The next connection. Returns an error only where the listener itself is broken.
pub(crate) async fn next<S>(accept: impl AsyncFn() -> io::Result<S>) -> io::Result<S> {
    let mut told = false;
    loop {
        let error = match accept().await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        match error.kind() {
            // The client has gone already.
            ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
            ErrorKind::InvalidInput => return Err(error),
            // No descriptor or no memory, mostly: there will be some when others end.
            _ => {
                if !told {
                    tracing::warn!(%error, "no connection can be accepted for now");
                    told = true;
                }
                tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    const EMFILE: i32 = 24;
    const ECONNABORTED: i32 = 103;
    const EINVAL: i32 = 22;

    /// How long it takes until a listener that fails like this has accepted something, or the error
    /// that it ends with.
    async fn accepted(failures: &[i32]) -> Result<Duration, i32> {
        let begun = Instant::now();
        let calls = Cell::new(0);
        let accept = async || {
            let call = calls.replace(calls.get() + 1);
            failures.get(call).map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(*code)))
        };
        let accepted = next(accept).await;
        accepted.map(|()| begun.elapsed()).map_err(|error| error.raw_os_error().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_lack_of_descriptors_is_waited_out_and_a_lost_client_is_not() {
        let pause = Duration::from_millis(ACCEPT_PAUSE_MS);
        assert_eq!(accepted(&[]).await, Ok(Duration::ZERO));
        assert_eq!(accepted(&[ECONNABORTED, ECONNABORTED]).await, Ok(Duration::ZERO));
        assert_eq!(accepted(&[EMFILE, ECONNABORTED, EMFILE]).await, Ok(2 * pause));
        assert_eq!(accepted(&[EMFILE, EINVAL]).await, Err(EINVAL));
    }
}
