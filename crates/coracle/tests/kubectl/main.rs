//! What people see who use kubectl: each case is a session in a shell, with the commands and what
//! they print, driven by every kubectl that is supported against a server of its own.
//!
//! A case is a file in `cases`. A line `$ …` is a command, continued by lines that begin with `> `;
//! below it stands what it prints, on both channels, and `[exit N]` if it fails. Where the kubectls
//! differ, each one's output stands below its version in brackets. Lines before the first command
//! say what the case is about. Ages, random names and whatever is this machine's are masked
//! ([`mask`]). `UPDATE_EXPECT=1` writes the files anew.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod mask;
mod session;

use std::{fs, path::PathBuf};

use expect_test::expect_file;
use session::Session;

/// The kubectls, as `cargo xtask ci` installs them. What they print is compared with what the first
/// one does.
const VERSIONS: [&str; 2] = ["1.37.1", "1.36.3"];

fn cases() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubectl/cases"))
}

/// A command and what each kubectl makes it print.
struct Step {
    command: String,
    outputs: Vec<String>,
}

fn check(name: &str) {
    let path = cases().join(format!("{name}.txt"));
    let text = fs::read_to_string(&path).unwrap();
    let (about, commands) = parse(&text);
    let mut steps: Vec<Step> =
        commands.into_iter().map(|command| Step { command, outputs: Vec::new() }).collect();
    for version in VERSIONS {
        let mut session = Session::begin(version);
        for step in &mut steps {
            step.outputs.push(session.run(&step.command));
        }
        session.end();
    }
    expect_file![path].assert_eq(&print(&about, &steps));
}

/// The lines before the first command, and the commands.
fn parse(text: &str) -> (String, Vec<String>) {
    let (mut about, mut commands) = (String::new(), Vec::<String>::new());
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push(command.to_owned());
        } else if let (Some(more), Some(command)) = (line.strip_prefix("> "), commands.last_mut()) {
            *command += &format!("\n{more}");
        } else if commands.is_empty() {
            about += &format!("{line}\n");
        }
    }
    (about, commands)
}

fn print(about: &str, steps: &[Step]) -> String {
    let mut text = about.to_owned();
    for Step { command, outputs } in steps {
        text += &format!("$ {}\n", command.replace('\n', "\n> "));
        if outputs.iter().all(|output| *output == outputs[0]) {
            text += &outputs[0];
        } else {
            for (version, output) in VERSIONS.iter().zip(outputs) {
                text += &format!("[{version}]\n{output}");
            }
        }
    }
    text
}

/// One test per case, so that they run beside each other, and one that misses none.
macro_rules! cases {
    ($($name:ident)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        #[test]
        fn every_file_is_a_case() {
            let mut files: Vec<String> = fs::read_dir(cases())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            assert_eq!(files, [$(concat!(stringify!($name), ".txt")),*]);
        }
    };
}

cases! {
    api_resources
    apply
    auth
    create
    cronjob
    delete
    describe
    edit
    events
    explain
    get
    logs
    patch
    raw
    version
    wait
}
