//! `cargo xtask sim`: the simulation, always optimised, because its worth is the number of seeds.

use crate::cargo;
use anyhow::Result;
use std::fs;
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many seeds.
    #[arg(long, conflicts_with_all = ["seed", "minutes"])]
    seeds: Option<u64>,
    /// The first of them.
    #[arg(long, conflicts_with = "seed")]
    from: Option<u64>,
    /// One seed, with its story: what a failure tells you to type.
    #[arg(long, conflicts_with = "minutes")]
    seed: Option<u64>,
    /// Go on with new seeds for so many minutes.
    #[arg(long)]
    minutes: Option<u64>,
    /// Plant this bug, and succeed only if the checkers find it.
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut arguments = Vec::new();
    for (name, value) in [
        ("--seeds", options.seeds),
        ("--from", options.from),
        ("--seed", options.seed),
        ("--minutes", options.minutes),
    ] {
        if let Some(value) = value {
            arguments.extend([name.to_owned(), value.to_string()]);
        }
    }
    simulate(&arguments, options.bug.as_deref())
}

/// Runs the simulation. With a bug planted, which is a feature of the crate it lies in, the
/// simulation succeeds if it finds it.
pub(crate) fn simulate(arguments: &[String], bug: Option<&str>) -> Result<()> {
    let executable = match bug {
        None => cargo::release_executable("simulation")?,
        Some(bug) => cargo::featured_executable("simulation", &format!("{PLANTED}{bug}"))?,
    };
    let mut command = Command::new(executable);
    command.args(arguments);
    if let Some(bug) = bug {
        command.args(["--bug", bug]);
    }
    cargo::succeed(&mut command)
}

/// How the features that plant bugs begin.
const PLANTED: &str = "planted-";

/// The bugs that can be planted, from the features of the simulation.
pub(crate) fn bugs() -> Result<Vec<String>> {
    let manifest = fs::read_to_string(cargo::root().join("crates/simulation/Cargo.toml"))?;
    let names = manifest.lines().filter_map(|line| {
        let (feature, _) = line.split_once(" = [")?;
        feature.strip_prefix(PLANTED).map(str::to_owned)
    });
    Ok(names.collect())
}
