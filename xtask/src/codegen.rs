//! `cargo xtask codegen`: writes the tables of the API's types anew. The generator is a workspace of
//! its own, because it needs a feature of `k8s-openapi` that every other build would then have too.

use crate::cargo;
use anyhow::{Context, Result};

/// What is written.
const TABLES: &str = "crates/kinds/src/schema";

pub(crate) fn run() -> Result<()> {
    cargo::succeed(cargo::cargo().args(["run", "--manifest-path", "xtask/codegen/Cargo.toml"]))
}

/// Fails if the committed tables are not what the generator writes.
pub(crate) fn check() -> Result<()> {
    run()?;
    cargo::succeed(cargo::command("git").args(["diff", "--exit-code", "--stat", "--", TABLES]))
        .with_context(|| format!("{TABLES} has changed: commit what the generator wrote"))
}
