//! What has to be made for a pod, decided from its spec and the ConfigMaps and Secrets it names.

use std::{collections::BTreeMap, path::PathBuf};

use kinds::{
    Key, Kind,
    quantity::Quantity,
    types::core::v1::{EmptyDirVolumeSource, KeyToPath, Pod, PodSpec, Volume},
};

use super::{
    DataFile, HostPathType, PlannedVolume, PodPaths, PrepareError, VolumeKind, VolumePlan,
};
use crate::{Config, Lookup, start::Class};

/// The permission bits of files from ConfigMaps and Secrets, unless the spec says others.
const DATA_MODE: i32 = 0o644;

/// Where a volume is mounted from.
pub(crate) enum VolumePlace {
    /// A file or directory of the machine.
    Directory { path: String, read_only: bool },
    /// Memory of the one container that mounts it.
    Tmpfs { bytes: u64 },
}

/// What has to be made before the pod's first container starts; `None` if nothing.
pub(crate) fn plan(
    pod: &Pod,
    uid: &str,
    class: Class,
    config: &Config,
    objects: &dyn Lookup,
) -> Result<Option<VolumePlan>, PrepareError> {
    let spec = pod.spec.as_ref().expect("a bound pod has a spec");
    let paths = PodPaths::new(config, uid);
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let keys = |kind, name: &str| Key::new(kind, namespace, name);
    let mut volumes = Vec::new();
    for volume in spec.volumes.iter().flatten() {
        let fail = |message| PrepareError { volume: volume.name.clone(), message };
        if let Some(kind) = kind(spec, volume, &paths, config, keys, objects).map_err(fail)? {
            volumes.push(PlannedVolume { name: volume.name.clone(), kind });
        }
    }
    if class == Class::Process {
        // Its mounts are checked when it starts; only what the machine must have is made.
        volumes.retain(|volume| matches!(volume.kind, VolumeKind::HostPath { .. }));
    }
    let directory = paths.directory();
    Ok((!volumes.is_empty()).then_some(VolumePlan { directory, volumes }))
}

/// Where this volume is mounted from; `None` for a kind that does not work.
pub(crate) fn place(
    spec: &PodSpec,
    volume: &Volume,
    paths: &PodPaths,
    config: &Config,
) -> Option<VolumePlace> {
    let directory = |path: PathBuf, read_only| {
        let path = path.to_string_lossy().into_owned();
        Some(VolumePlace::Directory { path, read_only })
    };
    if let Some(source) = &volume.empty_dir {
        return match memory(source, config) {
            Some(bytes) if alone(spec, &volume.name) => Some(VolumePlace::Tmpfs { bytes }),
            _ => directory(paths.volume(&volume.name), false),
        };
    }
    if let Some(source) = &volume.host_path {
        return directory(PathBuf::from(&source.path), false);
    }
    match volume.config_map.is_some() || volume.secret.is_some() {
        true => directory(paths.volume(&volume.name), true),
        false => None,
    }
}

/// Whether one attempt at one container is all that ever sees this volume, so that it can live in
/// that container's own mount namespace.
fn alone(spec: &PodSpec, volume: &str) -> bool {
    let mounts = spec.containers.iter().flat_map(|c| c.volume_mounts.iter().flatten());
    let users = mounts.filter(|mount| mount.name == volume).count();
    users <= 1 && spec.restart_policy.as_deref() == Some("Never")
}

/// The size of an emptyDir in memory: its limit, and no more than the node has; `None` for one on
/// disk.
fn memory(source: &EmptyDirVolumeSource, config: &Config) -> Option<u64> {
    let in_memory = source.medium.as_deref() == Some("Memory");
    let limit = source.size_limit.as_ref().and_then(|q| Quantity::parse(&q.0).ok());
    let node = config.memory_bytes;
    let bytes = limit.map_or(node, |limit| limit.value().clamp(1, node));
    in_memory.then_some(bytes.unsigned_abs())
}

fn kind(
    spec: &PodSpec,
    volume: &Volume,
    paths: &PodPaths,
    config: &Config,
    keys: impl Fn(Kind, &str) -> Key,
    objects: &dyn Lookup,
) -> Result<Option<VolumeKind>, String> {
    let path = paths.volume(&volume.name);
    if let Some(source) = &volume.empty_dir {
        return Ok(match memory(source, config) {
            Some(_) if alone(spec, &volume.name) => None,
            Some(bytes) => Some(VolumeKind::Tmpfs { path, bytes }),
            None => Some(VolumeKind::Empty { path }),
        });
    }
    if let Some(source) = &volume.host_path {
        let check = host_path_type(source.type_.as_deref().unwrap_or_default())?;
        return Ok(Some(VolumeKind::HostPath { path: PathBuf::from(&source.path), check }));
    }
    let (key, items, mode, optional) = if let Some(source) = &volume.config_map {
        let key = keys(Kind::ConfigMap, &source.name);
        (key, &source.items, source.default_mode, source.optional)
    } else if let Some(source) = &volume.secret {
        let name = source.secret_name.as_deref().unwrap_or_default();
        let key = keys(Kind::Secret, name);
        (key, &source.items, source.default_mode, source.optional)
    } else {
        return Err("this kind of volume does not work yet".to_owned());
    };
    let optional = optional == Some(true);
    let data = match contents(objects, &key) {
        Some(data) => data,
        None if optional => BTreeMap::new(),
        None => return Err(format!("{} \"{}\" not found", key.kind.info().singular, key.name)),
    };
    let mode = mode.unwrap_or(DATA_MODE);
    let files = data_files(&data, items.as_deref(), mode, optional)?;
    Ok(Some(VolumeKind::Data { path, files }))
}

/// The keys that become files: all of them, or those that are listed.
fn data_files(
    data: &BTreeMap<String, Vec<u8>>,
    items: Option<&[KeyToPath]>,
    default_mode: i32,
    optional: bool,
) -> Result<BTreeMap<String, DataFile>, String> {
    let file = |bytes: &Vec<u8>, mode: i32| DataFile {
        mode: mode.unsigned_abs() & 0o777,
        bytes: bytes.clone(),
    };
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        let all = data.iter().map(|(name, bytes)| (name.clone(), file(bytes, default_mode)));
        return Ok(all.collect());
    };
    let mut files = BTreeMap::new();
    for item in items {
        match data.get(&item.key) {
            Some(bytes) => {
                let mode = item.mode.unwrap_or(default_mode);
                files.insert(item.path.clone(), file(bytes, mode));
            }
            None if optional => {}
            None => return Err(format!("references non-existent config key: {}", item.key)),
        }
    }
    Ok(files)
}

/// What a ConfigMap or Secret holds, if it exists.
pub(crate) fn contents(objects: &dyn Lookup, key: &Key) -> Option<BTreeMap<String, Vec<u8>>> {
    let object = objects.object(key)?;
    if key.kind == Kind::Secret {
        let data = object.secret().data.into_iter().flatten();
        return Some(data.map(|(name, bytes)| (name, bytes.0)).collect());
    }
    let map = object.config_map();
    let text = map.data.into_iter().flatten().map(|(name, text)| (name, text.into_bytes()));
    let binary = map.binary_data.into_iter().flatten().map(|(name, bytes)| (name, bytes.0));
    Some(text.chain(binary).collect())
}

fn host_path_type(name: &str) -> Result<HostPathType, String> {
    Ok(match name {
        "" => HostPathType::Unset,
        "DirectoryOrCreate" => HostPathType::DirectoryOrCreate,
        "Directory" => HostPathType::Directory,
        "FileOrCreate" => HostPathType::FileOrCreate,
        "File" => HostPathType::File,
        "Socket" => HostPathType::Socket,
        "CharDevice" => HostPathType::CharDevice,
        "BlockDevice" => HostPathType::BlockDevice,
        other => return Err(format!("hostPath type \"{other}\" is unknown")),
    })
}
