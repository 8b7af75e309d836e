//! What must hold whatever happens: a model of the spawner runs containers, replies are lost, late
//! and doubled, spawner and server die at any time, statuses become durable late.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kinds::types::core::v1::PodStatus;
use node::Input;
use proptest::prelude::*;
use spawner::protocol::{ContainerId, Record, Reply, Request, Running, State};

use super::world::{START_S, UID, World, end, uid};

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    /// The oldest reply under way arrives.
    Deliver,
    /// The newest reply that arrived comes once more.
    Double,
    /// A running container ends by itself.
    End {
        which: usize,
        code: i32,
    },
    /// The socket breaks, and the spawner is found again.
    Break,
    Reconnect,
    /// The spawner dies with its containers, and another takes its place.
    SpawnerDies,
    /// The server dies, and another opens the same store.
    ServerDies,
    Writes(bool),
    Files(bool),
    Wait(u16),
    Delete(i64),
    /// Somebody adds an ephemeral container.
    Debug,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Deliver),
        2 => Just(Step::Double),
        6 => (0_usize..3, 0_i32..3).prop_map(|(which, code)| Step::End { which, code }),
        1 => Just(Step::Break),
        3 => Just(Step::Reconnect),
        1 => Just(Step::SpawnerDies),
        1 => Just(Step::ServerDies),
        1 => any::<bool>().prop_map(Step::Writes),
        1 => any::<bool>().prop_map(Step::Files),
        4 => (0_u16..400).prop_map(Step::Wait),
        1 => (0_i64..40).prop_map(Step::Delete),
        1 => Just(Step::Debug),
    ]
}

/// The spawner as it should be, and what really ran.
#[derive(Default)]
struct Model {
    containers: BTreeMap<ContainerId, State>,
    under_way: VecDeque<Reply>,
    connected: bool,
    /// Which spawner this is, and which one the server recorded durably.
    instance: u32,
    recorded: u32,
    /// How often each attempt was executed, and how it truly ended.
    executed: BTreeMap<ContainerId, u32>,
    ends: BTreeMap<ContainerId, i32>,
    /// Init containers that succeeded, and sidecars that ran, with this spawner.
    initialized: BTreeSet<String>,
}

/// The init containers there may be, in order; names come after those of the regular ones, so that
/// these end first. The last letter is that of the sidecar.
const EARLY: [&str; 3] = ["c", "z", "d"];
const SIDECAR: &str = "z";

/// The ephemeral container that may be added.
const DEBUGGER: &str = "y";

struct Test {
    world: World,
    model: Model,
    policy: &'static str,
    early: usize,
    debugged: bool,
    terminal: Option<String>,
}

impl Test {
    fn new(policy: &'static str, early: usize, containers: usize, volume: bool) -> Self {
        let mut world = World::new();
        world.command(&format!("spec {{\"restartPolicy\": \"{policy}\"}}"));
        if volume {
            world.command(r#"spec {"volumes": [{"name": "e", "emptyDir": {}}]}"#);
        }
        let policy_of_words = r#"{"terminationMessagePolicy": "FallbackToLogsOnError"}"#;
        for name in &EARLY[..early] {
            let more = if *name == SIDECAR { r#"{"restartPolicy": "Always"}"# } else { "{}" };
            world.command(&format!("init {name} {more}"));
        }
        for name in ["a", "b"].iter().take(containers) {
            world.command(&format!("container {name} {policy_of_words}"));
        }
        let model = Model { connected: true, ..Model::default() };
        let mut test = Self { world, model, policy, early, debugged: false, terminal: None };
        test.world.bind();
        test.serve();
        test
    }

    fn now_ns(&self) -> i64 {
        i64::try_from(self.world.now.as_nanosecond()).unwrap()
    }

    /// The spawner takes what the node asked for since the last time.
    fn serve(&mut self) {
        for request in std::mem::take(&mut self.world.sent) {
            if self.model.connected {
                self.request(request);
            }
        }
    }

    fn request(&mut self, request: Request) {
        let now_ns = self.now_ns();
        match request {
            Request::Start(start) => self.start(start.id),
            Request::Signal { id, .. } if id.attempt.is_multiple_of(2) => {
                self.finish(&id, "sig15");
            }
            Request::Kill { id } => self.finish(&id, "sig9"),
            Request::Forget { id } => {
                let state = self.model.containers.remove(&id);
                assert!(
                    !matches!(state, Some(State::Running(_))),
                    "a running container is forgotten: {id:?}"
                );
                assert!(state.is_none() || self.on_record(&id), "forgotten before it is durable");
            }
            Request::EndPod { .. } => {
                let running: Vec<ContainerId> = self.running().cloned().collect();
                assert!(
                    running.is_empty() || self.world.head.is_none(),
                    "a pod ends while it runs"
                );
                for id in running {
                    let over = State::Ended(end("sig9", now_ns, now_ns));
                    self.model.containers.insert(id, over);
                }
            }
            _ => {}
        }
    }

    fn start(&mut self, id: ContainerId) {
        let now_ns = self.now_ns();
        if !self.model.containers.contains_key(&id) {
            let rival = self.running().find(|other| other.container == id.container);
            assert_eq!(rival, None, "two attempts at once: {id:?}");
            let restarts = self.status(true).map_or(0, |status| restarts(&status, &id.container));
            assert!(id.attempt <= restarts, "{id:?} starts before it is on record");
            let times = self.model.executed.entry(id.clone()).or_default();
            *times += 1;
            assert_eq!(*times, 1, "{id:?} is executed again");
            self.in_order(&id.container);
            let running =
                State::Running(Running { pid: 1, started_ns: now_ns, ..Running::default() });
            self.model.containers.insert(id.clone(), running);
        }
        let state = self.model.containers[&id].clone();
        self.tell(id, state);
    }

    /// Checks that everything that comes before a container is done, and that it is not done again.
    fn in_order(&mut self, container: &str) {
        if container == DEBUGGER {
            return;
        }
        let done = &mut self.model.initialized;
        let early = &EARLY[..self.early];
        let place = early.iter().position(|name| *name == container);
        for name in &early[..place.unwrap_or(early.len())] {
            assert!(done.contains(*name), "{container} is started before {name} is done");
        }
        if container == SIDECAR {
            done.insert(container.to_owned());
        } else if place.is_some() {
            assert!(!done.contains(container), "{container} is done again");
        }
    }

    fn tell(&mut self, id: ContainerId, state: State) {
        self.model.under_way.push_back(match state {
            State::Running(running) => Reply::Started { id, running },
            State::Ended(end) => Reply::Ended { id, end },
            State::Starting | State::Failed(_) => unreachable!("the model has no such states"),
        });
    }

    fn finish(&mut self, id: &ContainerId, how: &str) {
        let Some(State::Running(running)) = self.model.containers.get(id) else { return };
        let end = end(how, running.started_ns, self.now_ns());
        let code = end.code.unwrap_or_else(|| 128 + end.signal.unwrap());
        self.model.ends.insert(id.clone(), code);
        if code == 0 && EARLY.contains(&&*id.container) {
            self.model.initialized.insert(id.container.clone());
        }
        self.model.containers.insert(id.clone(), State::Ended(end.clone()));
        self.tell(id.clone(), State::Ended(end));
    }

    fn running(&self) -> impl Iterator<Item = &ContainerId> {
        let runs = |(id, state): (_, &State)| matches!(state, State::Running(_)).then_some(id);
        self.model.containers.iter().filter_map(runs)
    }

    fn status(&self, durable: bool) -> Option<PodStatus> {
        let object = if durable { &self.world.disk } else { &self.world.head };
        object.as_ref().and_then(|object| object.pod().status)
    }

    /// Whether the durable status tells of this attempt's end, or of a later attempt.
    fn on_record(&self, id: &ContainerId) -> bool {
        let Some(status) = self.status(true) else { return true };
        let name = format!("coracle://{}_{}_{}", id.pod, id.container, id.attempt);
        restarts(&status, &id.container) > id.attempt
            || serde_json::to_string(&status).unwrap().contains(&name)
    }

    fn connect(&mut self) {
        self.model.connected = true;
        self.model.under_way.clear();
        let same_instance = self.model.recorded == self.model.instance;
        if !same_instance {
            // What was done may have been undone: all of it is done again, but for sidecars that run.
            let run = self.running().any(|id| id.container == SIDECAR);
            self.model.initialized = BTreeSet::from_iter(run.then(|| SIDECAR.to_owned()));
        }
        let record =
            |(id, state): (&ContainerId, &State)| Record { id: id.clone(), state: state.clone() };
        let containers = self.model.containers.iter().map(record).collect();
        self.world.input(Input::Connected { same_instance, containers });
    }

    fn disconnect(&mut self) {
        if std::mem::take(&mut self.model.connected) {
            self.world.input(Input::Disconnected);
        }
        self.model.under_way.clear();
    }

    fn deliver(&mut self) {
        if let Some(reply) = self.model.under_way.pop_front() {
            let (id, state) = match reply {
                Reply::Started { id, running } => (id, State::Running(running)),
                Reply::Ended { id, end } => (id, State::Ended(end)),
                other => unreachable!("{other:?}"),
            };
            self.world.report(id, state);
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Deliver => self.deliver(),
            Step::Double if self.model.connected => self.world.again(),
            Step::Double => {}
            Step::End { which, code } => {
                let id = self.running().nth(*which).cloned();
                id.into_iter().for_each(|id| self.finish(&id, &code.to_string()));
            }
            Step::Break => self.disconnect(),
            Step::Reconnect if !self.model.connected => self.connect(),
            Step::Reconnect => {}
            Step::SpawnerDies => {
                self.disconnect();
                self.model.containers.clear();
                self.model.instance += 1;
            }
            Step::ServerDies => {
                self.disconnect();
                self.world.restart();
            }
            Step::Writes(on) => self.world.command(if *on { "writes on" } else { "writes off" }),
            Step::Files(on) => self.world.command(if *on { "files on" } else { "files off" }),
            Step::Wait(deciseconds) => self.world.wait(f64::from(*deciseconds) / 10.0),
            Step::Delete(grace_s) => self.world.delete(*grace_s),
            Step::Debug if self.world.head.is_some() && !self.debugged => {
                self.debugged = true;
                self.world.command(&format!("debug {DEBUGGER}"));
            }
            Step::Debug => {}
        }
        self.serve();
        self.check();
    }

    fn check(&mut self) {
        if self.world.writes && self.world.node.adopted() {
            self.model.recorded = self.model.instance;
        }
        let Some(status) = self.status(true) else { return };
        let phase = status.phase.clone().unwrap_or_default();
        if let Some(before) = &self.terminal {
            assert_eq!(&phase, before, "a terminal phase changed");
        }
        if matches!(phase.as_str(), "Succeeded" | "Failed") {
            self.terminal = Some(phase.clone());
            assert_eq!(self.running().next(), None, "a pod that is over runs");
        }
        if phase == "Succeeded" {
            let early = status.init_container_statuses.iter().flatten();
            let all = early.chain(status.container_statuses.iter().flatten());
            for container in all.filter(|container| container.name != SIDECAR) {
                let ended = container.state.as_ref().and_then(|s| s.terminated.as_ref()).unwrap();
                let name = ended.container_id.as_deref().unwrap();
                let attempt = name.rsplit_once('_').unwrap().1.parse().unwrap();
                let id =
                    ContainerId { pod: UID.into(), container: container.name.clone(), attempt };
                assert_eq!(self.model.ends.get(&id), Some(&0), "success without an exit 0");
            }
        }
    }

    /// Faults stop; the pod is deleted; everything must come to its end.
    fn finish_up(&mut self) {
        self.take(&Step::Writes(true));
        self.take(&Step::Files(true));
        if !self.model.connected {
            self.connect();
            self.serve();
        }
        if self.policy == "Always" {
            self.take(&Step::Delete(1));
        }
        for _ in 0..60 {
            while !self.model.under_way.is_empty() {
                self.take(&Step::Deliver);
            }
            self.take(&Step::End { which: 0, code: 0 });
            self.take(&Step::Wait(3100));
        }
        self.take(&Step::Delete(0));
        self.take(&Step::Wait(100));
        assert!(self.terminal.is_some(), "it never ended: {:?}", self.status(true));
        assert_eq!(self.model.containers.keys().next(), None, "a record is left");
        assert!(!self.world.directory, "files are left");
        let removed = self.world.said.iter().filter(|line| line.ends_with(" remove")).count();
        assert!(removed >= 1, "the object may never go");
        self.world.input(Input::PodGone(uid()));
        assert_eq!(self.world.node.running(), 0);
        assert_eq!(self.world.node.wake_at(), None);
        assert!(self.world.node.unclaimed().is_empty());
    }
}

fn restarts(status: &PodStatus, container: &str) -> u32 {
    let early = status.init_container_statuses.iter().flatten();
    let all = early.chain(status.container_statuses.iter().flatten());
    let mut all = all.chain(status.ephemeral_container_statuses.iter().flatten());
    let found = all.find(|status| status.name == container);
    found.map_or(0, |status| u32::try_from(status.restart_count).unwrap())
}

proptest! {
    /// No success without an exit 0; no two attempts at once, and none twice; an attempt is on
    /// record before it starts; init containers in order, each once with each spawner; what is forgotten is durable; a terminal phase never changes; in the
    /// end everything is ended, given back and removed.
    #[test]
    fn a_pod_survives_any_order_of_events(
        policy in prop::sample::select(vec!["Never", "OnFailure", "Always"]),
        early in 0_usize..4,
        containers in 1_usize..3,
        volume in any::<bool>(),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut test = Test::new(policy, early, containers, volume);
        prop_assert!(test.world.now.as_second() >= START_S);
        steps.iter().for_each(|step| test.take(step));
        test.finish_up();
    }
}
