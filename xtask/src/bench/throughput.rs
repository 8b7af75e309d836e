//! The table: CPU per task and tasks per second of everything, interleaved.

use super::api::{self, Api, Seen};
use super::meter::Meter;
use super::report::{Report, Sample};
use super::{Size, Way, baseline};
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Instant;

/// The unit of `/proc/stat`, the same on every machine whatever its kernel's own tick.
const TICKS_PER_S: f64 = 100.0;

/// One repetition: each row once, the baseline of each group first.
pub(super) fn measure(
    coracle: &Path,
    scratch: &Path,
    meter: &mut Meter,
    size: &Size,
    report: &mut Report,
) -> Result<()> {
    let server = super::server(coracle, scratch, meter)?;
    for &parallel in size.parallel {
        let base = sample(meter, size.tasks, None, || baseline::bare(size.tasks, parallel))?;
        let ratio_to = Some(base.cpu_us);
        report.add("`posix_spawn` loop", parallel, base);
        let xargs = sample(meter, size.tasks, ratio_to, || baseline::xargs(size.tasks, parallel))?;
        report.add("`xargs -P`", parallel, xargs);
        for way in Way::ALL {
            let tasks = match way {
                Way::Process => size.tasks,
                Way::Container => size.containers,
            };
            let name = format!("{}-{parallel}", way.word());
            let job = sample(meter, tasks, ratio_to, || {
                complete(&server.api(), &name, way, tasks, parallel)
            })?;
            report.add(way.name(), parallel, job);
        }
    }
    Ok(())
}

/// Creates a Job and watches it until it is Complete.
pub(super) fn complete(api: &Api, name: &str, way: Way, tasks: u32, parallel: u32) -> Result<()> {
    let mut watch = api.watch()?;
    api.create(&api::job(name, way, tasks, parallel))?;
    loop {
        let line = watch.next().context("the watch ended")??;
        if api::seen(&line, name)? == Some(Seen::Complete) {
            return Ok(());
        }
    }
}

/// Runs the tasks between two readings of the counter.
fn sample(
    meter: &Meter,
    tasks: u32,
    baseline_us: Option<f64>,
    work: impl FnOnce() -> Result<()>,
) -> Result<Sample> {
    let (cpu, machine, begun) = (meter.usage()?, machine_busy_s()?, Instant::now());
    work()?;
    let wall_s = begun.elapsed().as_secs_f64();
    let cpu_s = (meter.usage()? - cpu).as_secs_f64();
    let elsewhere_s = machine_busy_s()? - machine - cpu_s;
    let cpu_us = cpu_s * 1e6 / f64::from(tasks);
    Ok(Sample {
        cpu_us,
        ratio: baseline_us.map_or(1.0, |baseline| cpu_us / baseline),
        tasks_per_s: f64::from(tasks) / wall_s,
        busy_elsewhere: (elsewhere_s / wall_s).max(0.0),
    })
}

/// Seconds that the machine's cores have worked since it started, for anyone.
fn machine_busy_s() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let ticks: Vec<u64> = stat
        .lines()
        .next()
        .context("/proc/stat is empty")?
        .split_whitespace()
        .skip(1)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    // user, nice, system, (idle, iowait left out) irq, softirq
    let busy: u64 = [0, 1, 2, 5, 6].iter().filter_map(|column| ticks.get(*column)).sum();
    Ok(busy as f64 / TICKS_PER_S)
}
