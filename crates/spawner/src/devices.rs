//! The devices of the machine, for containers that may have them all.

use crate::sys::files::device_number;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Below /dev: what every container has of its own, and what holds no devices.
const OTHERS: [&str; 9] =
    ["console", "fd", "mqueue", "ptmx", "pts", "shm", ".lxc", ".lxd-mounts", ".udev"];

/// A device node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// Absolute path, on the machine and in the container.
    pub(crate) path: String,
    /// Kind and permission bits.
    pub(crate) mode: u32,
    /// Major and minor number.
    pub(crate) number: (u32, u32),
    /// User and group.
    pub(crate) owner: (u32, u32),
}

/// All device nodes below a directory that is `/dev`, in no order. What vanishes meanwhile is left out.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn devices(dev: &Path) -> io::Result<Vec<Device>> {
    let mut found = Vec::new();
    let mut directories = vec![dev.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = match fs::read_dir(&directory) {
            Err(error) if directory != dev && error.kind() == io::ErrorKind::NotFound => continue,
            result => result?,
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let others = directory == dev && OTHERS.iter().any(|other| name == *other);
            let Ok(metadata) = entry.metadata() else { continue };
            let kind = metadata.file_type();
            let path = entry.path();
            match path.to_str() {
                _ if others => {}
                Some(text) if kind.is_char_device() || kind.is_block_device() => {
                    found.push(Device {
                        path: text.to_owned(),
                        mode: metadata.mode(),
                        number: device_number(metadata.rdev()),
                        owner: (metadata.uid(), metadata.gid()),
                    });
                }
                _ if kind.is_dir() => directories.push(path),
                _ => {}
            }
        }
    }
    Ok(found)
}
