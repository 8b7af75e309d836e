//! The engine itself: the state it derives from the store, the one way an object changes, and the
//! loop that brings everything woken to a fixed point and commits it as one transaction.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use kinds::{
    Draft, KINDS, Key, Kind, Owner, Revision, Uid,
    cron::Zone,
    quantity::Quantity,
    types::{
        batch::v1::Job,
        core::v1::{Node, Pod},
    },
};
use reconcile::{
    deletion::has_content_finalizer,
    placement::{NodeFacts, Room},
    terminated::Terminated,
};
use store::{Change, Store};

use crate::{
    cron_jobs::CronJobs,
    dependents::Dependents,
    garbage::Awaiting,
    heartbeat::Heartbeat,
    history::JobRecord,
    job_metrics::JobMetrics,
    jobs::Jobs,
    limits::Limits,
    log_sizes::LogSizes,
    logs::PodLog,
    notices::Notices,
    pending::Pending,
    quotas::Quotas,
    recorder::{About, Happening, Recorder},
    room::Placement,
    scope::Scope,
    timers::Timers,
};

/// Rounds of one settling per object in the store, beside [`Limits::rounds_max`]: deleting a Job looks
/// at each of its pods a few times.
const ROUNDS_PER_OBJECT_MAX: usize = 16;

/// What an engine starts from besides its store.
#[derive(Clone, Debug)]
pub struct Config {
    /// The one node, as it is put into the store: name, labels, capacity, addresses.
    pub node: Node,
    /// On whose behalf it acts.
    pub scope: Scope,
    /// Seed of names and uids.
    pub seed: u64,
    /// Budgets.
    pub limits: Limits,
    /// The certificate that the server's own is signed with, PEM, for every namespace to have.
    pub root_ca: Option<String>,
    /// Where schedules are at home that do not say it.
    pub zone: Zone,
}

/// The only writer. No I/O: it changes the store in memory; a driver makes that durable.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) limits: Limits,
    pub(crate) scope: Scope,
    pub(crate) scope_grew: bool,
    pub(crate) node: NodeFacts,
    pub(crate) node_name: String,
    pub(crate) random: fastrand::Rng,
    pub(crate) pending: Pending,
    pub(crate) urgent: bool,
    /// Controllers and placement rest: the server is ending its pods.
    pub(crate) resting: bool,
    pub(crate) jobs: Jobs,
    pub(crate) cron_jobs: CronJobs,
    /// The zone of schedules that do not name one.
    pub(crate) zone: Zone,
    pub(crate) placement: Placement,
    /// The pods that ended.
    pub(crate) finished: Terminated,
    /// The pods that are bound to a node which is not ours, and since when that has been missing.
    pub(crate) strays: HashMap<Key, Option<Timestamp>>,
    pub(crate) dependents: Dependents,
    /// Objects that got owners which the collector has not seen yet.
    pub(crate) adopted: BTreeSet<Key>,
    /// The objects that wait for their dependents, by uid.
    pub(crate) awaiting: HashMap<Uid, Awaiting>,
    pub(crate) quotas: Quotas,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) root_ca: Option<String>,
    pub(crate) recorder: Recorder,
    pub(crate) history_bytes: usize,
    pub(crate) notices: Notices,
    /// Ends of Jobs in the pending transaction that a URL is told of.
    pub(crate) announced: Vec<(String, JobRecord)>,
    pub(crate) timers: Timers,
    pub(crate) woken: BTreeSet<Key>,
    /// How often objects of each kind were reconciled.
    reconciled: [u64; KINDS.len()],
    pub(crate) job_metrics: JobMetrics,
    /// Unfinished Jobs that the pending transaction removes.
    pub(crate) cancelled: Vec<(Key, Uid, Job)>,
    pub(crate) reported: Vec<(Uid, Key)>,
    /// Pods whose logs nobody can ask for any more.
    pub(crate) forgotten: Vec<PodLog>,
    pub(crate) log_sizes: LogSizes,
    pub(crate) wrote: Vec<(Uid, Revision)>,
}

impl Engine {
    /// Takes over a store: derives what is kept in memory, puts what every cluster has (namespaces,
    /// the node, RuntimeClass `process`) and wakes every unfinished Job in scope.
    pub fn open(store: Store, config: Config, now: Timestamp) -> Self {
        let node_name = config.node.metadata.name.clone().unwrap_or_default();
        let mut engine = Self {
            store,
            limits: config.limits,
            scope: config.scope,
            scope_grew: false,
            node: node_facts(&config.node),
            node_name,
            random: fastrand::Rng::with_seed(config.seed),
            pending: Pending::default(),
            urgent: false,
            resting: false,
            jobs: Jobs::default(),
            cron_jobs: CronJobs::default(),
            zone: config.zone,
            placement: Placement::default(),
            finished: Terminated::default(),
            strays: HashMap::new(),
            dependents: Dependents::default(),
            adopted: BTreeSet::new(),
            awaiting: HashMap::new(),
            quotas: Quotas::default(),
            heartbeat: Heartbeat::default(),
            root_ca: config.root_ca,
            recorder: Recorder::default(),
            history_bytes: 0,
            notices: Notices::default(),
            announced: Vec::new(),
            timers: Timers::default(),
            woken: BTreeSet::new(),
            reconciled: [0; KINDS.len()],
            job_metrics: JobMetrics::default(),
            cancelled: Vec::new(),
            reported: Vec::new(),
            forgotten: Vec::new(),
            log_sizes: LogSizes::default(),
            wrote: Vec::new(),
        };
        engine.take_over(now);
        engine.bootstrap(config.node, now);
        engine.settle(now);
        engine
    }

    /// The store, for reading: lists, watches, what is durable.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The store, for the driver that takes batches to the disk.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// The name of the one node.
    pub fn node_name(&self) -> &str {
        &self.node_name
    }

    /// When to call [`settle`](Self::settle) again if nothing else happens.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let notices = self.notices.next(self.store.durable());
        self.timers.next().into_iter().chain(notices).min()
    }

    /// How often objects of a kind were reconciled since the start.
    pub fn reconciled(&self, kind: Kind) -> u64 {
        self.reconciled[kind as usize]
    }

    /// Whether something was committed since the last call that should be durable at once, and not
    /// ride along later (a container that runs, an Event).
    pub fn take_urgent(&mut self) -> bool {
        std::mem::take(&mut self.urgent)
    }

    /// Statuses from the node and the revisions they became, since the last call.
    pub fn take_wrote(&mut self) -> Vec<(Uid, Revision)> {
        std::mem::take(&mut self.wrote)
    }

    /// Brings everything woken and everything due to a fixed point and commits it.
    pub fn settle(&mut self, now: Timestamp) {
        let mut rounds = 0;
        let objects: usize = KINDS.iter().map(|info| self.store.count(info.kind)).sum();
        let most = self.limits.rounds_max + ROUNDS_PER_OBJECT_MAX * objects;
        loop {
            while let Some(key) = self.timers.due(now) {
                self.woken.insert(key);
            }
            match self.woken.pop_first() {
                Some(key) => {
                    self.reconciled[key.kind as usize] += 1;
                    self.reconcile(&key, now);
                }
                None if self.place(now) => {}
                None => break,
            }
            rounds += 1;
            assert!(rounds < most, "controllers do not come to rest");
        }
        self.keep_budgets(now);
        self.commit(now);
    }

    /// Commits what is pending. Its changes become visible to clients once durable.
    pub(crate) fn commit(&mut self, now: Timestamp) -> Vec<Arc<Change>> {
        self.record_cancelled(now);
        self.announce(now);
        self.tell_quotas();
        if self.pending.is_empty() {
            return Vec::new();
        }
        self.beat(now);
        let (writes, records) = self.pending.take();
        let changes = self.store.commit_with(writes, records, now);
        self.notices.committed(self.store.head(), now);
        for (uid, key) in std::mem::take(&mut self.reported) {
            let revision = changes.iter().find(|c| c.object.key == key).map(|c| c.revision);
            let present = || self.store.get(&key).map_or(0, |object| object.meta.revision);
            self.wrote.push((uid, revision.unwrap_or_else(present)));
        }
        changes
    }

    /// The object as it will be once the pending transaction is committed.
    pub(crate) fn current(&self, key: &Key) -> Option<Draft> {
        match (self.pending.get(key), self.pending.event(key)) {
            (Some(pending), _) => pending.cloned(),
            (None, Some(event)) => Some(event.draft()),
            (None, None) => self.store.get(key).map(|object| object.draft()),
        }
    }

    /// As [`current`](Self::current), for a change that is [written](Self::write) next: taken back
    /// from the pending transaction, not copied, unless a quota compares it with what it becomes.
    pub(crate) fn reopen(&mut self, key: &Key) -> Option<Draft> {
        match self.quotas.any(&key.namespace) {
            true => self.current(key),
            false => self.pending.take_back(key).or_else(|| self.current(key)),
        }
    }

    pub(crate) fn exists(&self, key: &Key) -> bool {
        match self.pending.get(key) {
            Some(pending) => pending.is_some(),
            None => self.pending.event(key).is_some() || self.store.get(key).is_some(),
        }
    }

    pub(crate) fn uid_of(&self, key: &Key) -> Option<Uid> {
        match self.pending.get(key) {
            Some(pending) => pending.and_then(uid),
            None => {
                let recorded = self.pending.event(key).map(|event| event.uid);
                recorded.or_else(|| self.store.get(key).map(|object| object.meta.uid))
            }
        }
    }

    /// The one way an object changes: into the pending transaction, with every index kept. An object
    /// that was only waiting for its last finalizer goes instead.
    pub(crate) fn put(&mut self, draft: Draft) {
        self.put_typed(draft, None);
    }

    /// As [`put`](Self::put), for a caller that has the Pod of the draft.
    pub(crate) fn put_typed(&mut self, draft: Draft, pod: Option<&Pod>) {
        let key = draft.key();
        let meta = &draft.metadata;
        let free = meta.finalizers.as_ref().is_none_or(Vec::is_empty);
        let grace_over = meta.deletion_grace_period_seconds.unwrap_or(0) == 0;
        let goes = meta.deletion_timestamp.is_some() && free && grace_over;
        let inhabited = goes && key.kind == Kind::Namespace && has_content_finalizer(&draft);
        if goes && !inhabited && self.exists(&key) {
            self.remove(&key);
            return;
        }
        self.index_awaiting(&key, &draft);
        let owners = Owner::of(meta);
        let before = self.owners_of(&key);
        if owners != before {
            self.dependents.remove(&key, &before);
            self.dependents.add(&key, &owners);
            self.leave_job(&key, &before);
            self.leave_cron_job(&key, &before);
            self.wake_owners(&before);
            self.woken.insert(key.clone());
            self.adopted.insert(key.clone());
        }
        match key.kind {
            Kind::Pod => self.index_pod(&key, &draft, pod),
            Kind::Job => self.index_job(&key, &draft),
            Kind::CronJob => self.index_cron_job(&key, &draft),
            Kind::ResourceQuota => self.index_quota(&key, &draft),
            Kind::Node => self.index_node(&key, &draft),
            Kind::Event => self.recorder.posted(&draft),
            Kind::Namespace => drop(self.woken.insert(key.clone())),
            _ => self.woken.extend(Self::furnished(&key)),
        }
        self.write(key, draft);
    }

    /// Puts an object into the pending transaction: for changes that touch no index but quotas.
    pub(crate) fn write(&mut self, key: Key, draft: Draft) {
        self.account(&key, Some(&draft));
        self.pending.put(key, draft);
    }

    /// The one way an object goes: out of the store and every index, and its dependents are woken.
    pub(crate) fn remove(&mut self, key: &Key) {
        let Some(uid) = self.uid_of(key) else { return };
        let owners = self.owners_of(key);
        self.dependents.remove(key, &owners);
        match key.kind {
            Kind::Pod => self.unindex_pod(key, uid, &owners),
            Kind::Job => self.unindex_job(key, &owners),
            Kind::CronJob => self.unindex_cron_job(uid),
            Kind::ResourceQuota => self.unindex_quota(key),
            Kind::Node => self.woken.extend(self.strays.keys().cloned()),
            _ => self.woken.extend(Self::furnished(key)),
        }
        self.account(key, None);
        self.timers.set(key, None);
        self.woken.extend(self.dependents.of(uid));
        self.urgent = true;
        self.pending.delete(key, self.store.get(key).is_some());
        let namespace = Key::new(Kind::Namespace, "", &key.namespace);
        if self.store.get(&namespace).is_some_and(|namespace| namespace.deleting()) {
            self.woken.insert(namespace);
        }
        self.awaiting.remove(&uid);
        self.wake_owners(&owners);
    }

    /// Owners that waited for an object may be free now.
    fn wake_owners(&mut self, owners: &[Owner]) {
        for owner in owners {
            let waits = self.awaiting.get(&owner.uid).map(|awaiting| &awaiting.key);
            self.woken.extend(waits.or_else(|| self.jobs.key_of(owner.uid)).cloned());
        }
    }

    fn owners_of(&self, key: &Key) -> Vec<Owner> {
        match self.pending.get(key) {
            Some(pending) => pending.map(|draft| Owner::of(&draft.metadata)).unwrap_or_default(),
            None => self.store.get(key).map(|o| o.meta.owners.clone()).unwrap_or_default(),
        }
    }

    /// Records an Event, unless its namespace takes nothing new.
    pub(crate) fn note(&mut self, about: &About, what: &Happening, now: Timestamp) {
        if about.key.kind.info().namespaced && !self.is_open(&about.key.namespace) {
            return;
        }
        let uid = Uid::from_random(self.random.u128(..));
        if let Some(event) = self.recorder.record(about, what, &self.node_name, uid, now) {
            self.pending.put_event(event);
        }
    }
}

/// The uid of a draft that has one.
pub(crate) fn uid(draft: &Draft) -> Option<Uid> {
    draft.metadata.uid.as_deref().and_then(Uid::parse)
}

/// What placement asks of a Node object.
pub(crate) fn node_facts(node: &Node) -> NodeFacts {
    let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
    let amount = |resource: &str| {
        let text = allocatable.and_then(|all| all.get(resource)).map_or("0", |q| &q.0);
        Quantity::parse(text).unwrap_or(Quantity::from_milli(0))
    };
    NodeFacts {
        name: node.metadata.name.clone().unwrap_or_default(),
        labels: node.metadata.labels.clone().unwrap_or_default(),
        allocatable: Room {
            cpu_milli: amount("cpu").milli(),
            memory_bytes: amount("memory").value(),
            pods: amount("pods").value(),
        },
        unschedulable: node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true)),
    }
}
