//! Files that change all at once, laid out as upstream's are, because programs look for it: the files
//! are in a directory named by the time, the link `..data` names it, and every top-level name is a
//! link into `..data`. An update writes a new directory and then swaps the one link.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt, chown, symlink},
    path::Path,
};

use tokens::Signer;

use super::{Content, DataFile, VolumePlan, group::give, perform::directory};

const DATA: &str = "..data";
const DATA_NEXT: &str = "..data_tmp";

/// Brings the volume to exactly these files; new ones lie in a directory of
/// their own. Also makes the directories
/// that other volumes are mounted on, as nothing can be made there later. Whatever moment it is cut
/// off at, doing it again mends it, and nobody ever sees a mixture.
pub(super) fn write(
    volume: &Path,
    files: &BTreeMap<String, DataFile>,
    mountpoints: &[String],
    plan: &VolumePlan,
    signer: &Signer,
) -> io::Result<()> {
    directory(volume, 0o777)?;
    let data = volume.join(DATA);
    let current = fs::read_link(&data).ok();
    let current = current.and_then(|name| name.to_str().map(str::to_owned));
    let current = match current.filter(|name| name.starts_with("..") && !name.contains('/')) {
        Some(name) if is_same(&volume.join(&name), files) => name,
        _ => {
            fill(&volume.join(&plan.stamp), files, signer)?;
            if let Some(group) = plan.group {
                give(volume, group, true)?;
            }
            let next = volume.join(DATA_NEXT);
            remove(&next)?;
            symlink(&plan.stamp, &next)?;
            fs::rename(next, data)?;
            plan.stamp.clone()
        }
    };
    let names: BTreeSet<&str> = files.keys().filter_map(|path| path.split('/').next()).collect();
    for name in &names {
        let own = volume.join(name);
        if !own.is_symlink() {
            symlink(Path::new(DATA).join(name), own)?;
        }
    }
    for place in mountpoints {
        DirBuilder::new().recursive(true).mode(0o755).create(volume.join(place))?;
    }
    let names = names.into_iter().chain(mountpoints.iter().filter_map(|p| p.split('/').next()));
    sweep(volume, &names.collect(), &current)
}

/// The files in a directory of their own.
fn fill(inner: &Path, files: &BTreeMap<String, DataFile>, signer: &Signer) -> io::Result<()> {
    remove(inner)?;
    directory(inner, 0o755)?;
    for (name, file) in files {
        let target = inner.join(name);
        if let Some(parent) = target.parent().filter(|_| name.contains('/')) {
            DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
        }
        match &file.content {
            Content::Bytes(bytes) => fs::write(&target, bytes)?,
            Content::Token(claims) => {
                fs::write(&target, signer.sign(claims).map_err(io::Error::other)?)?;
            }
        }
        if file.owner.is_some() {
            chown(&target, file.owner, None)?;
        }
        fs::set_permissions(&target, fs::Permissions::from_mode(file.mode))?;
    }
    Ok(())
}

/// Whether the files are there already, and no others. A token is always a new one.
fn is_same(inner: &Path, files: &BTreeMap<String, DataFile>) -> bool {
    let same = |(name, file): (&String, &DataFile)| match &file.content {
        Content::Bytes(wanted) => fs::read(inner.join(name)).is_ok_and(|bytes| bytes == *wanted),
        Content::Token(_) => false,
    };
    files.iter().all(same) && count(inner).is_ok_and(|count| count == files.len())
}

/// How many files there are at all depths.
fn count(directory: &Path) -> io::Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        files += if entry.file_type()?.is_dir() { count(&entry.path())? } else { 1 };
    }
    Ok(files)
}

/// Removes what belongs to files that are no more.
fn sweep(volume: &Path, names: &BTreeSet<&str>, current: &str) -> io::Result<()> {
    for entry in fs::read_dir(volume)? {
        let entry = entry?;
        let name = entry.file_name();
        let stays = name.to_str().is_some_and(|n| n == DATA || n == current || names.contains(n));
        if !stays {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a file, a link or a directory, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match gone {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
