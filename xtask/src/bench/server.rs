//! A server under test with a data directory of its own, and its spawner.

use super::api::Api;
use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long the server and its spawner may take to leave.
const LEAVE_MAX: Duration = Duration::from_secs(10);

pub(super) struct Server {
    child: Child,
    directory: TempDir,
}

impl Server {
    /// Starts `coracle up` in a new directory under `scratch` and waits until it is ready.
    pub(super) fn start(coracle: &Path, scratch: &Path) -> Result<Server> {
        let directory = tempfile::Builder::new().prefix("data-").tempdir_in(scratch)?;
        let mut command = Command::new(coracle);
        command.args(["up", "--data-dir"]).arg(directory.path()).stdout(Stdio::piped());
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

    /// The process id of the server.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process id of its spawner: the process that is told to be one for this directory.
    pub(super) fn spawner(&self) -> Result<u32> {
        let directory = self.directory.path().as_os_str().as_encoded_bytes();
        let is_spawner = |arguments: &[u8]| {
            let arguments: Vec<_> = arguments.split(|byte| *byte == 0).collect();
            arguments.contains(&&b"spawner"[..]) && arguments.contains(&directory)
        };
        for process in fs::read_dir("/proc")? {
            let process = process?;
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A process that is gone by now has no arguments.
            if is_spawner(&fs::read(process.path().join("cmdline")).unwrap_or_default()) {
                return Ok(pid);
            }
        }
        bail!("the server has no spawner")
    }

    fn stop(&mut self) -> Result<()> {
        let spawner = self.spawner().ok().map(open).transpose()?;
        let server = open(self.child.id())?;
        pidfd_send_signal(&server, Signal::TERM)?;
        if !ends_within(&server, LEAVE_MAX)? {
            self.child.kill()?;
        }
        self.child.wait()?;
        if let Some(spawner) = spawner
            && !ends_within(&spawner, LEAVE_MAX)?
        {
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
