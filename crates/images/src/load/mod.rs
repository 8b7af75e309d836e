//! Images from files: what `docker save` writes, and OCI layouts, both as archives or directories.

mod docker;
mod layout;
mod source;
#[cfg(test)]
mod tests;

use std::path::Path;

use self::source::Source;
use crate::{Error, Image, Store};

/// Adds all images of an archive or a directory.
///
/// # Errors
/// It is neither, or one of its images is broken; those before it are there.
pub fn load(store: &Store, path: &Path, now_s: i64) -> Result<Vec<Image>, Error> {
    let scratch = store.scratch()?;
    let mut source = Source::open(path, &scratch.path)?;
    if source.has("manifest.json") {
        docker::load(store, &mut source, now_s)
    } else if source.has("index.json") {
        let stem = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = stem.split('.').next().unwrap_or_default().to_lowercase();
        layout::load(store, &mut source, &stem, now_s)
    } else {
        Err(Error::Broken(format!(
            "{}: neither manifest.json (docker save) nor index.json (OCI layout) is in it",
            path.display()
        )))
    }
}
