//! The volumes that are mounted into a container.

use std::collections::BTreeSet;

use kinds::types::core::v1::VolumeMount;
use spawner::protocol::{Mount, MountSource};

use super::Attempt;
use crate::{
    env::{Environment, expand},
    volumes::{self, PodPaths, SubPath, VolumePlace},
};

/// All mounts of a container, those nearer to the root first. `env` is what the pod declares.
pub(super) fn all(attempt: &Attempt, env: &Environment) -> Result<Vec<Mount>, String> {
    let paths = PodPaths::new(attempt.config, attempt.uid);
    let asked = attempt.specs().1.volume_mounts.iter().flatten();
    let mut mounts =
        asked.map(|mount| volume(attempt, &paths, mount, env)).collect::<Result<Vec<_>, _>>()?;
    let depth = |target: &str| target.split('/').filter(|part| !part.is_empty()).count();
    mounts.sort_by_key(|mount| depth(&mount.target));
    Ok(mounts)
}

fn volume(
    attempt: &Attempt,
    paths: &PodPaths,
    mount: &VolumeMount,
    env: &Environment,
) -> Result<Mount, String> {
    let name = &mount.name;
    let (spec, container) = attempt.specs();
    let volume = attempt.volume(name).ok_or_else(|| format!("volume \"{name}\" not found"))?;
    let place = volumes::place(spec, volume, paths, attempt.config)
        .ok_or_else(|| format!("volume \"{name}\": this kind of volume does not work yet"))?;
    let (source, always_read_only) = match place {
        VolumePlace::Directory { path: directory, read_only } => {
            let source = match sub_path(mount, env)? {
                None => MountSource::Bind(directory),
                Some(path) => {
                    let container = &container.name;
                    let blame = format!(
                        "failed to prepare subPath for volumeMount \"{name}\" of container \
                         \"{container}\""
                    );
                    MountSource::Within { directory, path, make: true, blame }
                }
            };
            (source, read_only)
        }
        VolumePlace::Tmpfs { bytes } => (MountSource::Tmpfs(bytes), false),
    };
    let read_only = always_read_only || mount.read_only.unwrap_or(false);
    let propagation = volumes::propagation(mount);
    Ok(Mount { source, target: mount.mount_path.clone(), read_only, propagation })
}

/// The path within the volume, if only a part of it is mounted.
fn sub_path(mount: &VolumeMount, env: &Environment) -> Result<Option<String>, String> {
    let path = match volumes::sub_path(mount) {
        None => return Ok(None),
        Some(SubPath::Path(path)) => path.to_owned(),
        Some(SubPath::Expression(text)) => expanded(text, env)?,
    };
    if path.starts_with('/') {
        return Err(format!("error SubPath `{path}` must not be an absolute path"));
    }
    if path.split('/').any(|part| part == "..") {
        return Err(format!("unable to provision SubPath `{path}`: must not contain '..'"));
    }
    Ok(Some(path))
}

/// With the values of variables, of which each must say something.
fn expanded(text: &str, env: &Environment) -> Result<String, String> {
    let missing = std::cell::RefCell::new(BTreeSet::new());
    let path = expand(text, |name| {
        let value = env.get(name).filter(|value| !value.is_empty());
        if value.is_none() {
            missing.borrow_mut().insert(name.to_owned());
        }
        value
    });
    let missing: Vec<String> = missing.into_inner().into_iter().collect();
    match missing.is_empty() {
        true => Ok(path),
        false => Err(format!("missing value for {}", missing.join(", "))),
    }
}
