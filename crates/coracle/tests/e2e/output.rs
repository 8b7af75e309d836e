//! What goes to standard output and how, and what is kept out of it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    exit_codes::job,
    space::{Ran, Space},
};

/// An Indexed Job of three pods, each of which prints two lines, the second without an end.
fn three() -> String {
    let spec = "  completionMode: Indexed\n  completions: 3\n  parallelism: 3";
    job("three", spec, "echo one $JOB_COMPLETION_INDEX; printf two")
}

fn run(options: &[&str], text: &str) -> Ran {
    let space = Space::new();
    let path = space.file("job.yaml", text);
    let mut args = vec!["run", "-f", path.to_str().unwrap()];
    args.extend(options);
    let ran = space.run(&args);
    space.nothing_left();
    ran
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn one_pod_is_raw_bytes_of_both_streams() {
    // An unfinished line waits for its end before it is logged: it comes last.
    let text = job("raw", "", "echo c >&2; sleep 0.1; printf 'a\\000b\\r\\nno end'");
    assert_eq!(run(&[], &text).expect(0).out, "c\na\0b\r\nno end");
}

#[test]
fn several_pods_are_whole_lines_with_a_prefix_when_asked() {
    let ran = run(&[], &three()).expect(0);
    assert_eq!(sorted(&ran.out), ["one 0", "one 1", "one 2", "two", "two", "two"]);
    let ran = run(&["--prefix", "always"], &three()).expect(0);
    let wanted = ["[0] one 0", "[0] two", "[1] one 1", "[1] two", "[2] one 2", "[2] two"];
    assert_eq!(sorted(&ran.out), wanted);
    let ran = run(&["--prefix", "always"], &job("single", "", "echo x")).expect(0);
    assert!(ran.out.starts_with('[') && ran.out.ends_with("] x\n"), "{}", ran.out);
}

#[test]
fn many_short_pods_lose_no_line() {
    let spec = "  completionMode: Indexed\n  completions: 200\n  parallelism: 20";
    let text = job("many", spec, "echo $JOB_COMPLETION_INDEX a; echo $JOB_COMPLETION_INDEX b")
        .replace("      containers:", "      runtimeClassName: process\n      containers:");
    let ran = run(&[], &text).expect(0);
    let lines: BTreeSet<&str> = ran.out.lines().collect();
    assert_eq!((lines.len(), ran.out.lines().count()), (400, 400));
}

#[test]
fn json_has_the_events_of_the_contract_with_their_fields() {
    let text = job("events", "  backoffLimit: 0", "echo hello; exit 3");
    let ran = run(&["-o", "json"], &text).expect(3);
    let events = ran.events();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    let of = |name: &str| {
        let found = events.iter().find(|event| event["event"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {names:?}"))
    };
    assert_eq!((names[0], names[names.len() - 1]), ("submitted", "finished"));
    for event in &events {
        let time = event["time"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.contains('T'), "{time}");
        assert_eq!((&event["namespace"], &event["job"]), (&"default".into(), &"events".into()));
        let known = [
            "event",
            "time",
            "namespace",
            "job",
            "pod",
            "index",
            "attempt",
            "exitCode",
            "signal",
            "reason",
            "message",
            "line",
        ];
        let unknown = event.as_object().unwrap().keys().find(|key| !known.contains(&key.as_str()));
        assert_eq!(unknown, None, "{event}");
    }
    assert_eq!((&of("started")["attempt"], &of("log")["line"]), (&1.into(), &"hello".into()));
    assert_eq!((&of("failed")["exitCode"], &of("failed")["reason"]), (&3.into(), &"Error".into()));
    let finished = of("finished");
    assert_eq!(finished["reason"], "BackoffLimitExceeded");
    assert_eq!(finished["exitCode"], Value::from(3));
    of("scheduled");
}

#[test]
fn names_only_and_quiet() {
    let ran = run(&["-o", "name"], &job("named", "", "echo hello")).expect(0);
    assert_eq!(ran.out, "job/named\n");
    let ran = run(&["-q"], &job("quiet", "", "echo hello")).expect(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("hello\n", ""));
    let ran = run(&["-q"], &job("quiet", "  backoffLimit: 0", "exit 1")).expect(1);
    assert!(ran.err.contains("job/quiet  Failed"), "{}", ran.err);
}

/// The binary is one static file: enough for a root file system of its own.
#[test]
fn a_root_file_system_directory_is_an_image() {
    let space = Space::new();
    let root = space.data().join("images/own");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::copy(crate::space::CORACLE, root.join("coracle")).unwrap();
    let ran = space.run(&["run", "own", "--", "/coracle", "--version"]).expect(0);
    assert_eq!(ran.out, concat!("coracle ", env!("CARGO_PKG_VERSION"), "\n"));
    space.run(&["run", "own", "--", "/bin/sh"]).expect(127);
    space.nothing_left();
}

/// On a terminal there is a live block on standard error, and prefixes on standard output.
#[test]
fn on_a_terminal_output_has_prefixes_and_progress_is_redrawn() {
    let space = Space::new();
    let path = space.file("job.yaml", &three());
    let typescript = space.path("typescript");
    let coracle = crate::space::CORACLE;
    let line = format!("{coracle} run -f {}", path.display());
    let mut command = std::process::Command::new("script");
    command.args(["-qec", &line]).arg(&typescript).env("CORACLE_DATA_DIR", space.data());
    command.env("TERM", "xterm").env_remove("CI").env_remove("NO_COLOR");
    command.stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    crate::space::Running::of(command).finish().expect(0);
    let text = std::fs::read_to_string(typescript).unwrap();
    assert!(text.contains("[1] one 1\r\n"), "{text}");
    assert!(text.contains("\u{1b}["), "nothing is redrawn: {text}");
    assert!(text.contains("job/three  Complete  3/3 succeeded"), "{text}");
    space.nothing_left();
}
