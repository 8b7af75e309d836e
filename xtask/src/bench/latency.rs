//! How long one pod takes: from POST to Complete on a watch, and `coracle run` from nothing.

use super::api::{self, Api, Seen};
use super::meter::Meter;
use super::report::{Latency, Report};
use super::{COMMAND, Size, Way};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// `coracle run` starts and ends a server each time: a few readings are enough.
const RUNS_MAX: usize = 20;

pub(super) fn measure(
    coracle: &Path,
    scratch: &Path,
    meter: &mut Meter,
    size: &Size,
    report: &mut Report,
) -> Result<()> {
    let bare = readings(size.latencies, |_| super::baseline::bare(1, 1))?;
    report.latencies.push(Latency::new("the spawn loop, one command", &bare));
    let server = super::server(coracle, scratch, meter)?;
    for way in Way::ALL {
        let one = post_to_complete(&server.api(), way, size.latencies)?;
        report.latencies.push(Latency::new(&format!("{}: POST to Complete", way.name()), &one));
    }
    drop(server);
    for way in Way::ALL {
        let directory = tempfile::tempdir_in(scratch)?;
        let run = readings(size.latencies.min(RUNS_MAX), |_| {
            let mut command = Command::new(coracle);
            command.args(["run", "--quiet", "--runtime", way.word(), "--data-dir"]);
            command.arg(directory.path()).args(["coracle.local/host", "--", COMMAND]);
            crate::cargo::succeed(command.stdin(Stdio::null()))
        })?;
        let name = format!("{}: `coracle run`, no server before", way.name());
        report.latencies.push(Latency::new(&name, &run));
    }
    Ok(())
}

fn post_to_complete(api: &Api, way: Way, count: usize) -> Result<Vec<Duration>> {
    let mut watch = api.watch()?;
    readings(count, |reading| {
        let name = format!("{}-{reading}", way.word());
        api.create(&api::job(&name, way, 1, 1))?;
        loop {
            let line = watch.next().context("the watch ended")??;
            if api::seen(&line, &name)? == Some(Seen::Complete) {
                return Ok(());
            }
        }
    })
}

fn readings(count: usize, mut work: impl FnMut(usize) -> Result<()>) -> Result<Vec<Duration>> {
    let mut readings = Vec::new();
    for reading in 0..count {
        let begun = Instant::now();
        work(reading)?;
        readings.push(begun.elapsed());
    }
    Ok(readings)
}
