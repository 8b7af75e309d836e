//! Running cargo and finding what it built, always from the root of the workspace.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// A command that runs in the root of the workspace.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
}

/// Runs to the end; a bad end is an error that names the command.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// What a command prints on standard output.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    Ok(output.stdout)
}

/// The packages whose executables matter. They are built together: alone, each would have other
/// features in what they share, and all of that would be built twice.
const EXECUTABLES: [&str; 2] = ["coracle", "simulation"];

/// Builds the executables as released and says where the one of `package` lies.
pub(crate) fn release_executable(package: &str) -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--message-format", "json-render-diagnostics"]);
    build.args(EXECUTABLES.iter().flat_map(|name| ["--package", name]));
    executable(&output(&mut build)?, package)
}

/// Builds the executable of one package with a feature.
pub(crate) fn featured_executable(package: &str, feature: &str) -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--message-format", "json-render-diagnostics"]);
    build.args(["--package", package, "--features", feature]);
    executable(&output(&mut build)?, package)
}

/// Builds an example of a package.
pub(crate) fn release_example(package: &str, example: &str) -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--message-format", "json-render-diagnostics"]);
    build.args(["--package", package, "--example", example]);
    executable(&output(&mut build)?, example)
}

/// Finds the executable of a package in what cargo says of a build.
pub(crate) fn executable(messages: &[u8], package: &str) -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        target: Target,
        executable: Option<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Message>(line).ok())
        .filter(|message| message.target.name == package)
        .find_map(|message| message.executable)
        .with_context(|| format!("package {package} has no executable"))
}
