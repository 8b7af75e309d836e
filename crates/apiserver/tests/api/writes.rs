//! What writes promise beside their answers: those that change nothing make no revision, and of
//! patches that come together none is lost.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::task::spawn_local;

use crate::harness::{request, with_server};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const MERGE: &str = "application/merge-patch+json";

fn typed(method: &str, target: &str, content: &str, body: &str) -> Request<Full<Bytes>> {
    let mut request = request(method, target, body);
    request.headers_mut().insert("content-type", content.parse().unwrap());
    request
}

#[test]
fn a_write_that_changes_nothing_makes_no_revision() {
    with_server(async |harness| {
        let map = format!("{MAPS}/a");
        let json = r#"{"metadata":{"name":"a","labels":{"b":"c"}},"data":{"k":"v"}}"#;
        let created = harness.create(MAPS, json).await;
        let revision = &created["metadata"]["resourceVersion"];
        let same = created.to_string();
        for (method, target, content, body) in [
            ("PUT", &map, "application/json", json),
            ("PUT", &map, "application/json", &same),
            ("PUT", &map, "application/yaml", &same),
            ("PATCH", &map, MERGE, r#"{"data":{"k":"v","none":null}}"#),
            ("PATCH", &map, "application/strategic-merge-patch+json", json),
            (
                "PATCH",
                &map,
                "application/json-patch+json",
                r#"[{"op":"replace","path":"/data/k","value":"v"}]"#,
            ),
            ("PATCH", &format!("{map}?dryRun=All"), MERGE, r#"{"data":{"k":"w"}}"#),
            (
                "PUT",
                &format!("{map}?dryRun=All"),
                "application/json",
                r#"{"metadata":{"name":"a"}}"#,
            ),
            ("DELETE", &format!("{map}?dryRun=All"), "application/json", ""),
            ("DELETE", &format!("{MAPS}?dryRun=All"), "application/json", ""),
        ] {
            let answer = harness.call(typed(method, target, content, body)).await;
            assert_eq!(answer.code, 200, "{method} {target}: {answer:?}");
            let now = harness.get(&map).await;
            assert_eq!(&now["metadata"]["resourceVersion"], revision, "{method} {target} {body}");
        }
    });
}

#[test]
fn of_patches_that_come_together_none_is_lost() {
    const PATCHES: usize = 32;
    with_server(async |harness| {
        harness.create(MAPS, r#"{"metadata":{"name":"a"}}"#).await;
        let mut answers = Vec::new();
        for n in 0..PATCHES {
            let io = TokioIo::new(harness.connect().await);
            let (mut sender, connection) = http1::handshake(io).await.unwrap();
            spawn_local(connection);
            let body = format!(r#"{{"data":{{"k{n}":"v"}}}}"#);
            let patch = typed("PATCH", &format!("{MAPS}/a"), MERGE, &body);
            answers.push(spawn_local(async move {
                sender.send_request(patch).await.unwrap().status().as_u16()
            }));
        }
        for answer in answers {
            assert_eq!(answer.await.unwrap(), 200);
        }
        let map: Value = harness.get(&format!("{MAPS}/a")).await;
        assert_eq!(map["data"].as_object().unwrap().len(), PATCHES);
    });
}
