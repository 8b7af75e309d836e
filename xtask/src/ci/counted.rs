//! Runs tests with cargo, lets their output through and counts them.

use super::Tally;
use crate::cargo;
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

/// As many kills of the server as a release has to stand.
const TORMENT: [(&str, &str); 1] = [("CORACLE_TORMENT_ROUNDS", "20")];

/// Runs every test there is. Those of crate `coracle` that run the binary start containers: without
/// root they are left out; tests of other crates that need root say so themselves.
pub(super) fn all() -> Result<Tally> {
    if rustix::process::geteuid().is_root() {
        return run(&["test", "--workspace", "--no-fail-fast"], &TORMENT);
    }
    println!("not root, so these are skipped: the end-to-end tests of crate coracle");
    let most = run(&["test", "--workspace", "--exclude", "coracle", "--no-fail-fast"], &[])?;
    let unit = run(&["test", "--package", "coracle", "--bins", "--no-fail-fast"], &[])?;
    Ok(most.and(unit))
}

/// Runs `cargo` with these arguments and environment. A run that fails without a failed test (it
/// did not compile, a test died) counts as one failure.
pub(super) fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Tally> {
    let mut command = cargo::cargo();
    command.args(arguments).envs(environment.iter().copied()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    let lines = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
    let mut tally = Tally::default();
    for line in lines.split(b'\n') {
        let line = line?;
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&line)?;
        stdout.write_all(b"\n")?;
        if let Some(result) = counts(&String::from_utf8_lossy(&line)) {
            tally.passed += result.passed;
            tally.failed += result.failed;
        }
    }
    if !child.wait()?.success() {
        tally.failed = tally.failed.max(1);
    }
    Ok(tally)
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`, the last line of every test program.
fn counts(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |what: &str| {
        counts.split("; ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok())
    };
    Some(Tally { passed: count(" passed")?, failed: count(" failed")? })
}

#[cfg(test)]
mod tests {
    use super::{Tally, counts};

    #[test]
    fn the_result_line_of_a_test_program_is_counted_and_no_other() {
        let line = "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; finished";
        assert_eq!(counts(line), Some(Tally { passed: 12, failed: 2 }));
        let line = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(counts(line), Some(Tally::default()));
        assert_eq!(counts("test a::b ... ok"), None);
        assert_eq!(counts("     Running tests/run.rs (target/debug/deps/run-1)"), None);
    }
}
