//! Pulling: from a reference to an image in the store.

use std::{
    fs::File,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
};

use crate::{
    Credentials, Digest, Error, Image, Reference, Registries, Store, architecture,
    config::Config,
    error::io_error,
    manifest::{Descriptor, Document, Manifest, choose},
    registry::Session,
    store::{New, Packed},
};

/// Layers of one image that are transferred at once.
const LAYERS_AT_ONCE: usize = 3;
/// How deep indexes may lie in one another.
const INDEXES_MAX: usize = 3;

/// How far a pull has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Layers come.
    Transfer {
        /// Bytes that are here.
        bytes: u64,
        /// Of so many.
        of: u64,
    },
    /// Layers are unpacked.
    Unpack,
}

/// Who hears of progress, on any thread.
pub type Listener = Arc<dyn Fn(Progress) + Send + Sync>;

/// Pulls an image from the first of its registry's mirrors that has it, else from the registry.
/// Layers that are here are not transferred again.
///
/// # Errors
/// No registry has it or lets us have it, or what comes is broken; the store is then as before.
pub async fn pull(
    store: &Store,
    registries: &Registries,
    reference: &Reference,
    credentials: &Credentials,
    now_s: i64,
    listener: &Listener,
) -> Result<Image, Error> {
    let mut endpoints = registries.endpoints(&reference.registry)?.into_iter().peekable();
    let mut mirrors = Vec::new();
    while let Some(endpoint) = endpoints.next() {
        let session = Session::new(endpoint, reference, credentials);
        match from(store, Arc::new(session), reference, now_s, listener).await {
            // The disk is the same whoever is asked.
            Err(error) if endpoints.peek().is_some() && !matches!(error, Error::Io { .. }) => {
                mirrors.push(error.to_string());
            }
            Err(last) if !mirrors.is_empty() => {
                let (last, mirrors) = (Box::new(last), mirrors.join("; "));
                return Err(Error::Mirrors { last, mirrors });
            }
            result => return result,
        }
    }
    Err(Error::NotFound(reference.to_string()))
}

async fn from(
    store: &Store,
    session: Arc<Session>,
    reference: &Reference,
    now_s: i64,
    listener: &Listener,
) -> Result<Image, Error> {
    let (manifest, digests) = manifest(&session, reference).await?;
    let id = manifest.config.digest.clone();
    let bytes = session.document(&id).await?;
    verify("image configuration", &bytes, &id)?;
    let config = Config::read(&bytes, architecture())?;
    if config.diff_ids.len() != manifest.layers.len() {
        return Err(Error::Broken("manifest and configuration differ in layers".to_owned()));
    }
    let names = reference.tag.iter().filter(|_| reference.digest.is_none());
    let names = names.map(|_| reference.to_string()).collect();
    let digests = digests.iter().map(|digest| reference.at(digest)).collect();
    let new = New { id, config, names, digests, now_s };
    // What is here now must still be here when the rest has come.
    let scratch = store.scratch()?;
    let missing = store.missing_layers(&new.config.diff_ids)?;
    let files: Vec<PathBuf> =
        (0..manifest.layers.len()).map(|i| scratch.path.join(i.to_string())).collect();
    transfer(&session, &manifest.layers, &missing, &files, listener).await?;
    listener(Progress::Unpack);
    let store = store.clone();
    let work = spawn_blocking(move || {
        let image = store.add(new, &mut |index| {
            let path = &files[index];
            let file = File::open(path).map_err(io_error(path.display()))?;
            let bytes = file.metadata().map_err(io_error(path.display()))?.len();
            Ok(Packed { reader: Box::new(file), bytes })
        });
        drop(scratch);
        image
    });
    work.await.map_err(|error| Error::Broken(format!("unpacking failed: {error}")))?
}

/// The manifest for this machine, and the digests of the documents on the way to it.
async fn manifest(
    session: &Session,
    reference: &Reference,
) -> Result<(Manifest, Vec<Digest>), Error> {
    let mut wanted = reference.wanted();
    let mut expected = reference.digest.clone();
    let mut digests = Vec::new();
    for _ in 0..INDEXES_MAX {
        let bytes = session.manifest(&wanted).await?;
        let digest = Digest::of(&bytes);
        if let Some(expected) = &expected {
            verify("manifest", &bytes, expected)?;
        }
        digests.push(digest);
        match Document::read(&bytes)? {
            Document::Manifest(manifest) => return Ok((manifest, digests)),
            Document::Index(manifests) => {
                let chosen = choose(&manifests, architecture())?.digest.clone();
                wanted = chosen.to_string();
                expected = Some(chosen);
            }
        }
    }
    Err(Error::Limit { what: "the depth of indexes", limit: INDEXES_MAX as u64 })
}

fn verify(what: &str, bytes: &[u8], wanted: &Digest) -> Result<(), Error> {
    let found = Digest::of(bytes);
    match found == *wanted {
        true => Ok(()),
        false => Err(Error::Digest { what: what.to_owned(), wanted: wanted.clone(), found }),
    }
}

async fn transfer(
    session: &Arc<Session>,
    layers: &[Descriptor],
    missing: &[usize],
    files: &[PathBuf],
    listener: &Listener,
) -> Result<(), Error> {
    let of = missing.iter().map(|index| layers[*index].size).fold(0, u64::saturating_add);
    let done = Arc::new(AtomicU64::new(0));
    let room = Arc::new(Semaphore::new(LAYERS_AT_ONCE));
    let mut tasks = JoinSet::new();
    for &index in missing {
        let (session, room, done) = (Arc::clone(session), Arc::clone(&room), Arc::clone(&done));
        let (layer, path) = (layers[index].clone(), files[index].clone());
        let listener = Arc::clone(listener);
        tasks.spawn(async move {
            let _permit = room.acquire().await;
            let got = |bytes| {
                let bytes = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
                listener(Progress::Transfer { bytes: bytes.min(of), of });
            };
            session.layer(&layer, &path, &got).await
        });
    }
    // The first failure ends the others.
    while let Some(result) = tasks.join_next().await {
        result.map_err(|error| Error::Broken(format!("transfer failed: {error}")))??;
    }
    Ok(())
}
