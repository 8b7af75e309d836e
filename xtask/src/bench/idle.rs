//! What coracle uses while nothing happens.

use super::report::Idle;
use super::server::{Server, ends_within, open};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::ffi::OsString;
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
    let before = (wake_ups(main)?, wake_ups(spawner)?);
    if !settled || ends_within(&process, Duration::from_secs(seconds.into()))? {
        bail!("the server ended while idle");
    }
    let woken = since(&before.0, &wake_ups(main)?) + since(&before.1, &wake_ups(spawner)?);
    Ok(Idle {
        server_rss_kib: rss_kib(main)?,
        spawner_rss_kib: rss_kib(spawner)?,
        wake_ups_per_s: woken as f64 / f64::from(seconds),
    })
}

/// Resident memory of a process, shared pages of its executable included.
pub(super) fn rss_kib(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let rss = number(&status, "VmRSS:").context("no VmRSS")?;
    Ok(rss)
}

/// How often each thread of a process has gone to sleep by itself, and so has been woken.
fn wake_ups(pid: u32) -> Result<BTreeMap<OsString, u64>> {
    let mut counts = BTreeMap::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let thread = thread?;
        let status = fs::read_to_string(thread.path().join("status"))?;
        let count = number(&status, "voluntary_ctxt_switches:").context("no count of switches")?;
        counts.insert(thread.file_name(), count);
    }
    Ok(counts)
}

/// Wake-ups between two looks. A thread that ended in between takes its count along; a new one
/// counts whole.
fn since(before: &BTreeMap<OsString, u64>, after: &BTreeMap<OsString, u64>) -> u64 {
    let new = |(thread, count): (&OsString, &u64)| count - before.get(thread).unwrap_or(&0);
    after.iter().map(new).sum()
}

fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A helper thread that ended while the server was idle once made the difference negative.
    #[test]
    fn a_thread_that_ended_takes_its_count_along() {
        let look = |counts: &[(&str, u64)]| -> BTreeMap<OsString, u64> {
            counts.iter().map(|(thread, count)| (OsString::from(thread), *count)).collect()
        };
        let (before, after) = (look(&[("1", 10), ("2", 900)]), look(&[("1", 13), ("3", 4)]));
        assert_eq!(since(&before, &after), 7);
    }
}
