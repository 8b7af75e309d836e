//! `cargo xtask bench`: what a task costs, beside a bare `posix_spawn` of the same command.
//!
//! The measure is CPU per task, of everything: server, spawner, containers and client, read from
//! one control group that holds them all. Wall time depends on what else the machine does, CPU far
//! less; and each repetition measures its own baseline just before, so that a ratio compares two
//! readings of the same minute.

mod api;
mod baseline;
mod hundred_thousand;
mod idle;
mod latency;
mod long_job;
mod meter;
mod report;
mod server;
mod serving;
mod throughput;
mod tls;

use crate::cargo;
use anyhow::{Context, Result};
use report::Report;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use baseline::{SpawnLoop, spawn_loop};
pub(crate) use server::Server;

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// A minute instead of ten: fewer tasks, one repetition. For seeing that it works.
    #[arg(long)]
    quick: bool,
    /// Measure only this; may be repeated.
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// Write the tables into README.md.
    #[arg(long)]
    readme: bool,
    /// Do not measure: show this earlier result.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// One of the things that are measured.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Part {
    /// CPU per task and tasks/s, beside the spawn loop and xargs.
    Throughput,
    /// One pod, from POST to Complete, and `coracle run`.
    Latency,
    /// Reads, watches and creates over TLS, and how soon a server is ready.
    Api,
    /// Whether late pods of a long Job cost what early ones did.
    LongJob,
    /// Memory and wake-ups while nothing happens.
    Idle,
    /// A Job of 100,000 pods: minutes, so only when asked for.
    HundredThousand,
}

/// How much is measured.
struct Size {
    repetitions: usize,
    /// How many tasks run at once, one group of rows each.
    parallel: &'static [u32],
    /// Tasks per reading: of cheap ones, and of containers.
    tasks: u32,
    containers: u32,
    /// Readings per latency.
    latencies: usize,
    /// How long each rate of the API is measured.
    serving: Duration,
    /// Indexes of the long Job, and of the two stretches of it that are compared.
    long_job: u32,
    stretch: u32,
    idle_s: u32,
}

const WHOLE: Size = Size {
    repetitions: 5,
    parallel: &[2, 8, 50],
    tasks: 2000,
    containers: 1000,
    latencies: 100,
    serving: Duration::from_secs(5),
    long_job: 10_000,
    stretch: 1000,
    idle_s: 20,
};

const QUICK: Size = Size {
    repetitions: 1,
    parallel: &[8],
    tasks: 300,
    containers: 100,
    latencies: 10,
    serving: Duration::from_secs(1),
    long_job: 500,
    stretch: 100,
    idle_s: 3,
};

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.only.contains(&Part::HundredThousand) {
        hundred_thousand()?;
        if options.only.len() == 1 {
            return Ok(());
        }
    }
    let report = match &options.from {
        Some(file) => serde_json::from_slice(&fs::read(file)?)
            .with_context(|| format!("{} is not a result of this bench", file.display()))?,
        None => measure(if options.quick { &QUICK } else { &WHOLE }, &options.only)?,
    };
    let tables = report.markdown();
    println!("\n{tables}");
    if options.readme {
        let path = cargo::root().join("README.md");
        fs::write(&path, report::splice(&fs::read_to_string(&path)?, &tables)?)?;
    }
    Ok(())
}

/// A Job of 100,000 pods stays within what it may take.
pub(crate) fn hundred_thousand() -> Result<()> {
    let coracle = cargo::release_executable("coracle")?;
    hundred_thousand::measure(&coracle, scratch()?.path(), &mut meter::Meter::new()?)
}

fn measure(size: &Size, only: &[Part]) -> Result<Report> {
    let coracle = cargo::release_executable("coracle")?;
    let mut meter = meter::Meter::new()?;
    let scratch = scratch()?;
    let mut report = Report::new(scratch.path(), size.repetitions)?;
    let wanted = |part| only.is_empty() || only.contains(&part);
    for repetition in 1..=size.repetitions {
        report.syncs_per_s.push(baseline::syncs_per_s(scratch.path())?);
        if wanted(Part::Throughput) {
            println!("throughput: repetition {repetition} of {}", size.repetitions);
            throughput::measure(&coracle, scratch.path(), &mut meter, size, &mut report)?;
        }
        if wanted(Part::Api) {
            println!("the API: repetition {repetition} of {}", size.repetitions);
            serving::measure(&coracle, scratch.path(), size, &mut report)?;
        }
    }
    if wanted(Part::Api) {
        serving::ready(&coracle, scratch.path(), size, &mut report)?;
    }
    if wanted(Part::Latency) {
        println!("latency");
        latency::measure(&coracle, scratch.path(), &mut meter, size, &mut report)?;
    }
    if wanted(Part::LongJob) {
        println!("a Job of {} indexes", size.long_job);
        long_job::measure(&coracle, scratch.path(), &mut meter, size, &mut report)?;
    }
    if wanted(Part::Idle) {
        println!("idle for {} s", size.idle_s);
        report.idle = Some(idle::measure(&coracle, scratch.path(), size.idle_s)?);
    }
    let file = report.save(&cargo::root().join("bench-results"))?;
    println!("kept in {}", file.display());
    Ok(report)
}

/// A directory on the same file system as the tree: `/tmp` may be memory, where a sync costs nothing.
fn scratch() -> Result<tempfile::TempDir> {
    let target = cargo::root().join("target");
    fs::create_dir_all(&target)?;
    Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(target)?)
}

/// Which way a pod runs.
#[derive(Clone, Copy)]
enum Way {
    /// RuntimeClass `process`.
    Process,
    /// The default.
    Container,
}

impl Way {
    const ALL: [Way; 2] = [Way::Process, Way::Container];

    fn name(self) -> &'static str {
        match self {
            Way::Process => "coracle, `process`",
            Way::Container => "coracle, container",
        }
    }

    /// The value of `run --runtime`, and part of a Job's name.
    fn word(self) -> &'static str {
        match self {
            Way::Process => "process",
            Way::Container => "container",
        }
    }
}

/// The command that every row runs.
const COMMAND: &str = "/bin/true";

/// A server in a directory of its own under `scratch` that has run a small Job each way, so that
/// nothing is measured which happens only once; `meter` counts it and its spawner.
fn server(coracle: &Path, scratch: &Path, meter: &mut meter::Meter) -> Result<server::Server> {
    let server = server::Server::start(coracle, scratch)?;
    for way in Way::ALL {
        throughput::complete(&server.api(), &format!("warm-up-{}", way.word()), way, 10, 2)?;
    }
    meter.include(server.spawner()?)?;
    Ok(server)
}
