//! What has to be made for a pod, decided from its spec and the objects it names.

use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use kinds::{
    quantity::Quantity,
    types::core::v1::{Container, EmptyDirVolumeSource, Pod, PodSpec, Volume, VolumeMount},
};
use spawner::protocol::Propagation;

use super::{
    HostPathType, PlannedVolume, PodPaths, PrepareError, Sources, Travelling, VolumeKind,
    VolumePlan, content::Reader, propagation,
};
use crate::{Config, Lookup, containers, start::Class};

/// What a plan is made with besides the pod.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) config: &'a Config,
    pub(crate) objects: &'a dyn Lookup,
    pub(crate) now: Timestamp,
}

/// Where a volume is mounted from.
pub(crate) enum VolumePlace {
    /// A file or directory of the machine.
    Directory { path: String, read_only: bool },
    /// Memory of the one container that mounts it.
    Tmpfs { bytes: u64 },
}

/// The volumes whose mounts are to travel.
fn travelling(spec: &PodSpec, paths: &PodPaths, config: &Config) -> Vec<Travelling> {
    let mounts = containers(spec).flat_map(|container| container.volume_mounts.iter().flatten());
    let travelling = mounts.filter_map(|mount| {
        let both_ways = match propagation::of(mount) {
            Propagation::Private => return None,
            Propagation::Slave => false,
            Propagation::Shared => true,
        };
        let volume = spec.volumes.iter().flatten().find(|volume| volume.name == mount.name)?;
        match place(spec, volume, paths, config)? {
            VolumePlace::Directory { path, .. } => {
                Some(Travelling { volume: mount.name.clone(), path: path.into(), both_ways })
            }
            VolumePlace::Tmpfs { .. } => None,
        }
    });
    travelling.collect()
}

/// Which part of a volume is mounted.
pub(crate) enum SubPath<'a> {
    /// What lies at this path.
    Path(&'a str),
    /// What lies at the path that this becomes with the container's variables.
    Expression(&'a str),
}

/// What has to be made for a pod.
pub(crate) struct Planned {
    /// The work; `None` if there is nothing to do.
    pub(crate) plan: Option<VolumePlan>,
    /// What makes it worth planning again.
    pub(crate) sources: Sources,
}

/// What has to be made before the pod's first container starts.
pub(crate) fn plan(
    pod: &Pod,
    uid: &str,
    class: Class,
    context: &Around,
) -> Result<Planned, PrepareError> {
    let spec = pod.spec.as_ref().expect("a bound pod has a spec");
    let Around { config, objects, now } = *context;
    let paths = PodPaths::new(config, uid);
    let mut reader = Reader { pod, uid, config, objects, now, sources: Sources::default() };
    let mut volumes = Vec::new();
    for volume in spec.volumes.iter().flatten() {
        // A plain process mounts nothing: only what the machine must have is made for it.
        if class == Class::Process && volume.host_path.is_none() {
            continue;
        }
        let fail = |message| PrepareError { volume: volume.name.clone(), message };
        if let Some(kind) = kind(spec, volume, &paths, &mut reader).map_err(fail)? {
            volumes.push(PlannedVolume { name: volume.name.clone(), kind });
        }
    }
    let plan = (!volumes.is_empty()).then(|| VolumePlan {
        directory: paths.directory(),
        volumes,
        group: fs_group(spec),
        travelling: travelling(spec, &paths, config),
        stamp: now.strftime("..%Y_%m_%d_%H_%M_%S.%9f").to_string(),
    });
    Ok(Planned { plan, sources: reader.sources })
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
    let of_files = volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.downward_api.is_some()
        || volume.projected.is_some();
    of_files.then(|| directory(paths.volume(&volume.name), true)).flatten()
}

/// The group that owns the pod's volumes.
pub(crate) fn fs_group(spec: &PodSpec) -> Option<u32> {
    let group = spec.security_context.as_ref()?.fs_group?;
    u32::try_from(group).ok()
}

/// Whether one attempt at one container is all that ever sees this volume, and all of it, so that it
/// can live in that container's own mount namespace.
fn alone(spec: &PodSpec, volume: &str) -> bool {
    let mounts = containers::all(spec).flat_map(|(_, container)| {
        let mounts = container.volume_mounts.iter().flatten();
        mounts.map(move |mount| (container.restart_policy.as_deref(), mount))
    });
    let mut users = mounts.filter(|(_, mount)| mount.name == volume);
    let first = users.next();
    let whole = first.is_none_or(|(_, mount)| {
        sub_path(mount).is_none() && propagation::of(mount) == Propagation::Private
    });
    let policy = first.and_then(|(own, _)| own).or(spec.restart_policy.as_deref());
    whole && users.next().is_none() && fs_group(spec).is_none() && policy == Some("Never")
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
    reader: &mut Reader,
) -> Result<Option<VolumeKind>, String> {
    let path = paths.volume(&volume.name);
    if let Some(source) = &volume.empty_dir {
        return Ok(match memory(source, reader.config) {
            Some(_) if alone(spec, &volume.name) => None,
            Some(bytes) => Some(VolumeKind::Tmpfs { path, bytes }),
            None => Some(VolumeKind::Empty { path }),
        });
    }
    if let Some(source) = &volume.host_path {
        let check = host_path_type(source.type_.as_deref().unwrap_or_default())?;
        return Ok(Some(VolumeKind::HostPath { path: PathBuf::from(&source.path), check }));
    }
    match reader.files(volume)? {
        Some(files) => {
            let mountpoints = mountpoints(spec, &volume.name);
            Ok(Some(VolumeKind::Data { path, files, mountpoints }))
        }
        None => Err("this kind of volume does not work yet".to_owned()),
    }
}

/// Where other volumes are mounted below this one, as paths within it; not what lies below such a
/// place in turn.
fn mountpoints(spec: &PodSpec, volume: &str) -> Vec<String> {
    let mut nested = Vec::new();
    for container in containers(spec) {
        let mounts = || container.volume_mounts.iter().flatten();
        let below = |mount: &VolumeMount, outer: &VolumeMount| {
            let (mount, outer) = (cleaned(&mount.mount_path), cleaned(&outer.mount_path));
            let inner = mount.strip_prefix(outer).ok()?.to_str()?;
            (!inner.is_empty()).then(|| inner.to_owned())
        };
        for outer in mounts().filter(|mount| mount.name == volume) {
            nested.extend(mounts().filter_map(|mount| below(mount, outer)));
        }
    }
    nested.sort();
    nested.dedup_by(|path, before| Path::new(path).starts_with(before));
    nested
}

/// The path from `/` without `.` and `..`.
fn cleaned(path: &str) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => drop(clean.pop()),
            _ => {}
        }
    }
    clean
}

/// `subPath` or `subPathExpr`, whichever says something.
pub(crate) fn sub_path(mount: &VolumeMount) -> Option<SubPath<'_>> {
    fn said(text: &Option<String>) -> Option<&str> {
        text.as_deref().filter(|text| !text.is_empty())
    }
    said(&mount.sub_path)
        .map(SubPath::Path)
        .or_else(|| said(&mount.sub_path_expr).map(SubPath::Expression))
}

pub(super) fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_mounted_on_directories_of_others() {
        let places = |mounts: &[(&str, &str)]| {
            let mount = |(name, path): &(&str, &str)| VolumeMount {
                name: (*name).to_owned(),
                mount_path: (*path).to_owned(),
                ..VolumeMount::default()
            };
            let volume_mounts = Some(mounts.iter().map(mount).collect());
            let containers = vec![Container { volume_mounts, ..Container::default() }];
            mountpoints(&PodSpec { containers, ..PodSpec::default() }, "v")
        };
        let none: [&str; 0] = [];
        assert_eq!(places(&[("v", "/a"), ("w", "/b"), ("x", "/ab")]), none);
        assert_eq!(places(&[("v", "/a"), ("w", "/a/b/c"), ("x", "/a/b/c/d")]), ["b/c"]);
        assert_eq!(places(&[("v", "/a/"), ("w", "/a/b"), ("x", "/a/b-c")]), ["b", "b-c"]);
        assert_eq!(places(&[("v", "/a"), ("w", "/a/../../etc/x"), ("x", "/a/./b/../c")]), ["c"]);
    }
}
