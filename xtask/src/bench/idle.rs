//! What coracle uses while nothing happens.

use super::report::Idle;
use super::server::{Server, ends_within, open};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How long a server is left alone before it is called idle.
const SETTLE: Duration = Duration::from_secs(2);

/// Memory of an empty server and its spawner, and how often they wake.
pub(super) fn measure(coracle: &Path, scratch: &Path, seconds: u32) -> Result<Idle> {
    let server = Server::start(coracle, scratch)?;
    let main = server.pid();
    let process = open(main)?;
    // What starting has set in motion, the spawner above all, settles before the count begins.
    let settled = !ends_within(&process, SETTLE)?;
    let spawner = server.spawner()?;
    let before = wake_ups(main)? + wake_ups(spawner)?;
    if !settled || ends_within(&process, Duration::from_secs(seconds.into()))? {
        bail!("the server ended while idle");
    }
    let after = wake_ups(main)? + wake_ups(spawner)?;
    Ok(Idle {
        server_rss_kib: rss_kib(main)?,
        spawner_rss_kib: rss_kib(spawner)?,
        wake_ups_per_s: (after - before) as f64 / f64::from(seconds),
    })
}

/// Resident memory of a process, shared pages of its executable included.
pub(super) fn rss_kib(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let rss = number(&status, "VmRSS:").context("no VmRSS")?;
    Ok(rss)
}

/// How often the threads of a process have gone to sleep by themselves, and so have been woken.
fn wake_ups(pid: u32) -> Result<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        sum += number(&status, "voluntary_ctxt_switches:").context("no count of switches")?;
    }
    Ok(sum)
}

fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
