//! The server: engine, node, disk and spawner driven by one thread.

use std::{fs::File, path::PathBuf};

use crate::exit::{Code, Failure};

/// What a server is told at its start.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// Whether a stop by SIGTERM or SIGINT ends the running pods too.
    pub(crate) stop_pods: bool,
    /// The turn to start a server, to be dropped as soon as this one answers.
    pub(crate) turn: Option<File>,
}

/// On whose behalf a server acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Acts on everything in the data directory, until stopped.
    Up,
    /// Acts on what live runs submitted, and ends with the last of them.
    Private,
}

/// Takes the file `lock` (`Up`: or fails at once, naming the holder; `Private`: waits a bounded time
/// for a server that is just ending) and serves until stopped; prints `ready unix:PATH` on standard output when it answers.
pub(crate) fn serve(config: Config, mode: Mode) -> Result<Code, Failure> {
    Err(Failure::engine(format!("{mode:?} in {}: not built in", config.data_dir.display())))
}
