//! The verbs over objects: kubectl's flags, as far as they work here. A flag that does not work does
//! not exist.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{DataDir, duration};
use crate::objects::{Form, Format};

/// Where objects are looked for.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// Namespace [default: default]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
}

/// Which objects a verb is about.
#[derive(Clone, Debug, Args)]
pub(crate) struct Which {
    /// KIND[,KIND…] [NAME…], or KIND/NAME …
    #[arg(value_name = "KIND|KIND/NAME")]
    pub(crate) words: Vec<String>,
    /// The objects of manifests: a file, a directory (its .yaml, .yml and .json files), or -
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR|-", conflicts_with = "words")]
    pub(crate) files: Vec<PathBuf>,
    /// Only objects with these labels: `a=b,c!=d,e in (f, g)`
    #[arg(short = 'l', long, value_name = "LABELS", conflicts_with = "files")]
    pub(crate) selector: Option<String>,
}

/// How far objects are looked for beyond one namespace.
#[derive(Clone, Debug, Args)]
pub(crate) struct Reach {
    /// In all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
}

/// Which of the objects of the kinds, for verbs that want to be told.
#[derive(Clone, Debug, Args)]
pub(crate) struct Among {
    #[command(flatten)]
    pub(crate) reach: Reach,
    /// All objects of the kinds
    #[arg(long, conflicts_with_all = ["selector", "files"])]
    pub(crate) all: bool,
    /// Only objects with these fields
    #[arg(long, value_name = "FIELDS", conflicts_with = "files")]
    pub(crate) field_selector: Option<String>,
}

/// `coracle get`
#[derive(Debug, Args)]
#[command(override_usage = "coracle get [OPTIONS] KIND[,KIND…] [NAME…]\n       \
                            coracle get [OPTIONS] KIND/NAME …\n       \
                            coracle get [OPTIONS] -f FILE|DIR|- …")]
#[command(after_help = "Examples: coracle get jobs\n          \
                        coracle get pods -l job-name=etl -o wide\n          \
                        coracle get job/etl -o jsonpath='{.status.succeeded}'")]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) reach: Reach,
    /// Only objects with these fields: `status.phase=Running`
    #[arg(long, value_name = "FIELDS", conflicts_with = "files")]
    pub(crate) field_selector: Option<String>,
    /// wide, yaml, json, name, jsonpath=TEMPLATE or custom-columns=NAME:PATH,…
    #[arg(short, long, value_name = "FORMAT", value_parser = Format::parse)]
    pub(crate) output: Option<Format>,
    /// After the objects, their changes
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Only changes
    #[arg(long, conflicts_with = "watch")]
    pub(crate) watch_only: bool,
    /// In the order of this field: `.metadata.creationTimestamp`
    #[arg(long, value_name = "PATH")]
    pub(crate) sort_by: Option<String>,
    /// No line with the names of the columns
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// A last column with all labels
    #[arg(long)]
    pub(crate) show_labels: bool,
    /// The kind before each name
    #[arg(long)]
    pub(crate) show_kind: bool,
    /// Objects named on the command line that do not exist are no error
    #[arg(long)]
    pub(crate) ignore_not_found: bool,
    /// With yaml and json, also who manages which fields
    #[arg(long)]
    pub(crate) show_managed_fields: bool,
}

/// `coracle describe`
#[derive(Debug, Args)]
#[command(override_usage = "coracle describe [OPTIONS] KIND[,KIND…] [NAME-PREFIX…]\n       \
                            coracle describe [OPTIONS] KIND/NAME …\n       \
                            coracle describe [OPTIONS] -f FILE|DIR|- …")]
#[command(after_help = "Example: coracle describe job/etl")]
pub(crate) struct Describe {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) reach: Reach,
    /// Whether events are shown [default: true for one object, else false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    pub(crate) show_events: Option<bool>,
}

/// `coracle wait`
#[derive(Debug, Args)]
#[command(override_usage = "coracle wait [OPTIONS] KIND/NAME …\n       \
                            coracle wait [OPTIONS] KIND [NAME…] -l LABELS|--all\n       \
                            coracle wait [OPTIONS] -f FILE|DIR|- …")]
#[command(
    after_help = "Without --for it waits until each job is Complete or Failed, and exits as \
                        `coracle run` does.\n\
                        Examples: coracle wait job/etl\n          \
                        coracle wait pod/web --for=condition=Ready --timeout=60s"
)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) among: Among,
    /// condition=NAME[=VALUE], delete, create or jsonpath='{PATH}'[=VALUE]
    #[arg(long = "for", value_name = "WHAT")]
    pub(crate) until: Option<String>,
    /// The longest wait: 0 looks once, a negative one is a week [default: 30s with --for, else none]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    #[arg(value_parser = super::signed_duration)]
    pub(crate) timeout: Option<jiff::SignedDuration>,
    /// `name` for names alone
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<NameOnly>,
}

/// Output that consists of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NameOnly {
    /// `job.batch/x`
    Name,
}

/// Whether anything is really done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    /// It is done.
    #[default]
    None,
    /// It is said what would be sent.
    Client,
    /// The server does everything except keeping it.
    Server,
}

/// What becomes of dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cascade {
    /// They go after their owner.
    Background,
    /// They go before their owner.
    Foreground,
    /// They stay.
    Orphan,
}

/// `coracle delete`
#[derive(Debug, Args)]
#[command(override_usage = "coracle delete [OPTIONS] KIND[,KIND…] NAME…\n       \
                            coracle delete [OPTIONS] KIND/NAME …\n       \
                            coracle delete [OPTIONS] KIND[,KIND…] -l LABELS|--all\n       \
                            coracle delete [OPTIONS] -f FILE|DIR|- …")]
#[command(after_help = "Examples: coracle delete job/etl\n          \
                        coracle delete pods -l app=web --grace-period=5")]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) among: Among,
    /// What becomes of what the object made, such as the pods of a job
    #[arg(long, value_enum, default_value_t = Cascade::Background)]
    pub(crate) cascade: Cascade,
    /// Seconds that pods get to end; negative for their own
    #[arg(long, value_name = "SECONDS", default_value_t = -1, allow_hyphen_values = true)]
    pub(crate) grace_period: i64,
    /// With --grace-period=0: at once
    #[arg(long)]
    pub(crate) force: bool,
    /// Almost at once: a grace period of one second
    #[arg(long)]
    pub(crate) now: bool,
    /// Wait until the objects are gone
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) wait: bool,
    /// The longest wait; 0 for none
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Objects that do not exist are no error
    #[arg(long)]
    pub(crate) ignore_not_found: bool,
    /// none, client (say what would be deleted) or server (do everything except deleting)
    #[arg(long, value_enum, value_name = "WHERE", default_value_t)]
    pub(crate) dry_run: DryRun,
    /// `name` for names alone
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<NameOnly>,
}

/// `coracle apply`
#[derive(Debug, Args)]
#[command(override_usage = "coracle apply [OPTIONS] -f FILE|DIR|- …")]
#[command(after_help = "Example: coracle apply -f nightly.yaml")]
pub(crate) struct Apply {
    /// Manifests: a file, a directory (its .yaml, .yml and .json files), or - for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR|-", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// none, client (say what would be sent) or server (do everything except keeping it)
    #[arg(long, value_enum, value_name = "WHERE", default_value_t)]
    pub(crate) dry_run: DryRun,
    /// What is printed of the objects: name, yaml, json, jsonpath=… or custom-columns=…
    #[arg(short, long, value_name = "FORMAT", value_parser = Form::parse)]
    pub(crate) output: Option<Form>,
}
