//! The steps that build a container's file system, up to the moment it becomes `/`.

use crate::base::Base;
use crate::devices::Device;
use crate::protocol::{Container, ContainerFile};
use crate::step::Step;
use crate::sys::{c_path, c_string};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// One private overlay on the prepared base, its upper layer on a tmpfs that only this container
/// has, seen from inside the base's `r` directory if it has one. Trees that are on file systems of
/// their own get an overlay of their own in their place.
pub(super) fn root(
    base: &Base,
    container: &Container,
    place: &Path,
    devices: &[Device],
) -> io::Result<Vec<Step>> {
    let at = c_path(place)?;
    // A node takes an inode, and an inode at most a page.
    let size = container.writable_bytes.max(PAGE_BYTES)
        + bytes_of(&container.files)
        + PAGE_BYTES * devices.len() as u64;
    let data = Some(c_string(&format!("mode=0755,size={size}"))?);
    let mut steps = vec![mount(c"tmpfs", &at, Some(c"tmpfs"), libc::MS_NOSUID, data)];
    steps.push(Step::Enterdir { path: at.clone() });
    let mut names = vec![("u".to_owned(), "w".to_owned(), base.lower.clone())];
    for (index, tree) in base.apart.iter().enumerate() {
        names.push((format!("u{index}"), format!("w{index}"), tree.lower.clone()));
    }
    for (upper, work, _) in &names {
        steps.push(Step::Directory { path: c_string(upper)?, mode: 0o755 });
        steps.push(Step::Directory { path: c_string(work)?, mode: 0o700 });
    }
    let mut made = BTreeSet::new();
    steps.extend(files(base, &container.files, &mut made)?);
    steps.extend(nodes(base, devices, &mut made)?);
    // The prepared layer names the machine's trees by redirects; those of an image mean nothing.
    let redirects =
        if base.inside.is_empty() { "redirect_dir=nofollow" } else { "redirect_dir=follow" };
    let inside = place.join(&base.inside);
    let targets = std::iter::once(Ok(c".".to_owned())).chain(
        base.apart.iter().map(|tree| c_path(&inside.join(tree.path.trim_start_matches('/')))),
    );
    for ((upper, work, lower), target) in names.iter().zip(targets) {
        let data = format!(
            "lowerdir={lower},upperdir={upper},workdir={work},{OVERLAY_OPTIONS},{redirects}"
        );
        steps.push(mount(c"overlay", &target?, Some(c"overlay"), 0, Some(c_string(&data)?)));
    }
    let replaced = |path: &&String| container.files.iter().any(|file| file.target == **path);
    for path in base.submounts.iter().filter(|path| !replaced(path)) {
        let target = c_path(&inside.join(path.trim_start_matches('/')))?;
        let source = c_string(path)?;
        steps.push(mount(&source, &target, None, libc::MS_BIND | libc::MS_REC, None));
        // What is mounted further below came along.
        steps.push(Step::ReadOnly { path: target, recursive: true });
    }
    if base.inside.is_empty() {
        steps.push(Step::Enterdir { path: at });
    } else {
        let flags = libc::MS_BIND | libc::MS_REC;
        steps.push(mount(&c_path(&inside)?, &at, None, flags, None));
        steps.push(Step::Enterdir { path: at });
    }
    Ok(steps)
}

/// Files that the upper layers hold before they are mounted, with the directories on their ways.
fn files(
    base: &Base,
    files: &[ContainerFile],
    made: &mut BTreeSet<PathBuf>,
) -> io::Result<Vec<Step>> {
    let mut steps = Vec::with_capacity(3 * files.len());
    for file in files {
        let path = way_to(base, &file.target, made, &mut steps)?;
        steps.push(Step::File {
            path: c_path(&path)?,
            mode: file.mode,
            text: file.text.clone().into_bytes(),
            then: file.then.as_deref().map(c_string).transpose()?,
            end: file.end.clone().into_bytes(),
        });
    }
    Ok(steps)
}

/// Device nodes in the upper layers, over those of the prepared layer.
fn nodes(base: &Base, devices: &[Device], made: &mut BTreeSet<PathBuf>) -> io::Result<Vec<Step>> {
    let mut steps = Vec::with_capacity(devices.len());
    for Device { path, mode, number, owner } in devices {
        let path = c_path(&way_to(base, path, made, &mut steps)?)?;
        steps.push(Step::Node { path, mode: *mode, number: *number, owner: *owner });
    }
    Ok(steps)
}

/// The place of a path in the upper layers; adds the directories on the way that were not made yet.
fn way_to(
    base: &Base,
    target: &str,
    made: &mut BTreeSet<PathBuf>,
    steps: &mut Vec<Step>,
) -> io::Result<PathBuf> {
    let (layer, path) = layer_path(base, target)?;
    let ways: Vec<_> = path.ancestors().skip(1).take_while(|way| *way != layer).collect();
    for way in ways.into_iter().rev() {
        if made.insert(way.to_owned()) {
            steps.push(Step::Directory { path: c_path(way)?, mode: 0o755 });
        }
    }
    Ok(path)
}

/// The upper layer that a path of the container belongs to, and its place there.
fn layer_path(base: &Base, target: &str) -> io::Result<(PathBuf, PathBuf)> {
    let target = Path::new(target);
    let below = target.strip_prefix("/").unwrap_or(target);
    let plain = below.components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || below.as_os_str().is_empty() {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    for (index, tree) in base.apart.iter().enumerate() {
        if let Ok(below) = target.strip_prefix(&tree.path) {
            let layer = PathBuf::from(format!("u{index}"));
            return Ok((layer.clone(), layer.join(below)));
        }
    }
    Ok((PathBuf::from("u"), Path::new("u").join(&base.inside).join(below)))
}

/// What files take of a tmpfs, in whole pages: the program's share stays its own.
fn bytes_of(files: &[ContainerFile]) -> u64 {
    let pages = |file: &ContainerFile| {
        let text = (file.text.len() + file.end.len()) as u64;
        text.div_ceil(PAGE_BYTES) + u64::from(file.then.is_some())
    };
    files.iter().map(pages).sum::<u64>() * PAGE_BYTES
}

/// Nothing is to be found again by inode, nor are files to be split into data and attributes.
const OVERLAY_OPTIONS: &str = "index=off,metacopy=off,xino=off";

/// A tmpfs of size 0 would have no limit, so it gets at least so many bytes.
const PAGE_BYTES: u64 = 4096;

/// A mount step of borrowed parts.
pub(super) fn mount(
    source: &std::ffi::CStr,
    target: &std::ffi::CStr,
    kind: Option<&std::ffi::CStr>,
    flags: libc::c_ulong,
    data: Option<CString>,
) -> Step {
    Step::Mount {
        source: source.to_owned(),
        target: target.to_owned(),
        kind: kind.map(ToOwned::to_owned),
        flags,
        data,
    }
}
