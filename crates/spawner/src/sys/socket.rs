//! Bytes and descriptors over a unix socket.

use super::raw::call;
use super::{check, check_long};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The most descriptors Linux takes in one message (`SCM_MAX_FD`).
pub(crate) const MESSAGE_FDS_MAX: usize = 253;

/// Room for one control message with that many descriptors, bytes; a multiple of its alignment.
const CONTROL_BYTES: usize = 1056;

/// Control messages start with a `cmsghdr`, so their room is aligned for one.
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

/// Send what fits of `bytes`, with up to [`MESSAGE_FDS_MAX`] descriptors beside the first byte.
/// Never waits: `WouldBlock` if there is no room at all.
pub(crate) fn send(socket: BorrowedFd, bytes: &[u8], fds: &[RawFd]) -> io::Result<usize> {
    let mut control = Control([0; CONTROL_BYTES]);
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut message = header(&mut part);
    if !fds.is_empty() {
        assert!(fds.len() <= MESSAGE_FDS_MAX, "a message carries at most {MESSAGE_FDS_MAX}");
        let size = u32::try_from(size_of_val(fds)).expect("bounded above");
        message.msg_control = control.0.as_mut_ptr().cast();
        // SAFETY: the CMSG macros only compute; the room is aligned and holds MESSAGE_FDS_MAX
        // descriptors, so header and data lie inside it, and `fds` does not overlap with it.
        unsafe {
            message.msg_controllen = libc::CMSG_SPACE(size) as usize;
            let head = libc::CMSG_FIRSTHDR(&raw const message);
            (*head).cmsg_level = libc::SOL_SOCKET;
            (*head).cmsg_type = libc::SCM_RIGHTS;
            (*head).cmsg_len = libc::CMSG_LEN(size) as usize;
            libc::CMSG_DATA(head)
                .copy_from_nonoverlapping(fds.as_ptr().cast::<u8>(), size_of_val(fds));
        }
    }
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    let (socket, message) = (socket.as_raw_fd() as usize, &raw const message as usize);
    // SAFETY: `message` points to `part` and `control`, which live through the call.
    unsafe { call(libc::SYS_sendmsg, [socket, message, flags as usize]) }
}

/// Receive into `bytes`; descriptors that came along are appended to `fds` (allocates). 0 bytes:
/// the other side is gone. Waits unless the socket was made non-blocking.
pub(crate) fn receive(
    socket: BorrowedFd,
    bytes: &mut [u8],
    fds: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut control = Control([0; CONTROL_BYTES]);
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let mut message = header(&mut part);
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = CONTROL_BYTES;
    // SAFETY: `message` points to `part` (over `bytes`) and `control`, which live through the call.
    let count =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    let count = usize::try_from(check_long(count as libc::c_long)?).unwrap_or(0);
    // SAFETY: the kernel filled `control` and set its length; the macros stay inside it, and each
    // descriptor in an SCM_RIGHTS message is new and ours alone.
    unsafe {
        let mut head = libc::CMSG_FIRSTHDR(&raw const message);
        while !head.is_null() {
            if (*head).cmsg_level == libc::SOL_SOCKET && (*head).cmsg_type == libc::SCM_RIGHTS {
                let size = (*head).cmsg_len - libc::CMSG_LEN(0) as usize;
                let data = libc::CMSG_DATA(head).cast::<RawFd>();
                for index in 0..size / size_of::<RawFd>() {
                    fds.push(OwnedFd::from_raw_fd(data.add(index).read_unaligned()));
                }
            }
            head = libc::CMSG_NXTHDR(&raw const message, head);
        }
    }
    Ok(count)
}

fn header(part: &mut libc::iovec) -> libc::msghdr {
    // SAFETY: a msghdr of zeroes is valid: null pointers with lengths of zero.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message
}

/// A TCP socket of this thread's network namespace, which does not wait; over IPv6 if so.
pub(crate) fn tcp(over_6: bool) -> io::Result<OwnedFd> {
    let family = if over_6 { libc::AF_INET6 } else { libc::AF_INET };
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no memory is involved; the new descriptor is owned by nothing else.
    unsafe { Ok(OwnedFd::from_raw_fd(check(libc::socket(family, kind, 0))?)) }
}

/// Connect to a TCP port of the loopback.
pub(crate) fn dial_loopback(port: u16) -> io::Result<OwnedFd> {
    // SAFETY: no memory is involved; the new descriptor is owned by nothing else.
    let socket = unsafe {
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
        let socket = call(libc::SYS_socket, [libc::AF_INET as usize, kind as usize, 0])?;
        OwnedFd::from_raw_fd(socket as RawFd)
    };
    // SAFETY: a sockaddr_in of zeroes is valid.
    let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    address.sin_family = libc::AF_INET as libc::sa_family_t;
    address.sin_port = port.to_be();
    address.sin_addr.s_addr = u32::from(std::net::Ipv4Addr::LOCALHOST).to_be();
    let (length, address) = (size_of::<libc::sockaddr_in>(), &raw const address as usize);
    // SAFETY: the pointer and its length describe an address that lives through the call.
    unsafe { call(libc::SYS_connect, [socket.as_raw_fd() as usize, address, length])? };
    Ok(socket)
}

/// The user id of the process at the other end.
pub(crate) fn peer_uid(socket: BorrowedFd) -> io::Result<u32> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut size = libc::socklen_t::try_from(size_of::<libc::ucred>()).expect("12 bytes");
    let out = (&raw mut peer).cast();
    // SAFETY: `peer` and `size` live through the call and describe each other.
    super::check(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            out,
            &raw mut size,
        )
    })?;
    Ok(peer.uid)
}
