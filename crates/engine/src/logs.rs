//! Which logs may go: a pod's log stays as long as the pod is there or in the history.

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

    /// A pod has left the history: its log goes, unless the pod is there.
    pub(crate) fn forget_log(&mut self, log: PodLog) {
        let key = Key::new(Kind::Pod, &log.namespace, &log.pod);
        if self.uid_of(&key) != Some(log.uid) {
            self.forgotten.push(log);
        }
    }

    /// A pod has gone: its log goes, unless the pod is in the history.
    pub(crate) fn forget_log_of_removed(&mut self, key: &Key, uid: Uid, owners: &[Owner]) {
        let record = Self::controller(owners).map(|job| history::pod_name(job, uid));
        let stored = |name: &str| self.store.records(name).next().is_some();
        let recorded = record.is_some_and(|name| {
            self.pending.get_record(&name).map_or_else(|| stored(&name), |record| record.is_some())
        });
        if !recorded {
            let (namespace, pod) = (key.namespace.to_string(), key.name.to_string());
            self.forgotten.push(PodLog { namespace, pod, uid });
        }
    }
}
