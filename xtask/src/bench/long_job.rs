//! Whether the last pods of a long Job cost what the first did: CPU of a stretch at its end beside
//! one near its begin.

use super::api::{self, Seen};
use super::meter::Meter;
use super::report::{LongJob, Report};
use super::server::{Server, ends_within, open};
use super::{Size, Way};
use anyhow::{Result, bail};
use std::path::Path;
use std::time::{Duration, Instant};

/// Seldom enough that asking costs nothing beside the pods.
const BETWEEN_READINGS: Duration = Duration::from_millis(50);

/// Enough at once that the machine is never idle.
const PARALLEL: u32 = 50;

pub(super) fn measure(
    coracle: &Path,
    scratch: &Path,
    meter: &mut Meter,
    size: &Size,
    report: &mut Report,
) -> Result<()> {
    for way in Way::ALL {
        let server = super::server(coracle, scratch, meter)?;
        let begun = Instant::now();
        let api = server.api();
        api.create(&api::job("long", way, size.long_job, PARALLEL))?;
        let readings = follow(&server, meter, "long", size.long_job)?;
        let cost = |from: u32| stretch_us(&readings, from, from + size.stretch);
        report.long_jobs.push(LongJob {
            name: way.name().to_owned(),
            tasks: size.long_job,
            stretch: size.stretch,
            early_cpu_us: cost(size.stretch),
            late_cpu_us: cost(size.long_job - size.stretch),
            wall_s: begun.elapsed().as_secs_f64(),
            server_rss_kib: super::idle::rss_kib(server.pid())?,
        });
    }
    Ok(())
}

/// How many pods have succeeded and what had been used by then, over and over until the Job is
/// Complete. Asked for and not watched: a client that lags behind a watch would ascribe to early
/// pods what later ones have cost.
pub(super) fn follow(
    server: &Server,
    meter: &Meter,
    name: &str,
    tasks: u32,
) -> Result<Vec<(u32, Duration)>> {
    let process = open(server.pid())?;
    let mut readings = vec![(0, meter.usage()?)];
    while !ends_within(&process, BETWEEN_READINGS)? {
        let seen = api::seen(&server.api().get(name)?, name)?;
        let usage = meter.usage()?;
        match seen {
            Some(Seen::Succeeded(count)) => readings.push((count, usage)),
            Some(Seen::Complete) => {
                readings.push((tasks, usage));
                return Ok(readings);
            }
            None => {}
        }
    }
    bail!("the server ended")
}

/// CPU per task between two counts of finished tasks, in microseconds; between two readings the
/// counter is taken to have risen evenly.
pub(super) fn stretch_us(readings: &[(u32, Duration)], from: u32, to: u32) -> f64 {
    (at(readings, to) - at(readings, from)) * 1e6 / f64::from(to - from)
}

fn at(readings: &[(u32, Duration)], count: u32) -> f64 {
    let after = readings.partition_point(|(reached, _)| *reached < count);
    let (high, high_cpu) = readings[after.min(readings.len() - 1)];
    let (low, low_cpu) = readings[after.saturating_sub(1)];
    if high == low {
        return high_cpu.as_secs_f64();
    }
    let share = f64::from(count - low) / f64::from(high - low);
    low_cpu.as_secs_f64() + share * (high_cpu - low_cpu).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::{Duration, stretch_us};

    #[test]
    fn a_stretch_is_read_between_the_readings() {
        let readings: Vec<_> = [(0, 0), (5, 50), (15, 150), (20, 400)]
            .map(|(n, ms)| (n, Duration::from_millis(ms)))
            .into();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(close(stretch_us(&readings, 0, 10), 10_000.0));
        assert!(close(stretch_us(&readings, 15, 20), 50_000.0));
    }
}
