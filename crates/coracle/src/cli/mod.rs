//! The command line as one table. Names, flags and defaults are a contract with the people who
//! script against it; a test holds this table to that contract, flag by flag.

mod images;
mod jobs;
mod objects;
#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{
    ArgGroup, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};
use jiff::SignedDuration;

pub(crate) use images::{Image, ImageLoad, ImageLs, ImagePull, ImageRm, ImageVerb};
pub(crate) use jobs::{Backfill, Following, Output, Prefix, Rerun, Trigger};
pub(crate) use objects::{
    Among, Apply, Cascade, Delete, Describe, DryRun, Get, NameOnly, Place, Wait, Which,
};

/// Your Kubernetes Jobs, without the cluster.
#[derive(Debug, Parser)]
#[command(name = "coracle", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Start with: coracle run coracle.local/host -- echo hello")]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One verb per variant.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run Jobs and Pods to completion and exit with their code
    Run(Run),
    /// Serve the Kubernetes API, in the foreground
    Up(Up),
    /// Stop the server; containers go on unless --stop-pods
    Down(Down),
    /// Show what runs and what it uses
    Status(Status),
    /// Print the output of a pod, or of all pods of a job
    Logs(Logs),
    /// Show objects: a table, or as yaml, json, names or chosen fields
    Get(objects::Get),
    /// Show everything about an object, with its events
    Describe(objects::Describe),
    /// Wait until jobs are Complete or Failed, or until a condition holds
    Wait(objects::Wait),
    /// Create objects, or bring those that are there to what files say
    Apply(objects::Apply),
    /// Delete objects
    Delete(objects::Delete),
    /// Show finished jobs, also those whose objects are gone
    History(History),
    /// Run a finished job again, under a new name, also one whose object is gone
    Rerun(Rerun),
    /// Run a job of a cronjob now
    Trigger(Trigger),
    /// Run the jobs of a cronjob for times that have passed
    Backfill(Backfill),
    /// Pull, load, list and remove images
    Image(Image),
    /// Show what this machine can and cannot do, with the mend
    Doctor(Doctor),
    /// The server behind `run` where no other holds the data directory
    #[command(hide = true)]
    ServePrivate(DataDir),
    /// The process that creates containers and outlives the server; no threads before it
    #[command(hide = true)]
    Spawner {
        /// The data directory.
        data_dir: PathBuf,
    },
}

/// Where everything is kept.
#[derive(Clone, Debug, Args)]
pub(crate) struct DataDir {
    /// Where everything is kept [default: /var/lib/coracle for root, else $XDG_DATA_HOME/coracle]
    #[arg(id = "data-dir", long = "data-dir", env = DATA_DIR_VARIABLE, value_name = "DIR")]
    #[arg(hide_env_values = true)]
    pub(crate) given: Option<PathBuf>,
}

/// The environment variable that stands for `--data-dir`.
const DATA_DIR_VARIABLE: &str = "CORACLE_DATA_DIR";

impl DataDir {
    /// What has to be repeated in a further command to mean the same directory: nothing if the
    /// environment says it.
    pub(crate) fn on_command_line(&self) -> Option<String> {
        let given = self.given.as_ref()?;
        let said = std::env::var_os(DATA_DIR_VARIABLE).is_some_and(|value| *given == *value);
        (!said).then(|| given.display().to_string())
    }
}

/// `coracle run`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["files", "image"]))]
#[command(override_usage = "coracle run [OPTIONS] -f FILE|DIR|- …\n       \
                            coracle run [OPTIONS] IMAGE -- CMD…")]
pub(crate) struct Run {
    /// Manifests: a file, a directory (its .yaml, .yml and .json files), or - for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR|-")]
    pub(crate) files: Vec<PathBuf>,
    /// The image to run one command in; coracle.local/host is this machine's own tools
    #[arg(conflicts_with = "files")]
    pub(crate) image: Option<String>,
    /// The command and its arguments
    #[arg(last = true, value_name = "CMD", requires = "image", conflicts_with = "files")]
    pub(crate) command: Vec<String>,
    /// Namespace of objects that name none [default: default]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
    /// Isolate as containers, or run as plain processes (only coracle.local/host)
    #[arg(long, value_enum)]
    pub(crate) runtime: Option<Runtime>,
    #[command(flatten)]
    pub(crate) following: Following,
}

/// How pods are set apart from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runtime {
    /// Namespaces, a root of its own, capabilities, seccomp.
    Container,
    /// A plain process; the cheapest way.
    Process,
}

/// Where a server listens unless told otherwise: the port of Kubernetes' API servers.
pub(crate) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 6443);

/// `coracle up`
#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
    /// The address and port to serve on; port 0 is any free one
    #[arg(long, value_name = "ADDR:PORT", default_value_t = LISTEN)]
    pub(crate) listen: SocketAddr,
    /// Where to write the context `coracle` for kubectl, beside what is there [default: kubeconfig
    /// in the data directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Return once the server is ready, and leave it running
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// When stopped, stop the running pods too
    #[arg(long)]
    pub(crate) stop_pods: bool,
}

/// `coracle down`
#[derive(Debug, Args)]
pub(crate) struct Down {
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
    /// Stop the running pods too
    #[arg(long)]
    pub(crate) stop_pods: bool,
}

/// `coracle status`
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
    /// Text for people, or JSON
    #[arg(short, long, value_enum, default_value_t = Report::Text)]
    pub(crate) output: Report,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `coracle logs`
#[derive(Debug, Args)]
#[command(override_usage = "coracle logs [OPTIONS] POD|job/NAME")]
pub(crate) struct Logs {
    /// A pod (NAME or pod/NAME) or all pods of a job (job/NAME)
    #[arg(value_name = "POD|job/NAME")]
    pub(crate) target: String,
    /// Namespace [default: default]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
    /// Only the pods of this completion index of an Indexed Job
    #[arg(long, value_name = "N")]
    pub(crate) index: Option<u32>,
    /// The container, where a pod has several
    #[arg(short, long)]
    pub(crate) container: Option<String>,
    /// Go on as output is written, to the end of the pod
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// The attempt before the present one
    #[arg(short, long)]
    pub(crate) previous: bool,
    /// Only the last N lines
    #[arg(long, value_name = "N")]
    pub(crate) tail: Option<u64>,
    /// Only what was written in the last DURATION
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) since: Option<Duration>,
    /// The time before each line
    #[arg(long)]
    pub(crate) timestamps: bool,
    /// The pod's index or name before each line
    #[arg(long)]
    pub(crate) prefix: bool,
}

/// `coracle history`
#[derive(Debug, Args)]
pub(crate) struct History {
    /// One job (job/NAME); all without
    #[arg(value_name = "job/NAME")]
    pub(crate) job: Option<String>,
    /// Namespace [default: all]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
    /// Text for people, or JSON lines
    #[arg(short, long, value_enum, default_value_t = Report::Text)]
    pub(crate) output: Report,
}

/// `coracle doctor`
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
}

/// Verbs that belong together, in the order in which the help lists them.
const GROUPS: &[(&str, &[&str])] = &[
    ("Jobs", &["run", "wait", "logs", "history", "rerun", "trigger", "backfill"]),
    ("Objects, as kubectl does", &["get", "describe", "apply", "delete"]),
    ("The server and this machine", &["up", "down", "status", "image", "doctor"]),
];

/// The command line with the help that lists verbs in groups.
fn command() -> clap::Command {
    let command = Cli::command();
    let mut groups = String::new();
    for (title, verbs) in GROUPS {
        groups += &format!("{title}:\n");
        for verb in verbs.iter().filter_map(|verb| command.find_subcommand(verb)) {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            groups += &format!("  {:<10}{about}\n", verb.get_name());
        }
        groups.push('\n');
    }
    let template = "{about}\n\n{usage-heading} {usage}\n\nGROUPSOptions:\n{options}{after-help}";
    command.help_template(template.replace("GROUPS", &groups))
}

impl Cli {
    /// Reads the command line; ends the process with 0 after help, with 2 after an error.
    pub(crate) fn read() -> Self {
        let matches = command().try_get_matches();
        matches.and_then(|matches| Self::from_arg_matches(&matches)).unwrap_or_else(|error| {
            let word = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::String(word)) => word.as_str(),
                _ => "",
            };
            let bare = !word.is_empty() && !word.starts_with(['-', '[', '<']);
            if error.kind() == ErrorKind::UnknownArgument && bare {
                // The most likely mistake: docker run takes the command right after the image.
                eprintln!("hint: a command stands after --: coracle run IMAGE -- {word} …");
            }
            error.exit()
        })
    }
}

/// A duration as Go and Kubernetes write it: `90s`, `1m30s`, `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = signed_duration(text)?;
    Duration::try_from(parsed).map_err(|_| format!("must not be negative; {DURATION_HINT}"))
}

/// The same, where a negative one has a meaning; a bare `0` is no time at all.
fn signed_duration(text: &str) -> Result<SignedDuration, String> {
    let text = if text == "0" { "0s" } else { text };
    text.parse().map_err(|_| DURATION_HINT.to_owned())
}

const DURATION_HINT: &str = "write it as 90s, 1m30s or 500ms";
