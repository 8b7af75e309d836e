//! What the files of configMap, secret, downwardAPI and projected volumes hold: decided from the pod
//! and the objects it names. Which of these can still change comes along.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kinds::{
    Key, Kind,
    types::core::v1::{DownwardAPIVolumeFile, KeyToPath, Pod, ProjectedVolumeSource, Volume},
};

use super::{Content, DataFile};
use crate::{Config, Lookup, downward};

/// The permission bits of files, unless the spec says others.
const MODE: i32 = 0o644;

/// Files by path within the volume.
pub(super) type Files = BTreeMap<String, DataFile>;

/// What the files of a pod's volumes were made of, as far as it can change: when it does, they are
/// made anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    /// ConfigMaps and Secrets that are not immutable, also those that are not there.
    pub(crate) objects: BTreeSet<Key>,
    /// Whether the pod itself is one.
    pub(crate) pod: bool,
    /// When a token among them has to be made anew.
    pub(crate) renew_at: Option<Timestamp>,
}

/// Reads what the volumes of one pod are made of.
pub(super) struct Reader<'a> {
    pub(super) pod: &'a Pod,
    pub(super) uid: &'a str,
    pub(super) config: &'a Config,
    pub(super) objects: &'a dyn Lookup,
    pub(super) now: Timestamp,
    /// What was read and can change.
    pub(super) sources: Sources,
}

/// Which keys of an object become which files.
struct Keys<'a> {
    items: Option<&'a [KeyToPath]>,
    mode: i32,
    optional: bool,
}

impl Reader<'_> {
    /// The files of this volume; `None` if it is not made of files. `Err` says what is missing.
    pub(super) fn files(&mut self, volume: &Volume) -> Result<Option<Files>, String> {
        if let Some(source) = &volume.config_map {
            let keys = keys(source.items.as_deref(), source.default_mode, source.optional);
            return self.object(Kind::ConfigMap, &source.name, &keys).map(Some);
        }
        if let Some(source) = &volume.secret {
            let name = source.secret_name.as_deref().unwrap_or_default();
            let keys = keys(source.items.as_deref(), source.default_mode, source.optional);
            return self.object(Kind::Secret, name, &keys).map(Some);
        }
        if let Some(source) = &volume.downward_api {
            let items = source.items.as_deref().unwrap_or_default();
            return self.downward(items, source.default_mode.unwrap_or(MODE)).map(Some);
        }
        match &volume.projected {
            Some(source) => self.projected(source).map(Some),
            None => Ok(None),
        }
    }

    /// All sources in one directory; of two files with one path the later counts. Everything that is
    /// missing is told at once.
    fn projected(&mut self, source: &ProjectedVolumeSource) -> Result<Files, String> {
        let mode = source.default_mode;
        let mut files = Files::new();
        let mut errors = Vec::new();
        for source in source.sources.iter().flatten() {
            let part = if let Some(source) = &source.secret {
                let keys = keys(source.items.as_deref(), mode, source.optional);
                self.object(Kind::Secret, &source.name, &keys)
            } else if let Some(source) = &source.config_map {
                let keys = keys(source.items.as_deref(), mode, source.optional);
                self.object(Kind::ConfigMap, &source.name, &keys)
            } else if let Some(source) = &source.downward_api {
                let items = source.items.as_deref().unwrap_or_default();
                self.downward(items, mode.unwrap_or(MODE))
            } else if let Some(source) = &source.service_account_token {
                self.token(source, mode.unwrap_or(MODE))
            } else {
                Err("this kind of projection does not work yet".to_owned())
            };
            match part {
                Ok(part) => files.extend(part),
                Err(error) => errors.push(error),
            }
        }
        all_or_errors(files, errors)
    }

    /// The keys of a ConfigMap or Secret that become files: all of them, or those that are listed.
    fn object(&mut self, kind: Kind, name: &str, keys: &Keys) -> Result<Files, String> {
        let namespace = self.pod.metadata.namespace.as_deref().unwrap_or_default();
        let key = Key::new(kind, namespace, name);
        let contents = read(self.objects, &key);
        if contents.as_ref().is_none_or(|contents| !contents.immutable) {
            self.sources.objects.insert(key.clone());
        }
        let data = match contents {
            Some(contents) => contents.data,
            None if keys.optional => BTreeMap::new(),
            None => return Err(format!("{} \"{name}\" not found", kind.info().singular)),
        };
        let Some(items) = keys.items.filter(|items| !items.is_empty()) else {
            let file = |bytes| file(keys.mode, bytes);
            return Ok(data.into_iter().map(|(name, bytes)| (name, file(bytes))).collect());
        };
        let mut files = Files::new();
        for item in items {
            let mode = item.mode.unwrap_or(keys.mode);
            let word = if kind == Kind::Secret { "secret" } else { "config" };
            match data.get(&item.key) {
                Some(bytes) => {
                    files.insert(item.path.clone(), file(mode, bytes.clone()));
                }
                None if keys.optional => {}
                None => return Err(format!("references non-existent {word} key: {}", item.key)),
            }
        }
        Ok(files)
    }

    fn downward(&mut self, items: &[DownwardAPIVolumeFile], mode: i32) -> Result<Files, String> {
        self.sources.pod = true;
        let mut files = Files::new();
        let mut errors = Vec::new();
        for item in items {
            match self.shown(item) {
                Ok(text) => {
                    let mode = item.mode.unwrap_or(mode);
                    files.insert(item.path.clone(), file(mode, text.into_bytes()));
                }
                Err(error) => errors.push(error),
            }
        }
        all_or_errors(files, errors)
    }

    fn shown(&self, item: &DownwardAPIVolumeFile) -> Result<String, String> {
        if let Some(field) = &item.field_ref {
            let path = &field.field_path;
            return downward::metadata(self.pod, self.uid, path)
                .ok_or_else(|| format!("unsupported fieldPath: {path}"));
        }
        let spec = self.pod.spec.as_ref().expect("a bound pod has a spec");
        match &item.resource_field_ref {
            Some(selector) => downward::resource(spec, None, selector, self.config),
            None => Ok(String::new()),
        }
    }
}

fn file(mode: i32, bytes: Vec<u8>) -> DataFile {
    DataFile { mode: bits(mode), owner: None, content: Content::Bytes(bytes) }
}

fn keys(items: Option<&[KeyToPath]>, mode: Option<i32>, optional: Option<bool>) -> Keys<'_> {
    Keys { items, mode: mode.unwrap_or(MODE), optional: optional == Some(true) }
}

pub(super) fn bits(mode: i32) -> u32 {
    mode.unsigned_abs() & 0o777
}

/// Several errors are one in brackets, as upstream joins them.
fn all_or_errors(files: Files, mut errors: Vec<String>) -> Result<Files, String> {
    match errors.len() {
        0 => Ok(files),
        1 => Err(errors.remove(0)),
        _ => Err(format!("[{}]", errors.join(", "))),
    }
}

/// What a ConfigMap or Secret holds.
struct Contents {
    data: BTreeMap<String, Vec<u8>>,
    immutable: bool,
}

fn read(objects: &dyn Lookup, key: &Key) -> Option<Contents> {
    let object = objects.object(key)?;
    if key.kind == Kind::Secret {
        let secret = object.secret();
        let data = secret.data.into_iter().flatten();
        let data = data.map(|(name, bytes)| (name, bytes.0)).collect();
        return Some(Contents { data, immutable: secret.immutable == Some(true) });
    }
    let map = object.config_map();
    let text = map.data.into_iter().flatten().map(|(name, text)| (name, text.into_bytes()));
    let binary = map.binary_data.into_iter().flatten().map(|(name, bytes)| (name, bytes.0));
    let data = text.chain(binary).collect();
    Some(Contents { data, immutable: map.immutable == Some(true) })
}

/// What a ConfigMap or Secret holds, if it exists.
pub(crate) fn contents(objects: &dyn Lookup, key: &Key) -> Option<BTreeMap<String, Vec<u8>>> {
    read(objects, key).map(|contents| contents.data)
}
