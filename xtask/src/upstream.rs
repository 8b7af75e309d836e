//! `cargo xtask upstream`: Kubernetes' own end-to-end suite against a server of ours.
//!
//! The suite is built from the Go module proxy, the images its pods ask for from a few static
//! executables. `crates/coracle/tests/upstream/passing.txt` lists the stories that pass: each of them
//! has to, and that is what runs unless others are asked for.

use crate::bench::Server;
use crate::cargo;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the suite's sources and the list lie, from the root.
const SOURCES: &str = "crates/coracle/tests/upstream";
/// The package of the suite's image with one tool for everything.
const AGNHOST: &str = "k8s.io/kubernetes/test/images/agnhost";
/// What the suite's pods print their images from.
const BUSYBOX: &str = "target/debian/busybox-static/bin/busybox";
const KUBECTL: &str = "target/kubectl/1.36.3/bin/kubectl";
/// The suite, and what it tells of every story, in `target/upstream`.
const SUITE: &str = "e2e.test";
const REPORT: &str = "report.json";
/// How long all stories together may take, in hours: many wait for minutes by design.
const HOURS_MAX: u32 = 6;
/// Bytes of one pattern: what Linux allows for an argument is 128 KiB.
const PATTERN_BYTES_MAX: usize = 64 * 1024;

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Run the stories that match, as a regular expression, instead of those of the list. May be repeated.
    #[arg(long, value_name = "PATTERN")]
    focus: Vec<String>,
    /// But not these.
    #[arg(long, value_name = "PATTERN", requires = "focus")]
    skip: Vec<String>,
    /// Add to the list what passed.
    #[arg(long)]
    update: bool,
    /// The coracle that serves; without it, it is built as released.
    #[arg(long, value_name = "FILE")]
    coracle: Option<PathBuf>,
}

/// Fails if a story of the list that ran did not pass.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (_, failed) = count(options)?;
    ensure!(failed == 0, "{failed} stories of the list did not pass");
    Ok(())
}

/// How many stories passed, and how many of the list did not.
pub(crate) fn count(options: &Options) -> Result<(u64, u64)> {
    let coracle = match &options.coracle {
        Some(coracle) => coracle.canonicalize()?,
        None => cargo::release_executable("coracle")?,
    };
    let list = cargo::root().join(SOURCES).join("passing.txt");
    let listed: BTreeSet<String> = fs::read_to_string(&list)?.lines().map(str::to_owned).collect();
    let output = cargo::root().join("target/upstream");
    build(&output)?;
    let patterns = if options.focus.is_empty() { patterns(&listed) } else { options.focus.clone() };
    serve_and_run(&coracle, &output, &patterns, &options.skip)?;
    let stories = read(&output.join(REPORT))?;
    judge(&stories, &listed, options, &list)
}

/// Runs the suite against a new server that has the images.
fn serve_and_run(
    coracle: &Path,
    output: &Path,
    patterns: &[String],
    skip: &[String],
) -> Result<()> {
    let scratch = tempfile::Builder::new().prefix("coracle-upstream-").tempdir()?;
    let server = Server::start(coracle, scratch.path())?;
    for image in ["busybox", "agnhost", "pause"] {
        let mut load = Command::new(coracle);
        load.env("KUBECONFIG", server.kubeconfig()).args(["image", "load", "--data-dir"]);
        load.arg(server.directory());
        cargo::succeed(load.arg(output.join(image).with_extension("tar")))?;
    }
    let mut suite = Command::new(output.join(SUITE));
    suite.args(["--provider=skeleton", "--dump-logs-on-failure=false", "--ginkgo.no-color"]);
    suite.args(["--ginkgo.silence-skips", "--ginkgo.v"]);
    suite.arg(format!("--ginkgo.timeout={HOURS_MAX}h"));
    suite.arg("--kubeconfig").arg(server.kubeconfig());
    suite.arg("--kubectl-path").arg(cargo::root().join(KUBECTL));
    suite.arg("--ginkgo.json-report").arg(output.join(REPORT)).current_dir(scratch.path());
    suite.args(patterns.iter().map(|pattern| format!("--ginkgo.focus={pattern}")));
    suite.args(skip.iter().map(|pattern| format!("--ginkgo.skip={pattern}")));
    let log = output.join("suite.log");
    println!("the suite writes to {}", log.display());
    let written = fs::File::create(&log)?;
    // It fails when any story does; which may is judged later.
    suite.stdout(written.try_clone()?).stderr(written).status()?;
    Ok(())
}

/// Builds suite, tools and images.
fn build(output: &Path) -> Result<()> {
    fs::create_dir_all(output)?;
    let go = |arguments: &[&str], name: &str, package: &str| {
        let mut go = cargo::command("go");
        go.args(arguments).args(["-mod=readonly", "-o"]).arg(output.join(name)).arg(package);
        cargo::succeed(go.env("CGO_ENABLED", "0").current_dir(cargo::root().join(SOURCES)))
    };
    go(&["build"], "images", "./images")?;
    go(&["build"], "pause", "./pause")?;
    go(&["build"], "agnhost", AGNHOST)?;
    go(&["test", "-c"], SUITE, ".")?;
    let mut images = Command::new(output.join("images"));
    images.arg(output).arg(cargo::root().join(BUSYBOX));
    cargo::succeed(images.args([output.join("agnhost"), output.join("pause")]))
}

/// What matches the stories of the list and, as far as names go, no others.
fn patterns(listed: &BTreeSet<String>) -> Vec<String> {
    let mut patterns = vec![String::new()];
    for name in listed {
        let last = patterns.last_mut().expect("there is always one");
        let name = escape(name);
        if last.is_empty() {
            *last = name;
        } else if last.len() + name.len() < PATTERN_BYTES_MAX {
            last.push('|');
            last.push_str(&name);
        } else {
            patterns.push(name);
        }
    }
    patterns
}

/// The regular expression that matches this text.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A story, as the suite reports it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Story {
    /// The texts around it, from the outside.
    container_hierarchy_texts: Option<Vec<String>>,
    leaf_node_type: String,
    leaf_node_text: String,
    state: String,
}

impl Story {
    fn name(&self) -> String {
        let mut texts = self.container_hierarchy_texts.clone().unwrap_or_default();
        texts.push(self.leaf_node_text.clone());
        texts.join(" ")
    }
}

/// The stories that ran.
fn read(report: &Path) -> Result<Vec<Story>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Report {
        spec_reports: Vec<Story>,
    }
    let text = fs::read(report).with_context(|| format!("no {}", report.display()))?;
    let reports: Vec<Report> = serde_json::from_slice(&text)?;
    let stories = reports.into_iter().flat_map(|report| report.spec_reports);
    let ran = |story: &Story| {
        story.leaf_node_type == "It" && !matches!(&*story.state, "skipped" | "pending")
    };
    Ok(stories.filter(ran).collect())
}

fn judge(
    stories: &[Story],
    listed: &BTreeSet<String>,
    options: &Options,
    list: &Path,
) -> Result<(u64, u64)> {
    ensure!(!stories.is_empty(), "no story ran");
    let passed: BTreeSet<String> =
        stories.iter().filter(|story| story.state == "passed").map(Story::name).collect();
    let all: BTreeSet<String> = stories.iter().map(Story::name).collect();
    for name in all.difference(&passed) {
        println!("{} {name}", if listed.contains(name) { "FAILED" } else { "fails " });
    }
    for name in passed.difference(listed) {
        println!("passes {name}");
    }
    println!("{} of {} stories passed", passed.len(), all.len());
    if options.update {
        let lines = listed.union(&passed).map(|name| format!("{name}\n"));
        fs::write(list, lines.collect::<String>())?;
    }
    let expected = if options.focus.is_empty() { listed } else { &all };
    let failed = expected.intersection(listed).filter(|name| !passed.contains(*name)).count();
    Ok((passed.len() as u64, failed as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_its_name_as_it_is() {
        assert_eq!(escape("[sig-apps] Job (a.b)"), r"\[sig-apps\] Job \(a\.b\)");
    }

    #[test]
    fn patterns_stay_below_what_an_argument_may_hold() {
        let names = (0..9000).map(|n| format!("story number {n}")).collect();
        let patterns = patterns(&names);
        assert!(patterns.len() > 1, "{} names fit into one", names.len());
        assert!(patterns.iter().all(|pattern| pattern.len() <= PATTERN_BYTES_MAX));
        let count: usize = patterns.iter().map(|pattern| pattern.split('|').count()).sum();
        assert_eq!(count, names.len());
    }

    #[test]
    fn only_stories_that_ran_count() {
        let directory = tempfile::tempdir().unwrap();
        let report = directory.path().join("report.json");
        let text = r#"[{"SpecReports": [
            {"ContainerHierarchyTexts": null, "LeafNodeType": "SynchronizedBeforeSuite",
             "LeafNodeText": "", "State": "passed"},
            {"ContainerHierarchyTexts": ["[sig-apps] Job"], "LeafNodeType": "It",
             "LeafNodeText": "should run", "State": "passed"},
            {"ContainerHierarchyTexts": ["[sig-apps] Job"], "LeafNodeType": "It",
             "LeafNodeText": "should scale", "State": "skipped"}]}]"#;
        fs::write(&report, text).unwrap();
        let stories = read(&report).unwrap();
        assert_eq!(
            stories.iter().map(Story::name).collect::<Vec<_>>(),
            ["[sig-apps] Job should run"]
        );
    }
}
