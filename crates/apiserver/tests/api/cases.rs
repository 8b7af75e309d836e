//! Requests and answers as text files. A case is a few lines that begin with `> `: method and
//! target, headers, a body; what follows is the answer, with uids, times and revisions masked.
//! `UPDATE_EXPECT=1` rewrites the answers. All cases of a file talk to one server, in order.
//!
//! Four directives stand among the headers: `@lines N` reads so many lines of a stream, `@body N`
//! sends so many bytes, `@hex` says that the body is written in hexadecimal, `@only A B` shows only
//! these members (JSON pointers).

use std::{fmt::Write as _, path::PathBuf};

use bytes::Bytes;
use expect_test::expect_file;
use http_body_util::Full;
use hyper::Request;
use serde_json::Value;

use crate::harness::{Answer, Harness, Lines, with_server};

#[derive(Default)]
struct Case {
    /// Comments and blank lines before the request.
    lead: String,
    /// The lines of the request.
    text: Vec<String>,
}

#[test]
fn every_case_is_answered_as_written() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/api/cases");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 3, "the cases are gone");
    for file in files {
        let cases = read(&std::fs::read_to_string(&file).unwrap());
        with_server(async |harness| {
            let mut text = String::new();
            for case in &cases {
                text.push_str(&case.lead);
                for line in &case.text {
                    writeln!(text, "> {line}").unwrap();
                }
                text.push_str(&answer(harness, &case.text).await);
            }
            expect_file![file].assert_eq(&text);
        });
    }
}

fn read(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let (mut lead, mut in_request) = (String::new(), false);
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("> ") {
            if !in_request {
                cases.push(Case { lead: std::mem::take(&mut lead), text: Vec::new() });
            }
            cases.last_mut().unwrap().text.push(line.to_owned());
            in_request = true;
        } else {
            in_request = false;
            if line.is_empty() || line.starts_with('#') {
                writeln!(lead, "{line}").unwrap();
            }
        }
    }
    cases
}

async fn answer(harness: &Harness, text: &[String]) -> String {
    let (method, target) = text[0].split_once(' ').unwrap();
    let mut builder = Request::builder().method(method).uri(target).header("host", "localhost");
    let (mut body, mut lines, mut only, mut hex) = (String::new(), None, Vec::new(), false);
    for line in &text[1..] {
        match line.split_once(' ') {
            None if line == "@hex" => hex = true,
            Some(("@lines", count)) => lines = Some(count.parse().unwrap()),
            Some(("@body", count)) => body = " ".repeat(count.parse().unwrap()),
            Some(("@only", pointers)) => only = pointers.split(' ').map(str::to_owned).collect(),
            Some((name, value)) if name.ends_with(':') && !name.starts_with('{') => {
                builder = builder.header(name.trim_end_matches(':'), value);
            }
            _ => body.push_str(line),
        }
    }
    let body = if hex { unhex(&body) } else { body.into_bytes() };
    let request = builder.body(Full::new(Bytes::from(body))).unwrap();
    match lines {
        Some(count) => streamed(harness, request, count).await,
        None => render(&harness.call(request).await, &only),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

async fn streamed(harness: &Harness, request: Request<Full<Bytes>>, count: usize) -> String {
    let mut lines = Lines::of(harness.send(request).await);
    let mut text = format!("{}\n", lines.code);
    for _ in 0..count {
        let line = lines.next().await.unwrap_or_else(|| "(the end)".to_owned());
        writeln!(text, "{}", mask(&line)).unwrap();
    }
    text
}

fn render(answer: &Answer, only: &[String]) -> String {
    let content = answer.headers.get("content-type").map_or("", |v| v.to_str().unwrap());
    let mut text = format!("{} {content}\n", answer.code);
    for name in ["warning", "retry-after"] {
        for value in answer.headers.get_all(name) {
            writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
    }
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    let body = if only.is_empty() { body } else { pick(&body, only) };
    for line in mask(&body).lines() {
        writeln!(text, "{line}").unwrap();
    }
    text
}

fn pick(body: &str, pointers: &[String]) -> String {
    let json: Value = serde_json::from_str(body).unwrap();
    let picked = pointers.iter().map(|p| (p.clone(), json.pointer(p).cloned().unwrap_or_default()));
    Value::Object(picked.collect()).to_string()
}

/// Replaces what differs from run to run.
fn mask(text: &str) -> String {
    let mut masked = text.to_owned();
    for (before, after) in [
        ("\"resourceVersion\":\"", "\""),
        ("\"creationTimestamp\":\"", "\""),
        ("\"deletionTimestamp\":\"", "\""),
        ("\"uid\":\"", "\""),
        ("UID in record (", ")"),
        ("UID in object meta: ", "\""),
        ("ResourceVersion in record (", ")"),
        (", current: ", "\""),
        ("too old resource version: 1 (", ")"),
        ("\"pid\":", ","),
        ("\"memoryBytes\":", "}"),
        ("\"revision\":", ","),
        ("\"dataDir\":\"", "\""),
        ("\"platform\":\"", "\""),
    ] {
        let mut parts = masked.split(before);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(after).unwrap_or(part.len());
            let hidden = if end == 0 { "" } else { "…" };
            write!(out, "{before}{hidden}{}", &part[end..]).unwrap();
        }
        masked = out;
    }
    masked
}
