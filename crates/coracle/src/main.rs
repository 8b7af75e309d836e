//! The `coracle` binary: takes the command line apart, hands it to the verb, and turns what comes
//! back into the exit code.

mod cli;
mod client;
mod clock;
mod data_dir;
mod exit;
mod server;
mod start;
mod up;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    cli::{Cli, Command},
    exit::{Code, Failure},
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli.command) {
        Ok(code) => code.into(),
        Err(failure) => {
            for line in failure.message.lines() {
                eprintln!("error: {line}");
            }
            failure.code.into()
        }
    }
}

fn dispatch(command: Command) -> Result<Code, Failure> {
    match command {
        Command::Up(args) => up::up(&args),
        Command::ServePrivate(args) => up::serve_private(&args),
        other => Err(Failure::engine(format!("not built in: {other:?}"))),
    }
}
