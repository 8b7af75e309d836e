//! Which image a container gets: the machine itself or a directory on it. Anything else would have
//! to be pulled, which this version cannot; it waits as upstream waits for a failing pull.

use jiff::{SignedDuration, Timestamp};
use spawner::protocol::Root;

use super::restart;
use crate::{Config, HOST_IMAGE};

/// How long a failed pull shows as such before it shows as backing off, seconds.
const PULL_ERROR_SHOWN_S: i64 = 2;

/// Why there is no image, as the API names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ImageError {
    /// The reference cannot be read.
    Invalid(String),
    /// It is not here, and `imagePullPolicy: Never` forbids fetching it.
    Never(String),
    /// It is not here and cannot be pulled.
    Pull(String),
}

/// A container that waits for its image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ImageWait {
    pub(crate) error: ImageError,
    /// Failed tries so far, this one included.
    pub(crate) tries: u32,
    /// Whether it is shown as backing off by now.
    pub(crate) backing_off: bool,
    /// When something changes: the back-off shows, or the next try is due.
    pub(crate) until: Timestamp,
}

impl ImageWait {
    /// A try that failed just now, after `tries` others.
    pub(crate) fn failed(error: ImageError, tries: u32, now: Timestamp) -> Self {
        let until = now + SignedDuration::from_secs(PULL_ERROR_SHOWN_S);
        Self { error, tries: tries + 1, backing_off: false, until }
    }

    /// The back-off begins to show; the next try is due when it is over.
    pub(crate) fn back_off(&mut self, now: Timestamp) {
        let delay = i64::from(restart::delay_s(self.tries)) - PULL_ERROR_SHOWN_S;
        self.backing_off = true;
        self.until = now + SignedDuration::from_secs(delay);
    }

    /// The waiting reason and message.
    pub(crate) fn words(&self, image: &str) -> (&'static str, String) {
        match &self.error {
            ImageError::Invalid(text) => ("InvalidImageName", text.clone()),
            ImageError::Never(text) => ("ErrImageNeverPull", text.clone()),
            ImageError::Pull(text) if self.backing_off => {
                let text = format!("Back-off pulling image \"{image}\": ErrImagePull: {text}");
                ("ImagePullBackOff", text)
            }
            ImageError::Pull(text) => ("ErrImagePull", text.clone()),
        }
    }
}

/// The root file system of an image.
pub(crate) fn resolve(image: &str, never: bool, config: &Config) -> Result<Root, ImageError> {
    let Some(name) = name_of(image) else {
        return Err(ImageError::Invalid(format!(
            "Failed to apply default image tag \"{image}\": couldn't parse image name \
             \"{image}\": invalid reference format"
        )));
    };
    if name == HOST_IMAGE {
        let host = &config.host;
        return Ok(Root::Host {
            trees: host.trees.clone(),
            links: host.links.clone(),
            hidden: host.hidden.clone(),
        });
    }
    if let Some(directory) = config.images.get(image).or_else(|| config.images.get(name)) {
        return Ok(Root::Directory(directory.to_string_lossy().into_owned()));
    }
    if never {
        return Err(ImageError::Never(format!(
            "Container image \"{image}\" is not present with pull policy of Never"
        )));
    }
    let known: Vec<&str> =
        std::iter::once(HOST_IMAGE).chain(config.images.keys().map(String::as_str)).collect();
    Err(ImageError::Pull(format!(
        "this version does not pull images; it has {}; a root file system at {}/images/NAME is the \
         image NAME from the next start of the server",
        known.join(", "),
        config.data_dir.display()
    )))
}

/// The reference without tag and digest, if it is one.
pub(crate) fn name_of(image: &str) -> Option<&str> {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    let slash = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[slash..].split_once(':') {
        Some((last, tag)) => (&rest[..slash + last.len()], Some(tag)),
        None => (rest, None),
    };
    let fits = valid_name(name)
        && tag.is_none_or(valid_tag)
        && digest.is_none_or(|d| {
            d.split_once(':').is_some_and(|(algorithm, hex)| {
                !algorithm.is_empty()
                    && hex.len() >= 32
                    && hex.bytes().all(|b| b.is_ascii_hexdigit())
            })
        });
    fits.then_some(name)
}

fn valid_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&tag.len())
        && tag.bytes().enumerate().all(|(i, b)| word(b) || i > 0 && matches!(b, b'.' | b'-'))
}

/// A registry, which may have upper case letters and a port, then lower-case path components.
fn valid_name(name: &str) -> bool {
    let mut parts = name.split('/').peekable();
    if let Some(first) = parts.peek().copied()
        && name.contains('/')
        && (first.contains(['.', ':']) || first == "localhost")
    {
        parts.next();
        let (host, port) = first.split_once(':').unwrap_or((first, "0"));
        let label = |l: &str| {
            !l.is_empty()
                && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !l.starts_with('-')
                && !l.ends_with('-')
        };
        if !host.split('.').all(label)
            || port.is_empty()
            || !port.bytes().all(|b| b.is_ascii_digit())
        {
            return false;
        }
    }
    name.len() <= 255 && parts.all(valid_component)
}

fn valid_component(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = part.bytes().next().is_some_and(plain) && part.bytes().last().is_some_and(plain);
    let inner = part.bytes().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'));
    let dots = part.contains("..") || part.contains("___") || part.contains("._");
    ends && inner && !dots
}
