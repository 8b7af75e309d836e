//! Just enough HTTP over the unix socket: one request per connection.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
};

use serde_json::Value;

use crate::server::Server;

fn request(server: &Server, method: &str, path: &str, body: &str) -> BufReader<UnixStream> {
    let mut stream = UnixStream::connect(server.socket()).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: coracle\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    BufReader::new(stream)
}

/// Status code and headers, off the front of the answer; whether the body is chunked.
fn head(answer: &mut impl BufRead) -> (u16, bool) {
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    let code = line.split(' ').nth(1).unwrap().parse().unwrap();
    let mut chunked = false;
    loop {
        line.clear();
        answer.read_line(&mut line).unwrap();
        chunked |= line.to_ascii_lowercase().starts_with("transfer-encoding: chunked");
        if line.trim().is_empty() {
            return (code, chunked);
        }
    }
}

fn chunk(answer: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    let size = usize::from_str_radix(line.trim(), 16).ok()?;
    let mut bytes = vec![0; size + 2];
    answer.read_exact(&mut bytes).unwrap();
    bytes.truncate(size);
    (size > 0).then_some(bytes)
}

/// The body of a successful GET.
pub(crate) fn get(server: &Server, path: &str) -> String {
    let mut answer = request(server, "GET", path, "");
    let (code, chunked) = head(&mut answer);
    let mut body = Vec::new();
    match chunked {
        true => std::iter::from_fn(|| chunk(&mut answer)).for_each(|part| body.extend(part)),
        false => drop(answer.read_to_end(&mut body).unwrap()),
    }
    let body = String::from_utf8(body).unwrap();
    assert_eq!(code, 200, "GET {path}: {body}");
    body
}

pub(crate) fn create_job(server: &Server, json: &str) {
    let mut answer = request(server, "POST", "/apis/batch/v1/namespaces/default/jobs", json);
    let (code, _) = head(&mut answer);
    assert_eq!(code, 201);
}

/// Watches a Job until it has a terminal condition, and gives its status.
pub(crate) fn wait_for_end(server: &Server, job: &str) -> Value {
    let path = format!(
        "/apis/batch/v1/namespaces/default/jobs?watch=true&fieldSelector=metadata.name%3D{job}"
    );
    let mut answer = request(server, "GET", &path, "");
    assert!(head(&mut answer).1);
    let mut bytes = Vec::new();
    loop {
        bytes.extend(chunk(&mut answer).expect("the watch ended"));
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = bytes.drain(..=end).collect();
            let event: Value = serde_json::from_slice(&line).unwrap();
            let status = &event["object"]["status"];
            let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
            let ended = |c: &Value| c["type"] == "Complete" || c["type"] == "Failed";
            if conditions.iter().any(ended) {
                return status.clone();
            }
        }
    }
}

pub(crate) fn pod_of(server: &Server, job: &str) -> String {
    let path = format!(
        "/api/v1/namespaces/default/pods?labelSelector=batch.kubernetes.io%2Fjob-name%3D{job}"
    );
    let pods: Value = serde_json::from_str(&get(server, &path)).unwrap();
    pods["items"][0]["metadata"]["name"].as_str().unwrap().to_owned()
}

/// The container states of every failed pod, for the message of a failed assertion.
pub(crate) fn failed_pods(server: &Server) -> String {
    let pods = get(server, "/api/v1/namespaces/default/pods?fieldSelector=status.phase%3DFailed");
    let pods: Value = serde_json::from_str(&pods).unwrap();
    let lines = pods["items"].as_array().unwrap().iter().map(|pod| {
        format!("{}: {}", pod["metadata"]["name"], pod["status"]["containerStatuses"][0]["state"])
    });
    lines.collect::<Vec<_>>().join("\n")
}
