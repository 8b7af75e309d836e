//! A server under test with a data directory of its own, and its spawner.

use super::api::Api;
use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long the server and its spawner may take to leave.
const LEAVE_MAX: Duration = Duration::from_secs(10);

pub(crate) struct Server {
    child: Child,
    directory: TempDir,
}

impl Server {
    /// Starts `coracle up` in a new directory under `scratch` and waits until it is ready.
    pub(crate) fn start(coracle: &Path, scratch: &Path) -> Result<Server> {
        let directory = tempfile::Builder::new().prefix("data-").tempdir_in(scratch)?;
        let mut command = Command::new(coracle);
        command.args(["up", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(directory.path()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start coracle")?;
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("stdout is a pipe")).read_line(&mut ready)?;
        let server = Server { child, directory };
        if !ready.starts_with("ready") {
            bail!("the server says {ready:?} instead of `ready`");
        }
        Ok(server)
    }

    pub(super) fn api(&self) -> Api {
        Api::new(self.directory.path().join("server.sock"))
    }

    /// The file that says how it is reached over TLS.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("kubeconfig")
    }

    /// Its data directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process id of the server.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process id of its spawner, which starts beside the server: ask after the first pod.
    pub(super) fn spawner(&self) -> Result<u32> {
        let lock = self.directory.path().join("spawner.lock");
        fs::read_to_string(&lock)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .with_context(|| format!("no spawner has written {}", lock.display()))
    }

    fn stop(&mut self) -> Result<()> {
        let server = open(self.child.id())?;
        pidfd_send_signal(&server, Signal::TERM)?;
        if !ends_within(&server, LEAVE_MAX)? {
            self.child.kill()?;
        }
        self.child.wait()?;
        // The spawner leaves with a server that stops; one that is gone already cannot be opened.
        let Some(spawner) = self.spawner().ok().and_then(|pid| open(pid).ok()) else {
            return Ok(());
        };
        if !ends_within(&spawner, LEAVE_MAX)? {
            pidfd_send_signal(&spawner, Signal::KILL)?;
            bail!("the spawner did not leave with its server");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("stopping the server: {error:#}");
        }
    }
}

/// Something that tells when the process ends.
pub(super) fn open(pid: u32) -> Result<OwnedFd> {
    let raw = Pid::from_raw(pid.cast_signed()).context("not a process id")?;
    Ok(pidfd_open(raw, PidfdFlags::empty())?)
}

/// Waits until the process ends, at most so long; whether it did.
pub(super) fn ends_within(process: &OwnedFd, most: Duration) -> Result<bool> {
    let timeout = Timespec::try_from(most)?;
    Ok(poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&timeout))? > 0)
}
