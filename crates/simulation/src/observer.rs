//! A client that watches everything and remembers it over restarts of the server: holds revisions
//! and watch to their word, and knows the Jobs and Pods as a client would.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use kinds::{Facts, Key, Kind, Object, Revision};
use store::{Change, ChangeKind, Store};

#[derive(Default)]
pub(crate) struct Observer {
    objects: BTreeMap<Key, Arc<Object>>,
    seen: Revision,
    /// What every revision that was ever seen contained.
    contents: HashMap<Revision, u64>,
    /// The Job of every pod ever seen, by the pod's uid.
    jobs_of_pods: HashMap<String, String>,
}

impl Observer {
    /// Takes in everything durable since the last look, in order.
    pub(crate) fn follow(&mut self, store: &Store) -> Result<Vec<Arc<Change>>, String> {
        if store.durable() < self.seen {
            return Err(format!(
                "revision {} was seen and is gone: the store is at {}",
                self.seen,
                store.durable()
            ));
        }
        let changes: Vec<Arc<Change>> = match store.changes_after(self.seen) {
            Ok(changes) => changes.cloned().collect(),
            Err(_) => return self.list(store),
        };
        for change in &changes {
            self.take(change)?;
        }
        self.seen = self.seen.max(store.durable());
        Ok(changes)
    }

    /// The window no longer reaches back to what was seen last: a client lists anew, and takes what
    /// differs for changes.
    fn list(&mut self, store: &Store) -> Result<Vec<Arc<Change>>, String> {
        if store.head() != store.durable() {
            return Ok(Vec::new());
        }
        let mut gone = std::mem::take(&mut self.objects);
        let mut changes = Vec::new();
        for object in kinds::KINDS.iter().flat_map(|info| store.list(info.kind, None)) {
            self.remember(object)?;
            self.objects.insert(object.key.clone(), object.clone());
            let previous = gone.remove(&object.key);
            let revision = object.meta.revision;
            let kind = match &previous {
                Some(previous) if previous.meta.revision == revision => continue,
                Some(_) => ChangeKind::Modified,
                None => ChangeKind::Added,
            };
            changes.push(Arc::new(Change { revision, kind, object: object.clone(), previous }));
        }
        let kind = ChangeKind::Deleted;
        changes.extend(gone.into_values().map(|object| {
            let (revision, previous) = (object.meta.revision, Some(object.clone()));
            Arc::new(Change { revision, kind, object, previous })
        }));
        self.seen = store.durable();
        Ok(changes)
    }

    fn take(&mut self, change: &Change) -> Result<(), String> {
        let object = &change.object;
        if change.revision <= self.seen {
            return Err(format!("the watch repeats revision {} ({})", change.revision, object.key));
        }
        self.seen = change.revision;
        self.remember(object)?;
        let before = match change.kind {
            ChangeKind::Deleted => self.objects.remove(&object.key),
            _ => self.objects.insert(object.key.clone(), object.clone()),
        };
        match (change.kind, before.is_some()) {
            (ChangeKind::Added, false) | (ChangeKind::Modified | ChangeKind::Deleted, true) => {
                Ok(())
            }
            (kind, _) => Err(format!(
                "the watch says {kind:?} of {}, which does not fit what it said before",
                object.key
            )),
        }
    }

    fn remember(&mut self, object: &Arc<Object>) -> Result<(), String> {
        if object.key.kind == Kind::Pod
            && let Some(job) = object.meta.labels.get("batch.kubernetes.io/job-name")
        {
            self.jobs_of_pods.insert(object.meta.uid.to_string(), job.to_owned());
        }
        let mut hasher = DefaultHasher::new();
        (&object.key, &object.json()[..]).hash(&mut hasher);
        let content = hasher.finish();
        match self.contents.insert(object.meta.revision, content) {
            Some(before) if before != content => Err(format!(
                "revision {} came back with other content ({})",
                object.meta.revision, object.key
            )),
            _ => Ok(()),
        }
    }

    /// The watch and a list agree, when nothing is under way.
    pub(crate) fn compare(&self, store: &Store) -> Result<(), String> {
        if !self.is_current(store) {
            return Ok(());
        }
        let listed = kinds::KINDS.iter().flat_map(|info| store.list(info.kind, None));
        let listed: Vec<(&Key, Revision)> = listed.map(|o| (&o.key, o.meta.revision)).collect();
        let mut watched: Vec<_> =
            self.objects.iter().map(|(key, o)| (key, o.meta.revision)).collect();
        watched.sort();
        let mut listed = listed;
        listed.sort();
        if listed == watched { Ok(()) } else { Err("watch and list differ".to_owned()) }
    }

    /// The name of the Job of the pod with this uid.
    pub(crate) fn job_of_pod(&self, uid: &str) -> Option<&str> {
        self.jobs_of_pods.get(uid).map(String::as_str)
    }

    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Arc<Object>> {
        let all = self.objects.range(Key::new(kind, "", "")..);
        all.map(|(_, object)| object).take_while(move |object| object.key.kind == kind)
    }

    /// Whether nothing is under way between the server and this client.
    pub(crate) fn is_current(&self, store: &Store) -> bool {
        store.head() == store.durable() && store.durable() == self.seen
    }

    pub(crate) fn has_job(&self, name: &str) -> bool {
        self.objects.contains_key(&Key::new(Kind::Job, "default", name))
    }

    pub(crate) fn open_jobs(&self) -> Vec<&Key> {
        let open =
            |job: &&Arc<Object>| !matches!(job.meta.facts, Facts::Job { finished: true, .. });
        self.of_kind(Kind::Job).filter(open).map(|job| &job.key).collect()
    }

    pub(crate) fn open_pods(&self) -> Vec<&Key> {
        let open = |pod: &&Arc<Object>| pod.deleting() || !ended(pod);
        self.of_kind(Kind::Pod).filter(open).map(|pod| &pod.key).collect()
    }

    pub(crate) fn all_finished(&self) -> bool {
        self.open_jobs().is_empty()
    }

    pub(crate) fn no_pod_is_open(&self) -> bool {
        self.open_pods().is_empty()
    }
}

/// Whether a deletion was not watched but told from a list, with the object as it was last seen.
pub(crate) fn is_inferred(change: &Change) -> bool {
    change.kind == ChangeKind::Deleted
        && change.previous.as_ref().is_some_and(|previous| Arc::ptr_eq(previous, &change.object))
}

/// Whether a pod's phase is final.
pub(crate) fn ended(pod: &Object) -> bool {
    matches!(&pod.meta.facts, Facts::Pod { phase, .. } if phase == "Succeeded" || phase == "Failed")
}
