//! `cargo xtask ci`: one table of steps, run in order, with one closing line. A step that fails does
//! not keep the later ones from running, so that one run tells all.

mod counted;
mod setup;

use crate::{bench, cargo, codegen, fuzz, mutants, sim, tidy, upstream};
use anyhow::Result;
use std::process::ExitCode;
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Add the tier that takes hours.
    #[arg(long)]
    full: bool,
    /// Only show the steps.
    #[arg(long)]
    list: bool,
}

/// When a step runs.
#[derive(Clone, Copy, PartialEq)]
enum Tier {
    /// Before every change: at most 20 minutes in all, on two cores, from nothing.
    Quick,
    /// With `--full`: hours.
    Full,
}

/// What a step has to say: one for a step that only checks, many for one that runs tests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    fn and(self, other: Tally) -> Tally {
        Tally { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

struct Step {
    name: &'static str,
    tier: Tier,
    what: &'static str,
    run: fn() -> Result<Tally>,
}

const STEPS: &[Step] = &[
    quick("setup", "the tools that the other steps need", setup::run),
    quick("format", "cargo fmt --check", || {
        command(&["fmt", "--all", "--check"])?;
        command(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])
    }),
    quick("tidy", "layering, sizes, documents", || tidy::run().map(one)),
    quick("lint", "clippy over everything, warnings denied", || {
        command(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    }),
    quick("clients", "the clients of other makers that the tests drive", clients),
    quick("test", "unit, case, property and end-to-end tests", counted::all),
    quick("release", "the executables as released", || {
        cargo::release_executable("coracle").map(drop).map(one)
    }),
    quick("fuzz", "a minute for each fuzz target", || fuzz::all(60).map(one)),
    quick("sim", "200 seeds of the simulation", || simulate(200)),
    full("codegen", "generated tables are as the generator writes them", || {
        codegen::check().map(one)
    }),
    full("fuzz-long", "ten minutes for each fuzz target", || fuzz::all(600).map(one)),
    full("sim-long", "50,000 seeds of the simulation", || simulate(50_000)),
    full("planted", "every planted bug is found by the simulation", planted),
    full("mutants", "nine of ten small breakages of the controllers are noticed", || {
        mutants::run(&mutants::Options::default()).map(one)
    }),
    full("torment", "500 kills of the server, a minute without one", || {
        let longer = [("CORACLE_TORMENT_ROUNDS", "500"), ("CORACLE_SILENCE_S", "60")];
        counted::run(&["test", "--package", "coracle", "--test", "torment"], &longer)
    }),
    full(
        "upstream",
        "the stories of Kubernetes' own end-to-end suite that are known to pass",
        || {
            let (passed, failed) = upstream::count(&upstream::Options::default())?;
            Ok(Tally { passed, failed })
        },
    ),
    full("large", "100,000 objects open in half a second after kill -9", || {
        counted::run(&["test", "--release", "--package", "store", "--", "--ignored"], &[])
    }),
    full("hundred-thousand", "a Job of 100,000 pods: memory, and what its last pods cost", || {
        bench::hundred_thousand().map(one)
    }),
    full("bench", "the bench, whole", || bench::run(&bench::Options::default()).map(one)),
];

const fn quick(name: &'static str, what: &'static str, run: fn() -> Result<Tally>) -> Step {
    Step { name, tier: Tier::Quick, what, run }
}

const fn full(name: &'static str, what: &'static str, run: fn() -> Result<Tally>) -> Step {
    Step { name, tier: Tier::Full, what, run }
}

pub(crate) fn run(options: &Options) -> ExitCode {
    let steps = STEPS.iter().filter(|step| options.full || step.tier == Tier::Quick);
    if options.list {
        for step in steps {
            let tier = if step.tier == Tier::Quick { "quick" } else { "full" };
            println!("{:<16} {tier:<6} {}", step.name, step.what);
        }
        return ExitCode::SUCCESS;
    }
    let mut total = Tally::default();
    for step in steps {
        println!("==> {}: {}", step.name, step.what);
        let begun = Instant::now();
        let tally = (step.run)().unwrap_or_else(|error| {
            eprintln!("{}: {error:#}", step.name);
            Tally { passed: 0, failed: 1 }
        });
        let verdict = if tally.failed == 0 { "ok" } else { "FAILED" };
        println!("<== {}: {verdict} in {:.1} s", step.name, begun.elapsed().as_secs_f64());
        total = total.and(tally);
        if step.name == "setup" && tally.failed > 0 {
            break;
        }
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A step that only checks counts as one.
fn one((): ()) -> Tally {
    Tally { passed: 1, failed: 0 }
}

fn command(arguments: &[&str]) -> Result<Tally> {
    cargo::succeed(cargo::cargo().args(arguments)).map(one)
}

fn simulate(seeds: u64) -> Result<Tally> {
    let arguments = ["--seeds".to_owned(), seeds.to_string()];
    sim::simulate(&arguments, None).map(one)
}

/// Builds what has a workspace of its own, into the directory in which the tests look.
fn clients() -> Result<Tally> {
    const MANIFEST: &str = "crates/coracle/tests/torment/clients/kube/Cargo.toml";
    let there = ["--manifest-path", MANIFEST];
    cargo::succeed(cargo::cargo().arg("fmt").args(there).arg("--check"))?;
    let build = ["build", "--locked", "--target-dir", "target/clients"];
    cargo::succeed(cargo::cargo().args(build).args(there))?;
    library_of_schedules().map(one)
}

/// Builds the program that asks the library which Kubernetes leaves schedules to.
fn library_of_schedules() -> Result<()> {
    let there = cargo::root().join("crates/kinds/tests/cron/robfig");
    let output = cargo::root().join("target/clients/robfig");
    let mut go = cargo::command("go");
    go.args(["build", "-mod=readonly", "-o"]).arg(output).arg(".").current_dir(there);
    cargo::succeed(&mut go)
}

/// Every planted bug has to be found, or the checkers of the simulation see nothing.
fn planted() -> Result<Tally> {
    let mut tally = Tally::default();
    for bug in sim::bugs()? {
        match sim::simulate(&[], Some(&bug)) {
            Ok(()) => tally.passed += 1,
            Err(error) => {
                eprintln!("{bug}: {error:#}");
                tally.failed += 1;
            }
        }
    }
    anyhow::ensure!(tally.passed + tally.failed > 0, "no bug can be planted any more");
    Ok(tally)
}
