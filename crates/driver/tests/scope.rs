//! Pods of a run whose client was away while the server started.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;

use driver::{Deed, Driver};
use engine::{Config, Engine, Limits, Scope};
use jiff::Timestamp;
use kinds::{Draft, Facts, Key, Kind};
use node::{HostRoot, Input};
use spawner::protocol::{ContainerId, End, Record, Reply, Request, Running, State};
use store::{MemoryDisk, Store};

const POD: &str = r#"{"metadata":{"name":"p","namespace":"default","annotations":{"coracle.local/run":"r"}},
    "spec":{"restartPolicy":"Never","containers":[{"name":"main","image":"coracle.local/host","command":["true"]}]}}"#;

/// A private server and what it is joined with.
struct Server {
    engine: Engine,
    driver: Driver,
    deeds: Vec<Deed>,
    disk: MemoryDisk,
    now: Timestamp,
}

impl Server {
    fn start(mut disk: MemoryDisk) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let store = Store::open(&mut disk, store::Limits::default(), now).unwrap();
        let node = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "here"},
            "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "100"}},
        }));
        let scope = Scope::Runs(BTreeSet::new());
        let config = Config {
            node: node.unwrap(),
            scope,
            seed: 7,
            limits: Limits::default(),
            root_ca: None,
            zone: kinds::cron::Zone::UTC,
        };
        let mut engine = Engine::open(store, config, now);
        sync(&mut engine, &mut disk);
        let (driver, deeds) = Driver::start(node_config(), BTreeSet::new(), &mut engine, now);
        Self { engine, driver, deeds, disk, now }
    }

    /// Lets everything come to rest, durable and with its volumes made.
    fn rest(&mut self) {
        for _ in 0..8 {
            self.deeds.extend(self.driver.settle(&mut self.engine, self.now));
            sync(&mut self.engine, &mut self.disk);
            self.deeds.extend(self.driver.durable(&mut self.engine, self.now));
            for at in (0..self.deeds.len()).rev() {
                if let Deed::Prepare { uid, .. } = self.deeds[at] {
                    self.deeds.remove(at);
                    self.input(Input::Prepared { uid, result: Ok(()) });
                }
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.deeds.extend(self.driver.input(&mut self.engine, input, self.now));
    }

    fn connected(&mut self, containers: Vec<Record>) {
        let deeds = self.driver.connected(&mut self.engine, "one", containers, self.now);
        self.deeds.extend(deeds);
        self.rest();
    }

    fn phase(&self) -> String {
        let pod = self.engine.get(&Key::new(Kind::Pod, "default", "p")).unwrap();
        match &pod.meta.facts {
            Facts::Pod { phase, .. } => phase.to_string(),
            _ => unreachable!("a Pod has a Pod's facts"),
        }
    }
}

fn sync(engine: &mut Engine, disk: &mut MemoryDisk) {
    while let Some(batch) = engine.store_mut().take_batch() {
        let (done, result) = batch.perform(disk);
        result.unwrap();
        engine.store_mut().batch_done(done);
    }
}

fn node_config() -> node::Config {
    node::Config {
        node_name: "here".to_owned(),
        host_name: "here".to_owned(),
        host_ips: Vec::new(),
        pod_range: None,
        data_dir: "/data".into(),
        host: HostRoot::default(),
        images: Default::default(),
        cpu_milli: 2000,
        memory_bytes: 1 << 32,
        pids_max: None,
        writable_bytes: node::Config::WRITABLE_BYTES,
        log_file_bytes_max: node::Config::LOG_FILE_BYTES_MAX,
        log_files_max: node::Config::LOG_FILES_MAX,
        status_hold_ms: 0,
    }
}

/// The client of a killed server started the next one and was slower to come back than the spawner
/// was to answer: nobody showed its pods to the node, the end of their containers reached nobody, and
/// the run waited for ever.
#[test]
fn a_pod_whose_client_comes_back_late_is_minded_again() {
    let mut first = Server::start(MemoryDisk::default());
    first.engine.run_begins("r");
    let draft = Draft::from_json(Kind::Pod, POD.as_bytes()).unwrap();
    first.engine.create(draft, false, first.now).unwrap();
    first.connected(Vec::new());
    let started = first.deeds.iter().find_map(|deed| match deed {
        Deed::Spawner(Request::Start(start)) => Some(start.id.clone()),
        _ => None,
    });
    let id: ContainerId = started.expect("the pod is started");
    let running = Running { pid: 7, ..Running::default() };
    first.input(Input::Spawner(Reply::Started { id: id.clone(), running: running.clone() }));
    first.rest();
    assert_eq!(first.phase(), "Running");

    let mut second = Server::start(first.disk);
    second.connected(vec![Record { id: id.clone(), state: State::Running(running) }]);
    second.engine.run_begins("r");
    second.rest();
    let end = End {
        code: Some(0),
        signal: None,
        oom_killed: false,
        started_ns: 0,
        finished_ns: 1,
        cpu_us: 1,
        memory_peak_bytes: 1,
        message: String::new(),
        log_bytes: 0,
    };
    second.input(Input::Spawner(Reply::Ended { id, end }));
    second.rest();
    assert_eq!(second.phase(), "Succeeded");
}
