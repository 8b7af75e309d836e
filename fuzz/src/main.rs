//! Fuzz targets for every decoder of bytes from outside, in one executable: libFuzzer drives it, and
//! the environment says which target. `cargo xtask fuzz` builds and runs it.
//!
//! A target must never panic, overflow, hang or fill the memory; what else has to hold of what was
//! decoded, it asserts. Inputs are as readable as the format allows, because whoever finds one in a
//! failure has to make a case of it.
#![no_main]

mod body;
mod manifest;
mod node_bytes;
mod patch;
mod protobuf;
mod request;
mod spdy;
mod store_bytes;
mod text;

use kinds::{KINDS, Kind};
use std::sync::OnceLock;

/// The environment variable that names the target.
const TARGET: &str = "FUZZ_TARGET";

/// Does everything with one input.
type Target = fn(&[u8]);

const TARGETS: &[(&str, Target)] = &[
    ("manifest", manifest::fuzz),
    ("body", body::fuzz),
    ("protobuf", protobuf::fuzz),
    ("patch", patch::fuzz),
    ("text", text::fuzz),
    ("request", request::fuzz),
    ("spdy", spdy::fuzz),
    ("node", node_bytes::fuzz),
    ("store", store_bytes::fuzz),
];

static CHOSEN: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let name = std::env::var(TARGET).unwrap_or_default();
    let found = TARGETS.iter().find(|(target, _)| *target == name);
    found.unwrap_or_else(|| panic!("{TARGET}={name:?} is no target")).1
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    CHOSEN.get_or_init(chosen)(data);
});

/// The first line, as far as it is text, and what follows it: a head that says what to do with the
/// rest.
fn after_line(data: &[u8]) -> (&str, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let rest = data.get(end + 1..).unwrap_or_default();
    (std::str::from_utf8(&data[..end]).unwrap_or_default(), rest)
}

/// The kind of that name; a Job for any other word.
fn kind(name: Option<&str>) -> Kind {
    let found = KINDS.iter().find(|info| Some(info.name) == name);
    found.map_or(Kind::Job, |info| info.kind)
}
