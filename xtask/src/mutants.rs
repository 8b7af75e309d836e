//! `cargo xtask mutants`: breaks the controllers in every small way, and sees whether a test notices.
//!
//! What decides about other people's Jobs is in crate `reconcile`, and its cases are the
//! specification; a change that no case notices is a rule that nobody wrote down.

use crate::cargo;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// The version of cargo-mutants.
const VERSION: &str = "27.1.0";
/// How many mutants of a hundred have to be noticed.
const CAUGHT_PERCENT_MIN: usize = 90;
/// How long the tests may take on one mutant, which may loop.
const TEST_S_MAX: u32 = 120;

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Only mutants of these files, from the root of the workspace; without it, of all of
    /// `reconcile`.
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
}

/// How many mutants ended how.
#[derive(Debug, PartialEq)]
struct Tally {
    caught: usize,
    missed: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let program = installed()?;
    let output = cargo::root().join("target/cargo-mutants");
    let mut command = cargo::command(&program.to_string_lossy());
    command.args(["mutants", "--package", "reconcile", "--no-shuffle", "--colors", "never"]);
    command.args(["--timeout", &TEST_S_MAX.to_string(), "--output"]).arg(&output);
    for file in &options.file {
        command.arg("--file").arg(file);
    }
    // It fails when any mutant was missed; how many may be is judged here.
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    let told = output.join("mutants.out");
    let tally = read(&told).with_context(|| format!("cargo-mutants ended with {status}"))?;
    let tried = tally.caught + tally.missed;
    ensure!(tried > 0, "no mutant was tried");
    println!("{} of {tried} mutants were noticed", tally.caught);
    if tally.caught * 100 < tried * CAUGHT_PERCENT_MIN {
        let missed = told.join("missed.txt");
        bail!("{} were not, see {}: write cases", tally.missed, missed.display());
    }
    Ok(())
}

/// Where the tool lies; it is built if it is not there.
fn installed() -> Result<PathBuf> {
    let root = cargo::root().join("target/cargo-mutants").join(VERSION);
    let program = root.join("bin/cargo-mutants");
    if !program.is_file() {
        println!("cargo-mutants {VERSION} is missing: it is built");
        let mut install = cargo::cargo();
        install.args(["install", "cargo-mutants", "--version", VERSION, "--locked", "--quiet"]);
        // Its own speed does not matter beside that of the tests.
        cargo::succeed(install.arg("--debug").arg("--root").arg(&root))?;
    }
    Ok(program)
}

/// A mutant that hangs is noticed; one that does not compile says nothing.
fn read(directory: &Path) -> Result<Tally> {
    let lines = |name: &str| -> Result<usize> {
        let path = directory.join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(text.lines().count())
    };
    Ok(Tally { caught: lines("caught.txt")? + lines("timeout.txt")?, missed: lines("missed.txt")? })
}

#[cfg(test)]
mod tests {
    use super::{Tally, read};

    #[test]
    fn mutants_that_hang_are_noticed_ones() {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in
            [("caught.txt", "a\nb\n"), ("missed.txt", "c\n"), ("timeout.txt", "d\n")]
        {
            std::fs::write(directory.path().join(name), text).expect("a file");
        }
        let tally = read(directory.path()).expect("all files are there");
        assert_eq!(tally, Tally { caught: 3, missed: 1 });
    }
}
