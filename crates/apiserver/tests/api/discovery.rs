//! What clients learn of the resources: the same from both forms of discovery.

use std::fmt::Write as _;

use expect_test::expect_file;
use serde_json::Value;

use crate::harness::{Answer, Harness, request, with_server};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

async fn aggregated(harness: &Harness, path: &str, etag: &str) -> Answer {
    let mut request = request("GET", path, "");
    let accept = format!("{AGGREGATED},application/json");
    request.headers_mut().insert("accept", accept.parse().unwrap());
    request.headers_mut().insert("if-none-match", etag.parse().unwrap());
    harness.call(request).await
}

fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn words(value: &Value, name: &str) -> String {
    let words: Vec<&str> = array(value, name).iter().map(|word| word.as_str().unwrap()).collect();
    words.join(",")
}

/// The lines of an aggregated document: a resource or part each.
fn lines_of_aggregated(document: &Value) -> String {
    let mut text = String::new();
    for group in array(document, "items") {
        for version in array(group, "versions") {
            let name = group["metadata"]["name"].as_str().unwrap_or_default();
            let header = format!("{name}/{}", version["version"].as_str().unwrap());
            for resource in array(version, "resources") {
                let plural = resource["resource"].as_str().unwrap();
                let scope = resource["scope"] == "Namespaced";
                line(&mut text, &header, plural, scope, &resource["responseKind"], resource);
                for part in array(resource, "subresources") {
                    let name = format!("{plural}/{}", part["subresource"].as_str().unwrap());
                    line(&mut text, &header, &name, scope, &part["responseKind"], part);
                }
            }
        }
    }
    text
}

/// The same lines of an older document.
fn lines_of_legacy(document: &Value) -> String {
    let mut text = String::new();
    let of = document["groupVersion"].as_str().unwrap();
    let (group, version) = of.split_once('/').unwrap_or(("", of));
    for resource in array(document, "resources") {
        let mut kind = resource.clone();
        if kind["version"].is_null() {
            kind["group"] = group.into();
            kind["version"] = version.into();
        }
        let scope = resource["namespaced"] == true;
        let name = resource["name"].as_str().unwrap();
        line(&mut text, &format!("{group}/{version}"), name, scope, &kind, resource);
    }
    text
}

fn line(text: &mut String, header: &str, name: &str, namespaced: bool, kind: &Value, of: &Value) {
    let kind = ["group", "version", "kind"].map(|part| kind[part].as_str().unwrap());
    let scope = if namespaced { "namespaced" } else { "cluster" };
    let verbs = words(of, "verbs");
    write!(text, "{header} {name}: {scope} {} {verbs}", kind.join("/")).unwrap();
    for names in ["shortNames", "categories"] {
        let words = words(of, names);
        if !words.is_empty() {
            write!(text, " {names}={words}").unwrap();
        }
    }
    text.push('\n');
}

#[test]
fn both_forms_name_the_same_resources() {
    with_server(async |harness| {
        let (mut new, mut old) = (String::new(), String::new());
        for path in ["/api", "/apis"] {
            let answer = aggregated(harness, path, "\"\"").await;
            assert_eq!(answer.headers["content-type"], AGGREGATED);
            new += &lines_of_aggregated(&serde_json::from_slice(&answer.body).unwrap());
        }
        old += &lines_of_legacy(&harness.get("/api/v1").await);
        for group in array(&harness.get("/apis").await, "groups") {
            let version = group["preferredVersion"]["groupVersion"].as_str().unwrap();
            old += &lines_of_legacy(&harness.get(&format!("/apis/{version}")).await);
        }
        assert_eq!(old, new);
        expect_file!["discovery.txt"].assert_eq(&new);
    });
}

#[test]
fn a_client_that_has_the_document_gets_no_second_one() {
    with_server(async |harness| {
        let first = aggregated(harness, "/apis", "\"other\"").await;
        assert_eq!((first.code, &first.headers["vary"]), (200, &"Accept".parse().unwrap()));
        let again = aggregated(harness, "/apis", first.headers["etag"].to_str().unwrap()).await;
        assert_eq!((again.code, again.body.len()), (304, 0));
        assert_eq!(again.headers["etag"], first.headers["etag"]);
    });
}
