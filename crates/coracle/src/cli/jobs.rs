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

/// `coracle trigger`
#[derive(Debug, Args)]
#[command(override_usage = "coracle trigger [OPTIONS] cronjob/NAME [-- ARGS…]")]
#[command(
    after_help = "Example: coracle trigger cronjob/nightly --set-env DAY=2026-11-20 -- --full"
)]
pub(crate) struct Trigger {
    /// The cronjob
    #[arg(value_name = "cronjob/NAME")]
    pub(crate) cron_job: String,
    /// Arguments for its only container, instead of those of the manifest
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<String>,
    /// A variable for all of its containers
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) set_env: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) following: Following,
}

/// `coracle backfill`
#[derive(Debug, Args)]
#[command(override_usage = "coracle backfill [OPTIONS] --since TIME cronjob/NAME")]
#[command(
    after_help = "A TIME is 2026-11-20T02:00:00Z, or 2026-11-20 or 2026-11-20T02:00 in the zone \
                        of the cronjob, or 36h or 3d, which is so long ago.\n\
                        Example: coracle backfill cronjob/nightly --since 2026-11-20 --dry-run"
)]
pub(crate) struct Backfill {
    /// The cronjob
    #[arg(value_name = "cronjob/NAME")]
    pub(crate) cron_job: String,
    /// The first time to fill in
    #[arg(long, value_name = "TIME")]
    pub(crate) since: String,
    /// The last time to fill in [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Say what would be run, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) following: Following,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}
