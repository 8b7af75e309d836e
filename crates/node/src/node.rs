//! All pods of this machine: finds the pod that an input concerns, lets its machine decide, keeps
//! the timers. Nothing is done here; what comes out is for the server to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use kinds::{Facts, Object, Uid};
use spawner::protocol::{ContainerId, Record, Reply, Request, State};

use crate::{
    Config, Found, ImageNews, Input, Lookup, Output,
    machine::{Context, EventLimit, Over, Phase, PodMachine, Release},
};

/// The pods of this machine and what is left of those that are over.
pub struct Node {
    config: Config,
    found: Found,
    pods: BTreeMap<Uid, Entry>,
    /// What the spawner knows of pods that nobody has shown to the node.
    unclaimed: BTreeMap<Uid, Vec<Record>>,
    link: Link,
    events: EventLimit,
    /// When each pod wants to be looked at.
    timers: BTreeSet<(Timestamp, Uid)>,
    timer_of: BTreeMap<Uid, Timestamp>,
}

enum Entry {
    Live(Box<PodMachine>),
    Over(Over),
}

/// The connection with the spawner.
#[derive(Clone, Copy)]
struct Link {
    connected: bool,
    /// Whether a spawner answered that is another than the one before: what was started before and
    /// is not listed is lost.
    lost: bool,
    /// Whether any spawner answered yet.
    ever: bool,
}

impl Node {
    /// A node without pods. `found` is what an earlier server left.
    pub fn new(config: Config, found: Found) -> Self {
        Self {
            config,
            found,
            pods: BTreeMap::new(),
            unclaimed: BTreeMap::new(),
            link: Link { connected: false, lost: false, ever: false },
            events: EventLimit::default(),
            timers: BTreeSet::new(),
            timer_of: BTreeMap::new(),
        }
    }

    /// Takes one input and says what to do about it, in order.
    pub fn handle(&mut self, input: Input, now: Timestamp, objects: &dyn Lookup) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Pod(object) => self.pod(object, now, objects, &mut out),
            Input::PodGone(uid) => self.pod_gone(uid, now, objects, &mut out),
            Input::Connected { same_instance, containers } => {
                self.connected(same_instance, containers, now, objects, &mut out);
            }
            Input::Disconnected => self.link.connected = false,
            Input::Spawner(reply) => self.reply(reply, now, objects, &mut out),
            Input::Tick => self.tick(now, objects, &mut out),
            Input::ObjectChanged(key) => {
                let waiting: Vec<Uid> = self.pods.keys().copied().collect();
                for uid in waiting {
                    self.step(uid, now, objects, &mut out, |pod, context| {
                        pod.object_changed(&key, context.now);
                    });
                }
            }
            Input::Image { id, news } => self.image(&id, news, now, objects, &mut out),
            Input::Wrote { uid, revision } => {
                self.step(uid, now, objects, &mut out, |pod, context| pod.wrote(revision, context));
            }
            Input::Prepared { uid, result } => {
                self.over(uid, now, objects, &mut out, |over, context| {
                    over.release.prepared(context)
                });
                self.step(uid, now, objects, &mut out, |pod, context| {
                    pod.prepared(result, context)
                });
            }
            Input::CleanedUp { uid } => {
                self.over(uid, now, objects, &mut out, |over, _| over.release.cleaned_up());
                self.step(uid, now, objects, &mut out, |pod, _| pod.cleaned_up());
            }
            Input::TerminationRead { id, message } => {
                let Some(uid) = Uid::parse(&id.pod) else { return out };
                self.step(uid, now, objects, &mut out, |pod, context| {
                    pod.termination_read(&id, &message, context);
                });
            }
        }
        out
    }

    /// When the node wants an [`Input::Tick`] at the latest.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Whether a pod was shown to the node and has not been removed since.
    pub fn has(&self, uid: Uid) -> bool {
        self.pods.contains_key(&uid)
    }

    /// How many containers run or are being started.
    pub fn running(&self) -> usize {
        let count = |entry: &Entry| match entry {
            Entry::Live(pod) => pod.running(),
            Entry::Over(_) => 0,
        };
        self.pods.values().map(count).sum()
    }

    /// Whether the spawner is there and every pod that has ended has given back all it held: a server
    /// that ends before that leaves files behind, and a spawner that waits for the next one.
    pub fn at_rest(&self) -> bool {
        let at_rest = |entry: &Entry| match entry {
            Entry::Live(pod) => !pod.has_ended(),
            Entry::Over(over) => over.release.done(),
        };
        self.link.connected && self.pods.values().all(at_rest)
    }

    /// Whether everything that was lost with earlier spawners is durably on record. Only then may the
    /// spawner that answered last be put on record as the one that starts went to: a server that
    /// finds it there takes what it does not know for never started.
    pub fn adopted(&self) -> bool {
        let settled = |entry: &Entry| match entry {
            Entry::Live(pod) => pod.settled(),
            Entry::Over(_) => true,
        };
        self.link.connected && self.found.pods.is_empty() && self.pods.values().all(settled)
    }

    /// Pods that the spawner or the data directory knows and that nobody has shown to the node. For
    /// each whose object does not exist, [`Input::PodGone`] has them cleaned up.
    pub fn unclaimed(&self) -> BTreeSet<Uid> {
        self.unclaimed.keys().chain(&self.found.directories).copied().collect()
    }

    fn pod(
        &mut self,
        object: Arc<Object>,
        now: Timestamp,
        objects: &dyn Lookup,
        out: &mut Vec<Output>,
    ) {
        let uid = object.meta.uid;
        if self.pods.contains_key(&uid) {
            let deleting = object.deleting();
            self.over(uid, now, objects, out, |over, _| over.deletion(deleting));
            return self.step(uid, now, objects, out, |pod, context| pod.seen(object, context));
        }
        let records = self.unclaimed.remove(&uid);
        let restored = self.found.pods.remove(&uid);
        let directory = self.found.directories.remove(&uid);
        let link = self.link;
        let mut context = self.context(now, objects, out);
        if terminal(&object) {
            let over = already_over(&object, directory, records.unwrap_or_default(), &mut context);
            self.pods.insert(uid, Entry::Over(over));
            return self.over(uid, now, objects, out, |_, _| ());
        }
        let mut pod = PodMachine::new(object, restored, &mut context);
        if link.ever && (restored || records.is_some()) {
            pod.connected(records.unwrap_or_default(), !link.lost, &mut context);
        }
        self.pods.insert(uid, Entry::Live(Box::new(pod)));
        self.step(uid, now, objects, out, |_, _| ());
    }

    fn pod_gone(&mut self, uid: Uid, now: Timestamp, objects: &dyn Lookup, out: &mut Vec<Output>) {
        self.found.pods.remove(&uid);
        let directory = self.found.directories.remove(&uid);
        let records = self.unclaimed.remove(&uid);
        let entry = self.pods.remove(&uid);
        let mut context = self.context(now, objects, out);
        let over = match entry {
            Some(Entry::Live(pod)) => pod.gone(&mut context),
            Some(Entry::Over(mut over)) => {
                over.forget_object();
                over
            }
            None if directory || records.is_some() => {
                let mut release = Release::begin(uid, directory, false, &mut context);
                let ids = records.into_iter().flatten().map(|record| record.id);
                release.forget(ids, &mut context);
                Over::gone(uid, release)
            }
            None => return,
        };
        self.pods.insert(uid, Entry::Over(over));
        self.over(uid, now, objects, out, |_, _| ());
        self.set_timer(uid);
    }

    fn connected(
        &mut self,
        same_instance: bool,
        containers: Vec<Record>,
        now: Timestamp,
        objects: &dyn Lookup,
        out: &mut Vec<Output>,
    ) {
        self.link.connected = true;
        self.link.ever = true;
        self.link.lost |= !same_instance;
        self.unclaimed.clear();
        for record in containers {
            if let Some(uid) = Uid::parse(&record.id.pod) {
                self.unclaimed.entry(uid).or_default().push(record);
            }
        }
        let uids: Vec<Uid> = self.pods.keys().copied().collect();
        for uid in uids {
            let records = self.unclaimed.remove(&uid).unwrap_or_default();
            let ids: Vec<ContainerId> = records.iter().map(|record| record.id.clone()).collect();
            self.over(uid, now, objects, out, |over, context| over.release.connected(ids, context));
            self.step(uid, now, objects, out, |pod, context| {
                pod.connected(records, same_instance, context);
            });
        }
    }

    fn reply(&mut self, reply: Reply, now: Timestamp, objects: &dyn Lookup, out: &mut Vec<Output>) {
        let (id, state) = match reply {
            Reply::Started { id, running } => (id, State::Running(running)),
            Reply::Failed { id, failure } => (id, State::Failed(failure)),
            Reply::Ended { id, end } => (id, State::Ended(end)),
            Reply::PodEnded { pod } => {
                let Some(uid) = Uid::parse(&pod) else { return };
                self.over(uid, now, objects, out, |over, context| over.release.pod_ended(context));
                return self.step(uid, now, objects, out, |pod, context| pod.pod_ended(context));
            }
            Reply::Executed { id, exec, how } => {
                let Some(uid) = Uid::parse(&id.pod) else { return };
                return self.step(uid, now, objects, out, |pod, context| {
                    pod.executed(&id, exec, how, context);
                });
            }
            // The connection's own business.
            Reply::Hello { .. } | Reply::Listed { .. } | Reply::Given { .. } => return,
        };
        let Some(uid) = Uid::parse(&id.pod) else { return };
        match self.pods.get(&uid) {
            Some(Entry::Live(_)) => {
                self.step(uid, now, objects, out, |pod, context| pod.report(&id, state, context));
            }
            // The end of a pod that is over tells nobody anything.
            Some(Entry::Over(_)) => {
                if matches!(state, State::Ended(_) | State::Failed(_)) {
                    out.push(Output::Spawner(Request::Forget { id }));
                }
            }
            None => {
                let records = self.unclaimed.entry(uid).or_default();
                records.retain(|record| record.id != id);
                records.push(Record { id, state });
            }
        }
    }

    fn image(
        &mut self,
        id: &ContainerId,
        news: ImageNews,
        now: Timestamp,
        objects: &dyn Lookup,
        out: &mut Vec<Output>,
    ) {
        let Some(uid) = Uid::parse(&id.pod) else { return };
        if !matches!(self.pods.get(&uid), Some(Entry::Live(_))) {
            // It is noted as used by a pod that is over meanwhile.
            return out.push(Output::ReleaseImages { uid });
        }
        self.step(uid, now, objects, out, |pod, context| pod.image_news(id, news, context));
    }

    fn tick(&mut self, now: Timestamp, objects: &dyn Lookup, out: &mut Vec<Output>) {
        let due: Vec<Uid> =
            self.timers.iter().take_while(|(at, _)| *at <= now).map(|(_, uid)| *uid).collect();
        for uid in due {
            self.step(uid, now, objects, out, |_, _| ());
        }
    }

    fn context<'a>(
        &'a mut self,
        now: Timestamp,
        objects: &'a dyn Lookup,
        out: &'a mut Vec<Output>,
    ) -> Context<'a> {
        let connected = self.link.connected;
        Context { now, config: &self.config, objects, connected, events: &mut self.events, out }
    }

    /// Lets a live pod take an input and then every step it can.
    fn step(
        &mut self,
        uid: Uid,
        now: Timestamp,
        objects: &dyn Lookup,
        out: &mut Vec<Output>,
        take: impl FnOnce(&mut PodMachine, &mut Context),
    ) {
        let Some(entry) = self.pods.get_mut(&uid) else { return };
        let Entry::Live(pod) = entry else { return };
        let connected = self.link.connected;
        let mut context = Context {
            now,
            config: &self.config,
            objects,
            connected,
            events: &mut self.events,
            out,
        };
        take(pod, &mut context);
        pod.advance(&mut context);
        if let Some(mut over) = pod.over() {
            over.advance(&mut context);
            *entry = Entry::Over(over);
        }
        self.set_timer(uid);
    }

    /// Lets a pod that is over take an input, and its object go when it may.
    fn over(
        &mut self,
        uid: Uid,
        now: Timestamp,
        objects: &dyn Lookup,
        out: &mut Vec<Output>,
        take: impl FnOnce(&mut Over, &mut Context),
    ) {
        let Some(Entry::Over(over)) = self.pods.get_mut(&uid) else { return };
        let connected = self.link.connected;
        let mut context = Context {
            now,
            config: &self.config,
            objects,
            connected,
            events: &mut self.events,
            out,
        };
        take(over, &mut context);
        over.advance(&mut context);
        if over.vanished() {
            self.pods.remove(&uid);
        }
    }

    fn set_timer(&mut self, uid: Uid) {
        let wake_at = match self.pods.get(&uid) {
            Some(Entry::Live(pod)) => pod.wake_at(self.link.connected),
            _ => None,
        };
        let before = match wake_at {
            Some(at) => self.timer_of.insert(uid, at),
            None => self.timer_of.remove(&uid),
        };
        if before != wake_at {
            self.timers.extend(wake_at.map(|at| (at, uid)));
            before.map(|at| self.timers.remove(&(at, uid)));
        }
    }
}

fn terminal(object: &Object) -> bool {
    match &object.meta.facts {
        Facts::Pod { phase, .. } => Phase::terminal(phase).is_some(),
        _ => false,
    }
}

/// A pod that was over when the node first saw it: holds what an earlier server did not give back.
fn already_over(
    object: &Object,
    directory: bool,
    records: Vec<Record>,
    context: &mut Context,
) -> Over {
    let uid = object.meta.uid;
    let mut release = match directory {
        true => Release::begin(uid, true, false, context),
        false => Release::nothing(uid),
    };
    if !records.is_empty() {
        release.connected(records.into_iter().map(|record| record.id).collect(), context);
    }
    Over::new(uid, object.key.clone(), object.deleting(), release)
}
