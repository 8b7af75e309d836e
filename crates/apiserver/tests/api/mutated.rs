//! Requests that are wrong in random ways: refused, never a fault of the server's own.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Harness, request, with_server};

const MUTATIONS: u64 = 1_000;

const REQUESTS: &[(&str, &str, &str)] = &[
    ("GET", "/api/v1/namespaces/default/pods?labelSelector=a%3Db,c+in+(d)&limit=5", ""),
    ("GET", "/apis/batch/v1/jobs?fieldSelector=metadata.name%3Dx&resourceVersion=7", ""),
    (
        "GET",
        "/api/v1/pods?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=1",
        "",
    ),
    ("GET", "/api/v1/namespaces/default/pods/p/log?tailLines=5&sinceSeconds=1&container=c", ""),
    ("GET", "/coracle/history?job=j&namespace=default", ""),
    (
        "PUT",
        "/api/v1/namespaces/default/configmaps/a",
        r#"{"metadata":{"name":"a","resourceVersion":"1"}}"#,
    ),
    (
        "DELETE",
        "/api/v1/namespaces/default/configmaps/a?gracePeriodSeconds=1",
        r#"{"preconditions":{"uid":"x"},"propagationPolicy":"Orphan"}"#,
    ),
    (
        "POST",
        "/api/v1/namespaces/default/secrets?fieldValidation=Strict",
        r#"{"metadata":{"generateName":"s-"},"data":{"k":"dg=="},"stringData":{"a":"b"}}"#,
    ),
    (
        "POST",
        "/apis/batch/v1/namespaces/default/jobs",
        r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"spec":{"completions":3,"completionMode":"Indexed","backoffLimit":2,"activeDeadlineSeconds":60,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"coracle.local/host","command":["true"],"env":[{"name":"A","value":"b"}],"resources":{"limits":{"cpu":"100m","memory":"64Mi"}}}]}}}}"#,
    ),
    (
        "POST",
        "/api/v1/namespaces/default/pods",
        r#"{"metadata":{"name":"p","labels":{"a":"b"},"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"q","uid":"u"}]},"spec":{"containers":[{"name":"c","image":"coracle.local/host","ports":[{"containerPort":80}]}],"volumes":[{"name":"v","emptyDir":{"sizeLimit":"1Gi"}}]}}"#,
    ),
];

/// Pieces that parsers stumble over.
const PIECES: &[&str] = &[
    "null",
    "{}",
    "[]",
    "-1",
    "9223372036854775808",
    "1e999",
    "\"\"",
    "\\u0000",
    "%00",
    "%ff",
    "%",
    "..",
    "/",
    "//",
    "?",
    "&",
    "=",
    "true",
    "é",
    ",",
    "\"metadata\":",
    "{\"a\":",
    "status",
    "NaN",
];

fn mutate(random: &mut fastrand::Rng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(0..=letters.len());
        let until = (at + random.usize(0..12)).min(letters.len());
        match random.u8(0..4) {
            0 => drop(letters.drain(at..until)),
            1 => {
                let copied = letters[at..until].to_vec();
                letters.splice(at..at, copied);
            }
            2 => {
                let piece = random.choice(PIECES).unwrap();
                letters.splice(at..until, piece.chars());
            }
            _ => letters.insert(at, random.char(..)),
        }
    }
    letters.into_iter().collect()
}

/// Whether a code above 499 is upstream's own word for what the client asked.
fn is_clients_fault(code: u16, body: &[u8]) -> bool {
    code < 500 || (code == 504 && String::from_utf8_lossy(body).contains("ResourceVersionTooLarge"))
}

async fn send(harness: &Harness, request: Request<Full<Bytes>>, what: &str) {
    let streams = what.contains("watch");
    if streams {
        let response = harness.send(request).await;
        assert!(response.status().as_u16() < 500 || response.status() == 504, "{what}");
    } else {
        let answer = harness.call(request).await;
        assert!(is_clients_fault(answer.code, &answer.body), "{what}: {answer:?}");
    }
}

#[test]
fn mutated_requests_are_never_the_servers_fault() {
    with_server(async |harness| {
        for seed in 0..MUTATIONS {
            let mut random = fastrand::Rng::with_seed(seed);
            let (method, target, body) = random.choice(REQUESTS).unwrap();
            let (mut target, mut body) = ((*target).to_owned(), (*body).to_owned());
            if body.is_empty() || random.bool() {
                target = mutate(&mut random, &target);
            } else {
                body = mutate(&mut random, &body);
            }
            let built = Request::builder()
                .method(*method)
                .uri(&*target)
                .header("host", "localhost")
                .body(Full::new(Bytes::from(body.clone())));
            // Not every mutation can be written as a request at all.
            let Ok(request) = built else { continue };
            let relative = request.uri().authority().is_none() && target.starts_with('/');
            if relative {
                send(harness, request, &format!("seed {seed}: {method} {target} {body}")).await;
            }
        }
        harness.get("/api/v1/pods").await;
    });
}

/// Bytes that are hardly HTTP, on a connection that is then closed.
#[test]
fn no_bytes_take_the_server_down() {
    with_server(async |harness| {
        for seed in 0..MUTATIONS {
            let mut random = fastrand::Rng::with_seed(seed);
            let (method, target, body) = random.choice(REQUESTS).unwrap();
            let whole = format!(
                "{method} {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let mut bytes = whole.into_bytes();
            for _ in 0..random.usize(0..8) {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(0..=bytes.len()));
            let mut stream = harness.connect().await;
            // The server may close before it has read everything.
            drop(stream.write_all(&bytes).await);
            drop(stream.shutdown().await);
            let mut answer = Vec::new();
            drop(stream.read_to_end(&mut answer).await);
            let text = String::from_utf8_lossy(&answer);
            assert!(!text.starts_with("HTTP/1.1 5") || text.contains("TooLarge"), "{seed}: {text}");
        }
        assert_eq!(harness.call(request("GET", "/readyz", "")).await.code, 200);
    });
}
