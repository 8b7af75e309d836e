//! ResourceQuotas and what is used of them: kept exact with every write, in the same transaction
//! (`pkg/controller/resourcequota`).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use kinds::{
    Draft, KINDS, Key, Kind,
    quantity::Quantity,
    types::core::v1::{Pod, ResourceQuota, ResourceQuotaStatus},
};
use reconcile::{
    quota,
    resources::{self, Amounts},
};

use crate::Engine;

/// What is known of the quotas, by namespace and name.
#[derive(Default)]
pub(crate) struct Quotas(HashMap<Arc<str>, BTreeMap<Arc<str>, Tracked>>);

/// One quota and what is used of it.
pub(crate) struct Tracked {
    quota: ResourceQuota,
    pub(crate) hard: Amounts,
    pub(crate) used: Amounts,
    /// The object may say something else.
    stale: bool,
}

/// What an object takes of quotas.
pub(crate) struct Usage {
    pub(crate) amounts: Amounts,
    pub(crate) pod: Option<Pod>,
}

impl Usage {
    /// `None`: no quota counts it.
    pub(crate) fn of(draft: &Draft) -> Option<Self> {
        let info = draft.kind.info();
        if !info.namespaced || draft.kind == Kind::Event {
            return None;
        }
        let mut amounts = quota::count(info);
        let mut pod = None;
        match draft.kind {
            Kind::Pod => {
                let typed = draft.pod().expect("a Pod in the store was validated");
                amounts.extend(quota::of_pod(&typed));
                pod = Some(typed);
            }
            Kind::Service => {
                let typed = draft.service().expect("a Service in the store was validated");
                amounts.extend(quota::of_service(&typed));
            }
            _ => {}
        }
        Some(Self { amounts, pod })
    }
}

impl Quotas {
    /// The quotas of a namespace that count an object, with their names.
    pub(crate) fn counting<'a>(
        &'a self,
        namespace: &str,
        usage: &'a Usage,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Tracked)> {
        let all = self.0.get(namespace).into_iter().flatten();
        all.filter(|(_, tracked)| quota::matches(&tracked.quota, usage.pod.as_ref()))
    }

    /// Whether a namespace has quotas.
    pub(crate) fn any(&self, namespace: &str) -> bool {
        self.0.contains_key(namespace)
    }

    fn count(&mut self, namespace: &str, usage: &Usage, sign: fn(Quantity, Quantity) -> Quantity) {
        for tracked in self.0.get_mut(namespace).into_iter().flat_map(BTreeMap::values_mut) {
            if !quota::matches(&tracked.quota, usage.pod.as_ref()) {
                continue;
            }
            for (name, used) in &mut tracked.used {
                if let Some(amount) = usage.amounts.get(name) {
                    *used = sign(*used, *amount);
                    tracked.stale = true;
                }
            }
        }
    }
}

impl Engine {
    /// Keeps what is used of the quotas when an object becomes `next`, or goes.
    pub(crate) fn account(&mut self, key: &Key, next: Option<&Draft>) {
        if !self.quotas.any(&key.namespace) {
            return;
        }
        if let Some(usage) = self.current(key).as_ref().and_then(Usage::of) {
            self.quotas.count(&key.namespace, &usage, |used, amount| used - amount);
        }
        if let Some(usage) = next.and_then(Usage::of) {
            self.quotas.count(&key.namespace, &usage, |used, amount| used + amount);
        }
    }

    /// Takes in a quota that is new or changed: what is used of it is counted from the objects.
    pub(crate) fn index_quota(&mut self, key: &Key, draft: &Draft) {
        let quota = draft.resource_quota().expect("a ResourceQuota in the store was validated");
        let hard = resources::read(quota.spec.as_ref().and_then(|spec| spec.hard.as_ref()));
        let same = |tracked: &Tracked| tracked.quota.spec == quota.spec;
        let quotas = self.quotas.0.entry(key.namespace.clone()).or_default();
        if let Some(tracked) = quotas.get_mut(&key.name).filter(|tracked| same(tracked)) {
            tracked.stale = true;
            return;
        }
        let used = hard.keys().filter(|name| counts(name));
        let used = used.map(|name| (name.clone(), Quantity::from_milli(0))).collect();
        let mut alone = Quotas::default();
        let tracked = Tracked { quota, hard, used, stale: true };
        let only = BTreeMap::from([(key.name.clone(), tracked)]);
        alone.0.insert(key.namespace.clone(), only);
        for usage in self.usages(&key.namespace) {
            alone.count(&key.namespace, &usage, |used, amount| used + amount);
        }
        let tracked = alone.0.remove(&key.namespace).unwrap_or_default();
        self.quotas.0.entry(key.namespace.clone()).or_default().extend(tracked);
    }

    /// What everything in a namespace takes.
    fn usages(&self, namespace: &str) -> Vec<Usage> {
        let kinds = KINDS.iter().filter(|info| info.namespaced).map(|info| info.kind);
        let stored = kinds.flat_map(|kind| self.store.list(kind, Some(namespace)));
        let untouched = stored.filter(|object| self.pending.get(&object.key).is_none());
        let stored = untouched.filter_map(|object| Usage::of(&object.draft()));
        let pending = self.pending.puts().filter(|(key, _)| *key.namespace == *namespace);
        stored.chain(pending.filter_map(|(_, draft)| Usage::of(draft))).collect()
    }

    /// Forgets a quota that goes.
    pub(crate) fn unindex_quota(&mut self, key: &Key) {
        if let Some(quotas) = self.quotas.0.get_mut(&key.namespace) {
            quotas.remove(&key.name);
            if quotas.is_empty() {
                self.quotas.0.remove(&key.namespace);
            }
        }
    }

    /// Puts what is used into the status of the quotas that changed.
    pub(crate) fn tell_quotas(&mut self) {
        let mut statuses = Vec::new();
        for (namespace, quotas) in &mut self.quotas.0 {
            for (name, tracked) in quotas.iter_mut().filter(|(_, tracked)| tracked.stale) {
                tracked.stale = false;
                let status = ResourceQuotaStatus {
                    hard: Some(resources::write(&tracked.hard)),
                    used: Some(resources::write(&tracked.used)),
                };
                statuses.push((Key::new(Kind::ResourceQuota, namespace, name), status));
            }
        }
        for (key, status) in statuses {
            let Some(mut draft) = self.current(&key) else { continue };
            let before = draft.rest.get("status").map(|raw| raw.get().to_owned());
            draft.set_resource_quota_status(&status);
            if draft.rest.get("status").map(|raw| raw.get()) != before.as_deref() {
                self.pending.put(key, draft);
            }
        }
    }
}

/// What Kubernetes counts and nobody can make here yet: that there is none of it is true.
const ABSENT: [&str; 10] = [
    "count/daemonsets.apps",
    "count/deployments.apps",
    "count/persistentvolumeclaims",
    "count/replicasets.apps",
    "count/replicationcontrollers",
    "count/resourceclaims.resource.k8s.io",
    "count/statefulsets.apps",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "requests.storage",
];

/// Whether something counts this resource; others are limits without a meaning.
fn counts(name: &str) -> bool {
    let object = |info: &kinds::KindInfo| quota::count(info).contains_key(name);
    KINDS.iter().any(|info| info.namespaced && object(info))
        || ["pods", "services.nodeports", "services.loadbalancers"].contains(&name)
        || ["cpu", "memory", "ephemeral-storage", "limits.cpu", "limits.memory"].contains(&name)
        || name == "limits.ephemeral-storage"
        || ABSENT.contains(&name)
        || name.contains(".storageclass.storage.k8s.io/")
        || name.starts_with("requests.")
        || name.starts_with("hugepages-")
}
