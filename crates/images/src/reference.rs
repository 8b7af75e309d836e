//! Names of images, as people write them and as registries know them.
//!
//! `busybox` is `docker.io/library/busybox:latest`. The first component is a registry if it has a dot
//! or a colon or is `localhost`; else the image is Docker Hub's, and of its `library` if there is no
//! other component. That is Docker's rule, which Kubernetes kept.

use std::fmt;

use crate::{Digest, Error};

/// The registry of names that name none.
pub(crate) const DEFAULT_REGISTRY: &str = "docker.io";
/// The tag of names that have neither tag nor digest.
const DEFAULT_TAG: &str = "latest";
/// The longest name without tag and digest, bytes.
const NAME_BYTES_MAX: usize = 255;
/// The longest tag, bytes.
const TAG_BYTES_MAX: usize = 128;

/// A complete reference: registry, repository, and a tag, a digest or both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Host and port, such as `docker.io` or `127.0.0.1:5000`.
    pub registry: String,
    /// The path below it, such as `library/busybox`.
    pub repository: String,
    /// The tag; a reference without tag has a digest.
    pub tag: Option<String>,
    /// The digest of the manifest or index.
    pub digest: Option<Digest>,
}

impl Reference {
    /// Reads a reference and completes it.
    ///
    /// # Errors
    /// It is none by the grammar of the distribution specification.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = || Error::Reference(text.to_owned());
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::parse(digest).map_err(|_| invalid())?)),
            None => (text, None),
        };
        let slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest[slash..].split_once(':') {
            Some((last, tag)) => (&rest[..slash + last.len()], Some(tag)),
            None => (rest, None),
        };
        if name.len() > NAME_BYTES_MAX || !tag.is_none_or(valid_tag) {
            return Err(invalid());
        }
        let (registry, path) = match name.split_once('/') {
            Some((first, path)) if is_registry(first) => (first, path),
            _ => (DEFAULT_REGISTRY, name),
        };
        if !valid_registry(registry) || !path.split('/').all(valid_component) {
            return Err(invalid());
        }
        // What Docker Hub was called once.
        let registry = if registry == "index.docker.io" { DEFAULT_REGISTRY } else { registry };
        let library = registry == DEFAULT_REGISTRY && !path.contains('/');
        let repository = if library { format!("library/{path}") } else { path.to_owned() };
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, Some(_)) => None,
            (None, None) => Some(DEFAULT_TAG.to_owned()),
        };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }

    /// Registry and repository.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The name with a digest, as `imageID` has it.
    pub fn at(&self, digest: &Digest) -> String {
        format!("{}@{digest}", self.name())
    }

    /// What a registry is asked for: the digest if there is one, else the tag.
    pub fn wanted(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.clone().unwrap_or_else(|| DEFAULT_TAG.to_owned()),
        }
    }

    /// Whether its tag says what may change at any time: `imagePullPolicy` is then `Always` unless
    /// set.
    pub fn floats(&self) -> bool {
        self.digest.is_none() && self.tag.as_deref() == Some(DEFAULT_TAG)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

fn is_registry(first: &str) -> bool {
    first.contains(['.', ':'])
        || first == "localhost"
        || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn valid_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=TAG_BYTES_MAX).contains(&tag.len())
        && tag.bytes().enumerate().all(|(i, b)| word(b) || i > 0 && matches!(b, b'.' | b'-'))
}

fn valid_registry(registry: &str) -> bool {
    let (host, port) = match registry.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("localhost", port.strip_prefix(':').unwrap_or(if port.is_empty() { "0" } else { "" }))
        }
        None => registry.split_once(':').unwrap_or((registry, "0")),
    };
    let label = |l: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !l.is_empty() && l.bytes().all(inner) && !l.starts_with('-') && !l.ends_with('-')
    };
    host.split('.').all(label) && port.parse::<u16>().is_ok()
}

/// Letters, digits, and between them a dot, one or two underscores, or hyphens.
fn valid_component(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let between =
        |gap: &str| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|b| b == b'-');
    part.starts_with(plain) && part.ends_with(plain) && part.split(plain).all(between)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Reference;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_are_completed() {
        for (short, full) in [
            ("busybox", "docker.io/library/busybox:latest"),
            ("busybox:1.37", "docker.io/library/busybox:1.37"),
            ("org/tool", "docker.io/org/tool:latest"),
            ("index.docker.io/busybox", "docker.io/library/busybox:latest"),
            ("localhost/tool", "localhost/tool:latest"),
            ("127.0.0.1:5000/a/b__c-d.e:T_1.x", "127.0.0.1:5000/a/b__c-d.e:T_1.x"),
            ("[::1]:5000/tool", "[::1]:5000/tool:latest"),
            ("ghcr.io/a/b", "ghcr.io/a/b:latest"),
        ] {
            assert_eq!(Reference::parse(short).unwrap().to_string(), full);
        }
        let pinned = Reference::parse(&format!("busybox:1@sha256:{HEX}")).unwrap();
        assert_eq!(pinned.to_string(), format!("docker.io/library/busybox:1@sha256:{HEX}"));
        assert_eq!(pinned.wanted(), format!("sha256:{HEX}"));
        let bare = Reference::parse(&format!("busybox@sha256:{HEX}")).unwrap();
        assert_eq!(bare.tag, None);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(256);
        let no_hex = format!("a@sha256:{}", &HEX[1..]);
        for bad in [
            "",
            "Upper",
            "a//b",
            "/a",
            "a/",
            "a:",
            "a:.b",
            "a@sha256:12",
            "-a",
            "a..b",
            "a___b",
            "a b",
            "a:b:c",
            "host.io:port/a",
            "[::1/a",
            "[zz]:1/a",
            "a@md5:abc",
            &long,
            &no_hex,
            "../etc",
            "localhost:99999/a",
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_complete_name_is_its_own(text in "([a-zA-Z0-9.:-]{1,8}/)?[a-z0-9._-]{1,8}(/[a-z0-9._-]{1,5})?(:[a-zA-Z0-9._-]{1,8})?") {
            if let Ok(reference) = Reference::parse(&text) {
                let full = reference.to_string();
                prop_assert_eq!(Reference::parse(&full).unwrap(), reference);
            }
        }
    }
}
