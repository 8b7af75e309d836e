//! `cargo xtask sim`: the simulation, always optimised, because its worth is the number of seeds.

use crate::cargo;
use anyhow::Result;

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
    if let Some(bug) = &options.bug {
        arguments.extend(["--bug".to_owned(), bug.clone()]);
    }
    let mut command = match &options.bug {
        // Built with other features than everything else, so without the slow last optimisations.
        Some(bug) => {
            let mut command = cargo::cargo();
            command.args(["run", "--quiet", "--profile", "sim", "--package", "simulation"]);
            command.args(["--features", &format!("planted-{bug}"), "--"]);
            command
        }
        None => command(),
    };
    cargo::succeed(command.args(arguments))
}

/// The simulation without planted bugs, to be given its arguments.
pub(crate) fn command() -> std::process::Command {
    let mut command = cargo::cargo();
    command.args(["run", "--quiet", "--release", "--package", "simulation", "--"]);
    command
}
