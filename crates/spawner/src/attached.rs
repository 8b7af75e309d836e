//! Somebody who gets a copy of what a container writes, through a pipe of their own.

use crate::sys::{errno, files};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// How much may wait for one of them, bytes. While the container runs its output waits with it, so this
/// counts only for what is left when it has ended: two full pipes, unless a process that escaped goes
/// on writing.
const PENDING_BYTES_MAX: usize = 1024 * 1024;

/// One of them, at one of the two outputs.
#[derive(Debug)]
pub(crate) struct Attached {
    /// The container's number.
    pub(crate) container: u32,
    /// 0 for its output, 1 for its errors.
    pub(crate) index: usize,
    pub(crate) pipe: OwnedFd,
    /// What the pipe did not take yet.
    pending: Vec<u8>,
    /// Since when it took nothing, in milliseconds of the steady clock.
    pub(crate) stalled_since_ms: i64,
    /// Nothing more will come.
    pub(crate) ended: bool,
}

impl Attached {
    pub(crate) fn new(container: u32, index: usize, pipe: OwnedFd) -> io::Result<Attached> {
        files::set_nonblocking(pipe.as_fd())?;
        let pending = Vec::new();
        Ok(Attached { container, index, pipe, pending, stalled_since_ms: 0, ended: false })
    }

    /// Whether something waits.
    pub(crate) fn is_behind(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Hand on what was written.
    ///
    /// # Errors
    /// Nobody is there any more, or too much waits.
    pub(crate) fn push(&mut self, bytes: &[u8], now_ms: i64) -> io::Result<()> {
        let taken = if self.is_behind() { 0 } else { self.write(bytes)? };
        let rest = &bytes[taken..];
        if !rest.is_empty() && !self.is_behind() {
            self.stalled_since_ms = now_ms;
        }
        if self.pending.len() + rest.len() > PENDING_BYTES_MAX {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.pending.extend_from_slice(rest);
        Ok(())
    }

    /// The pipe has room again.
    ///
    /// # Errors
    /// Nobody is there any more.
    pub(crate) fn flush(&mut self, now_ms: i64) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let taken = self.write(&pending)?;
        if taken > 0 {
            self.stalled_since_ms = now_ms;
        }
        self.pending.extend_from_slice(&pending[taken..]);
        Ok(())
    }

    fn write(&self, mut bytes: &[u8]) -> io::Result<usize> {
        let all = bytes.len();
        while !bytes.is_empty() {
            match files::write(self.pipe.as_raw_fd(), bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if errno(&error) == libc::EAGAIN => break,
                Err(error) => return Err(error),
            }
        }
        Ok(all - bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_pipe_does_not_take_waits_in_order_and_within_bounds() {
        let (read, write) = files::pipe().unwrap();
        let mut attached = Attached::new(1, 0, write).unwrap();
        let sent: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        attached.push(&sent, 5).unwrap();
        assert!(attached.is_behind());
        attached.push(b"last", 6).unwrap();
        assert_eq!(attached.stalled_since_ms, 5);
        let mut got = Vec::new();
        let mut now = 7;
        while got.len() < sent.len() + 4 {
            let mut part = vec![0; 8192];
            let count = files::read(read.as_fd(), &mut part).unwrap();
            got.extend_from_slice(&part[..count]);
            attached.flush(now).unwrap();
            now += 1;
        }
        assert_eq!(got, [sent.as_slice(), b"last"].concat());
        assert!(!attached.is_behind() && attached.stalled_since_ms >= 7);
        let much = vec![0; PENDING_BYTES_MAX];
        assert!(attached.push(&much, 0).is_ok());
        assert!(attached.push(&much, 0).is_err(), "more than may wait");
        drop(read);
        assert!(attached.flush(0).is_err(), "nobody is there");
        assert!(files::is_broken(attached.pipe.as_fd()).unwrap());
    }
}
