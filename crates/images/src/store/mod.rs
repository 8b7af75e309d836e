//! The images of a data directory, in `images/.oci`: `index.json` says which there are, `roots` has a
//! directory for every chain of layers, `uses` a link for every container that may run on one.
//!
//! Servers and commands use it at the same time. The index is only ever replaced as a whole, under a
//! lock; roots come to their place by a rename when everything in them is on disk, so a crash leaves
//! nothing half done but files in `tmp`. Whoever makes roots holds a shared lock, whoever removes
//! what nobody needs an exclusive one.

mod index;
mod lock;
mod root;
#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use self::lock::Lock;
use crate::{Account, Digest, Error, Reference, RunConfig, config::Config, error::io_error};

pub(crate) use self::root::{Chain, Packed};

/// The directory in `images`, whose other entries are images too: root directories by name.
const DIRECTORY: &str = ".oci";

/// An image that is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The digest of its configuration, which names it for good.
    pub id: Digest,
    /// Complete references with tags.
    pub names: Vec<String>,
    /// Complete references with the digests of manifests and indexes.
    pub digests: Vec<String>,
    /// How its containers run.
    pub config: RunConfig,
    /// Its users and groups.
    pub accounts: Vec<Account>,
    /// Its layers, the lowest first.
    pub layers: Vec<Layer>,
    /// When it came, seconds since the epoch.
    pub created_s: i64,
}

/// A layer of an image that is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// The digest of its unpacked archive.
    pub diff_id: Digest,
    /// Names the root of this layer and those below it.
    /// Names the root of this layer and those below it.
    pub chain: Digest,
    /// What its files have, bytes.
    /// What its files have, bytes.
    pub bytes: u64,
}

impl Image {
    /// What its files have, bytes; layers shared with others included.
    pub fn bytes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.bytes).sum()
    }

    /// What `imageID` says: a name with a digest if there is one, else the bare id.
    pub fn image_id(&self) -> String {
        self.digests.first().cloned().unwrap_or_else(|| self.id.to_string())
    }

    fn is(&self, reference: &Reference) -> bool {
        match &reference.digest {
            Some(digest) => self.digests.contains(&reference.at(digest)),
            None => self.names.contains(&reference.to_string()),
        }
    }

    fn root_name(&self) -> &Digest {
        self.layers.last().map_or(&self.id, |layer| &layer.chain)
    }
}

/// The images of one data directory.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// The store of a data directory; nothing is read or made yet.
    pub fn of(data_dir: &Path) -> Self {
        Self { directory: data_dir.join("images").join(DIRECTORY) }
    }

    /// All images.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn list(&self) -> Result<Vec<Image>, Error> {
        index::read(&self.directory)
    }

    /// The image with this name.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn find(&self, reference: &Reference) -> Result<Option<Image>, Error> {
        Ok(self.list()?.into_iter().find(|image| image.is(reference)))
    }

    /// The root directory of an image.
    pub fn root(&self, image: &Image) -> PathBuf {
        root::path(&self.directory, image.root_name())
    }

    /// Notes that a container of a pod is about to run on an image, and keeps it until
    /// [`Store::unuse`].
    ///
    /// # Errors
    /// The note cannot be made, or the image is gone.
    pub fn use_by(&self, image: &Image, pod: &str, container: &str) -> Result<(), Error> {
        let uses = self.directory.join("uses");
        fs::create_dir_all(&uses).map_err(io_error(uses.display()))?;
        let _lock = Lock::index(&self.directory)?;
        if !self.list()?.iter().any(|known| known.id == image.id) {
            return Err(Error::NotFound(image.id.to_string()));
        }
        let link = uses.join(format!("{pod}.{container}"));
        match std::os::unix::fs::symlink(image.id.hex(), &link) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let same = fs::read_link(&link).is_ok_and(|to| to == Path::new(image.id.hex()));
                if !same {
                    fs::remove_file(&link).map_err(io_error(link.display()))?;
                    std::os::unix::fs::symlink(image.id.hex(), &link)
                        .map_err(io_error(link.display()))?;
                }
            }
            result => result.map_err(io_error(link.display()))?,
        }
        Ok(())
    }

    /// No container of the pods that `over` names runs any more.
    ///
    /// # Errors
    /// The notes cannot be read or removed.
    pub fn unuse(&self, over: impl Fn(&str) -> bool) -> Result<(), Error> {
        for (name, _) in self.uses()? {
            if name.split_once('.').is_some_and(|(pod, _)| over(pod)) {
                let link = self.directory.join("uses").join(&name);
                fs::remove_file(&link).map_err(io_error(link.display()))?;
            }
        }
        Ok(())
    }

    /// Who uses what: `POD.CONTAINER` and the digits of the image's id.
    fn uses(&self) -> Result<Vec<(String, String)>, Error> {
        let uses = self.directory.join("uses");
        let entries = match fs::read_dir(&uses) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error(uses.display())(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(io_error(uses.display()))?;
            // One that goes meanwhile is no use any more.
            if let Ok(to) = fs::read_link(entry.path()) {
                let name = entry.file_name().to_string_lossy().into_owned();
                found.push((name, to.to_string_lossy().into_owned()));
            }
        }
        Ok(found)
    }

    /// Adds an image whose layers `source` opens, one after the other, unless they are here. A name
    /// that another image has passes on to this one.
    ///
    /// # Errors
    /// A layer is broken or cannot be read; then nothing has changed.
    pub(crate) fn add(
        &self,
        new: New,
        open: &mut dyn FnMut(usize) -> Result<Packed, Error>,
    ) -> Result<Image, Error> {
        fs::create_dir_all(&self.directory).map_err(io_error(self.directory.display()))?;
        let _work = Lock::work(&self.directory)?;
        let known = self.list()?;
        let layers = root::build(&self.directory, &new.config.diff_ids, &known, open)?;
        let image = Image {
            id: new.id,
            names: new.names,
            digests: new.digests,
            config: new.config.run,
            accounts: Vec::new(),
            layers,
            created_s: new.now_s,
        };
        if image.layers.is_empty() {
            root::empty(&self.directory, &image.id)?;
        }
        let accounts = Account::all(&self.root(&image));
        index::update(&self.directory, |images| Ok(index::put(images, Image { accounts, ..image })))
    }

    /// Which of these layers are not here.
    pub(crate) fn missing_layers(&self, diff_ids: &[Digest]) -> Result<Vec<usize>, Error> {
        let known = self.list()?;
        let chains = Chain::all(diff_ids);
        let here = |chain| root::layer(&self.directory, &known, chain).is_some();
        Ok((0..chains.len()).filter(|index| !here(&chains[*index])).collect())
    }

    /// A directory for files that are gone with the value.
    pub(crate) fn scratch(&self) -> Result<Scratch, Error> {
        fs::create_dir_all(&self.directory).map_err(io_error(self.directory.display()))?;
        let lock = Lock::work(&self.directory)?;
        let path = root::temporary(&self.directory)?;
        Ok(Scratch { path, _lock: lock })
    }

    /// Removes a name, or the image if it was the last one or `what` is its id. Says what went.
    ///
    /// # Errors
    /// There is no such image, or it is in use.
    pub fn remove(&self, what: &str) -> Result<Vec<String>, Error> {
        let reference = Reference::parse(what).ok();
        let removed = index::update(&self.directory, |images| {
            let uses = self.uses()?;
            let id = what.strip_prefix("sha256:").unwrap_or(what);
            let by_id =
                |image: &Image| id.len() >= index::ID_DIGITS_MIN && image.id.hex().starts_with(id);
            let matching: Vec<usize> = (0..images.len()).filter(|i| by_id(&images[*i])).collect();
            let by_name = images.iter().position(|i| reference.as_ref().is_some_and(|r| i.is(r)));
            let (at, whole) = match (by_name, &matching[..]) {
                (Some(at), _) => (at, images[at].names.len() <= 1),
                (None, [at]) => (*at, true),
                (None, []) => return Err(Error::NotFound(what.to_owned())),
                (None, _) => {
                    return Err(Error::Broken(format!("{what} is the id of several images")));
                }
            };
            if !whole {
                let name = reference.as_ref().map(ToString::to_string).unwrap_or_default();
                images[at].names.retain(|n| *n != name);
                return Ok(vec![format!("untagged {name}")]);
            }
            let used = |(_, id): &&(String, String)| id == images[at].id.hex();
            if let Some((user, _)) = uses.iter().find(used) {
                let user = user.replacen('.', ", container ", 1);
                return Err(Error::InUse(what.to_owned(), format!("pod {user}")));
            }
            let image = images.remove(at);
            let untagged = image.names.iter().map(|name| format!("untagged {name}"));
            Ok(untagged.chain([format!("deleted {}", image.id)]).collect())
        })?;
        self.clean()?;
        Ok(removed)
    }

    /// Removes what no image needs and what crashes left, unless images are being made, which may
    /// need it. Says whether it could.
    ///
    /// # Errors
    /// The disk.
    pub fn clean(&self) -> Result<bool, Error> {
        if !self.directory.is_dir() {
            return Ok(true);
        }
        let Some(_lock) = Lock::alone(&self.directory)? else { return Ok(false) };
        root::clean(&self.directory, &self.list()?)?;
        Ok(true)
    }

    /// Removes images that nobody uses and that came before `before_s`, the oldest first, until
    /// `bytes` are gone or there are no more. Says which went.
    ///
    /// # Errors
    /// The disk.
    pub fn collect(&self, bytes: u64, before_s: i64) -> Result<Vec<String>, Error> {
        let uses = self.uses()?;
        let mut images = self.list()?;
        images.retain(|image| image.created_s < before_s);
        images.retain(|image| uses.iter().all(|(_, id)| id != image.id.hex()));
        images.sort_by_key(|image| image.created_s);
        let mut freed = 0;
        let mut gone = Vec::new();
        for image in images {
            if freed >= bytes {
                break;
            }
            match self.remove(&image.id.to_string()) {
                Ok(_) => {
                    freed += image.bytes();
                    gone.push(image.names.first().cloned().unwrap_or_else(|| image.id.to_string()));
                }
                // Somebody was quicker.
                Err(Error::InUse(..) | Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(gone)
    }
}

/// An image on its way into the store.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) id: Digest,
    pub(crate) config: Config,
    pub(crate) names: Vec<String>,
    pub(crate) digests: Vec<String>,
    /// Seconds since the epoch.
    pub(crate) now_s: i64,
}

/// A directory that goes with the value.
pub(crate) struct Scratch {
    pub(crate) path: PathBuf,
    _lock: Lock,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is removed with the rest at the next cleaning.
        let _ = fs::remove_dir_all(&self.path);
    }
}
