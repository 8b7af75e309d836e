//! Who may depend on whom. Dependencies point down only; the table below is the whole truth, and
//! ARCHITECTURE.md explains it.

use super::Problems;
use super::metadata::Metadata;
use std::collections::{BTreeMap, BTreeSet};

/// Each crate and the crates of this workspace it may name, tests apart.
const LAYERS: &[(&str, &[&str])] = &[
    ("kinds", &[]),
    ("spawner", &[]),
    ("images", &[]),
    ("tokens", &[]),
    ("reconcile", &["kinds"]),
    ("store", &["kinds"]),
    ("node", &["kinds", "spawner", "images", "tokens"]),
    ("engine", &["kinds", "reconcile", "store", "node"]),
    ("apiserver", &["kinds", "store", "engine", "node", "tokens"]),
    ("driver", &["kinds", "store", "engine", "node", "spawner"]),
    (
        "coracle",
        &[
            "kinds",
            "reconcile",
            "store",
            "engine",
            "driver",
            "apiserver",
            "node",
            "spawner",
            "images",
            "tokens",
        ],
    ),
    ("simulation", &["kinds", "reconcile", "store", "engine", "driver", "node", "spawner"]),
    ("xtask", &[]),
];

/// What a crate must not reach, by whatever way.
const UNREACHABLE: &[(&str, &[&str])] = &[
    ("kinds", &["tokio", "hyper", "rustix"]),
    ("reconcile", &["tokio", "hyper", "rustix"]),
    ("store", &["tokio", "hyper"]),
    ("images", &["k8s-openapi"]),
    ("spawner", &["tokio", "hyper", "k8s-openapi"]),
    ("xtask", &["tokio", "k8s-openapi"]),
];

pub(super) fn check(metadata: &Metadata) -> Problems {
    let graph = Graph::new(metadata);
    let mut problems = Problems::new();
    for member in &graph.members {
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| name == member) else {
            problems.push(format!("crate {member} has no row in the table of layers"));
            continue;
        };
        for dependency in graph.direct(member).filter(|name| graph.members.contains(name)) {
            if !allowed.contains(&dependency) {
                problems.push(format!("{member} depends on {dependency}: not by the layers"));
            }
        }
    }
    for (from, banned) in UNREACHABLE {
        let reachable = graph.reachable(from);
        for package in banned.iter().filter(|package| reachable.contains(**package)) {
            problems
                .push(format!("{from} reaches {package}: see `cargo tree -p {from} -i {package}`"));
        }
    }
    problems
}

/// Packages by name with what they ordinarily depend on. Two versions of a package are one here.
struct Graph<'a> {
    members: BTreeSet<&'a str>,
    edges: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Graph<'a> {
        let names: BTreeMap<_, _> =
            metadata.packages.iter().map(|p| (p.id.as_str(), p.name.as_str())).collect();
        let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for node in &metadata.resolve.nodes {
            let ordinary =
                node.deps.iter().filter(|d| d.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            edges
                .entry(names[node.id.as_str()])
                .or_default()
                .extend(ordinary.map(|dependency| names[dependency.pkg.as_str()]));
        }
        let members = metadata.workspace_members.iter().map(|id| names[id.as_str()]).collect();
        Graph { members, edges }
    }

    fn direct(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.edges.get(name).into_iter().flatten().copied()
    }

    fn reachable(&self, name: &str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut queue: Vec<_> = self.direct(name).collect();
        while let Some(next) = queue.pop() {
            if reached.insert(next) {
                queue.extend(self.direct(next));
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::{Metadata, check};
    use serde_json::{Value, json};

    /// A tree of packages: each with its ordinary dependencies.
    fn metadata(packages: &[(&str, &[&str])], members: &[&str]) -> Metadata {
        let dependency = |name: &&str| json!({"pkg": name, "dep_kinds": [{"kind": null}]});
        let names: Vec<Value> = packages
            .iter()
            .map(|(name, _)| json!({"id": name, "name": name, "license": "MIT"}))
            .collect();
        let nodes: Vec<Value> = packages
            .iter()
            .map(|(name, to)| json!({"id": name, "deps": to.iter().map(dependency).collect::<Vec<_>>()}))
            .collect();
        let metadata = json!({
            "packages": names, "workspace_members": members, "resolve": {"nodes": nodes},
        });
        serde_json::from_value(metadata).expect("the shape of cargo metadata")
    }

    #[test]
    fn dependencies_point_down() {
        let good = [("kinds", &[][..]), ("store", &["kinds"][..])];
        assert_eq!(check(&metadata(&good, &["kinds", "store"])), [""; 0]);
        let upward = [("kinds", &["store"][..]), ("store", &[][..])];
        let problems = check(&metadata(&upward, &["kinds", "store"]));
        assert_eq!(problems, ["kinds depends on store: not by the layers"]);
        let unknown = [("adapters", &[][..])];
        assert!(check(&metadata(&unknown, &["adapters"]))[0].contains("no row"));
    }

    #[test]
    fn a_pure_crate_must_not_reach_the_runtime_by_any_way() {
        let packages = [("kinds", &["helper"][..]), ("helper", &["tokio"]), ("tokio", &[])];
        let problems = check(&metadata(&packages, &["kinds"]));
        assert!(problems[0].starts_with("kinds reaches tokio"), "{problems:?}");
    }
}
