//! The documents say something about every field, and what clients look for is there.

use std::collections::BTreeSet;

use kinds::schema::{self, Shape, Type};

use super::*;

fn of(path: &str) -> Value {
    let documents = Documents::new();
    serde_json::from_slice(&documents.by_path[path].json).unwrap()
}

fn reach(ty: &'static Type, seen: &mut BTreeSet<&'static str>, types: &mut Vec<&'static Type>) {
    if !seen.insert(ty.name) {
        return;
    }
    types.push(ty);
    for field in ty.fields {
        let mut shape = &field.shape;
        while let Shape::List(of) | Shape::Map(of) = shape {
            shape = of;
        }
        if let Shape::Object(ty) = shape {
            reach(ty, seen, types);
        }
    }
}

/// Fails when the library writes its sources differently: the build reads them.
#[test]
fn every_field_of_every_kind_is_described() {
    let about = descriptions::read();
    let (mut seen, mut types) = (BTreeSet::new(), Vec::new());
    for info in KINDS {
        reach(schema::of(info.kind), &mut seen, &mut types);
    }
    let mut missing = Vec::new();
    for ty in types {
        let Some(about) = about.get(ty.name) else {
            missing.push(ty.name.to_owned());
            continue;
        };
        let silent = ty.fields.iter().filter(|field| about.field(field.name).is_empty());
        missing.extend(silent.map(|field| format!("{}.{}", about.name, field.name)));
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_field_says_what_it_holds_what_it_means_and_how_it_merges() {
    let batch = of("apis/batch/v1");
    let schemas = &batch["components"]["schemas"];
    let pod = &schemas["io.k8s.api.core.v1.PodSpec"];
    let containers = &pod["properties"]["containers"];
    assert_eq!(containers["type"], "array");
    assert_eq!(containers["x-kubernetes-list-map-keys"], json!(["name"]));
    assert_eq!(containers["x-kubernetes-patch-merge-key"], "name");
    assert_eq!(containers["x-kubernetes-patch-strategy"], "merge");
    assert!(containers["description"].as_str().unwrap().starts_with("List of containers"));
    assert_eq!(pod["required"], json!(["containers"]));
    let volumes = &pod["properties"]["volumes"]["x-kubernetes-patch-strategy"];
    assert_eq!(volumes, "merge,retainKeys");
    let job = &schemas["io.k8s.api.batch.v1.Job"];
    let kind = json!([{ "group": "batch", "version": "v1", "kind": "Job" }]);
    assert_eq!(job["x-kubernetes-group-version-kind"], kind);
    let spec = json!([{ "$ref": "#/components/schemas/io.k8s.api.batch.v1.JobSpec" }]);
    assert_eq!(job["properties"]["spec"]["allOf"], spec);
}

#[test]
fn every_reference_leads_somewhere_and_every_kind_takes_field_validation() {
    for (group, version) in groups() {
        let document = document(group, version);
        let text = document.to_string();
        for reference in text.split(r##""$ref":"#/components/schemas/"##).skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }
    for info in KINDS {
        let document = document(info.group, info.version);
        let gvk = json!({ "group": info.group, "version": info.version, "kind": info.name });
        let mut paths = document["paths"].as_object().unwrap().values();
        let patch = paths.find(|path| path["patch"]["x-kubernetes-group-version-kind"] == gvk);
        let parameters = patch.unwrap()["patch"]["parameters"].as_array().unwrap();
        let takes = |parameter: &Value| {
            parameter["name"] == "fieldValidation" && parameter["in"] == "query"
        };
        assert!(parameters.iter().any(takes), "{}", info.name);
    }
}
