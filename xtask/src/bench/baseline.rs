//! What coracle is compared with: a bare spawn loop, `xargs`, and the disk's own sync.

use super::COMMAND;
use crate::cargo;
use anyhow::{Context, Result, bail};
use rustix::process::{WaitOptions, wait};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The arguments of the hidden command that is the baseline.
#[derive(clap::Args)]
pub(crate) struct SpawnLoop {
    tasks: u32,
    parallel: u32,
    program: String,
}

/// Runs the program so many times, so many at once: nothing but spawn and wait. The standard
/// library spawns by `posix_spawn` when, as here, nothing has to be done between fork and exec.
pub(crate) fn spawn_loop(options: &SpawnLoop) -> Result<()> {
    let (mut started, mut ended) = (0, 0);
    while ended < options.tasks {
        while started < options.tasks && started - ended < options.parallel {
            // Dropped, not waited for: whichever ends first is waited for below.
            Command::new(&options.program).env_clear().spawn().context("cannot spawn")?;
            started += 1;
        }
        match wait(WaitOptions::empty())? {
            Some((_, status)) if status.exit_status() == Some(0) => ended += 1,
            other => bail!("a task failed: {other:?}"),
        }
    }
    Ok(())
}

/// The spawn loop in a process of its own, so that its CPU has nothing of ours.
pub(super) fn bare(tasks: u32, parallel: u32) -> Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["spawn-loop", &tasks.to_string(), &parallel.to_string(), COMMAND]);
    cargo::succeed(&mut command)
}

/// `xargs -P` over as many lines.
pub(super) fn xargs(tasks: u32, parallel: u32) -> Result<()> {
    let mut command = Command::new("xargs");
    command.args(["-P", &parallel.to_string(), "-n", "1", COMMAND]).stdin(Stdio::piped());
    let mut child = command.spawn().context("cannot run xargs")?;
    let mut lines = child.stdin.take().expect("stdin is a pipe");
    for task in 0..tasks {
        writeln!(lines, "{task}")?;
    }
    drop(lines);
    let status = child.wait()?;
    if !status.success() {
        bail!("xargs ended with {status}");
    }
    Ok(())
}

/// How often per second this disk makes a small append durable: what a commit cannot beat.
pub(super) fn syncs_per_s(scratch: &Path) -> Result<f64> {
    const SYNCS: u32 = 200;
    const APPEND_BYTES: usize = 300;
    let path = scratch.join("syncs");
    let mut file = File::create(&path)?;
    let begun = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[b'x'; APPEND_BYTES])?;
        file.sync_data()?;
    }
    let per_s = f64::from(SYNCS) / begun.elapsed().as_secs_f64();
    std::fs::remove_file(&path)?;
    Ok(per_s)
}
