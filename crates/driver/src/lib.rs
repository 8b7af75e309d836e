//! Joins engine and node: durable changes go to the node, what the node reports goes to the engine,
//! and what neither can do without I/O comes out as [`Deed`]s. The server does them for real, the
//! simulation pretends; both drive the very same join.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use engine::{About, Engine, Happening, PodLog};
use jiff::Timestamp;
use kinds::{Facts, Key, Kind, Object, Revision, Uid};
use node::{
    Found, ImageRequest, Input, Lookup, Node, Output,
    volumes::{TerminationRead, VolumePlan},
};
use spawner::protocol::{ContainerId, Record, Reply, Request};
use store::{Change, ChangeKind};

/// What has to be done outside. Deeds are done in order; each answer is an [`Input`].
#[derive(Clone, Debug)]
pub enum Deed {
    /// Send this to the spawner.
    Spawner(Request),
    /// Make a pod's volumes; answered by [`Input::Prepared`].
    Prepare {
        /// The pod.
        uid: Uid,
        /// What to make.
        plan: Box<VolumePlan>,
    },
    /// Find an image, and pull it if need be; answered by [`Input::Image`].
    FindImage(Box<ImageRequest>),
    /// A pod uses its images no more.
    ReleaseImages {
        /// The pod.
        uid: Uid,
    },
    /// Remove a pod's volumes; answered by [`Input::CleanedUp`].
    CleanUp {
        /// The pod.
        uid: Uid,
    },
    /// Remove the logs of a pod that is neither there nor in the history.
    RemoveLogs(PodLog),
    /// Read the end of a container's log as its last words; answered by [`Input::TerminationRead`].
    ReadTermination {
        /// Which attempt.
        id: ContainerId,
        /// Where they are.
        read: Box<TerminationRead>,
    },
}

/// The node and how far it has followed the store.
pub struct Driver {
    node: Node,
    /// Changes up to here were shown to the node.
    seen: Revision,
    /// The spawner in use, as long as another one is on record.
    unrecorded: Option<String>,
}

/// The objects a pod may refer to, as the node looks them up.
struct Objects<'a>(&'a Engine);

impl Lookup for Objects<'_> {
    fn object(&self, key: &Key) -> Option<Arc<Object>> {
        self.0.store().get(key).cloned()
    }
}

impl Driver {
    /// Makes the node and shows it every pod that is bound to it and in scope. `directories` are the
    /// pods that have one in the data directory. Whatever the engine committed must be durable.
    pub fn start(
        config: node::Config,
        directories: BTreeSet<Uid>,
        engine: &mut Engine,
        now: Timestamp,
    ) -> (Self, Vec<Deed>) {
        // Pods out of scope may come into it later: they are old all the same.
        let all = engine.store().list(Kind::Pod, None);
        let unfinished = all.filter(|pod| is_bound_to(pod, engine) && !is_over(pod));
        let found = Found { pods: unfinished.map(|pod| pod.meta.uid).collect(), directories };
        let pods: Vec<Arc<Object>> = engine.bound_pods().cloned().collect();
        let node = Node::new(config, found);
        let mut driver = Self { node, seen: engine.store().durable(), unrecorded: None };
        let inputs = pods.into_iter().map(Input::Pod).collect();
        let deeds = driver.feed(engine, inputs, now);
        (driver, deeds)
    }

    /// The node, for reading.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// When to call [`input`](Self::input) with [`Input::Tick`] or [`settle`](Self::settle) again if
    /// nothing else happens.
    pub fn wake_at(&self, engine: &Engine) -> Option<Timestamp> {
        [self.node.wake_at(), engine.wake_at()].into_iter().flatten().min()
    }

    /// Something happened outside.
    pub fn input(&mut self, engine: &mut Engine, input: Input, now: Timestamp) -> Vec<Deed> {
        if let Input::Spawner(Reply::Ended { id, end }) = &input
            && let Some(pod) = Uid::parse(&id.pod).filter(|_| end.log_bytes > 0)
        {
            engine.log_written(pod, &id.container, id.attempt, end.log_bytes);
        }
        self.feed(engine, vec![input], now)
    }

    /// A spawner answered, with all it knows. One that is not the one on record is put there once
    /// everything is that was lost with its predecessor: a server that found its name any earlier
    /// would start again what was lost.
    pub fn connected(
        &mut self,
        engine: &mut Engine,
        instance: &str,
        containers: Vec<Record>,
        now: Timestamp,
    ) -> Vec<Deed> {
        let same_instance = engine.spawner().as_deref() == Some(instance);
        self.unrecorded = (!same_instance).then(|| instance.to_owned());
        let mut deeds = self.input(engine, Input::Connected { same_instance, containers }, now);
        deeds.extend(self.claim(engine, now));
        deeds.extend(self.record_spawner(engine, now));
        deeds
    }

    fn record_spawner(&mut self, engine: &mut Engine, now: Timestamp) -> Vec<Deed> {
        match self.unrecorded.take_if(|_| self.node.adopted()) {
            Some(instance) => {
                engine.set_spawner(&instance);
                self.settle(engine, now)
            }
            None => Vec::new(),
        }
    }

    /// The spawner is gone or out of reach.
    pub fn disconnected(&mut self, engine: &mut Engine, now: Timestamp) -> Vec<Deed> {
        self.unrecorded = None;
        self.input(engine, Input::Disconnected, now)
    }

    /// Brings engine and node to rest and commits what they decided.
    pub fn settle(&mut self, engine: &mut Engine, now: Timestamp) -> Vec<Deed> {
        let mut inputs = settled(engine, now);
        inputs.extend(self.node.wake_at().filter(|at| *at <= now).map(|_| Input::Tick));
        if engine.take_scope_grew() {
            inputs.extend(self.came_into_scope(engine));
        }
        self.feed(engine, inputs, now)
    }

    /// Pods of a run whose client came back: nothing about them changed, and yet the node has to mind
    /// them now, also those that are over and still hold something. What is not durable yet is shown
    /// once it is.
    fn came_into_scope(&self, engine: &Engine) -> Vec<Input> {
        let durable = engine.store().durable();
        let unclaimed = self.node.unclaimed();
        let holds = |pod: &&Arc<Object>| {
            unclaimed.contains(&pod.meta.uid) && engine.acts_on(pod) && is_bound_to(pod, engine)
        };
        let over = engine.store().list(Kind::Pod, None).filter(|pod| is_over(pod)).filter(holds);
        let new = |pod: &&Arc<Object>| pod.meta.revision <= durable && !self.node.has(pod.meta.uid);
        engine.bound_pods().chain(over).filter(new).cloned().map(Input::Pod).collect()
    }

    /// More is durable: shows the node what became of its pods.
    pub fn durable(&mut self, engine: &mut Engine, now: Timestamp) -> Vec<Deed> {
        let changes = engine.store().changes_after(self.seen);
        let changes = changes.expect("the driver follows the store at every step");
        let inputs: Vec<Input> =
            changes.filter_map(|change| input_of(&self.node, engine, change)).collect();
        self.seen = engine.store().durable();
        let mut deeds = self.feed(engine, inputs, now);
        deeds.extend(self.record_spawner(engine, now));
        deeds
    }

    /// Pods that the spawner or the data directory knows and the node was not shown: those whose
    /// object is gone are cleaned up, those in scope are shown, the rest is left alone.
    fn claim(&mut self, engine: &mut Engine, now: Timestamp) -> Vec<Deed> {
        let mut gone: BTreeSet<Uid> = self.node.unclaimed();
        if gone.is_empty() {
            return Vec::new();
        }
        let mut inputs = Vec::new();
        for pod in engine.store().list(Kind::Pod, None) {
            if gone.remove(&pod.meta.uid) && engine.acts_on(pod) && is_bound_to(pod, engine) {
                inputs.push(Input::Pod(pod.clone()));
            }
        }
        inputs.extend(gone.into_iter().map(Input::PodGone));
        self.feed(engine, inputs, now)
    }

    /// Feeds the node, does what it says to the engine, and returns the rest. A status is answered
    /// by the revision it became before the node takes its next input.
    fn feed(&mut self, engine: &mut Engine, inputs: Vec<Input>, now: Timestamp) -> Vec<Deed> {
        let mut inputs = VecDeque::from(inputs);
        let mut deeds = Vec::new();
        while let Some(input) = inputs.pop_front() {
            let outputs = self.node.handle(input, now, &Objects(engine));
            let mut told = false;
            for output in outputs {
                told |= matches!(output, Output::Status { .. } | Output::Remove { .. });
                deeds.extend(act(engine, output, now));
            }
            if told {
                for answer in settled(engine, now).into_iter().rev() {
                    inputs.push_front(answer);
                }
            }
        }
        deeds.extend(engine.take_forgotten().into_iter().map(Deed::RemoveLogs));
        deeds
    }
}

/// Settles the engine; the node's statuses are answered by the revisions they became.
fn settled(engine: &mut Engine, now: Timestamp) -> Vec<Input> {
    engine.settle(now);
    let wrote = engine.take_wrote().into_iter();
    wrote.map(|(uid, revision)| Input::Wrote { uid, revision }).collect()
}

/// Does to the engine what the node says; what is not the engine's comes back.
fn act(engine: &mut Engine, output: Output, now: Timestamp) -> Option<Deed> {
    match output {
        Output::Status { key, uid, status } => engine.pod_status(&key, uid, *status),
        Output::Event { key, uid, field_path, warning, reason, message } => {
            let about = About { key, uid, field_path };
            let reason = reason.to_owned();
            engine.pod_event(
                &about,
                &Happening { component: "kubelet", warning, reason, message },
                now,
            );
        }
        Output::Remove { key, uid } => engine.pod_given_back(&key, uid),
        Output::Spawner(request) => return Some(Deed::Spawner(request)),
        Output::Prepare { uid, plan } => return Some(Deed::Prepare { uid, plan }),
        Output::FindImage(request) => return Some(Deed::FindImage(request)),
        Output::ReleaseImages { uid } => return Some(Deed::ReleaseImages { uid }),
        Output::CleanUp { uid } => return Some(Deed::CleanUp { uid }),
        Output::ReadTermination { id, read } => return Some(Deed::ReadTermination { id, read }),
    }
    None
}

/// What the node is told of a change. A pod that it has stays its business also when the run that
/// submitted it is over, until it has given everything back.
fn input_of(node: &Node, engine: &Engine, change: &Change) -> Option<Input> {
    let object = &change.object;
    match (object.key.kind, change.kind) {
        (Kind::Pod, ChangeKind::Deleted) => Some(Input::PodGone(object.meta.uid)),
        (Kind::Pod, _) => {
            let minded = engine.acts_on(object) || node.has(object.meta.uid);
            let shown = is_bound_to(object, engine) && minded;
            shown.then(|| Input::Pod(object.clone()))
        }
        (Kind::ConfigMap | Kind::Secret | Kind::RuntimeClass | Kind::ServiceAccount, _) => {
            Some(Input::ObjectChanged(object.key.clone()))
        }
        _ => None,
    }
}

fn is_bound_to(pod: &Object, engine: &Engine) -> bool {
    matches!(&pod.meta.facts, Facts::Pod { node_name, .. } if node_name == engine.node_name())
}

fn is_over(pod: &Object) -> bool {
    matches!(&pod.meta.facts, Facts::Pod { phase, .. } if phase == "Succeeded" || phase == "Failed")
}
