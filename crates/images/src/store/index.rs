//! The file that says which images there are.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::{Image, lock::Lock};
use crate::{Error, error::io_error};

/// The layout of the directory; another one is left alone.
const VERSION: u32 = 1;
/// The fewest digits of an id that name an image.
pub(super) const ID_DIGITS_MIN: usize = 6;

#[derive(Serialize, Deserialize)]
struct Index {
    version: u32,
    images: Vec<Image>,
}

/// All images.
pub(super) fn read(directory: &Path) -> Result<Vec<Image>, Error> {
    let path = directory.join("index.json");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error(path.display())(error)),
    };
    let index: Index = serde_json::from_slice(&bytes)
        .map_err(|error| Error::Broken(format!("{}: {error}", path.display())))?;
    match index.version {
        VERSION => Ok(index.images),
        other => Err(Error::Broken(format!("{}: version {other} is unknown", path.display()))),
    }
}

/// Changes the index; if `change` fails it stays as it is.
pub(super) fn update<T>(
    directory: &Path,
    change: impl FnOnce(&mut Vec<Image>) -> Result<T, Error>,
) -> Result<T, Error> {
    fs::create_dir_all(directory).map_err(io_error(directory.display()))?;
    let _lock = Lock::index(directory)?;
    let mut images = read(directory)?;
    let result = change(&mut images)?;
    let bytes = serde_json::to_vec(&Index { version: VERSION, images })
        .map_err(|error| Error::Broken(error.to_string()))?;
    let (path, new) = (directory.join("index.json"), directory.join("index.json.new"));
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(io_error(path.display()))?;
    Ok(result)
}

/// Adds an image or what is new about one that is there; its names are then nobody else's.
pub(super) fn put(images: &mut Vec<Image>, new: Image) -> Image {
    for image in images.iter_mut().filter(|image| image.id != new.id) {
        image.names.retain(|name| !new.names.contains(name));
    }
    match images.iter_mut().find(|image| image.id == new.id) {
        Some(known) => {
            let add = |to: &mut Vec<String>, from: Vec<String>| {
                for text in from {
                    if !to.contains(&text) {
                        to.push(text);
                    }
                }
            };
            add(&mut known.names, new.names);
            add(&mut known.digests, new.digests);
            known.created_s = known.created_s.max(new.created_s);
            known.clone()
        }
        None => {
            images.push(new.clone());
            new
        }
    }
}
