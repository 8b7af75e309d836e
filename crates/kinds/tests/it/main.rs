//! Data cases: `tests/cases/*.txt`, each case an input, `----` and what must come out. The first
//! word of a file's name says which function is asked. `UPDATE_EXPECT=1 cargo test -p kinds` writes
//! the answers anew.

#![allow(clippy::unwrap_used, reason = "what a case cannot say stops the test")]

mod properties;
mod support;

use std::{fs, path::Path};

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
fn bodies() {
    check("body", support::body);
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
fn the_support_page_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/support.md");
    expect_test::expect_file![path].assert_eq(&kinds::support::markdown());
}
