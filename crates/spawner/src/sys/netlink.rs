//! Netlink: messages to the kernel's network configuration, and what it answers.

use super::{check, check_long};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Room for answers, bytes. An answer repeats no more than the header of what it is about.
const ANSWER_BYTES: usize = 8192;

/// The header of every message: length, type, flags, sequence number, sender.
pub(crate) const HEADER_BYTES: usize = 16;

/// A socket to the part of the kernel that a protocol stands for, in the network namespace that this
/// process was in when it was opened.
#[derive(Debug)]
pub(crate) struct Netlink(OwnedFd);

impl Netlink {
    /// Open one, of a `NETLINK_*` protocol.
    pub(crate) fn open(protocol: libc::c_int) -> io::Result<Netlink> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: no memory is involved; the new descriptor is owned by nothing else.
        let socket =
            unsafe { OwnedFd::from_raw_fd(check(libc::socket(libc::AF_NETLINK, kind, protocol))?) };
        // Answers repeat only the header of a message that failed.
        let on: libc::c_int = 1;
        let size = libc::socklen_t::try_from(size_of_val(&on)).expect("4 bytes");
        // SAFETY: the pointer and its size describe `on`, which lives through the call.
        check(unsafe {
            let (level, option) = (libc::SOL_NETLINK, libc::NETLINK_CAP_ACK);
            libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), size)
        })?;
        Ok(Netlink(socket))
    }

    /// Send messages, the last of which asks for an acknowledgement and has the number `last`, and
    /// wait for that. The kernel works while it is sent to, so nothing is waited for in truth.
    ///
    /// # Errors
    /// That of the first message that failed.
    pub(crate) fn send(&self, messages: &[u8], last: u32) -> io::Result<()> {
        let length = messages.len();
        // SAFETY: pointer and length describe `messages`. A socket that is not connected sends to the
        // kernel.
        check_long(unsafe {
            libc::send(self.0.as_raw_fd(), messages.as_ptr().cast(), length, 0) as libc::c_long
        })?;
        let mut failed = None;
        loop {
            let mut answer = [0_u8; ANSWER_BYTES];
            // SAFETY: pointer and length describe `answer`.
            let count = check_long(unsafe {
                let pointer = answer.as_mut_ptr().cast();
                libc::recv(self.0.as_raw_fd(), pointer, answer.len(), 0) as libc::c_long
            })?;
            let mut rest = &answer[..usize::try_from(count).unwrap_or(0)];
            while let Some(Answer { number, error, length }) = Answer::read(rest) {
                if error != 0 && failed.is_none() {
                    failed = Some(io::Error::from_raw_os_error(error));
                }
                if number == last {
                    return failed.map_or(Ok(()), Err);
                }
                rest = rest.get(length..).unwrap_or_default();
            }
        }
    }
}

/// An acknowledgement, or an error.
struct Answer {
    number: u32,
    /// An `errno`, or 0.
    error: i32,
    /// To the next one, bytes.
    length: usize,
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Answer> {
        let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let length = usize::try_from(word(0)?).ok()?.next_multiple_of(4).max(HEADER_BYTES);
        let error = word(HEADER_BYTES)?.cast_signed().wrapping_neg();
        Some(Answer { number: word(8)?, error, length })
    }
}
