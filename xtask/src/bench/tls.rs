//! A client of the API over TLS that costs as little as one can: blocking, HTTP/1.1, requests
//! pipelined, answers counted and not parsed. It runs on the same cores as the server it measures.

use anyhow::{Context, Result, bail};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long the server may be silent before the bench gives up.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How much is read at once.
const READ_BYTES: usize = 64 << 10;

/// Where the server is, and who we are to it.
#[derive(Clone)]
pub(super) struct Identity {
    config: Arc<ClientConfig>,
    address: SocketAddr,
}

impl Identity {
    /// What the server's own kubeconfig says, which has each value on a line.
    pub(super) fn read(kubeconfig: &Path) -> Result<Identity> {
        let text = std::fs::read_to_string(kubeconfig)
            .with_context(|| format!("cannot read {}", kubeconfig.display()))?;
        let value = |name: &str| {
            let mut lines = text.lines().map(|line| line.trim_start_matches([' ', '-']));
            let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            found.with_context(|| format!("the kubeconfig has no {name}"))
        };
        let pem = |name: &str| anyhow::Ok(BASE64_STANDARD.decode(value(name)?)?);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem("certificate-authority-data")?)?)?;
        let chain = vec![CertificateDer::from_pem_slice(&pem("client-certificate-data")?)?];
        let key = PrivateKeyDer::from_pem_slice(&pem("client-key-data")?)?;
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        let address = value("server")?.strip_prefix("https://").context("no https")?.parse()?;
        Ok(Identity { config: Arc::new(config), address })
    }

    /// A connection on which nothing was sent yet.
    pub(super) fn connect(&self) -> Result<Connection> {
        let socket = TcpStream::connect(self.address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(SILENCE_MAX))?;
        let name = ServerName::from(self.address.ip());
        let tls = ClientConnection::new(Arc::clone(&self.config), name)?;
        let stream = StreamOwned::new(tls, socket);
        Ok(Connection { stream, buffer: Vec::new(), used: 0, end: 0 })
    }
}

pub(super) struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    /// What was received lies before `end`; the part before `used` is done with.
    buffer: Vec<u8>,
    used: usize,
    end: usize,
}

impl Connection {
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)?;
        Ok(self.stream.flush()?)
    }

    /// Reads one answer whole; its code, and how long its body is.
    pub(super) fn answer(&mut self) -> Result<(u16, usize)> {
        loop {
            if let Some((code, head, body)) = head(self.received())? {
                while self.received().len() < head + body {
                    self.more()?;
                }
                self.used += head + body;
                return Ok((code, body));
            }
            self.more()?;
        }
    }

    /// Takes what has come of an endless answer; waits for something.
    pub(super) fn take(&mut self) -> Result<&[u8]> {
        if self.received().is_empty() {
            self.more()?;
        }
        let from = std::mem::replace(&mut self.used, self.end);
        Ok(&self.buffer[from..self.end])
    }

    /// Waits for the head of an endless answer; its code.
    pub(super) fn begin(&mut self) -> Result<u16> {
        loop {
            if let Some(end) = end_of_head(self.received()) {
                let code = code(self.received());
                self.used += end;
                return code;
            }
            self.more()?;
        }
    }

    /// The socket, to wait for several.
    pub(super) fn socket(&self) -> &TcpStream {
        &self.stream.sock
    }

    fn received(&self) -> &[u8] {
        &self.buffer[self.used..self.end]
    }

    /// Waits for more, behind what is not done with.
    fn more(&mut self) -> Result<()> {
        self.buffer.copy_within(self.used..self.end, 0);
        (self.used, self.end) = (0, self.end - self.used);
        if self.buffer.len() < self.end + READ_BYTES {
            self.buffer.resize(self.end + READ_BYTES, 0);
        }
        let read = self.stream.read(&mut self.buffer[self.end..])?;
        self.end += read;
        if read == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

/// Code, and the lengths of head and body, once the head is there.
fn head(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    const LENGTH: &[u8] = b"content-length: ";
    let Some(end) = end_of_head(bytes) else { return Ok(None) };
    let lines = bytes[..end].split(|byte| *byte == b'\n');
    let mut values = lines.filter_map(|line| {
        let (name, value) = line.split_at_checked(LENGTH.len())?;
        name.eq_ignore_ascii_case(LENGTH).then_some(value)
    });
    let value = values.next().context("an answer without content-length")?;
    let length = std::str::from_utf8(value)?.trim().parse()?;
    Ok(Some((code(bytes)?, end, length)))
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn code(bytes: &[u8]) -> Result<u16> {
    let code = bytes.get(9..12).context("no HTTP")?;
    Ok(std::str::from_utf8(code)?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::head;

    #[test]
    fn a_head_tells_code_and_lengths() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n";
        assert_eq!(head(text).expect("HTTP"), Some((200, text.len(), 17)));
        assert_eq!(head(&text[..20]).expect("HTTP"), None);
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
