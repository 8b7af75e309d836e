//! The project's own commands: `cargo xtask ci`, `sim`, `fuzz`, `mutants`, `bench`, `upstream` and
//! `tidy`. Nothing but cargo is needed to run them, and CI runs nothing else.

mod bench;
mod cargo;
mod ci;
mod codegen;
mod fuzz;
mod mutants;
mod sim;
mod tidy;
mod upstream;

use clap::Parser;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Commands for those who work on coracle")]
enum Command {
    /// Check everything: set up, format, lint, test, simulate. The gate for every change.
    Ci(ci::Options),
    /// Run the simulation: many seeds, one seed, or for some minutes.
    Sim(sim::Options),
    /// Fuzz the decoders of bytes from outside.
    Fuzz(fuzz::Options),
    /// Break the controllers in every small way, and see whether a test notices.
    Mutants(mutants::Options),
    /// Measure what a task costs, beside a bare spawn of the same command.
    Bench(bench::Options),
    /// The baseline of the bench.
    #[command(hide = true)]
    SpawnLoop(bench::SpawnLoop),
    /// Write the tables of the API's types anew from their published definitions.
    Codegen,
    /// Run Kubernetes' own end-to-end suite against a server of ours.
    Upstream(upstream::Options),
    /// Check the tree for what compilers do not: layering, sizes, documents.
    Tidy,
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Ci(options) => return ci::run(&options),
        Command::Sim(options) => sim::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Mutants(options) => mutants::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::SpawnLoop(options) => bench::spawn_loop(&options),
        Command::Codegen => codegen::run(),
        Command::Upstream(options) => upstream::run(&options),
        Command::Tidy => tidy::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
