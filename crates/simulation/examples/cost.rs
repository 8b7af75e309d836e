//! What a pod costs in engine, store and node, without I/O: an Indexed Job whose containers end as
//! soon as they are started, on a disk in memory. Prints the CPU time per pod of the whole and of a
//! thousand pods early and late.
//!
//! `cargo run --profile sim -p simulation --example cost [INDEXES] [PARALLELISM]`

use std::{collections::BTreeSet, fs};

use anyhow::Context;

use driver::{Deed, Driver};
use engine::{Config, Engine, Limits, Scope};
use jiff::{SignedDuration, Timestamp};
use kinds::{Draft, Facts, Key, Kind};
use node::Input;
use spawner::protocol::{End, Reply, Request, Running};
use store::{MemoryDisk, Store};

/// How many pods one line of the report is about.
const PODS_PER_LINE: u32 = 1000;

struct Machine {
    engine: Engine,
    driver: Driver,
    disk: MemoryDisk,
    now: Timestamp,
}

fn main() -> anyhow::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<u32>());
    let indexes = numbers.next().transpose()?.unwrap_or(10_000);
    let parallelism = numbers.next().transpose()?.unwrap_or(8);
    let mut machine = Machine::new()?;
    let job = simulation::indexed_job(indexes, parallelism).to_string();
    let draft = Draft::from_json(Kind::Job, job.as_bytes())?;
    let began = cpu_us()?;
    let written = machine.engine.create(draft, false, machine.now);
    let key = written.map_err(|error| anyhow::anyhow!("{error}"))?.object.key.clone();
    let (mut line, mut next) = (began, PODS_PER_LINE);
    let mut deeds = machine.sync();
    while !machine.finished(&key) {
        deeds = machine.act(deeds);
        if machine.succeeded(&key) >= next {
            let now = cpu_us()?;
            let us = (now - line) / u64::from(PODS_PER_LINE);
            println!("pods up to {next:6}: {us} us each");
            (line, next) = (now, next + PODS_PER_LINE);
        }
    }
    let us = (cpu_us()? - began) / u64::from(indexes);
    println!("all {indexes} pods, {parallelism} at a time: {us} us each");
    Ok(())
}

/// CPU time this process has used, microseconds.
fn cpu_us() -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/self/schedstat")?;
    let ns: u64 = text.split(' ').next().context("schedstat is empty")?.parse()?;
    Ok(ns / 1000)
}

impl Machine {
    fn new() -> anyhow::Result<Self> {
        let now = Timestamp::from_second(1_800_000_000)?;
        let mut disk = MemoryDisk::new();
        let store = Store::open(&mut disk, store::Limits::default(), now)?;
        let node = simulation::node_object(16_000);
        let limits = Limits::default();
        let config = Config {
            node,
            scope: Scope::All,
            seed: 1,
            limits,
            root_ca: None,
            zone: kinds::cron::Zone::UTC,
        };
        let mut engine = Engine::open(store, config, now);
        let none = BTreeSet::new();
        let (mut driver, _) = Driver::start(simulation::node_config(), none, &mut engine, now);
        driver.connected(&mut engine, "one", Vec::new(), now);
        Ok(Self { engine, driver, disk, now })
    }

    /// Settles, makes everything durable and shows it to the node, until nothing is left to write.
    fn sync(&mut self) -> Vec<Deed> {
        let mut deeds = self.driver.settle(&mut self.engine, self.now);
        while let Some(batch) = self.engine.store_mut().take_batch() {
            let (done, result) = batch.perform(&mut self.disk);
            result.expect("a disk in memory does not fail");
            self.engine.store_mut().batch_done(done);
            deeds.extend(self.driver.durable(&mut self.engine, self.now));
        }
        deeds
    }

    /// Does the deeds; a container ends as soon as it is started.
    fn act(&mut self, deeds: Vec<Deed>) -> Vec<Deed> {
        self.now += SignedDuration::from_millis(1);
        let mut next = Vec::new();
        for deed in deeds {
            for input in answers(deed, self.now) {
                next.extend(self.driver.input(&mut self.engine, input, self.now));
            }
        }
        next.extend(self.sync());
        next
    }

    fn succeeded(&self, job: &Key) -> u32 {
        match self.engine.store().get(job).map(|job| &job.meta.facts) {
            Some(Facts::Job { succeeded, .. }) => succeeded.unsigned_abs(),
            _ => 0,
        }
    }

    fn finished(&self, job: &Key) -> bool {
        let job = self.engine.store().get(job);
        job.is_none_or(|job| matches!(job.meta.facts, Facts::Job { finished: true, .. }))
    }
}

fn answers(deed: Deed, now: Timestamp) -> Vec<Input> {
    match deed {
        Deed::Spawner(Request::Start(start)) => {
            let started_ns = now.as_nanosecond() as i64;
            let end = End {
                code: Some(0),
                signal: None,
                oom_killed: false,
                started_ns,
                finished_ns: started_ns,
                cpu_us: 0,
                memory_peak_bytes: 0,
                message: String::new(),
                log_bytes: 0,
            };
            let running = Running { pid: 1, started_ns, ..Running::default() };
            vec![
                Input::Spawner(Reply::Started { id: start.id.clone(), running }),
                Input::Spawner(Reply::Ended { id: start.id, end }),
            ]
        }
        Deed::Spawner(Request::EndPod { pod }) => vec![Input::Spawner(Reply::PodEnded { pod })],
        Deed::FindImage(_)
        | Deed::ReleaseImages { .. }
        | Deed::RemoveLogs(_)
        | Deed::Spawner(_) => Vec::new(),
        Deed::Prepare { uid, .. } => vec![Input::Prepared { uid, result: Ok(()) }],
        Deed::CleanUp { uid } => vec![Input::CleanedUp { uid }],
        Deed::ReadTermination { id, .. } => {
            vec![Input::TerminationRead { id, message: String::new() }]
        }
    }
}
