//! What is kept of what is over: finished pods, Events and history, each within its budget.

use jiff::Timestamp;

use crate::{Engine, history};

impl Engine {
    /// Removes what is over a budget.
    pub(crate) fn keep_budgets(&mut self, now: Timestamp) {
        // Those that were deleted count no longer.
        while self.finished.front().is_some_and(|(_, uid)| !self.finished_uids.contains(uid)) {
            self.finished.pop_front();
        }
        for _ in self.limits.finished_pods_max..self.finished_uids.len() {
            let Some((key, uid)) = self.finished.pop_front() else { break };
            match self.store.get(&key).is_some_and(|pod| pod.meta.finalizers.is_empty()) {
                _ if !self.finished_uids.contains(&uid) => {}
                true => self.remove(&key),
                false => self.delete_now(&key, now),
            }
        }
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
    }
}
