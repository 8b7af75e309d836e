//! The file `lock` in the data directory: held by the one server as long as it lives, and saying who
//! that is.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};

use super::Mode;
use crate::{exit::Failure, files};

/// How long a private server that may be ending is waited for, in milliseconds.
const ENDING_WAIT_MS: u64 = 3_000;

/// The held lock; letting go of it is dropping it.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock. `Up` names the holder and fails, at once if that is another `up`, else after a
    /// while: a private server may be about to end. `Private` waits for whoever is just ending: its
    /// starter holds the turn, so nobody else can come in between.
    pub(super) fn take(data_dir: &Path, mode: Mode) -> Result<Self, Failure> {
        let path = data_dir.join("lock");
        let trouble = |error: io::Error| Failure::engine(format!("{}: {error}", path.display()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = files::open_private(&path, &mut options).map_err(trouble)?;
        let how = match mode {
            Mode::Up => FlockOperation::NonBlockingLockExclusive,
            Mode::Private => FlockOperation::LockExclusive,
        };
        match flock(&file, how) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let who = holder(&mut file);
                if !(who.1 == "private" && released(&file).map_err(trouble)?) {
                    return Err(held(data_dir, &who));
                }
            }
            Err(error) => return Err(trouble(error.into())),
        }
        let who = format!("{} {}\n", std::process::id(), mode.name());
        let written = file.set_len(0).and_then(|()| file.rewind());
        written.and_then(|()| file.write_all(who.as_bytes())).map_err(trouble)?;
        Ok(Self { _file: file })
    }
}

/// Process id and mode of the holder, as the file says; empty where it says nothing.
fn holder(file: &mut File) -> (String, String) {
    let mut who = String::new();
    // Whatever cannot be read is left out of the message.
    let _ = file.read_to_string(&mut who);
    let (pid, mode) = who.trim().split_once(' ').unwrap_or_default();
    (pid.to_owned(), mode.to_owned())
}

/// Waits a while for the lock; true once it is taken.
fn released(file: &File) -> io::Result<bool> {
    let waiting = file.try_clone()?;
    let (sender, receiver) = mpsc::channel();
    // Both descriptors are one open file, and so is the lock; the thread ends with the process.
    thread::spawn(move || sender.send(flock(&waiting, FlockOperation::LockExclusive)));
    match receiver.recv_timeout(Duration::from_millis(ENDING_WAIT_MS)) {
        Ok(result) => result.map(|()| true).map_err(io::Error::from),
        Err(_) => Ok(false),
    }
}

fn held(data_dir: &Path, (pid, mode): &(String, String)) -> Failure {
    let holder = match mode.as_str() {
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
