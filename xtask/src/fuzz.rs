//! `cargo xtask fuzz`: libFuzzer on every decoder of bytes from outside.
//!
//! The pinned stable compiler instruments as the nightly one does, through LLVM's own options;
//! sanitizers would want nightly, and have little to find where only one crate is unsafe. What grew
//! is kept under `target/fuzz`, so that each run goes on from the one before.

mod seeds;

use crate::cargo;
use anyhow::{Context, Result, bail};
use seeds::Seeds;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this target; without it, all.
    #[arg(value_name = "TARGET", value_parser = TARGETS.iter().map(|t| t.name).collect::<Vec<_>>())]
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Run only this input: one that a failure has kept.
    #[arg(long, value_name = "FILE", requires = "target")]
    input: Option<PathBuf>,
}

/// A target, and where its first inputs come from beside `fuzz/seeds/NAME`.
struct Target {
    name: &'static str,
    seeds: &'static [Seeds],
}

/// Related decoders share a target: the time of all of them together is what CI waits for.
const TARGETS: &[Target] = &[
    target(
        "manifest",
        &[Seeds::Files("examples"), Seeds::Cases("manifest"), Seeds::Cases("locate")],
    ),
    target("body", &[Seeds::Cases("body")]),
    target("protobuf", &[Seeds::Hex("protobuf")]),
    target("patch", &[Seeds::Cases("patch")]),
    target("text", &[]),
    target("request", &[Seeds::Requests("crates/apiserver/tests/api/cases")]),
    target("spdy", &[]),
    target("node", &[]),
    target("store", &[]),
];

const fn target(name: &'static str, seeds: &'static [Seeds]) -> Target {
    Target { name, seeds }
}

/// How many targets run at once: more than CI has cores, because it waits for all of them, each a minute.
const AT_ONCE: usize = 5;
/// How long one input may take; CI shares its cores.
const INPUT_S_MAX: u32 = 20;
/// How much memory a target may take.
const MEMORY_MIB_MAX: u32 = 2048;
/// How many lines of its output a failure shows.
const SHOWN_LINES: usize = 40;

/// What makes the compiler count edges and show comparisons to libFuzzer.
const INSTRUMENT: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

pub(crate) fn run(options: &Options) -> Result<()> {
    let wanted = |target: &&Target| options.target.as_ref().is_none_or(|name| name == target.name);
    let targets: Vec<&Target> = TARGETS.iter().filter(wanted).collect();
    let executable = build()?;
    match &options.input {
        Some(input) => cargo::succeed(fuzzer(&executable, targets[0]).arg(input)),
        None => fuzz(&executable, &targets, options.seconds),
    }
}

/// Every target for so many seconds.
pub(crate) fn all(seconds: u32) -> Result<()> {
    fuzz(&build()?, &TARGETS.iter().collect::<Vec<_>>(), seconds)
}

/// Builds the executable of all targets.
fn build() -> Result<PathBuf> {
    let mut build = cargo::cargo();
    build.args(["build", "--quiet", "--release", "--manifest-path", "fuzz/Cargo.toml"]);
    build.args(["--target-dir", DIRECTORY, "--message-format", "json-render-diagnostics"]);
    cargo::executable(&cargo::output(build.env("RUSTFLAGS", INSTRUMENT))?, "fuzz")
}

/// Where the build, what grew, and what failed is kept, seen from the root of the workspace.
const DIRECTORY: &str = "target/fuzz";

fn fuzzer(executable: &Path, target: &Target) -> Command {
    let mut command = cargo::command(&executable.to_string_lossy());
    command.env("FUZZ_TARGET", target.name);
    command.arg(format!("-timeout={INPUT_S_MAX}")).arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"));
    command.arg(format!("-artifact_prefix={DIRECTORY}/failures/{}-", target.name));
    command
}

/// Some targets at once, for so many seconds each; all failures are shown.
fn fuzz(executable: &Path, targets: &[&Target], seconds: u32) -> Result<()> {
    fs::create_dir_all(cargo::root().join(DIRECTORY).join("failures"))?;
    let mut failed = Vec::new();
    for some in targets.chunks(AT_ONCE) {
        let runs = some.iter().map(|target| Run::start(executable, target, seconds));
        for run in runs.collect::<Result<Vec<_>>>()? {
            let name = run.name;
            if !run.finish()? {
                failed.push(name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// A target that runs.
struct Run {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Run {
    fn start(executable: &Path, target: &Target, seconds: u32) -> Result<Run> {
        let name = target.name;
        let kept = cargo::root().join(DIRECTORY);
        let (corpus, log) = (kept.join("corpus").join(name), kept.join(format!("{name}.log")));
        fs::create_dir_all(&corpus)?;
        let mut command = fuzzer(executable, target);
        command.args([format!("-max_total_time={seconds}"), "-print_final_stats=1".to_owned()]);
        command.arg(&corpus).arg(seeds::write(name, target.seeds, &kept.join("seeds"))?);
        let child = command
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("cannot run {command:?}"))?;
        Ok(Run { name, child, log })
    }

    /// Waits for the end, and says how it was; whether it was good.
    fn finish(mut self) -> Result<bool> {
        let good = self.child.wait()?.success();
        let log = fs::read(&self.log)?;
        let log = String::from_utf8_lossy(&log);
        let name = self.name;
        if good {
            let runs = log.lines().find_map(|line| line.strip_prefix(EXECUTED)).unwrap_or("?");
            println!("{name}: {} inputs, no failure", runs.trim());
            return Ok(true);
        }
        let lines: Vec<&str> = log.lines().collect();
        let reason = |line: &&str| REASONS.iter().any(|reason| line.contains(reason));
        let from = lines.iter().position(reason).unwrap_or(lines.len().saturating_sub(SHOWN_LINES));
        println!(
            "{}",
            lines[from..].iter().take(SHOWN_LINES).copied().collect::<Vec<_>>().join("\n")
        );
        println!("{name}: the input is kept; see it fail with");
        let kept = log.lines().find_map(|line| line.split_once(KEPT)).map_or("?", |(_, path)| path);
        println!("    cargo xtask fuzz {name} --input {kept}");
        println!("make a case of it, and a seed in fuzz/seeds/{name}");
        Ok(false)
    }
}

/// Where the reason of a failure begins: in a panic, or else in libFuzzer's own words.
const REASONS: [&str; 2] = ["panicked at", "ERROR: libFuzzer"];
/// What libFuzzer says before the number of inputs it tried, and before the path of one that failed.
const EXECUTED: &str = "stat::number_of_executed_units:";
const KEPT: &str = "Test unit written to ";

#[cfg(test)]
mod tests {
    use super::TARGETS;
    use crate::cargo;
    use std::fs;

    #[test]
    fn the_table_is_that_of_the_executable() {
        let path = cargo::root().join("fuzz/src/main.rs");
        let source = fs::read_to_string(path).expect("the source of the targets");
        let there = source.lines().filter(|line| line.contains("::fuzz),")).count();
        assert_eq!(there, TARGETS.len());
        for target in TARGETS {
            assert!(source.contains(&format!("(\"{}\", ", target.name)), "{}", target.name);
        }
    }
}
