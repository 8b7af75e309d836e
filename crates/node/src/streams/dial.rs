//! Connecting to a port of a container, in whose network the sockets are already.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream as StdStream},
    os::fd::OwnedFd,
};

use tokio::net::{TcpSocket, TcpStream};

/// Connects to a port of the loopback: over IPv4, else over IPv6. `sockets` are the one and, if there
/// is such, the other.
///
/// # Errors
/// Why neither worked, in a runtime's words.
pub async fn dial(sockets: Vec<OwnedFd>, port: u16) -> Result<TcpStream, String> {
    let addresses = [
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    ];
    let mut failures = Vec::new();
    for (socket, address) in sockets.into_iter().zip(addresses) {
        let version = if address.is_ipv4() { 4 } else { 6 };
        match connect(socket, address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                let why = reason(&error);
                failures.push(format!("IPv{version}: dial tcp{version} {address}: connect: {why}"));
            }
        }
    }
    Err(format!("failed to connect to localhost:{port}, {}", failures.join(" ")))
}

async fn connect(socket: OwnedFd, address: SocketAddr) -> io::Result<TcpStream> {
    TcpSocket::from_std_stream(StdStream::from(socket)).connect(address).await
}

/// The kernel's words, as everybody knows them.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::TimedOut => "connection timed out".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn sockets() -> Vec<OwnedFd> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let make = |family| socket_with(family, SocketType::STREAM, flags, None);
        [AddressFamily::INET, AddressFamily::INET6]
            .into_iter()
            .filter_map(|f| make(f).ok())
            .collect()
    }

    #[tokio::test]
    async fn a_port_is_reached_or_it_is_told_why_not() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut stream = dial(sockets(), port).await.unwrap();
        let (mut other, _) = listener.accept().unwrap();
        io::Write::write_all(&mut other, b"hi").unwrap();
        drop(other);
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hi");
        let _ = stream.shutdown().await;
        drop(listener);
        let why = dial(sockets(), port).await.unwrap_err();
        let start = format!(
            "failed to connect to localhost:{port}, IPv4: dial tcp4 127.0.0.1:{port}: connect: \
             connection refused"
        );
        assert!(why.starts_with(&start), "{why}");
    }
}
