//! Files that are for their owner only, and files that are always there whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

/// Opens a file as `options` say; if that makes it, nobody else may read it. A symbolic link is
/// refused: it would lead somebody's writing elsewhere.
pub(crate) fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).expect("a flag of open(2)");
    options.mode(0o600).custom_flags(no_link).open(path)
}

/// Puts bytes in place of a file, for its owner only: whoever reads finds the old ones or the new
/// ones, also after a power cut. A symbolic link stays, and what it points to is replaced.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let new = beside(&path);
    let written = open_private(&new, OpenOptions::new().write(true).create_new(true))
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, &path));
    if written.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&new);
    }
    written
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_replaced_file_is_private_and_a_link_to_it_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("config"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        symlink("config", &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), ("new", 0o600));
        assert!(link.is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn what_cannot_be_replaced_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("config");
        fs::create_dir(&directory).unwrap();
        assert!(replace(&directory, b"new").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("server.log");
        symlink(dir.path().join("elsewhere"), &link).unwrap();
        assert!(open_private(&link, OpenOptions::new().append(true).create(true)).is_err());
        assert!(!dir.path().join("elsewhere").exists());
    }
}
