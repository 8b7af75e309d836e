//! `cargo xtask codegen`: writes `crates/kinds/src/schema/*.rs` anew: every type that is reachable
//! from a kind that clients may send, with its fields, their shapes, their numbers in protobuf and
//! how they merge. The facts come from the tags and markers in the Go modules that Kubernetes
//! publishes; the ordinary `go` fetches them, and nothing that it fetches is kept here.

mod go;
mod tables;

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::cargo;
use go::Package;

/// What is written.
const TABLES: &str = "crates/kinds/src/schema";

/// The modules that are read: path, version, checksum as in a `go.sum`.
const MODULES: [(&str, &str, &str); 2] = [
    ("k8s.io/api", "v0.36.2", "h1:TF6YDLIzKfccK7cq9YpTcGX8TJmEkHVRv78DM51fRYY="),
    ("k8s.io/apimachinery", "v0.36.2", "h1:0PE/W/WNy1UX61NLbXY5TMbJ6UwLL6E6lAPkYrKFxbQ="),
];

/// The types that are whole documents, and the file for what is first reached from them; the served
/// kinds stand first, in the order of the table of kinds.
const ROOTS: [(&str, &str, &str); 29] = [
    ("k8s.io/api/core/v1", "Namespace", "core"),
    ("k8s.io/api/core/v1", "Node", "core"),
    ("k8s.io/api/core/v1", "ConfigMap", "core"),
    ("k8s.io/api/core/v1", "Secret", "core"),
    ("k8s.io/api/core/v1", "Pod", "pod"),
    ("k8s.io/api/core/v1", "Event", "core"),
    ("k8s.io/api/batch/v1", "Job", "batch"),
    ("k8s.io/api/node/v1", "RuntimeClass", "groups"),
    ("k8s.io/api/core/v1", "ServiceAccount", "core"),
    ("k8s.io/api/core/v1", "Service", "core"),
    ("k8s.io/api/scheduling/v1", "PriorityClass", "groups"),
    ("k8s.io/api/coordination/v1", "Lease", "groups"),
    ("k8s.io/api/core/v1", "LimitRange", "core"),
    ("k8s.io/api/core/v1", "ResourceQuota", "core"),
    ("k8s.io/api/core/v1", "PodTemplate", "core"),
    ("k8s.io/apimachinery/pkg/apis/meta/v1", "DeleteOptions", "meta"),
    ("k8s.io/api/core/v1", "Binding", "core"),
    ("k8s.io/api/core/v1", "PersistentVolumeClaim", "volume"),
    ("k8s.io/api/batch/v1", "CronJob", "batch"),
    ("k8s.io/api/apps/v1", "Deployment", "groups"),
    ("k8s.io/api/autoscaling/v1", "Scale", "groups"),
    ("k8s.io/api/policy/v1", "Eviction", "groups"),
    ("k8s.io/api/authentication/v1", "SelfSubjectReview", "groups"),
    ("k8s.io/api/authentication/v1", "TokenRequest", "groups"),
    ("k8s.io/api/authentication/v1", "TokenReview", "groups"),
    ("k8s.io/api/authorization/v1", "LocalSubjectAccessReview", "groups"),
    ("k8s.io/api/authorization/v1", "SelfSubjectAccessReview", "groups"),
    ("k8s.io/api/authorization/v1", "SelfSubjectRulesReview", "groups"),
    ("k8s.io/api/authorization/v1", "SubjectAccessReview", "groups"),
];

/// What `go mod download -json` says of a module.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Download {
    dir: PathBuf,
    sum: String,
}

pub(crate) fn run() -> Result<()> {
    let mut packages = Packages::download()?;
    let files = tables::write(&mut packages, &ROOTS)?;
    let mut types = 0;
    for (name, file) in &files {
        types += file.types;
        let path = cargo::root().join(TABLES).join(format!("{name}.rs"));
        fs::write(&path, &file.text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{types} types in {} files", files.len());
    Ok(())
}

/// Fails if the committed tables are not what the generator writes.
pub(crate) fn check() -> Result<()> {
    run()?;
    cargo::succeed(cargo::command("git").args(["diff", "--exit-code", "--stat", "--", TABLES]))
        .with_context(|| format!("{TABLES} has changed: commit what the generator wrote"))
}

/// Packages by their path, read when they are first asked for.
struct Packages {
    folders: Vec<(&'static str, PathBuf)>,
    read: BTreeMap<String, Package>,
}

impl Packages {
    fn download() -> Result<Self> {
        let mut folders = Vec::new();
        for (path, version, sum) in MODULES {
            let mut go = cargo::command("go");
            go.args(["mod", "download", "-json", &format!("{path}@{version}")]);
            let found: Download = serde_json::from_slice(&cargo::output(&mut go)?)
                .with_context(|| format!("what go said about {path}"))?;
            ensure!(found.sum == sum, "{path} {version} has the checksum {}", found.sum);
            folders.push((path, found.dir));
        }
        Ok(Self { folders, read: BTreeMap::new() })
    }

    fn get(&mut self, path: &str) -> Result<&Package> {
        if !self.read.contains_key(path) {
            let inside = |(module, folder): &(&str, PathBuf)| {
                Some(folder.join(path.strip_prefix(module)?.strip_prefix('/')?))
            };
            let folder = self.folders.iter().find_map(inside).context(format!("no {path}"))?;
            let file = folder.join("types.go");
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            self.read.insert(path.to_owned(), Package::parse(&text)?);
        }
        Ok(&self.read[path])
    }
}
