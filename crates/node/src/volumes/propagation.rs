//! Mounts that travel between machine and container: they can only where the machine shares the mount
//! that a volume lies on, so that is looked at before, and said in the words of container runtimes.

use std::path::{Path, PathBuf};

use kinds::types::core::v1::VolumeMount;
use spawner::protocol::Propagation;

/// A volume whose mounts are to travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Travelling {
    /// Its name in the pod.
    pub volume: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Whether they also travel from the container to the machine.
    pub both_ways: bool,
}

/// What a mount of a container asks for.
pub(crate) fn of(mount: &VolumeMount) -> Propagation {
    match mount.mount_propagation.as_deref() {
        Some("HostToContainer") => Propagation::Slave,
        Some("Bidirectional") => Propagation::Shared,
        _ => Propagation::Private,
    }
}

/// Whether mounts can travel to or from a path without links; `mounts` is `/proc/self/mountinfo`.
///
/// # Errors
/// Which mount stands in the way.
pub(super) fn check(mounts: &str, path: &Path, both_ways: bool) -> Result<(), String> {
    let found = mounts.lines().filter_map(read).filter(|(at, _)| path.starts_with(at));
    // The deepest, and of several at one place the last, which lies on top.
    let Some((at, bonds)) = found.max_by_key(|(at, _)| at.as_os_str().len()) else { return Ok(()) };
    let has = |bond: &str| bonds.iter().any(|tag| tag.starts_with(bond));
    let wanted = match both_ways {
        true if has("shared:") => return Ok(()),
        false if has("shared:") || has("master:") => return Ok(()),
        true => "shared",
        false => "shared or slave",
    };
    let (path, at) = (path.display(), at.display());
    Err(format!("path \"{path}\" is mounted on \"{at}\" but it is not a {wanted} mount"))
}

/// The place of a mount and its optional fields.
fn read(line: &str) -> Option<(PathBuf, Vec<&str>)> {
    let mut fields = line.split(' ');
    let at = fields.nth(4)?.replace("\\040", " ");
    let bonds = fields.skip(1).take_while(|field| *field != "-").collect();
    Some((PathBuf::from(at), bonds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw
2 1 8:2 / /srv rw,relatime shared:7 - ext4 /dev/sda2 rw
3 2 8:3 / /srv/slave rw,relatime master:7 - ext4 /dev/sda3 rw
4 1 8:4 / /my\\040disk rw shared:8 master:1 - ext4 /dev/sda4 rw
";

    #[test]
    fn mounts_travel_where_the_machine_shares_them() {
        for (path, slave, shared) in [
            ("/etc", Some("/"), Some("/")),
            ("/srv", None, None),
            ("/srv/data", None, None),
            ("/srvdata", Some("/"), Some("/")),
            ("/srv/slave/x", None, Some("/srv/slave")),
            ("/my disk/x", None, None),
        ] {
            let text = |at: &str, what: &str| {
                format!("path \"{path}\" is mounted on \"{at}\" but it is not a {what} mount")
            };
            let wanted = slave.map(|at| text(at, "shared or slave"));
            assert_eq!(check(MOUNTS, Path::new(path), false).err(), wanted);
            let wanted = shared.map(|at| text(at, "shared"));
            assert_eq!(check(MOUNTS, Path::new(path), true).err(), wanted);
        }
    }
}
