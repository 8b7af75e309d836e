//! `apidiscovery.k8s.io/v2`: everything about several groups in one document.

use serde_json::{Value, json};

use super::resource::{Part, Resource};

/// The document of some resources, which stand together by group.
pub(super) fn document(resources: &[Resource]) -> Value {
    let groups = resources.chunk_by(|a, b| a.group == b.group).map(|group| {
        let versions = group.chunk_by(|a, b| a.version == b.version).map(|version| {
            json!({
                "version": version[0].version,
                "freshness": "Current",
                "resources": version.iter().map(resource).collect::<Vec<_>>(),
            })
        });
        let metadata = match group[0].group {
            "" => json!({}),
            name => json!({ "name": name }),
        };
        json!({ "metadata": metadata, "versions": versions.collect::<Vec<_>>() })
    });
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": groups.collect::<Vec<_>>(),
    })
}

fn resource(resource: &Resource) -> Value {
    let mut shown = json!({
        "resource": resource.plural,
        "responseKind": kind((resource.group, resource.version, resource.kind)),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        shown["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        shown["categories"] = json!(resource.categories);
    }
    if !resource.parts.is_empty() {
        shown["subresources"] = resource.parts.iter().map(part).collect();
    }
    shown
}

/// A resource or part without a kind would be dropped by clients.
fn part(part: &Part) -> Value {
    json!({
        "subresource": part.name,
        "responseKind": kind(part.kind),
        "verbs": part.verbs,
    })
}

fn kind((group, version, kind): (&str, &str, &str)) -> Value {
    json!({ "group": group, "version": version, "kind": kind })
}
