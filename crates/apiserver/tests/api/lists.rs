//! Lists over several pages, at earlier revisions, and before what they show is durable.

use serde_json::Value;
use tokio::task::spawn_local;

use crate::harness::{Harness, Setup, request, with_server, with_setup};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn fill(harness: &Harness, names: &[&str]) {
    for name in names {
        harness.create(MAPS, &format!(r#"{{"metadata":{{"name":"{name}"}}}}"#)).await;
    }
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn all_pages_show_the_first_ones_revision_while_others_write() {
    with_server(async |harness| {
        fill(harness, &["a", "b", "d", "e", "g"]).await;
        let whole = harness.get(MAPS).await;
        let first = harness.get(&format!("{MAPS}?limit=2")).await;
        assert_eq!(names(&first), ["a", "b"]);
        assert_eq!(first["metadata"]["remainingItemCount"], 3);
        fill(harness, &["c", "f"]).await;
        for name in ["a", "e"] {
            harness.call(request("DELETE", &format!("{MAPS}/{name}"), "")).await;
        }
        harness
            .call(request(
                "PUT",
                &format!("{MAPS}/d"),
                r#"{"metadata":{"name":"d"},"data":{"k":"v"}}"#,
            ))
            .await;
        let mut items = first["items"].as_array().unwrap().clone();
        let mut token = first["metadata"]["continue"].as_str().unwrap().to_owned();
        while !token.is_empty() {
            let page = harness.get(&format!("{MAPS}?limit=2&continue={token}")).await;
            assert_eq!(page["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
            items.extend(page["items"].as_array().unwrap().clone());
            token = page["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
        }
        assert_eq!(Value::from(items), whole["items"]);
        let revision = whole["metadata"]["resourceVersion"].as_str().unwrap();
        let exact = format!("{MAPS}?resourceVersion={revision}&resourceVersionMatch=Exact");
        assert_eq!(harness.get(&exact).await, whole);
        assert_eq!(names(&harness.get(MAPS).await), ["b", "c", "d", "f", "g"]);
    });
}

#[test]
fn a_page_that_expired_offers_to_go_on_with_the_newest_state() {
    let store = store::Limits { window_bytes: 0, ..store::Limits::default() };
    with_setup(Setup { store, ..Setup::default() }, async |harness| {
        fill(harness, &["a", "b", "c"]).await;
        let first = harness.get(&format!("{MAPS}?limit=1")).await;
        let token = first["metadata"]["continue"].as_str().unwrap();
        fill(harness, &["d", "e"]).await;
        let page = format!("{MAPS}?limit=5&continue={token}");
        let refused = harness.call(request("GET", &page, "")).await;
        let status: Value = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!((refused.code, &status["reason"]), (410, &"Expired".into()));
        let message = status["message"].as_str().unwrap();
        assert!(message.starts_with("The provided continue parameter is too old"), "{message}");
        let newest = status["metadata"]["continue"].as_str().unwrap();
        let rest = harness.get(&format!("{MAPS}?limit=5&continue={newest}")).await;
        assert_eq!(names(&rest), ["b", "c", "d", "e"]);
        let revision = first["metadata"]["resourceVersion"].as_str().unwrap();
        let exact = format!("{MAPS}?resourceVersion={revision}&resourceVersionMatch=Exact");
        let refused = harness.call(request("GET", &exact, "")).await;
        let text = "The resourceVersion for the provided list is too old.";
        assert!(refused.code == 410 && String::from_utf8_lossy(&refused.body).contains(text));
    });
}

#[test]
fn nothing_is_answered_before_it_is_durable() {
    with_server(async |harness| {
        harness.get(MAPS).await;
        harness.disk_works.send_replace(false);
        let map = format!("{MAPS}/a");
        let body = r#"{"metadata":{"name":"a"}}"#;
        let mut patch = request("PATCH", &map, "{}");
        let merge = "application/merge-patch+json".parse().unwrap();
        patch.headers_mut().insert("content-type", merge);
        let stale = r#"{"metadata":{"name":"a","resourceVersion":"1"}}"#;
        // A refusal and a dry run tell of the state as well as a success does.
        let late = [
            (request("POST", MAPS, body), 201),
            (request("POST", MAPS, body), 409),
            (request("GET", &map, ""), 200),
            (request("GET", MAPS, ""), 200),
            (request("PUT", &map, stale), 409),
            (request("PUT", &format!("{map}?dryRun=All"), body), 200),
            (request("PUT", &map, body), 200),
            (patch, 200),
            (request("DELETE", &format!("{MAPS}?dryRun=All"), ""), 200),
            (request("DELETE", &map, ""), 200),
            (request("GET", &map, ""), 404),
            (request("PUT", &map, body), 404),
        ];
        let mut answers = Vec::new();
        for (request, code) in late {
            let io = hyper_util::rt::TokioIo::new(harness.connect().await);
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            spawn_local(connection);
            let answer = spawn_local(async move {
                sender.send_request(request).await.unwrap().status().as_u16()
            });
            answers.push((answer, code));
            // A whole exchange later the server has looked at the request before it.
            for _ in 0..3 {
                assert_eq!(harness.call(self::request("GET", "/readyz/ping", "")).await.code, 200);
            }
        }
        assert!(answers.iter().all(|(answer, _)| !answer.is_finished()), "answered too early");
        harness.disk_works.send_replace(true);
        for (answer, code) in answers {
            assert_eq!(answer.await.unwrap(), code);
        }
    });
}
