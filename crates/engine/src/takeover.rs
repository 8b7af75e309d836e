//! What an engine derives from a store that was just opened.

use std::{collections::HashSet, sync::Arc};

use jiff::Timestamp;
use kinds::{Facts, Kind, Object, Uid};

use crate::{Engine, notices::Notices, terminated::was_evicted};

impl Engine {
    /// Reads the derived state out of a store that was just opened.
    pub(crate) fn take_over(&mut self, now: Timestamp) {
        let objects = |kind| self.store.list(kind, None).cloned().collect::<Vec<Arc<Object>>>();
        let (jobs, pods, events) = (objects(Kind::Job), objects(Kind::Pod), objects(Kind::Event));
        let quotas = objects(Kind::ResourceQuota);
        let cron_jobs = objects(Kind::CronJob);
        for info in kinds::KINDS {
            for object in self.store.list(info.kind, None) {
                self.dependents.add(&object.key, &object.meta.owners);
                if object.deleting() {
                    self.woken.insert(object.key.clone());
                }
            }
        }
        self.wake_abandoned();
        for key in self.woken.clone() {
            if let Some(draft) = self.current(&key) {
                self.index_awaiting(&key, &draft);
            }
        }
        for quota in quotas {
            self.index_quota(&quota.key, &quota.draft());
        }
        self.woken.extend(self.store.list(Kind::Namespace, None).map(|n| n.key.clone()));
        for cron_job in cron_jobs {
            self.index_cron_job(&cron_job.key, &cron_job.draft());
        }
        for job in jobs {
            if Self::controller(&job.meta.owners).is_some() {
                self.index_child(&job.job());
            }
            if !matches!(job.meta.facts, Facts::Job { finished: true, .. }) {
                self.index_job(&job.key, &job.draft());
            }
        }
        self.woken.extend(self.mortal_jobs());
        for pod in pods {
            let Facts::Pod { phase, .. } = &pod.meta.facts else { continue };
            let over = phase == "Succeeded" || phase == "Failed";
            if over {
                let evicted = phase == "Failed" && was_evicted(&pod);
                self.finished.insert(pod.key.clone(), pod.meta.uid, evicted, pod.meta.created_s);
            }
            if !over || !pod.meta.finalizers.is_empty() || pod.deleting() {
                self.index_pod(&pod.key, &pod.draft(), None);
            }
        }
        let mut events = events;
        events.sort_by_key(|event| event.meta.created_s);
        for event in events {
            let bytes = event.json_bytes();
            self.recorder.found(&event.key, event.meta.uid, event.meta.created_s, bytes);
        }
        self.notices = Notices::found(&self.store, now);
        self.history_bytes = self.store.records("history/").map(|(_, bytes)| bytes.len()).sum();
    }

    /// Wakes what depends on objects that are not there: their owner went, and the server ended before
    /// the collector had seen that.
    fn wake_abandoned(&mut self) {
        let mut absent: HashSet<Uid> = self.dependents.owners().collect();
        for info in kinds::KINDS {
            for object in self.store.list(info.kind, None) {
                absent.remove(&object.meta.uid);
            }
        }
        self.woken.extend(absent.into_iter().flat_map(|owner| self.dependents.of(owner)));
    }
}
