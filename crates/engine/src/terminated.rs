//! Pods that nobody needs any more: those that ended and are too many, and those bound to a node that
//! is not there.

use jiff::Timestamp;
use kinds::{Draft, Key, Kind, Object, types::core::v1::Pod};
use reconcile::{
    deletion::Propagation,
    terminated::{Stray, evicted, stray},
};

use crate::{Engine, engine::uid};

impl Engine {
    /// Looks at a pod whose node is none of ours. While its node is not there it waits for it, and
    /// then it has failed.
    pub(crate) fn collect_stray(&mut self, key: &Key, now: Timestamp) {
        if self.resting || !self.strays.contains_key(key) {
            return;
        }
        let Some(mut draft) = self.current(key).filter(|draft| self.covers(draft)) else { return };
        let pod = draft.pod().expect("a Pod in the store was validated");
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
        if self.exists(&Key::new(Kind::Node, "", node)) {
            self.strays.insert(key.clone(), None);
            return self.timers.set(key, None);
        }
        let since = self.strays.get(key).copied().flatten().unwrap_or(now);
        self.strays.insert(key.clone(), Some(since));
        let status = pod.status.clone().unwrap_or_default();
        match stray(status, draft.metadata.generation, since, now) {
            Stray::Wait(until) => self.timers.set(key, Some(until)),
            Stray::Fail(status) => {
                draft.set_pod_status(&status);
                if let Some(uid) = uid(&draft) {
                    self.record_end(key, uid, &Pod { status: Some(*status), ..pod });
                }
                self.put(draft);
                self.begin_deletion(key, Some(0), Some(Propagation::Background), now);
            }
        }
    }

    /// Removes the pods that ended and are too many. Those that somebody holds only begin to go.
    pub(crate) fn remove_terminated(&mut self, now: Timestamp) {
        let too_many = self.finished.beyond(self.limits.finished_pods_max);
        let too_many: Vec<Key> = too_many.cloned().collect();
        for key in too_many {
            let stored = self.store.get(&key).filter(|_| self.pending.get(&key).is_none());
            match stored {
                // Nothing has to be decoded for a pod that goes at once, as nearly all do.
                Some(pod) if pod.meta.finalizers.is_empty() => self.remove(&key),
                Some(pod) if pod.deleting() => {}
                _ => self.begin_deletion(&key, Some(0), None, now),
            }
        }
    }

    /// Whether an object is within this engine's scope.
    pub(crate) fn covers(&self, draft: &Draft) -> bool {
        let annotations = draft.metadata.annotations.as_ref();
        let run = annotations.and_then(|all| all.get(kinds::RUN_ANNOTATION));
        self.scope.covers(run.map(String::as_str))
    }
}

/// Whether a pod in the store was evicted, told without decoding those that were not.
pub(crate) fn was_evicted(pod: &Object) -> bool {
    let json = pod.json();
    let text = std::str::from_utf8(&json).unwrap_or_default();
    text.contains("\"Evicted\"") && pod.pod().status.is_some_and(|status| evicted(&status))
}
