//! The spawner without the rest of coracle: for this crate's tests and benchmarks.

use std::path::Path;

fn main() {
    let arguments: Vec<_> = std::env::args_os().collect();
    let [_, word, data_dir] = arguments.as_slice() else {
        eprintln!("usage: spawner-alone spawner DATA_DIR");
        std::process::exit(2);
    };
    assert_eq!(word, "spawner");
    let deadline = std::env::var("START_DEADLINE_MS").ok().and_then(|text| text.parse().ok());
    let deadline = deadline.unwrap_or(spawner::START_DEADLINE_MS);
    std::process::exit(spawner::main_with(Path::new(data_dir), deadline));
}
