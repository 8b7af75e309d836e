//! What is kept of what is over: finished pods, Events, history and logs, each within its budget.

use jiff::Timestamp;

use crate::{Engine, history};

impl Engine {
    /// Removes what is over a budget.
    pub(crate) fn keep_budgets(&mut self, now: Timestamp) {
        self.remove_terminated(now);
        while let Some(key) = self.recorder.expired(&self.limits, now) {
            if self.exists(&key) {
                self.remove(&key);
            }
        }
        let mut bytes = self.history_bytes;
        let gone = history::over_budget(&self.store, &self.limits, &mut bytes, now);
        self.history_bytes = bytes;
        gone.records.into_iter().for_each(|name| self.pending.record(name, None));
        gone.pods.into_iter().for_each(|pod| self.forget_log(pod));
        self.drop_logs_over_budget();
    }
}
