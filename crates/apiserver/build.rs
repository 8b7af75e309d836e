//! Takes what Kubernetes says about its types and fields out of the sources of the library that has
//! the types, into one text that `openapi` reads when it is first asked. The library would also give
//! it at run time, with a feature that makes it build twice as long; the prose itself is not ours to
//! keep in the tree.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const LIBRARY: &str = "k8s-openapi";
const VERSION: &str = "v1_36";

/// The packages whose types are served, as folders of the library.
const PACKAGES: &[&str] = &[
    "api/authentication/v1",
    "api/authorization/v1",
    "api/batch/v1",
    "api/coordination/v1",
    "api/core/v1",
    "api/node/v1",
    "api/policy/v1",
    "api/scheduling/v1",
    "apimachinery/pkg/api/resource",
    "apimachinery/pkg/apis/meta/v1",
    "apimachinery/pkg/util/intstr",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    let sources = library().join("src").join(VERSION);
    let mut text = String::new();
    for package in PACKAGES {
        let folder = sources.join(package);
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.is_file()) {
            text += &describe(&fs::read_to_string(file).expect("a source file"));
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("descriptions.txt"), text).expect("cargo's folder can be written");
}

/// The folder of the library's sources. Cargo knows where it has them.
fn library() -> PathBuf {
    let variable = |name: &str| env::var(name).expect("cargo sets it");
    let mut command = Command::new(variable("CARGO"));
    command.args(["metadata", "--format-version=1", "--locked", "--filter-platform"]);
    let ran = command.arg(variable("TARGET")).output().expect("cargo runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "cargo metadata, which finds {LIBRARY}: {said}");
    let metadata = String::from_utf8(ran.stdout).expect("cargo writes UTF-8");
    let manifests = metadata.split(r#""manifest_path":""#).skip(1);
    let manifest = manifests
        .filter_map(|rest| rest.split('"').next())
        .map(Path::new)
        .find(|path| {
            let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
            folder.to_string_lossy().starts_with(LIBRARY)
        })
        .unwrap_or_else(|| panic!("cargo metadata names no {LIBRARY}"));
    manifest.parent().expect("a manifest lies in a folder").to_owned()
}

/// The lines of one type, from the schema that its file builds: first `type NAME TEXT`, then
/// `field NAME TEXT` or `required NAME TEXT`. A text is a literal in quotes, the same in Rust and
/// JSON. The file is generated, so that depth is indentation.
fn describe(source: &str) -> String {
    let Some((before, schema)) = source.split_once("json_schema!({") else { return String::new() };
    let name = before.rsplit('"').find(|part| part.starts_with("io.k8s."));
    let name = name.expect("a schema has the name of its definition");
    let mut about = "\"\"";
    let mut fields: Vec<(&str, &str)> = Vec::new();
    let mut required: Vec<&str> = Vec::new();
    for line in schema.lines() {
        let depth = line.len() - line.trim_start().len();
        let line = line.trim();
        match depth {
            12 => about = line.strip_prefix("\"description\": ").map_or(about, literal),
            16 if line.ends_with('{') => {
                fields.push((line.split('"').nth(1).expect("a name"), "\"\""));
            }
            16 if line.starts_with('"') => required.extend(line.split('"').nth(1)),
            20 => {
                let text = line.split_once("\"description\": ");
                let text = text.or_else(|| line.split_once("\"description\".into(), "));
                if let (Some((_, text)), Some(field)) = (text, fields.last_mut()) {
                    field.1 = literal(text);
                }
            }
            _ => {}
        }
    }
    let mut lines = format!("type {name} {about}\n");
    for (name, text) in fields {
        let word = if required.contains(&name) { "required" } else { "field" };
        let _ = writeln!(lines, "{word} {name} {text}");
    }
    lines
}

/// A literal without what follows it.
fn literal(text: &str) -> &str {
    &text[..=text.rfind('"').unwrap_or(0)]
}
