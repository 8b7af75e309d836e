//! The volumes that are mounted into a container.

use kinds::types::core::v1::VolumeMount;
use spawner::protocol::{Mount, MountSource};

use super::Attempt;
use crate::volumes::{self, PodPaths, VolumePlace};

/// All mounts of a container, those nearer to the root first.
pub(super) fn all(attempt: &Attempt) -> Result<Vec<Mount>, String> {
    let paths = PodPaths::new(attempt.config, attempt.uid);
    let asked = attempt.specs().1.volume_mounts.iter().flatten();
    let mut mounts =
        asked.map(|mount| volume(attempt, &paths, mount)).collect::<Result<Vec<_>, _>>()?;
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
