//! Addresses on the web, as far as registries and their redirects use them.

use std::fmt;

use hyper::{Uri, http::uri::Scheme};

use crate::Error;

/// `http` or `https`, host and port, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) tls: bool,
    /// Host and perhaps a port.
    pub(crate) authority: String,
    /// Path and query; empty or with a leading slash.
    pub(crate) path: String,
}

impl Url {
    /// Reads an absolute address.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let invalid = || Error::Broken(format!("\"{text}\" is no http or https address"));
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(invalid()),
        };
        let authority = uri.authority().ok_or_else(invalid)?.as_str();
        if authority.contains('@') {
            return Err(invalid());
        }
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        let path = if path == "/" { "" } else { path };
        Ok(Self { tls, authority: authority.to_owned(), path: path.to_owned() })
    }

    /// The address that a `Location` means from here.
    pub(crate) fn follow(&self, location: &str) -> Result<Self, Error> {
        match location.starts_with('/') && !location.starts_with("//") {
            true => Ok(Self { path: location.to_owned(), ..self.clone() }),
            false => Self::parse(location),
        }
    }

    /// A path below this address.
    pub(crate) fn below(&self, path: &str) -> Self {
        Self { path: format!("{}{path}", self.path.trim_end_matches('/')), ..self.clone() }
    }

    /// The host without port and brackets.
    pub(crate) fn host(&self) -> &str {
        match self.authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => self.authority.split(':').next().unwrap_or_default(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        let named = self.authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let standard = if self.tls { 443 } else { 80 };
        named.and_then(|(_, port)| port.parse().ok()).unwrap_or(standard)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}
