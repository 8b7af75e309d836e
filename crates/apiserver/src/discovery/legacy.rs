//! The older documents, one per path: clients that do not know the aggregated form read them, and
//! `kubectl drain` reads `/api/v1`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::resource::{Part, Resource};
use crate::request::root;

/// `/`: all paths that can be read.
pub(super) fn index(all: &[Resource], health: &[String]) -> Value {
    let fixed = ["/api", "/apis", "/metrics", "/openapi/v3", "/version"].map(str::to_owned);
    let mut paths: BTreeSet<String> = fixed.into_iter().chain(health.iter().cloned()).collect();
    for resource in all {
        let root = root(resource.group, resource.version);
        if !resource.group.is_empty() {
            paths.insert(format!("/apis/{}", resource.group));
        }
        paths.insert(format!("/openapi/v3{root}"));
        paths.insert(root);
    }
    json!({ "paths": paths })
}

/// `/api`: the versions of the core group, and the address it was asked at.
pub(super) fn core(host: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": host }],
    })
}

/// `/apis`
pub(super) fn groups(all: &[Resource]) -> Value {
    let named = all.chunk_by(|a, b| a.group == b.group).filter(|group| !group[0].group.is_empty());
    let groups: Vec<Value> = named.map(of_group).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// `/apis/<group>`
pub(super) fn group(all: &[Resource], name: &str) -> Value {
    let mut groups = all.chunk_by(|a, b| a.group == b.group);
    let mut group = groups.find(|group| group[0].group == name).map(of_group).unwrap_or_default();
    group["kind"] = "APIGroup".into();
    group["apiVersion"] = "v1".into();
    group
}

fn of_group(group: &[Resource]) -> Value {
    let versions = group.chunk_by(|a, b| a.version == b.version);
    let versions: Vec<Value> = versions
        .map(|of| {
            let version = of[0].version;
            json!({ "groupVersion": group_version(of[0].group, version), "version": version })
        })
        .collect();
    json!({ "name": group[0].group, "preferredVersion": versions[0], "versions": versions })
}

/// `/api/v1` and `/apis/<group>/<version>`
pub(super) fn resources(all: &[Resource], group: &str, version: &str) -> Value {
    let ours = all.iter().filter(|r| r.group == group && r.version == version);
    let lines = ours.flat_map(|resource| {
        let parts = resource.parts.iter().map(|of| part(resource, of));
        std::iter::once(of_resource(resource)).chain(parts)
    });
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version(group, version),
        "resources": lines.collect::<Vec<_>>(),
    })
}

fn of_resource(resource: &Resource) -> Value {
    let mut shown = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        shown["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        shown["categories"] = json!(resource.categories);
    }
    shown
}

fn part(resource: &Resource, part: &Part) -> Value {
    let (group, version, kind) = part.kind;
    let mut shown = json!({
        "name": format!("{}/{}", resource.plural, part.name),
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind,
        "verbs": part.verbs,
    });
    if (group, version) != (resource.group, resource.version) {
        shown["group"] = group.into();
        shown["version"] = version.into();
    }
    shown
}

fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}
