//! The data directory: where it is, what the files in it are called, and who may use it.

use std::{
    ffi::OsString,
    fs::{DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use crate::{cli, exit::Failure};

/// Where root keeps everything unless told otherwise.
const ROOT_DEFAULT: &str = "/var/lib/coracle";

/// The longest path of a unix socket, in bytes (`sun_path` less its final zero).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// A data directory that exists.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    directory: PathBuf,
}

impl Home {
    /// The directory that the command line and the environment name, which need not exist.
    pub(crate) fn locate(given: &cli::DataDir) -> Result<PathBuf, Failure> {
        let root = rustix::process::geteuid().is_root();
        choose(given.given.clone(), root, |name| std::env::var_os(name))
    }

    /// Opens the directory, making it, readable by its owner only, where it is missing.
    pub(crate) fn open(given: &cli::DataDir) -> Result<Self, Failure> {
        let directory = Self::locate(given)?;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|error| unusable(&directory, &error))?;
        Self::of(&directory)
    }

    /// Opens the directory if it is there.
    pub(crate) fn existing(given: &cli::DataDir) -> Result<Option<Self>, Failure> {
        let directory = Self::locate(given)?;
        if directory.is_dir() { Self::of(&directory).map(Some) } else { Ok(None) }
    }

    fn of(directory: &Path) -> Result<Self, Failure> {
        let directory = directory.canonicalize().map_err(|error| unusable(directory, &error))?;
        let home = Self { directory };
        let length = home.socket().as_os_str().len();
        if length > SOCKET_PATH_BYTES_MAX {
            return Err(Failure::usage(format!(
                "the data directory {} is too deep: its socket's path has {length} bytes and may \
                 have {SOCKET_PATH_BYTES_MAX}; choose a shorter one with --data-dir",
                home.directory.display()
            )));
        }
        Ok(home)
    }

    /// Its absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }

    /// The socket the server answers on.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join("server.sock")
    }

    /// The file that the server holds locked as long as it lives.
    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }

    /// Where a private server says what it has to say.
    pub(crate) fn server_log(&self) -> PathBuf {
        self.directory.join("server.log")
    }

    /// The kubeconfig of a server that is told of no other file.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.join("kubeconfig")
    }

    /// Waits until nobody else is about to start a server here, and keeps others from it as long as
    /// the file is open. This lock, on the directory itself, is held only during a start; a running
    /// server holds the file `lock`.
    pub(crate) fn start_turn(&self) -> Result<File, Failure> {
        let locked = File::open(&self.directory).and_then(|directory| {
            flock(&directory, FlockOperation::LockExclusive)?;
            Ok(directory)
        });
        locked.map_err(|error| unusable(&self.directory, &error))
    }
}

fn unusable(directory: &Path, error: &io::Error) -> Failure {
    Failure::engine(format!(
        "the data directory {} cannot be used: {error}; choose another with --data-dir or \
         CORACLE_DATA_DIR",
        directory.display()
    ))
}

fn choose(
    given: Option<PathBuf>,
    root: bool,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, Failure> {
    let var = |name| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(directory) = given.filter(|directory| !directory.as_os_str().is_empty()) {
        return Ok(directory);
    }
    if root {
        return Ok(ROOT_DEFAULT.into());
    }
    let data = var("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let data = data.or_else(|| Some(var("HOME")?.join(".local/share")));
    data.map(|data| data.join("coracle"))
        .ok_or_else(|| Failure::usage("neither HOME nor XDG_DATA_HOME is set; say --data-dir DIR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_the_given_one_else_roots_else_the_users() {
        let home = |name: &str| (name == "HOME").then(|| OsString::from("/home/a"));
        let xdg = |name: &str| (name == "XDG_DATA_HOME").then(|| OsString::from("/data"));
        let relative = |name: &str| {
            (name == "HOME").then(|| "/home/a".into()).or(Some(OsString::from("data")))
        };
        type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;
        let cases: [(Option<&str>, bool, Env, Option<&str>); 6] = [
            (Some("/x"), true, &home, Some("/x")),
            (None, true, &home, Some("/var/lib/coracle")),
            (Some(""), false, &home, Some("/home/a/.local/share/coracle")),
            (None, false, &xdg, Some("/data/coracle")),
            (None, false, &relative, Some("/home/a/.local/share/coracle")),
            (None, false, &|_| None, None),
        ];
        for (given, root, env, wanted) in cases {
            let found = choose(given.map(PathBuf::from), root, env).ok();
            assert_eq!(found, wanted.map(PathBuf::from), "{given:?} {root}");
        }
    }
}
