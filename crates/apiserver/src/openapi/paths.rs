//! The paths of a document: what can be done with each kind, as far as clients look at it. They ask
//! which kind a path is of, whether a PATCH takes `fieldValidation`, and which patches it takes.

use kinds::{KINDS, KindInfo, schema};
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::{
    request::{Subresource, Verb, root},
    review::{REVIEWS, ReviewInfo},
};

const JSON: &str = "application/json";
const PATCHES: [&str; 3] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
];

/// The paths of all kinds of a group and version.
pub(super) fn of_group(group: &str, version: &str, schemas: &mut Schemas) -> Map<String, Value> {
    let mut paths = Map::new();
    for info in KINDS.iter().filter(|info| info.group == group && info.version == version) {
        of_kind(info, schemas, &mut paths);
    }
    for info in REVIEWS.iter().filter(|info| info.group == group && info.version == version) {
        of_review(info, schemas, &mut paths);
    }
    paths
}

/// What an operation is about.
struct About {
    gvk: Value,
    /// Refers to the schema of what is sent and answered.
    schema: Value,
}

fn of_kind(info: &KindInfo, schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    let gvk = gvk(info.group, info.version, info.name);
    let about = About { schema: schemas.kind(schema::of(info.kind), &gvk), gvk };
    let root = root(info.group, info.version);
    let (inside, mut parameters) = match info.namespaced {
        true => ("/namespaces/{namespace}", vec![path_parameter("namespace")]),
        false => ("", Vec::new()),
    };
    let collection = format!("{root}{inside}/{}", info.plural);
    let verbs = Subresource::Main.verbs(info.kind);
    let of_collection =
        |verb: &&Verb| matches!(verb, Verb::List | Verb::Create | Verb::DeleteCollection);
    let (collective, single): (Vec<&Verb>, Vec<&Verb>) = verbs.iter().partition(of_collection);
    if info.namespaced {
        let everywhere = operations([&Verb::List], &about, &[]);
        paths.insert(format!("{root}/{}", info.plural), everywhere);
    }
    paths.insert(collection.clone(), operations(collective, &about, &parameters));
    parameters.push(path_parameter("name"));
    let object = format!("{collection}/{{name}}");
    paths.insert(object.clone(), operations(single, &about, &parameters));
    for part in Subresource::of(info) {
        let about = of_part(info, part, &about, schemas);
        let path = format!("{object}/{}", part.name());
        paths.insert(path, operations(part.verbs(info.kind), &about, &parameters));
    }
}

/// A part is mostly of the kind it is a part of.
fn of_part(info: &KindInfo, part: Subresource, whole: &About, schemas: &mut Schemas) -> About {
    let (group, version, kind) = part.kind(info);
    let api_version =
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let gvk = gvk(group, version, kind);
    let own = schema::sent(&api_version, kind).filter(|_| kind != info.name);
    match own {
        Some(ty) => About { schema: schemas.kind(ty, &gvk), gvk },
        None => About { gvk: whole.gvk.clone(), schema: whole.schema.clone() },
    }
}

fn of_review(info: &ReviewInfo, schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    let api_version = format!("{}/{}", info.group, info.version);
    let Some(ty) = schema::sent(&api_version, info.name) else { return };
    let gvk = gvk(info.group, info.version, info.name);
    let about = About { schema: schemas.kind(ty, &gvk), gvk };
    let (inside, parameters) = match info.namespaced {
        true => ("/namespaces/{namespace}", vec![path_parameter("namespace")]),
        false => ("", Vec::new()),
    };
    let path = format!("{}{inside}/{}", root(info.group, info.version), info.plural);
    paths.insert(path, operations([&Verb::Create], &about, &parameters));
}

fn operations<'a>(
    verbs: impl IntoIterator<Item = &'a Verb>,
    about: &About,
    parameters: &[Value],
) -> Value {
    let mut operations = json!({});
    for verb in verbs {
        let (method, action) = match verb {
            Verb::Get => ("get", "get"),
            Verb::List => ("get", "list"),
            Verb::Create => ("post", "post"),
            Verb::Update => ("put", "put"),
            Verb::Patch => ("patch", "patch"),
            Verb::Delete => ("delete", "delete"),
            Verb::DeleteCollection => ("delete", "deletecollection"),
            // A parameter of the list.
            Verb::Watch => continue,
        };
        operations[method] = operation(*verb, action, about);
    }
    if !parameters.is_empty() {
        operations["parameters"] = json!(parameters);
    }
    operations
}

fn operation(verb: Verb, action: &str, about: &About) -> Value {
    let answer = match verb {
        Verb::List | Verb::DeleteCollection | Verb::Delete => json!({ "type": "object" }),
        _ => about.schema.clone(),
    };
    let mut operation = json!({
        "responses": { "200": { "description": "OK", "content": content([JSON], &answer) } },
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": about.gvk,
    });
    let parameters = query_parameters(verb);
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    let body = match verb {
        Verb::Create | Verb::Update => content([JSON], &about.schema),
        Verb::Patch => content(PATCHES, &json!({ "type": "object" })),
        _ => return operation,
    };
    operation["requestBody"] = json!({ "content": body, "required": true });
    operation
}

fn content<const N: usize>(types: [&str; N], schema: &Value) -> Value {
    types.map(|of| (of.to_owned(), json!({ "schema": schema }))).into_iter().collect()
}

fn query_parameters(verb: Verb) -> Vec<Value> {
    let (texts, numbers, flags): (&[&str], &[&str], &[&str]) = match verb {
        Verb::Create | Verb::Update | Verb::Patch => {
            (&["dryRun", "fieldManager", "fieldValidation"], &[], &[])
        }
        Verb::Delete | Verb::DeleteCollection => {
            (&["dryRun", "propagationPolicy"], &["gracePeriodSeconds"], &[])
        }
        Verb::List => (
            &[
                "continue",
                "fieldSelector",
                "labelSelector",
                "resourceVersion",
                "resourceVersionMatch",
            ],
            &["limit", "timeoutSeconds"],
            &["allowWatchBookmarks", "sendInitialEvents", "watch"],
        ),
        Verb::Get | Verb::Watch => (&[], &[], &[]),
    };
    let of = |names: &[&str], kind: &str| -> Vec<Value> {
        let parameter =
            |name: &&str| json!({ "name": name, "in": "query", "schema": { "type": kind } });
        names.iter().map(parameter).collect()
    };
    [of(texts, "string"), of(numbers, "integer"), of(flags, "boolean")].concat()
}

fn path_parameter(name: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
}

fn gvk(group: &str, version: &str, kind: &str) -> Value {
    json!({ "group": group, "version": version, "kind": kind })
}
