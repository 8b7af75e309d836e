//! OpenAPI v3 over HTTP: documents under their hashes. What is in them is tested beside them.

use serde_json::Value;

use crate::harness::{request, with_server};

#[test]
fn documents_lie_under_their_hashes_and_may_be_kept() {
    with_server(async |harness| {
        let index = harness.get("/openapi/v3").await;
        for (path, entry) in index["paths"].as_object().unwrap() {
            let url = entry["serverRelativeURL"].as_str().unwrap();
            let (plain, hash) = url.split_once("?hash=").unwrap();
            assert_eq!(plain, format!("/openapi/v3/{path}"));
            let kept = harness.call(request("GET", url, "")).await;
            let document: Value = serde_json::from_slice(&kept.body).unwrap();
            assert_eq!((kept.code, &document["openapi"]), (200, &"3.0.0".into()));
            assert_eq!(kept.headers["cache-control"], "public, immutable");
            assert_eq!(kept.headers["expires"], "Sat, 15 Jan 2028 08:00:00 GMT");
            assert_eq!(kept.headers["etag"], format!("\"{hash}\""));
            let latest = harness.call(request("GET", plain, "")).await;
            assert_eq!((latest.code, &latest.body), (200, &kept.body));
            assert_eq!(latest.headers["cache-control"], "no-cache, private");
            let other = harness.call(request("GET", &format!("{plain}?hash=0"), "")).await;
            assert_eq!((other.code, other.headers["location"].to_str().unwrap()), (301, url));
        }
        let unknown = harness.call(request("GET", "/openapi/v3/apis/apps/v1", "")).await;
        assert_eq!(unknown.code, 404);
    });
}

/// As kubectl asks after a kind that v3 does not have; what it makes of the answer is tested with it.
#[test]
fn version_2_is_empty_and_only_there_as_protobuf() {
    with_server(async |harness| {
        let mut asked = request("GET", "/openapi/v2", "");
        let accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
        asked.headers_mut().insert("accept", accept.parse().unwrap());
        let answer = harness.call(asked).await;
        assert_eq!(answer.code, 200);
        assert!(answer.headers["content-type"].to_str().unwrap().contains("proto-openapi.spec.v2"));
        assert_eq!(harness.call(request("GET", "/openapi/v2", "")).await.code, 404);
    });
}

#[test]
fn only_json_is_served() {
    with_server(async |harness| {
        for (accept, code) in [
            ("application/com.github.proto-openapi.spec.v3.v1.0+protobuf", 406),
            ("application/com.github.proto-openapi.spec.v3.v1.0+protobuf,application/json", 200),
        ] {
            let mut asked = request("GET", "/openapi/v3/api/v1", "");
            asked.headers_mut().insert("accept", accept.parse().unwrap());
            assert_eq!(harness.call(asked).await.code, code, "{accept}");
        }
    });
}
