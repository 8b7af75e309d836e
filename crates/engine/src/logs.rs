//! Which logs may go: a pod's log stays as long as the pod is there or in the history, and there is room
//! for it.

use std::collections::BTreeSet;

use kinds::{Key, Kind, Owner, Uid};

use crate::{Engine, history};

/// A pod, as its log directory names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodLog {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's uid.
    pub uid: Uid,
}

impl Engine {
    /// Pods whose logs may go, since the last call.
    pub fn take_forgotten(&mut self) -> Vec<PodLog> {
        std::mem::take(&mut self.forgotten)
    }

    /// The pods whose logs are kept: at its start the server removes all others.
    pub fn kept_logs(&self) -> BTreeSet<Uid> {
        let present = self.store.list(Kind::Pod, None).map(|pod| pod.meta.uid);
        present.chain(history::pod_uids(&self.store)).collect()
    }

    /// A container ended that printed something: so much of its log is left, bytes.
    pub fn log_written(&mut self, pod: Uid, container: &str, attempt: u32, bytes: u64) {
        self.log_sizes.written(pod, container, attempt, bytes);
    }

    /// The logs that were found at the start, the oldest first, and how much each takes, bytes.
    pub fn logs_found(&mut self, logs: Vec<(PodLog, u64)>) {
        for (log, bytes) in logs.into_iter().rev() {
            let ended = self.finished.contains(log.uid) || !self.is_there(&log);
            self.log_sizes.found(log, bytes, ended);
        }
    }

    /// A pod has ended: its log grows no more.
    pub(crate) fn close_log(&mut self, key: &Key, uid: Uid) {
        self.log_sizes.close(uid, || PodLog {
            namespace: key.namespace.to_string(),
            pod: key.name.to_string(),
            uid,
        });
    }

    /// A pod has left the history: its log goes, unless the pod is there.
    pub(crate) fn forget_log(&mut self, log: PodLog) {
        if !self.is_there(&log) {
            self.drop_log(log);
        }
    }

    /// Logs that there is no room for go, those of the pods that ended first.
    pub(crate) fn drop_logs_over_budget(&mut self) {
        while let Some(log) = self.log_sizes.over(self.limits.log_bytes_max) {
            self.drop_log(log);
        }
    }

    fn is_there(&self, log: &PodLog) -> bool {
        self.uid_of(&Key::new(Kind::Pod, &log.namespace, &log.pod)) == Some(log.uid)
    }

    fn drop_log(&mut self, log: PodLog) {
        self.log_sizes.forget(log.uid);
        self.forgotten.push(log);
    }

    /// A pod has gone, and had `ended` or not: its log goes, unless the pod is in the history.
    pub(crate) fn forget_log_of_removed(
        &mut self,
        key: &Key,
        uid: Uid,
        owners: &[Owner],
        ended: bool,
    ) {
        self.close_log(key, uid);
        let tells = |job| history::tells(&self.store, &self.pending, job, uid, ended);
        if !Self::controller(owners).is_some_and(tells) {
            let (namespace, pod) = (key.namespace.to_string(), key.name.to_string());
            self.drop_log(PodLog { namespace, pod, uid });
        }
    }
}
