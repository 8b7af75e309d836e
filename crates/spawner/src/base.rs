//! What the roots of many containers have in common, prepared once: the lower layer of their
//! overlays.
//!
//! A root of the machine's own trees (`coracle.local/host`) is one overlay over two layers: a small
//! directory on the spawner's tmpfs and the machine's `/`. The small layer holds a directory `r`,
//! marked opaque, so that nothing of `/` shows in it; the trees that may be seen are directories in
//! `r` that carry a redirect to their place below `/`; what must not be seen is a whiteout. The
//! container's root is `r` of that overlay. One mount instead of one per tree, and no work per
//! container for directories, links and devices. A tree that is a mount of its own is not reached
//! that way; it gets its own overlay.

use crate::protocol::Root;
use crate::sys::{c_path, files};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// The directory in the small layer that becomes the root.
const INSIDE: &str = "r";

/// A prepared lower layer.
#[derive(Debug)]
pub(crate) struct Base {
    /// `lowerdir=` of the overlay that is the root.
    pub(crate) lower: String,
    /// The directory of that overlay that becomes `/`; empty if it is the overlay's own root.
    pub(crate) inside: String,
    /// Trees with an overlay of their own.
    pub(crate) apart: Vec<Apart>,
    /// Mounts of the machine inside the trees, shown read-only.
    pub(crate) submounts: Vec<String>,
    directory: PathBuf,
}

/// A tree that needs an overlay of its own.
#[derive(Debug)]
pub(crate) struct Apart {
    /// Where it is, on the machine and in the container.
    pub(crate) path: String,
    /// `lowerdir=` of its overlay.
    pub(crate) lower: String,
}

/// Directories of a machine that has just been set up: (path, mode).
const EMPTY_MACHINE: [(&str, u32); 16] = [
    ("home", 0o755),
    ("media", 0o755),
    ("mnt", 0o755),
    ("root", 0o700),
    ("run", 0o755),
    ("run/lock", 0o1777),
    ("srv", 0o755),
    ("tmp", 0o1777),
    ("var", 0o755),
    ("var/cache", 0o755),
    ("var/lib", 0o755),
    ("var/log", 0o755),
    ("var/mail", 0o755),
    ("var/opt", 0o755),
    ("var/spool", 0o755),
    ("var/tmp", 0o1777),
];

/// Directories the kernel's file systems are mounted on.
const KERNEL: [&str; 5] = ["proc", "sys", "dev", "dev/pts", "dev/shm"];

/// Device nodes of every container: (name, major, minor).
const DEVICES: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// Links in /dev: (name, target).
const DEVICE_LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("ptmx", "pts/ptmx"),
    ("stderr", "/proc/self/fd/2"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
];

/// Mounts of the machine, as far as this module asks: the mount points, in the order they were made.
pub(crate) fn mount_points(mountinfo: &str) -> Vec<String> {
    let point = |line: &str| line.split(' ').nth(4).map(|text| text.replace("\\040", " "));
    mountinfo.lines().filter_map(point).collect()
}

impl Base {
    /// Whether it is made of the machine's own trees.
    pub(crate) fn is_of_host(&self) -> bool {
        !self.inside.is_empty()
    }

    /// Prepare a layer in `directory`, which must not exist. `mounts` are the machine's mount
    /// points, `unseen` is the data directory, which no container may see.
    pub(crate) fn prepare(
        directory: &Path,
        root: &Root,
        mounts: &[String],
        unseen: &Path,
    ) -> io::Result<Base> {
        make_directory(directory, 0o755)?;
        match root {
            Root::Host { trees, links, hidden } => {
                Base::of_host(directory, trees, links, hidden, mounts, unseen)
            }
            Root::Directory(image) => {
                kernel_directories(directory)?;
                let lower = format!("{}:{}", escaped(directory)?, escaped(Path::new(image))?);
                Ok(Base {
                    lower,
                    inside: String::new(),
                    apart: Vec::new(),
                    submounts: Vec::new(),
                    directory: directory.to_owned(),
                })
            }
        }
    }

    fn of_host(
        directory: &Path,
        trees: &[String],
        links: &[(String, String)],
        hidden: &[String],
        mounts: &[String],
        unseen: &Path,
    ) -> io::Result<Base> {
        let root = directory.join(INSIDE);
        make_directory(&root, 0o755)?;
        mark(&root, c"trusted.overlay.opaque", b"y")?;
        for (path, mode) in EMPTY_MACHINE {
            make_directory(&root.join(path), mode)?;
        }
        kernel_directories(&root)?;
        for (name, target) in links {
            symlink(target, root.join(name.trim_start_matches('/')))?;
        }
        let mut apart = Vec::new();
        for (index, tree) in trees.iter().enumerate() {
            let place = root.join(tree.trim_start_matches('/'));
            let layer = if mounts.contains(tree) {
                // Not looked at here: a network file system that hangs must hang the child alone.
                make_directory(&place, 0o755)?;
                let layer = directory.join(format!("t{index}"));
                make_directory(&layer, 0o755)?;
                let lower = format!("{}:{}", escaped(&layer)?, escaped(Path::new(tree))?);
                apart.push(Apart { path: tree.clone(), lower });
                layer
            } else {
                like(&place, Path::new(tree))?;
                mark(&place, c"trusted.overlay.redirect", tree.as_bytes())?;
                place
            };
            let unseen = unseen.to_str().into_iter();
            for path in hidden.iter().map(String::as_str).chain(unseen) {
                if let Some(below) = strip(path, tree) {
                    whiteout(&layer, Path::new(tree), Path::new(below))?;
                }
            }
        }
        // What holds something that may not be seen would show it, for no layer lies over it.
        let apart_from =
            |point: &Path, path: &Path| !point.starts_with(path) && !path.starts_with(point);
        let inside_a_tree = |point: &&String| {
            trees.iter().any(|tree| strip(point, tree).is_some())
                && hidden.iter().all(|path| apart_from(Path::new(point), Path::new(path)))
                && apart_from(Path::new(point), unseen)
        };
        let submounts = topmost(mounts.iter().filter(inside_a_tree).cloned());
        let lower = format!("{}:/", escaped(directory)?);
        let (inside, directory) = (INSIDE.to_owned(), directory.to_owned());
        Ok(Base { lower, inside, apart, submounts, directory })
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The part of `path` below `tree`; none if it is the tree itself or elsewhere.
fn strip<'p>(path: &'p str, tree: &str) -> Option<&'p str> {
    path.strip_prefix(tree)?.strip_prefix('/').filter(|rest| !rest.is_empty())
}

/// Without paths that lie below another one, which brings them along.
fn topmost(paths: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut sorted: Vec<String> = paths.collect();
    sorted.sort();
    for path in sorted {
        if !kept.iter().any(|above| *above == path || strip(&path, above).is_some()) {
            kept.push(path);
        }
    }
    kept
}

fn kernel_directories(root: &Path) -> io::Result<()> {
    for path in KERNEL {
        make_directory(&root.join(path), 0o755)?;
    }
    let dev = root.join("dev");
    mark(&dev, c"trusted.overlay.opaque", b"y")?;
    for (name, major, minor) in DEVICES {
        let path = dev.join(name);
        files::make_node(&c_path(&path)?, libc::S_IFCHR, (major, minor))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666))?;
    }
    for (name, target) in DEVICE_LINKS {
        symlink(target, dev.join(name))?;
    }
    // So that mounting it changes nothing in the private layer.
    File::create(dev.join("termination-log")).map(drop)
}

/// Remove `below` from the overlay of `tree` whose upper lower layer is `layer`, whether it is there
/// now or comes later. Directories on the way look like the tree's own; where one is missing there is
/// nothing to hide.
fn whiteout(layer: &Path, tree: &Path, below: &Path) -> io::Result<()> {
    let ways: Vec<&Path> = below.ancestors().skip(1).filter(|way| *way != Path::new("")).collect();
    for way in ways.into_iter().rev() {
        match fs::symlink_metadata(layer.join(way)) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Ok(()),
            Err(_) if fs::symlink_metadata(tree.join(way)).is_ok_and(|found| found.is_dir()) => {
                like(&layer.join(way), &tree.join(way))?;
            }
            Err(_) => return Ok(()),
        }
    }
    match files::make_node(&c_path(&layer.join(below))?, libc::S_IFCHR, (0, 0)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Make a directory with the owner and mode of another.
fn like(path: &Path, model: &Path) -> io::Result<()> {
    let model = fs::metadata(model)?;
    make_directory(path, model.permissions().mode() & 0o7777)?;
    std::os::unix::fs::chown(path, Some(model.uid()), Some(model.gid()))
}

fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn mark(path: &Path, name: &std::ffi::CStr, value: &[u8]) -> io::Result<()> {
    files::set_attribute(&c_path(path)?, name, value)
}

/// A path as overlay's options take it: colons, commas and backslashes stand for themselves.
fn escaped(path: &Path) -> io::Result<String> {
    let text = path.to_str().ok_or(io::Error::from_raw_os_error(libc::EINVAL))?;
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | ':' | ',') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    Ok(escaped)
}
