//! How Jobs are followed that a command submits, and the verbs that make Jobs of what is there.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Place, duration};

/// How what was submitted is followed.
#[derive(Clone, Debug, Args)]
pub(crate) struct Following {
    /// Cancel what has not finished after this long, and exit with 124
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Give up with 125 on what could not start for this long
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub(crate) start_timeout: Duration,
    /// Whether `[index] ` stands before each line of output
    #[arg(long, value_enum, default_value_t = Prefix::Auto)]
    pub(crate) prefix: Prefix,
    /// What goes to standard output: the jobs' own output, one JSON object per event, or names
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
    /// No progress; only output, errors and the result of what failed
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Leave it running and return once everything is submitted
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// One line per change instead of a live display, also on a terminal
    #[arg(long)]
    pub(crate) plain: bool,
}

/// Whether lines of output say where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Prefix {
    /// With several pods and a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What goes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// The output of the jobs, raw.
    Text,
    /// One object per event.
    Json,
    /// `job/NAME` lines.
    Name,
}

/// `coracle rerun`
#[derive(Debug, Args)]
#[command(override_usage = "coracle rerun [OPTIONS] job/NAME")]
#[command(
    after_help = "With --failed, completions that succeeded count in the new job and are not run again.\n\
                        Example: coracle rerun job/etl --failed"
)]
pub(crate) struct Rerun {
    /// The job, which has finished
    #[arg(value_name = "job/NAME")]
    pub(crate) job: String,
    /// Only what did not succeed; indexes stay what they were
    #[arg(long)]
    pub(crate) failed: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) following: Following,
}
