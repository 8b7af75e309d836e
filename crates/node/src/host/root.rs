//! What the image `coracle.local/host` is made of on this machine: an allow-list of top-level trees,
//! less what is not everyone's to read.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::HostRoot;

/// Top-level names that make up the image, and the prefix of further ones (`/lib64`).
const NAMES: &[&str] = &["usr", "bin", "sbin", "opt", "etc"];
const LIBRARIES: &str = "lib";
/// The tree in which unreadable files are looked for: configuration, where machines keep secrets.
const PRIVATE_TREE: &str = "etc";

/// The trees and links below `top`, normally `/`. `hidden` are further paths that no container may
/// see, such as the data directory and kubeconfigs.
///
/// # Errors
/// A directory cannot be listed.
pub fn root(top: &Path, hidden: &[PathBuf]) -> io::Result<HostRoot> {
    let mut root = HostRoot::default();
    let mut entries = fs::read_dir(top)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !NAMES.contains(&name.as_str()) && !name.starts_with(LIBRARIES) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            let target = fs::read_link(entry.path())?.to_string_lossy().into_owned();
            root.links.push((format!("/{name}"), target));
        } else if kind.is_dir() {
            root.trees.push(format!("/{name}"));
        }
    }
    let mut paths = Vec::new();
    private(&top.join(PRIVATE_TREE), &mut paths)?;
    let inside = paths.iter().filter_map(|path| path.strip_prefix(top).ok());
    root.hidden = inside.map(|path| format!("/{}", path.display())).collect();
    let in_tree = |path: &&PathBuf| root.trees.iter().any(|tree| path.starts_with(tree));
    root.hidden.extend(hidden.iter().filter(in_tree).map(|path| path.display().to_string()));
    Ok(root)
}

/// What in a directory not everyone may read, at the highest point.
fn private(directory: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?.collect::<io::Result<Vec<_>>>()?,
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let meta = match fs::symlink_metadata(&path) {
            // Gone since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            meta => meta?,
        };
        let needed = if meta.is_dir() { 0o005 } else { 0o004 };
        if meta.is_symlink() {
            continue;
        } else if meta.mode() & needed != needed {
            found.push(path);
        } else if meta.is_dir() {
            private(&path, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn trees_and_links_are_found_and_secrets_are_hidden() {
        let top = tempfile::tempdir().unwrap();
        let at = |path: &str| top.path().join(path);
        for directory in ["usr/bin", "opt", "etc/ssl/private", "etc/app", "home/me", "lib64", "var"]
        {
            fs::create_dir_all(at(directory)).unwrap();
        }
        symlink("usr/bin", at("bin")).unwrap();
        symlink("/nowhere", at("etc/link")).unwrap();
        for (file, mode) in [("etc/passwd", 0o644), ("etc/shadow", 0o640), ("etc/app/key", 0o600)] {
            fs::write(at(file), "").unwrap();
            fs::set_permissions(at(file), fs::Permissions::from_mode(mode)).unwrap();
        }
        let mode = fs::Permissions::from_mode(0o710);
        fs::set_permissions(at("etc/ssl/private"), mode).unwrap();
        let hidden = [PathBuf::from("/opt/coracle"), PathBuf::from("/var/lib/coracle")];
        let root = root(top.path(), &hidden).unwrap();
        assert_eq!(root.trees, ["/etc", "/lib64", "/opt", "/usr"]);
        assert_eq!(root.links, [("/bin".to_owned(), "usr/bin".to_owned())]);
        let expected = ["/etc/app/key", "/etc/shadow", "/etc/ssl/private", "/opt/coracle"];
        assert_eq!(root.hidden, expected);
    }

    #[test]
    fn this_machine_hides_its_passwords() {
        let root = root(Path::new("/"), &[]).unwrap();
        assert!(root.trees.contains(&"/usr".to_owned()));
        if Path::new("/etc/shadow").exists() {
            assert!(root.hidden.contains(&"/etc/shadow".to_owned()));
        }
    }
}
