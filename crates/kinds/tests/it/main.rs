//! Data cases: `tests/cases/*.txt`, each case an input, `----` and what must come out. The first
//! word of a file's name says which function is asked. `UPDATE_EXPECT=1 cargo test -p kinds` writes
//! the answers anew.

#![allow(clippy::unwrap_used, reason = "what a case cannot say stops the test")]

mod columns;
mod patch;
mod properties;
mod strategic;
mod support;

use std::{fs, path::Path};

use kinds::decode::{self, FieldValidation, Form};
use support::{Case, read_cases, write_cases};

/// Answers every case of the files whose names start with `prefix`; more than none.
fn check(prefix: &str, answer: impl Fn(&str) -> String) {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with(prefix) {
            continue;
        }
        let mut cases = read_cases(&fs::read_to_string(&path).unwrap());
        for Case { title, input, expected } in &mut cases {
            count += 1;
            let actual = answer(input);
            if actual != *expected {
                failures.push(format!("{name}: {title}\nexpected:\n{expected}\nactual:\n{actual}"));
                *expected = actual;
            }
        }
        if update {
            fs::write(&path, write_cases(&cases)).unwrap();
        }
    }
    assert!(count > 0, "no case of {prefix}");
    assert!(update || failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn manifests() {
    check("manifest", support::manifest);
}

#[test]
fn located() {
    check("locate", support::located);
}

#[test]
fn files_have_limits_that_are_named() {
    let error = |text: String| {
        kinds::manifest::parse("big.yaml", text.as_bytes()).expect_err("over the limit").to_string()
    };
    let large = " ".repeat(kinds::manifest::FILE_BYTES_MAX + 1);
    assert_eq!(error(large), "big.yaml:1: the file is larger than 16777216 bytes");
    let deep = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
    let text = error(deep);
    assert!(text.starts_with("big.yaml:1: invalid YAML: "), "{text}");
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..9 {
        let items = vec![format!("*a{}", n - 1); 10].join(",");
        bomb += &format!("a{n}: &a{n} [{items}]\n");
    }
    let text = error(bomb);
    let said = "the aliases of this file stand for more than 100000 values; write them out";
    assert!(text.contains(said), "{text}");
}

#[test]
fn bodies() {
    check("body", support::body);
}

/// Finding doubled keys once compared every key with every other: a body of 3 MiB of small keys
/// would have kept the server busy for minutes.
#[test]
fn very_many_keys_are_read_in_time() {
    let keys: Vec<String> = (0..200_000).map(|n| format!("\"k{}\":\"\"", n % 150_000)).collect();
    let json = format!("{{\"data\":{{{}}},\"x\":0,{}}}", keys.join(","), keys[..1000].join(","));
    let (form, validation) = (Form::Json, FieldValidation::Warn);
    let (draft, warnings) =
        decode::body(kinds::Kind::ConfigMap, form, json.as_bytes(), validation).unwrap();
    assert_eq!(draft.rest["data"].get().matches("\"k").count(), 150_000);
    assert_eq!(warnings.len(), 100);
}

#[test]
fn protobuf_bodies() {
    check("protobuf", support::protobuf);
}

#[test]
fn creations() {
    check("create", support::create);
}

#[test]
fn updates() {
    check("update", support::update);
}

#[test]
fn rows() {
    check("row", columns::row);
}

#[test]
fn patches() {
    check("patch", patch::apply);
}

#[test]
fn applications() {
    check("apply", patch::three_way);
}

#[test]
fn the_support_page_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/support.md");
    expect_test::expect_file![path].assert_eq(&kinds::support::markdown());
}
