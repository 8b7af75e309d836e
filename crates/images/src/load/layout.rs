//! OCI layouts: `index.json` names manifests, everything else is a blob by its digest.

use super::source::Source;
use crate::{
    Digest, Error, Image, Reference, Store, architecture,
    config::Config,
    manifest::{Descriptor, Document, choose},
    store::New,
};

/// Where tools put names of images: containerd's is complete, OCI's may be only a tag.
const COMPLETE_NAME: &str = "io.containerd.image.name";
const NAME: &str = "org.opencontainers.image.ref.name";

/// How deep indexes may lie in one another.
const INDEXES_MAX: usize = 4;

/// `stem` is what images without a name of their own are called.
pub(super) fn load(
    store: &Store,
    source: &mut Source,
    stem: &str,
    now_s: i64,
) -> Result<Vec<Image>, Error> {
    let Document::Index(all) = Document::read(&source.document("index.json")?)? else {
        return Err(Error::Broken("index.json is no index".to_owned()));
    };
    // Several of one name are one image for several machines.
    let mut names: Vec<Reference> = Vec::new();
    let mut images = Vec::new();
    for descriptor in &all {
        let name = name_of(descriptor, stem)?;
        if names.contains(&name) {
            continue;
        }
        let same: Vec<Descriptor> =
            all.iter().filter(|d| name_of(d, stem).ok().as_ref() == Some(&name)).cloned().collect();
        images.push(image(store, source, &same, &name, now_s)?);
        names.push(name);
    }
    Ok(images)
}

fn name_of(descriptor: &Descriptor, stem: &str) -> Result<Reference, Error> {
    let annotation = |key| descriptor.annotations.get(key);
    match annotation(COMPLETE_NAME).or_else(|| annotation(NAME)) {
        Some(name) if name.contains(['/', ':']) => Reference::parse(name),
        Some(tag) => Reference::parse(&format!("localhost/{stem}:{tag}")),
        None => Reference::parse(&format!("localhost/{stem}")),
    }
}

fn image(
    store: &Store,
    source: &mut Source,
    descriptors: &[Descriptor],
    name: &Reference,
    now_s: i64,
) -> Result<Image, Error> {
    let mut chosen = match descriptors {
        [one] => one.clone(),
        several => choose(several, architecture())?.clone(),
    };
    let mut digests = Vec::new();
    for _ in 0..INDEXES_MAX {
        digests.push(name.at(&chosen.digest));
        match Document::read(&blob(source, &chosen.digest)?)? {
            Document::Index(manifests) => chosen = choose(&manifests, architecture())?.clone(),
            Document::Manifest(manifest) => {
                let config = Config::read(&blob(source, &manifest.config.digest)?, architecture())?;
                if config.diff_ids.len() != manifest.layers.len() {
                    return Err(Error::Broken(
                        "manifest and configuration differ in layers".to_owned(),
                    ));
                }
                let id = manifest.config.digest.clone();
                let names = vec![name.to_string()];
                let new = New { id, config, names, digests, now_s };
                let open = &mut |index: usize| source.file(&path(&manifest.layers[index].digest));
                return store.add(new, open);
            }
        }
    }
    Err(Error::Limit { what: "the depth of indexes", limit: INDEXES_MAX as u64 })
}

fn path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn blob(source: &mut Source, wanted: &Digest) -> Result<Vec<u8>, Error> {
    let bytes = source.document(&path(wanted))?;
    let found = Digest::of(&bytes);
    match found == *wanted {
        true => Ok(bytes),
        false => Err(Error::Digest { what: "blob".to_owned(), wanted: wanted.clone(), found }),
    }
}
