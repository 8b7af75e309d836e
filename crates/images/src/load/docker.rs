//! What `docker save` writes: `manifest.json` names configurations, tags and layers.

use serde::Deserialize;

use super::source::Source;
use crate::{Digest, Error, Image, Reference, Store, architecture, config::Config, store::New};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

pub(super) fn load(store: &Store, source: &mut Source, now_s: i64) -> Result<Vec<Image>, Error> {
    let items: Vec<Item> = serde_json::from_slice(&source.document("manifest.json")?)
        .map_err(|error| Error::Broken(format!("manifest.json: {error}")))?;
    let mut images = Vec::new();
    for item in items {
        let bytes = source.document(&item.config)?;
        let config = Config::read(&bytes, architecture())?;
        if config.diff_ids.len() != item.layers.len() {
            return Err(Error::Broken(format!(
                "manifest.json: {} layers, but {} in the configuration",
                item.layers.len(),
                config.diff_ids.len()
            )));
        }
        let name = |tag: &String| Reference::parse(tag).map(|reference| reference.to_string());
        let names = item.repo_tags.iter().flatten().map(name).collect::<Result<_, _>>()?;
        let new = New { id: Digest::of(&bytes), config, names, digests: Vec::new(), now_s };
        images.push(store.add(new, &mut |index| source.file(&item.layers[index]))?);
    }
    Ok(images)
}
