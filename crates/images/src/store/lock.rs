//! Locks between processes, which the kernel gives back when their holder dies.

use std::{fs::File, io, path::Path};

use rustix::fs::{FlockOperation, flock};

use crate::{Error, error::io_error};

/// A lock as long as the value.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Roots are being made: nothing is removed meanwhile.
    pub(super) fn work(directory: &Path) -> Result<Self, Error> {
        take(directory, "work.lock", FlockOperation::LockShared)
    }

    /// Nobody makes roots; `None` if somebody does.
    pub(super) fn alone(directory: &Path) -> Result<Option<Self>, Error> {
        match take(directory, "work.lock", FlockOperation::NonBlockingLockExclusive) {
            Ok(lock) => Ok(Some(lock)),
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The index is being changed.
    pub(super) fn index(directory: &Path) -> Result<Self, Error> {
        take(directory, "index.lock", FlockOperation::LockExclusive)
    }
}

fn take(directory: &Path, name: &str, how: FlockOperation) -> Result<Lock, Error> {
    let path = directory.join(name);
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(io_error(path.display()))?;
    flock(&file, how).map_err(|error| io_error(path.display())(error.into()))?;
    Ok(Lock { _file: file })
}
