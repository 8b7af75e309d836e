//! The command line held to its contract.

use super::*;

/// The contract, as the design has it: verb, then the flags it takes beside `--help`.
const CONTRACT: &[(&str, &[&str])] = &[
    (
        "run",
        &[
            "-f",
            "-n",
            "--data-dir",
            "--runtime",
            "--timeout",
            "--start-timeout",
            "--prefix",
            "-o",
            "-q",
            "-d",
            "--plain",
        ],
    ),
    ("up", &["--data-dir", "--listen", "--kubeconfig", "-d", "--stop-pods"]),
    ("down", &["--data-dir", "--stop-pods"]),
    ("status", &["--data-dir", "-o"]),
    (
        "logs",
        &[
            "-n",
            "--data-dir",
            "--index",
            "-c",
            "-f",
            "-p",
            "--tail",
            "--since",
            "--timestamps",
            "--prefix",
        ],
    ),
    (
        "get",
        &[
            "-f",
            "-l",
            "-n",
            "--data-dir",
            "-A",
            "--field-selector",
            "-o",
            "-w",
            "--watch-only",
            "--sort-by",
            "--no-headers",
            "--show-labels",
            "--show-kind",
            "--ignore-not-found",
            "--show-managed-fields",
        ],
    ),
    ("describe", &["-f", "-l", "-n", "--data-dir", "-A", "--show-events"]),
    (
        "wait",
        &[
            "-f",
            "-l",
            "-n",
            "--data-dir",
            "-A",
            "--all",
            "--field-selector",
            "--for",
            "--timeout",
            "-o",
        ],
    ),
    ("apply", &["-f", "-n", "--data-dir", "--dry-run", "-o"]),
    (
        "delete",
        &[
            "-f",
            "-l",
            "-n",
            "--data-dir",
            "-A",
            "--all",
            "--field-selector",
            "--cascade",
            "--grace-period",
            "--force",
            "--now",
            "--wait",
            "--timeout",
            "--ignore-not-found",
            "--dry-run",
            "-o",
        ],
    ),
    ("history", &["-n", "--data-dir", "-o"]),
    (
        "rerun",
        &[
            "--failed",
            "-n",
            "--data-dir",
            "--timeout",
            "--start-timeout",
            "--prefix",
            "-o",
            "-q",
            "-d",
            "--plain",
        ],
    ),
    (
        "trigger",
        &[
            "--set-env",
            "-n",
            "--data-dir",
            "--timeout",
            "--start-timeout",
            "--prefix",
            "-o",
            "-q",
            "-d",
            "--plain",
        ],
    ),
    (
        "backfill",
        &[
            "--since",
            "--until",
            "--dry-run",
            "-n",
            "--data-dir",
            "--timeout",
            "--start-timeout",
            "--prefix",
            "-o",
            "-q",
            "-d",
            "--plain",
        ],
    ),
    ("image", &[]),
    ("doctor", &["--data-dir"]),
];

#[test]
fn the_table_has_exactly_the_flags_of_the_contract() {
    let cli = Cli::command();
    let visible = cli.get_subcommands().filter(|c| !c.is_hide_set());
    let found: Vec<(String, Vec<String>)> = visible
        .map(|command| {
            let flags = command.get_arguments().filter(|a| !a.is_positional()).map(|a| {
                let short = a.get_short().map(|s| format!("-{s}"));
                short.unwrap_or_else(|| format!("--{}", a.get_long().unwrap_or_default()))
            });
            (command.get_name().to_owned(), flags.collect())
        })
        .collect();
    let wanted: Vec<(String, Vec<String>)> = CONTRACT
        .iter()
        .map(|(verb, flags)| (verb.to_string(), flags.iter().map(|f| f.to_string()).collect()))
        .collect();
    assert_eq!(found, wanted);
    Cli::command().debug_assert();
}

#[test]
fn every_verb_is_in_one_group_of_the_help() {
    let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, verbs)| *verbs).copied().collect();
    let mut verbs: Vec<&str> = CONTRACT.iter().map(|(verb, _)| *verb).collect();
    listed.sort_unstable();
    verbs.sort_unstable();
    assert_eq!(listed, verbs);
    let help = command().render_help().to_string();
    assert!(help.contains("Jobs:\n  run       Run Jobs and Pods to completion"), "{help}");
    assert!(help.contains("\n\nObjects, as kubectl does:\n  get  "), "{help}");
}

fn parse(line: &str) -> Result<Command, clap::error::ErrorKind> {
    let words = std::iter::once("coracle").chain(line.split_whitespace());
    Cli::try_parse_from(words).map(|cli| cli.command).map_err(|e| e.kind())
}

#[test]
fn run_takes_files_or_an_image_with_a_command() {
    let Ok(Command::Run(run)) = parse("run -f a.yaml -f dir -f - -n x -o json -q -d") else {
        panic!("files must parse");
    };
    assert_eq!((run.files.len(), run.following.output), (3, Output::Json));
    assert_eq!(run.following.start_timeout, Duration::from_secs(60));
    let Ok(Command::Run(run)) = parse("run --timeout 1m30s busybox -- sh -c true") else {
        panic!("an image must parse");
    };
    assert_eq!(run.following.timeout, Some(Duration::from_secs(90)));
    assert_eq!((run.image.as_deref(), run.command.len()), (Some("busybox"), 3));
}

#[test]
fn wrong_usage_is_refused() {
    for line in [
        "run",
        "run -f a.yaml busybox",
        "run -f a.yaml -- true",
        "run busybox true",
        "run --timeout 5 -f a.yaml",
        "run --timeout -5s -f a.yaml",
        "run --prefix sometimes -f a.yaml",
        "trigger cronjob/x --set-env DAY",
        "backfill cronjob/x",
        "up --listen 6443",
        "up --listen localhost:6443",
        "frobnicate",
    ] {
        assert!(parse(line).is_err(), "{line:?} must be refused");
    }
}
