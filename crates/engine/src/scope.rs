//! On whose behalf the engine acts: `up` acts on everything it finds; a private server only on what
//! live runs of the command line submitted, and leaves the rest of the directory alone.

use std::collections::BTreeSet;

/// What the engine may act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// Objects that carry the annotation of one of these runs.
    Runs(BTreeSet<String>),
}

impl Scope {
    /// Whether an object submitted by `run` (or by nobody's run) is acted on.
    pub fn covers(&self, run: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Runs(runs) => run.is_some_and(|run| runs.contains(run)),
        }
    }
}
