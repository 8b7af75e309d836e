//! What is too much is refused in a way that clients understand, and what is large is compressed.

use std::io::Read as _;

use apiserver::limits::{
    COMPRESSED_BYTES_MIN, REQUEST_HEAD_BYTES_MAX, REQUEST_HEADERS_MAX, REQUESTS_MAX,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::spawn_local;

use crate::harness::{Harness, request, with_server};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[test]
fn one_request_too_many_is_to_come_again() {
    with_server(async |harness| {
        harness.disk_works.send_replace(false);
        let mut waiting = Vec::new();
        for n in 0..REQUESTS_MAX {
            let io = hyper_util::rt::TokioIo::new(harness.connect().await);
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            spawn_local(connection);
            let json = format!(r#"{{"metadata":{{"name":"m{n}"}}}}"#);
            let sent = sender.send_request(request("POST", MAPS, &json));
            waiting.push(spawn_local(async move { sent.await.unwrap().status().as_u16() }));
        }
        // Each waits for the disk once the server has looked at it.
        let refused = loop {
            let answer = harness.call(request("GET", "/readyz/ping", "")).await;
            if answer.code != 200 {
                break answer;
            }
        };
        assert_eq!((refused.code, &refused.headers["retry-after"]), (429, &"1".parse().unwrap()));
        let text = String::from_utf8_lossy(&refused.body).into_owned();
        assert!(text.contains("Too many requests, please try again later."), "{text}");
        harness.disk_works.send_replace(true);
        for answer in waiting {
            assert_eq!(answer.await.unwrap(), 201);
        }
        harness.get(MAPS).await;
    });
}

/// The status of the answer to a request head as it stands.
async fn status_of(harness: &Harness, head: &str) -> String {
    let mut stream = harness.connect().await;
    // The server may hang up before it has taken everything.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_head_that_is_too_large_is_431() {
    with_server(async |harness| {
        let head = |more: &str| format!("GET /version HTTP/1.1\r\nhost: x\r\n{more}\r\n");
        assert_eq!(status_of(harness, &head("")).await, "HTTP/1.1 200");
        let large = format!("a: {}\r\n", "x".repeat(4 * REQUEST_HEAD_BYTES_MAX));
        assert_eq!(status_of(harness, &head(&large)).await, "HTTP/1.1 431");
        let many: String = (0..REQUEST_HEADERS_MAX).map(|n| format!("a{n}: x\r\n")).collect();
        assert_eq!(status_of(harness, &head(&many)).await, "HTTP/1.1 431");
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(4 * REQUEST_HEAD_BYTES_MAX));
        assert_eq!(status_of(harness, &long).await, "HTTP/1.1 431");
    });
}

#[test]
fn a_large_list_is_compressed_and_a_watch_never() {
    with_server(async |harness| {
        let value = "x".repeat(COMPRESSED_BYTES_MIN as usize);
        harness
            .create(MAPS, &format!(r#"{{"metadata":{{"name":"a"}},"data":{{"k":"{value}"}}}}"#))
            .await;
        let plain = harness.call(request("GET", MAPS, "")).await;
        let mut asked = request("GET", MAPS, "");
        asked.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
        let small = harness.call(asked).await;
        assert_eq!(small.headers["content-encoding"], "gzip");
        assert!(small.body.len() * 10 < plain.body.len());
        let mut body = Vec::new();
        flate2::read::GzDecoder::new(&*small.body).read_to_end(&mut body).unwrap();
        assert_eq!(body, plain.body);
        let mut watch = request("GET", &format!("{MAPS}?watch=true"), "");
        watch.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
        assert!(!harness.send(watch).await.headers().contains_key("content-encoding"));
    });
}

#[test]
fn every_answer_has_an_id_and_says_that_it_is_not_to_be_kept() {
    with_server(async |harness| {
        for target in ["/version", MAPS, "/nowhere", "/api/v1/namespaces/default/pods/none"] {
            let answer = harness.call(request("GET", target, "")).await;
            assert_eq!(answer.headers["audit-id"].len(), 36, "{target}");
            assert_eq!(answer.headers["cache-control"], "no-cache, private", "{target}");
        }
    });
}
