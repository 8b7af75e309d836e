//! What should happen: one pure function per controller, from a view of the state to a [`Plan`].
//!
//! Nothing here reads a clock, draws a random number or touches a file: time and names are
//! arguments, and the same view always gives the same plan. A controller is not told why it was
//! woken; whoever calls carries the plan out in one transaction and asks again until no write is
//! left.

pub mod cron_job;
pub mod deletion;
pub mod garbage;
mod index_set;
pub mod job;
pub mod namespace;
pub mod placement;
mod plan;
pub mod quota;
pub mod resources;
pub mod terminated;
pub mod ttl;

pub use index_set::IndexSet;
pub use job::{
    Action, BackOff, FAILURE_COUNT_KEY, IGNORED_FAILURE_COUNT_KEY, INDEX_KEY, IndexFailures,
    Indexes, Judgement, Owner, Phase, PodFacts, TRACKING_FINALIZER, View, job, orphan,
    owner_reference,
};
pub use plan::{Note, Plan, Write};
