//! Every budget of the engine, with its unit, in one place.

/// Budgets of what is kept and of how far one step may go.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Finished pods kept as objects; the oldest go first (upstream's terminated-pod threshold).
    pub finished_pods_max: usize,
    /// Bytes of logs kept of pods that ended; those that ended first go first.
    pub log_bytes_max: u64,
    /// Bytes of Event objects kept; the oldest go first.
    pub event_bytes_max: usize,
    /// Seconds an Event is kept after it was last seen.
    pub event_age_s: i64,
    /// Bytes of history records kept; the oldest job goes first.
    pub history_bytes_max: usize,
    /// Seconds a finished job stays in the history.
    pub history_age_s: i64,
    /// Reconciliations in one [`settle`](crate::Engine::settle): far above what a fixed point needs;
    /// reaching it is a broken controller and stops the server.
    pub rounds_max: usize,
    /// Tries at a random name suffix before a create is refused.
    pub name_tries_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            finished_pods_max: 12_500,
            log_bytes_max: 2 << 30,
            event_bytes_max: 32 << 20,
            event_age_s: 3600,
            history_bytes_max: 64 << 20,
            history_age_s: 30 * 86_400,
            rounds_max: 100_000,
            name_tries_max: 8,
        }
    }
}
