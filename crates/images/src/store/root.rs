//! Root directories, one for every chain of layers that an image here has.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};

use super::{Image, Layer};
use crate::{Digest, Error, digest::Hasher, error::io_error, unpack};

/// A layer as it is packed.
pub(crate) struct Packed {
    pub(crate) reader: Box<dyn Read>,
    /// How long it is, bytes.
    pub(crate) bytes: u64,
}

/// Names of chains of layers, as the OCI specification makes them.
pub(crate) struct Chain;

impl Chain {
    /// The chains that end with each of these layers.
    pub(crate) fn all(diff_ids: &[Digest]) -> Vec<Digest> {
        let mut chains: Vec<Digest> = Vec::with_capacity(diff_ids.len());
        for diff_id in diff_ids {
            let chain = match chains.last() {
                None => diff_id.clone(),
                Some(below) => {
                    let mut hasher = Hasher::default();
                    hasher.update(format!("{below} {diff_id}").as_bytes());
                    hasher.finish()
                }
            };
            chains.push(chain);
        }
        chains
    }
}

pub(super) fn path(directory: &Path, chain: &Digest) -> PathBuf {
    directory.join("roots").join(chain.hex())
}

/// A new directory in `tmp`.
pub(super) fn temporary(directory: &Path) -> Result<PathBuf, Error> {
    let path = directory.join("tmp").join(format!("{:016x}", fastrand::u64(..)));
    fs::create_dir_all(directory.join("tmp")).map_err(io_error(directory.display()))?;
    fs::DirBuilder::new().mode(0o700).create(&path).map_err(io_error(path.display()))?;
    Ok(path)
}

/// The layer that ends a chain, if its root is here.
pub(super) fn layer<'i>(directory: &Path, known: &'i [Image], chain: &Digest) -> Option<&'i Layer> {
    let found = known.iter().flat_map(|image| &image.layers).find(|layer| layer.chain == *chain);
    found.filter(|_| path(directory, chain).is_dir())
}

/// Makes the roots of these layers as far as they are missing; only missing ones are opened.
pub(super) fn build(
    directory: &Path,
    diff_ids: &[Digest],
    known: &[Image],
    open: &mut dyn FnMut(usize) -> Result<Packed, Error>,
) -> Result<Vec<Layer>, Error> {
    let mut layers: Vec<Layer> = Vec::with_capacity(diff_ids.len());
    for (index, (diff_id, chain)) in diff_ids.iter().zip(Chain::all(diff_ids)).enumerate() {
        if let Some(layer) = layer(directory, known, &chain) {
            layers.push(layer.clone());
            continue;
        }
        let packed = open(index)?;
        let below = layers.last().map(|layer| path(directory, &layer.chain));
        let bytes = make(directory, below.as_deref(), &chain, |root| {
            unpack::apply(packed.reader, packed.bytes, diff_id, root)
        })?;
        layers.push(Layer { diff_id: diff_id.clone(), chain, bytes });
    }
    Ok(layers)
}

/// The root of an image without layers.
pub(super) fn empty(directory: &Path, id: &Digest) -> Result<(), Error> {
    make(directory, None, id, |_| Ok(0)).map(drop)
}

/// Makes a root in `tmp` and puts it to its place when all of it is on disk.
fn make(
    directory: &Path,
    below: Option<&Path>,
    chain: &Digest,
    fill: impl FnOnce(&Path) -> Result<u64, Error>,
) -> Result<u64, Error> {
    let work = temporary(directory)?;
    let result = make_in(&work, directory, below, chain, fill);
    // Whatever is left of a failure goes at the next cleaning if it does not go now.
    let _ = fs::remove_dir_all(&work);
    result
}

fn make_in(
    work: &Path,
    directory: &Path,
    below: Option<&Path>,
    chain: &Digest,
    fill: impl FnOnce(&Path) -> Result<u64, Error>,
) -> Result<u64, Error> {
    let root = work.join("root");
    match below {
        Some(below) => share(below, &root).map_err(io_error(root.display()))?,
        None => {
            fs::create_dir(&root).map_err(io_error(root.display()))?;
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(&root, mode).map_err(io_error(root.display()))?;
        }
    }
    let bytes = fill(&root)?;
    let place = path(directory, chain);
    let roots = directory.join("roots");
    fs::create_dir_all(&roots).map_err(io_error(roots.display()))?;
    let put = || {
        rustix::fs::syncfs(File::open(&root)?)?;
        match fs::rename(&root, &place) {
            // Somebody else made the same.
            Err(error) if place.is_dir() && error.raw_os_error().is_some() => Ok(()),
            result => result,
        }?;
        File::open(&roots)?.sync_all()
    };
    put().map_err(io_error(place.display()))?;
    Ok(bytes)
}

/// Makes a directory like another: directories are made anew, everything else is a hard link.
fn share(from: &Path, to: &Path) -> io::Result<()> {
    let model = fs::symlink_metadata(from)?;
    fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            share(&entry.path(), &target)?;
        } else {
            match fs::hard_link(entry.path(), &target) {
                Err(error) if error.kind() == io::ErrorKind::TooManyLinks => {
                    copy(&entry.path(), &target)?;
                }
                result => result?,
            }
        }
    }
    like(to, &model)
}

/// A file that has as many names as it can.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let model = fs::symlink_metadata(from)?;
    if model.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(from)?, to)?;
        return own(to, &model);
    }
    fs::copy(from, to)?;
    like(to, &model)
}

fn own(path: &Path, model: &fs::Metadata) -> io::Result<()> {
    match rustix::process::geteuid().is_root() {
        true => std::os::unix::fs::lchown(path, Some(model.uid()), Some(model.gid())),
        false => Ok(()),
    }
}

fn like(path: &Path, model: &fs::Metadata) -> io::Result<()> {
    own(path, model)?;
    fs::set_permissions(path, model.permissions())?;
    let time = |seconds, nanoseconds| Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps {
        last_access: time(model.atime(), model.atime_nsec()),
        last_modification: time(model.mtime(), model.mtime_nsec()),
    };
    Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Removes what is in `tmp` and roots that no image has.
pub(super) fn clean(directory: &Path, images: &[Image]) -> Result<(), Error> {
    let needed = |name: &str| {
        let of_layer = |layer: &Layer| layer.chain.hex() == name;
        images.iter().any(|i| i.layers.iter().any(of_layer) || i.root_name().hex() == name)
    };
    each(&directory.join("roots"), |path, name| match needed(name) {
        true => Ok(()),
        false => {
            // A root that is being removed is at no time in its place.
            let gone = temporary(directory)?.join("gone");
            fs::rename(path, &gone).map_err(io_error(path.display()))
        }
    })?;
    each(&directory.join("tmp"), |path, _| {
        fs::remove_dir_all(path).map_err(io_error(path.display()))
    })
}

fn each(
    directory: &Path,
    mut act: impl FnMut(&Path, &str) -> Result<(), Error>,
) -> Result<(), Error> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(directory.display())(error)),
    };
    for entry in entries {
        let entry = entry.map_err(io_error(directory.display()))?;
        act(&entry.path(), &entry.file_name().to_string_lossy())?;
    }
    Ok(())
}
