//! A Job of 100,000 indexes under the default budgets: memory grows by what is kept and no more, and
//! its last pods cost what the first did.

use super::api;
use super::long_job::{follow, stretch_us};
use super::meter::Meter;
use super::{Way, idle};
use anyhow::{Result, ensure};
use std::path::Path;
use std::time::Instant;

const TASKS: u32 = 100_000;
const PARALLEL: u32 = 50;
const NAME: &str = "hundred-thousand";

/// The stretches that are compared: the first tasks of each, and its length.
const EARLY: u32 = 1_000;
const LATE: u32 = 89_000;
const STRETCH: u32 = 10_000;

/// What the server may grow by, MiB.
const GROWTH_MIB_MAX: f64 = 150.0;

/// What a late pod may cost, in early ones.
const RATIO_MAX: f64 = 1.2;

/// Runs the Job and says what it took.
///
/// # Errors
/// It took more than it may.
pub(super) fn measure(coracle: &Path, scratch: &Path, meter: &mut Meter) -> Result<()> {
    let server = super::server(coracle, scratch, meter)?;
    let rss_mib = || Ok::<_, anyhow::Error>(idle::rss_kib(server.pid())? as f64 / 1024.0);
    let (before, begun) = (rss_mib()?, Instant::now());
    server.api().create(&api::job(NAME, Way::Process, TASKS, PARALLEL))?;
    let readings = follow(&server, meter, NAME, TASKS)?;
    let grown = rss_mib()? - before;
    let cost = |from: u32| stretch_us(&readings, from, from + STRETCH);
    let (early, late) = (cost(EARLY), cost(LATE));
    println!(
        "{TASKS} pods, {PARALLEL} at a time, in {:.0} s: {grown:.0} MiB more than {before:.0}; {early:.0} µs of CPU for one of {STRETCH} early pods, {late:.0} for a late one: {:.2}",
        begun.elapsed().as_secs_f64(),
        late / early,
    );
    ensure!(grown <= GROWTH_MIB_MAX, "the server grew by more than {GROWTH_MIB_MAX} MiB");
    ensure!(late <= RATIO_MAX * early, "late pods cost more than {RATIO_MAX} times early ones");
    Ok(())
}
