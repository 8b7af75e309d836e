//! The `coracle` binary: takes the command line apart, hands it to the verb, and turns what comes
//! back into the exit code.

/// Prints a line. `println!` would panic where its reader has gone (`coracle status | head -1`).
macro_rules! tell {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// The same on standard error.
macro_rules! complain {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod cli;
mod client;
mod clock;
mod cron;
mod data_dir;
mod doctor;
mod down;
mod exit;
mod files;
mod history;
mod image;
mod link;
mod logs;
mod objects;
mod rerun;
mod run;
mod server;
mod sources;
mod start;
mod status;
mod target;
mod up;

use std::process::ExitCode;

use crate::{
    cli::{Cli, Command},
    exit::{Code, Failure},
};

fn main() -> ExitCode {
    match dispatch(Cli::read().command) {
        Ok(code) => code.into(),
        Err(failure) => {
            for line in failure.message.lines() {
                complain!("error: {line}");
            }
            failure.code.into()
        }
    }
}

fn dispatch(command: Command) -> Result<Code, Failure> {
    match command {
        Command::Run(args) => client(run::run(&args)),
        Command::Image(args) => client(image::image(&args)),
        Command::Doctor(args) => client(doctor::doctor(&args)),
        Command::Down(args) => client(down::down(&args)),
        Command::Status(args) => client(status::status(&args)),
        Command::Logs(args) => client(logs::logs(&args)),
        Command::Get(args) => client(objects::get(&args)),
        Command::Describe(args) => client(objects::describe(&args)),
        Command::Wait(args) => client(objects::wait(&args)),
        Command::Apply(args) => client(objects::apply(&args)),
        Command::Delete(args) => client(objects::delete(&args)),
        Command::History(args) => client(history::history(&args)),
        Command::Rerun(args) => client(rerun::rerun(&args)),
        Command::Trigger(args) => client(cron::trigger(&args)),
        Command::Backfill(args) => client(cron::backfill(&args)),
        Command::Up(args) => up::up(&args),
        Command::ServePrivate(args) => up::serve_private(&args),
        // A program of its own that shares the file: its codes are between it and the server.
        Command::Spawner { data_dir } => {
            Ok(Code::container(u8::try_from(spawner::main(&data_dir)).unwrap_or(1)))
        }
    }
}

/// Drives a verb that is a client of a server.
fn client(verb: impl Future<Output = Result<Code, Failure>>) -> Result<Code, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::engine(error.to_string()))?;
    let result = runtime.block_on(verb);
    // A start of a server that is under way does not hold up the end.
    runtime.shutdown_background();
    result
}
