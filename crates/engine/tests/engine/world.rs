//! One engine that the test drives, and the manifests it is given.

use std::sync::Arc;

use engine::{Config, Engine, Limits, Scope};
use jiff::Timestamp;
use kinds::{
    Draft, Key, Kind, Object,
    cron::Zone,
    types::{
        batch::v1::Job,
        core::v1::{
            ContainerState, ContainerStateTerminated, ContainerStatus, Event, Node, PodStatus,
        },
    },
};
use store::{MemoryDisk, Store};

/// One engine, its disk, and a clock that the test moves.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) disk: MemoryDisk,
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) fn new(scope: Scope) -> Self {
        Self::on(MemoryDisk::default(), scope)
    }

    pub(crate) fn on(disk: MemoryDisk, scope: Scope) -> Self {
        Self::open(disk, scope, Limits::default())
    }

    /// Opens what is on the disk with these budgets.
    pub(crate) fn open(disk: MemoryDisk, scope: Scope, limits: Limits) -> Self {
        Self::start(disk, scope, limits, None, start())
    }

    /// Opens what is on the disk at another time.
    pub(crate) fn at(disk: MemoryDisk, scope: Scope, now: Timestamp) -> Self {
        Self::start(disk, scope, Limits::default(), None, now)
    }

    pub(crate) fn with_certificate(pem: &str) -> Self {
        let root_ca = Some(pem.to_owned());
        Self::start(MemoryDisk::default(), Scope::All, Limits::default(), root_ca, start())
    }

    fn start(
        mut disk: MemoryDisk,
        scope: Scope,
        limits: Limits,
        root_ca: Option<String>,
        now: Timestamp,
    ) -> Self {
        let store = Store::open(&mut disk, store::Limits::default(), now).unwrap();
        // As names and uids have to be others than those of the server before.
        let seed = store.head();
        let config = Config { node: node(), scope, seed, limits, root_ca, zone: Zone::UTC };
        let mut world = Self { engine: Engine::open(store, config, now), disk, now };
        world.sync();
        world
    }

    pub(crate) fn sync(&mut self) {
        self.engine.settle(self.now);
        while let Some(batch) = self.engine.store_mut().take_batch() {
            let (done, result) = batch.perform(&mut self.disk);
            result.unwrap();
            self.engine.store_mut().batch_done(done);
        }
    }

    pub(crate) fn create(&mut self, kind: Kind, json: &str) -> Arc<Object> {
        let draft = Draft::from_json(kind, json.as_bytes()).unwrap();
        let written = self.engine.create(draft, false, self.now).unwrap();
        self.sync();
        written.object
    }

    pub(crate) fn job(&self, name: &str) -> Job {
        self.engine.get(&Key::new(Kind::Job, "default", name)).unwrap().job()
    }

    /// The pods that wait for their end, by name.
    pub(crate) fn running(&self) -> Vec<Arc<Object>> {
        self.engine.bound_pods().filter(|pod| !pod.deleting()).cloned().collect()
    }

    /// Ends a pod's only container with this code.
    pub(crate) fn end(&mut self, pod: &Object, code: i32) {
        let terminated = ContainerStateTerminated { exit_code: code, ..Default::default() };
        let state = ContainerState { terminated: Some(terminated), ..Default::default() };
        let status = PodStatus {
            phase: Some(if code == 0 { "Succeeded" } else { "Failed" }.to_owned()),
            container_statuses: Some(vec![ContainerStatus {
                name: "main".to_owned(),
                state: Some(state),
                ..Default::default()
            }]),
            ..Default::default()
        };
        self.engine.pod_status(&pod.key, pod.meta.uid, status);
        self.sync();
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.engine.store().list(Kind::Event, None).map(|event| event.event()).collect()
    }

    pub(crate) fn pods(&self) -> Vec<Arc<Object>> {
        self.engine.store().list(Kind::Pod, None).cloned().collect()
    }

    pub(crate) fn reasons(&self) -> Vec<String> {
        let events = self.engine.store().list(Kind::Event, None);
        events.map(|event| event.event().reason.unwrap_or_default()).collect()
    }
}

/// When every test begins.
fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(crate) fn node() -> Node {
    serde_json::from_value(serde_json::json!({
        "metadata": {"name": "here"},
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "100"}},
    }))
    .unwrap()
}

pub(crate) fn indexed(name: &str, completions: u32, parallelism: u32) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"default"}},"spec":{{"completions":{completions},
        "parallelism":{parallelism},"completionMode":"Indexed","backoffLimit":2,"template":{{"spec":{{"restartPolicy":"Never",
        "containers":[{{"name":"main","image":"coracle.local/host","command":["true"]}}]}}}}}}}}"#
    )
}

pub(crate) fn pod(name: &str, cpu: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"default"}},"spec":{{"restartPolicy":"Never","containers":
        [{{"name":"main","image":"coracle.local/host","command":["true"],"resources":{{"requests":{{"cpu":"{cpu}"}}}}}}]}}}}"#
    )
}
