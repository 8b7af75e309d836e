//! SHA-256 digests, and readers that compute them on the way.

use std::{
    fmt,
    io::{self, Read},
};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::Error;

const PREFIX: &str = "sha256:";

/// `sha256:` and 64 hexadecimal digits: the only algorithm that registries use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// Reads a digest.
    ///
    /// # Errors
    /// It is none, or not SHA-256.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let hex = text.strip_prefix(PREFIX).unwrap_or_default();
        let fits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        match hex.len() == 64 && hex.bytes().all(fits) {
            true => Ok(Self(hex.to_owned())),
            false => Err(Error::Broken(format!("\"{text}\" is no sha256 digest"))),
        }
    }

    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The digits alone.
    pub fn hex(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// Computes a digest piece by piece.
pub(crate) struct Hasher(Context);

impl Default for Hasher {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Digest {
        let hex = self.0.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Digest(hex)
    }
}

/// Passes bytes on, counts them and computes their digest.
pub(crate) struct Hashing<R> {
    inner: R,
    hasher: Hasher,
    pub(crate) bytes: u64,
}

impl<R: Read> Hashing<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, hasher: Hasher::default(), bytes: 0 }
    }

    pub(crate) fn finish(self) -> Digest {
        self.hasher.finish()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}
