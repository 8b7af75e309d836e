//! The file `lock` in the data directory: held by the one server as long as it lives, and saying who
//! that is.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

use super::Mode;
use crate::exit::Failure;

/// The held lock; letting go of it is dropping it.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock. `Up` fails at once and names the holder; `Private` waits for a server that is
    /// just ending: its starter holds the turn, so nobody else can come in between.
    pub(super) fn take(data_dir: &Path, mode: Mode) -> Result<Self, Failure> {
        let path = data_dir.join("lock");
        let trouble = |error: io::Error| Failure::engine(format!("{}: {error}", path.display()));
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(trouble)?;
        let how = match mode {
            Mode::Up => FlockOperation::NonBlockingLockExclusive,
            Mode::Private => FlockOperation::LockExclusive,
        };
        match flock(&file, how) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(held(data_dir, &mut file)),
            Err(error) => return Err(trouble(error.into())),
        }
        let who = format!("{} {}\n", std::process::id(), mode.name());
        let written = file.set_len(0).and_then(|()| file.rewind());
        written.and_then(|()| file.write_all(who.as_bytes())).map_err(trouble)?;
        Ok(Self { _file: file })
    }
}

fn held(data_dir: &Path, file: &mut File) -> Failure {
    let mut who = String::new();
    // Whatever cannot be read is left out of the message.
    let _ = file.read_to_string(&mut who);
    let (pid, mode) = who.trim().split_once(' ').unwrap_or(("", ""));
    let holder = match mode {
        "private" => format!("the private server of a `coracle run` (process {pid})"),
        "up" => format!("`coracle up` (process {pid})"),
        _ => "another server".to_owned(),
    };
    Failure::engine(format!(
        "the data directory {} is held by {holder}; stop it with `coracle down`, or choose another \
         directory with --data-dir",
        data_dir.display()
    ))
}
