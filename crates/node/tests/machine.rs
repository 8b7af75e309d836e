//! The node's cases: files in `cases` hold what happens to a pod, `----`, and what the node does
//! about it. `UPDATE_EXPECT=1` rewrites the second half. `cases/machine` is about the life of pods,
//! `cases/start` about what their containers are started with.
//!
//! Each case is run by [`world::World`], which plays the store, the files and, on command, the
//! spawner. See there for the commands.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "machine/properties.rs"]
mod properties;
#[path = "machine/world.rs"]
mod world;

use std::{fs, path::Path};

use world::World;

/// Runs every case of a file and compares, or rewrites, what came out.
fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(file);
    let text = fs::read_to_string(&path).unwrap();
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut rewritten = String::new();
    let mut wrong = Vec::new();
    for case in text.split("==== ").skip(1) {
        let (name, body) = case.split_once('\n').unwrap();
        let (input, expected) = body.split_once("----\n").unwrap_or((body.trim_end(), ""));
        let input = input.trim_end();
        let mut world = World::new();
        input.lines().for_each(|line| world.command(line));
        let output = world.said.join("\n");
        if output != expected.trim_end() {
            wrong.push(format!("{name}\n--- expected\n{expected}\n--- got\n{output}\n"));
        }
        rewritten += &format!("==== {name}\n{input}\n----\n{output}\n\n");
    }
    let head = text.split("==== ").next().unwrap_or_default();
    if update {
        fs::write(&path, format!("{head}{}\n", rewritten.trim_end())).unwrap();
    } else {
        assert!(wrong.is_empty(), "{file}: {}", wrong.join("\n"));
    }
}

fn check_all(folder: &str) {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(folder);
    let mut files: Vec<String> = fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().for_each(|file| check(&format!("{folder}/{file}")));
}

#[test]
fn every_case_of_the_pod_machine_comes_out_as_written() {
    check_all("machine");
}

#[test]
fn every_case_of_a_start_comes_out_as_written() {
    check_all("start");
}
