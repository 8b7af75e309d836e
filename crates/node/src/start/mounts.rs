//! What is mounted into a container: its volumes, the files that describe the pod, and `/dev/shm`.

use kinds::types::core::v1::VolumeMount;
use spawner::protocol::{Mount, MountSource};

use super::Attempt;
use crate::volumes::{self, PodPaths, VolumePlace};

/// Where a container leaves its last words, unless it names another place.
const TERMINATION_PATH: &str = "/dev/termination-log";

/// All mounts of a container, those nearer to the root first.
pub(super) fn all(attempt: &Attempt) -> Result<Vec<Mount>, String> {
    let (spec, container) = attempt.specs();
    let paths = PodPaths::new(attempt.config, attempt.uid);
    let asked: Vec<&VolumeMount> = container.volume_mounts.iter().flatten().collect();
    let mut mounts = Vec::new();
    for mount in &asked {
        mounts.push(volume(attempt, &paths, mount)?);
    }
    let taken = |target: &str| asked.iter().any(|m| m.mount_path.trim_end_matches('/') == target);
    let mut own = |source: MountSource, target: &str| {
        if !taken(target) {
            mounts.push(Mount { source, target: target.to_owned(), read_only: false });
        }
    };
    let file = |path: std::path::PathBuf| MountSource::Bind(path.to_string_lossy().into_owned());
    own(volumes::shared_memory(spec, &paths), "/dev/shm");
    own(file(paths.hosts()), "/etc/hosts");
    own(file(paths.hostname()), "/etc/hostname");
    own(file(paths.resolv_conf()), "/etc/resolv.conf");
    let termination = container.termination_message_path.as_deref().unwrap_or(TERMINATION_PATH);
    own(file(paths.termination(&container.name, attempt.attempt)), termination);
    let depth = |target: &str| target.split('/').filter(|part| !part.is_empty()).count();
    mounts.sort_by_key(|mount| depth(&mount.target));
    Ok(mounts)
}

fn volume(attempt: &Attempt, paths: &PodPaths, mount: &VolumeMount) -> Result<Mount, String> {
    let name = &mount.name;
    let sub_path = mount.sub_path.as_ref().or(mount.sub_path_expr.as_ref());
    if sub_path.is_some_and(|path| !path.is_empty()) {
        return Err(format!("volumeMounts of \"{name}\": subPath does not work yet"));
    }
    let volume = attempt.volume(name).ok_or_else(|| format!("volume \"{name}\" not found"))?;
    let place = volumes::place(attempt.specs().0, volume, paths, attempt.config)
        .ok_or_else(|| format!("volume \"{name}\": this kind of volume does not work yet"))?;
    let (source, always_read_only) = match place {
        VolumePlace::Directory { path, read_only } => (MountSource::Bind(path), read_only),
        VolumePlace::Tmpfs { bytes } => (MountSource::Tmpfs(bytes), false),
    };
    let read_only = always_read_only || mount.read_only.unwrap_or(false);
    Ok(Mount { source, target: mount.mount_path.clone(), read_only })
}
