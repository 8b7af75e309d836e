//! What `cargo metadata` tells, as far as a rule needs it.

use crate::cargo;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    pub(super) workspace_members: BTreeSet<String>,
    pub(super) resolve: Resolve,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    /// An SPDX expression.
    pub(super) license: Option<String>,
    /// `None` for a package of this workspace.
    pub(super) source: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Resolve {
    pub(super) nodes: Vec<Node>,
}

/// A package that is built on this platform.
#[derive(Deserialize)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) deps: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) pkg: String,
    pub(super) dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
pub(super) struct DependencyKind {
    /// `None` for an ordinary dependency, else `dev` or `build`.
    pub(super) kind: Option<String>,
}

pub(super) fn read() -> Result<Metadata> {
    let mut metadata = cargo::cargo();
    metadata.args(["metadata", "--format-version", "1", "--locked"]);
    let host = std::env::consts::ARCH;
    metadata.args(["--filter-platform", &format!("{host}-unknown-linux-gnu")]);
    let json = cargo::output(&mut metadata)?;
    serde_json::from_slice(&json).context("cargo metadata says something else than expected")
}
