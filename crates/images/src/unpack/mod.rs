//! Layers onto a root directory. A layer is untrusted: it may name any path, link anywhere and
//! unpack to anything. Every path is resolved by the kernel inside the root (`openat2` with
//! `RESOLVE_IN_ROOT`), files of other layers are replaced and never written to, and what a layer may
//! cost is limited. Until the layer's digest is verified, the root is somebody else's to throw away.

mod account;
mod entry;
mod packed;
mod place;
#[cfg(test)]
mod tests;

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use crate::{
    Digest, Error,
    digest::Hashing,
    error::unwrap,
    limits::{HEADERS_BYTES_MAX, LAYER_ENTRIES_MAX, PATH_BYTES_MAX},
};

pub use self::account::Account;
pub(crate) use self::place::Place;

/// Applies one layer, packed in any known way, to the root. Says how many bytes its files have.
///
/// # Errors
/// The layer is broken, hostile, too large, or not the one that was named. The root is then of no
/// use.
pub(crate) fn apply(
    layer: impl Read,
    packed_bytes: u64,
    diff_id: &Digest,
    root: &std::path::Path,
) -> Result<u64, Error> {
    let what = || format!("layer {diff_id}");
    let plain = packed::open(layer).map_err(|error| unwrap(error, &what()))?;
    let counted = packed::Bounded::new(plain, packed_bytes);
    let mut hashing = Hashing::new(counted);
    let mut place = Place::open(root)?;
    let bytes = entries(&mut hashing, &mut place, &what())?;
    place.finish()?;
    // What follows the end of the archive belongs to the digest.
    io::copy(&mut hashing, &mut io::sink()).map_err(|error| unwrap(error, &what()))?;
    let found = hashing.finish();
    match found == *diff_id {
        true => Ok(bytes),
        false => Err(Error::Digest { what: "layer".to_owned(), wanted: diff_id.clone(), found }),
    }
}

fn entries(layer: &mut impl Read, place: &mut Place, what: &str) -> Result<u64, Error> {
    let heads = Rc::new(Cell::new(HEADERS_BYTES_MAX));
    let mut archive = tar::Archive::new(Heads { inner: layer, left: Rc::clone(&heads) });
    let mut count = 0;
    let mut bytes = 0;
    for entry in archive.entries().map_err(|error| unwrap(error, what))? {
        let mut entry = entry.map_err(|error| unwrap(error, what))?;
        heads.set(u64::MAX);
        count += 1;
        if count > LAYER_ENTRIES_MAX {
            return Err(Error::Limit { what: "the entries of a layer", limit: LAYER_ENTRIES_MAX });
        }
        if entry.path_bytes().len() > PATH_BYTES_MAX {
            let limit = PATH_BYTES_MAX as u64;
            return Err(Error::Limit { what: "a path in a layer", limit });
        }
        bytes += entry::apply(&mut entry, place)?;
        io::copy(&mut entry, &mut io::sink()).map_err(|error| unwrap(error, what))?;
        heads.set(HEADERS_BYTES_MAX);
    }
    Ok(bytes)
}

/// Limits what is read between the content of two entries: long names and attributes, which are kept
/// in memory.
struct Heads<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Heads<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.get().checked_sub(count as u64) {
            Some(left) => self.left.set(left),
            None => {
                let what = "the headers of a layer entry";
                return Err(Error::Limit { what, limit: HEADERS_BYTES_MAX }.into());
            }
        }
        Ok(count)
    }
}
