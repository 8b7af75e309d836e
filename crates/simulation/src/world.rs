//! The world: one queue of things that happen at a virtual time, a server that can die between any
//! two of them, and the parts of the machine that outlive it.

use std::collections::{BTreeMap, BTreeSet};

use driver::{Deed, Driver};
use engine::{Config, Engine, Limits, Scope};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use kinds::{Revision, Uid};
use node::{ImageNews, Input};
use spawner::protocol::{ContainerId, Reply, Request};
use store::{Done, MemoryDisk, Store};

use crate::{
    checks::Checks,
    cron_jobs::Fires,
    machine::{node_config, node_object},
    observer::Observer,
    plan::{Action, Fault, Plan, RUN},
    spawner::{Effects, Spawner},
    story,
};

/// Virtual hours after which a world that has not come to rest is a failure: more than the longest
/// row of back-offs takes.
const END_S: i64 = 48 * 3600;

/// Steps after which a world is taken to be going in circles.
const STEPS_MAX: u64 = 60_000;

/// What a seed gave.
#[derive(Debug)]
pub struct Outcome {
    /// What happened, in numbers.
    pub stats: Stats,
    /// What went wrong; `None` for a clean world.
    pub failure: Option<String>,
}

/// What happened in a world, or in many.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Things that happened.
    pub steps: u64,
    /// Faults by kind.
    pub faults: BTreeMap<String, u64>,
    /// Jobs that came to their end.
    pub jobs: u64,
    /// Containers that were started.
    pub containers: u64,
}

/// Something that happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// A request reaches the spawner, over this connection.
    ToSpawner(u64, Request),
    /// A reply reaches the server, over this connection.
    ToServer(u64, Reply),
    /// A program exits, in this spawner.
    Exit(u64, ContainerId, i32),
    /// The disk of this server has finished its batch.
    Written(u64),
    /// Files of this server's pods are made, removed or read.
    Answer(u64, Box<Input>),
    /// This server reaches the spawner.
    Connect(u64),
    /// The client of the run is at this server.
    Attend(u64),
    /// A timer of a server is due.
    Wake,
    /// The server is started.
    Restart,
    /// A client submits the Job with this number.
    Submit(usize),
    /// A client submits the CronJob with this number.
    SubmitCronJob(usize),
    /// A client does something.
    Act(Action),
    Fault(Fault),
    /// The disk is fast again.
    FastDisk,
    /// The faults are over: clients resume what they suspended.
    Peace,
}

/// A server while it lives.
pub(crate) struct Server {
    pub(crate) engine: Engine,
    driver: Driver,
    writing: Option<Done>,
    wake_at: Option<Timestamp>,
}

/// What the next failing write is to look like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doom {
    None,
    Power,
    Kill,
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) random: Rng,
    pub(crate) now: Timestamp,
    /// How far the clock of the machine is ahead of the world.
    pub(crate) ahead: SignedDuration,
    pub(crate) fires: Fires,
    pub(crate) server: Option<Server>,
    pub(crate) spawner: Spawner,
    pub(crate) observer: Observer,
    pub(crate) checks: Checks,
    /// Jobs whose creation was acknowledged to the client.
    pub(crate) acknowledged: BTreeSet<usize>,
    /// Jobs that a client deleted.
    pub(crate) deleted: BTreeSet<usize>,
    /// Jobs whose time ran out.
    pub(crate) expired: BTreeSet<usize>,
    pub(crate) submitted: BTreeMap<usize, u64>,
    queue: BTreeMap<(Timestamp, u64), Event>,
    sequence: u64,
    disk: MemoryDisk,
    doom: Doom,
    slow: bool,
    generation: u64,
    link: u64,
    connected: bool,
    last_request: Timestamp,
    last_reply: Timestamp,
    directories: BTreeSet<Uid>,
    pub(crate) peace: bool,
    /// The newest revision when the client of the run came to this server.
    attended_at: Option<Revision>,
    stats: Stats,
    log: Option<fn(&str)>,
}

/// Lives through one seed; `log` is told everything that happens.
pub fn run(seed: u64, log: Option<fn(&str)>) -> Outcome {
    let mut world = World::new(seed, log);
    let failure = world.live().err();
    let stats = Stats { containers: world.spawner.ran.len() as u64, ..world.stats };
    Outcome { stats, failure }
}

impl World {
    fn new(seed: u64, log: Option<fn(&str)>) -> Self {
        let mut random = Rng::with_seed(seed);
        let plan = Plan::draw(&mut random);
        let now = Timestamp::from_second(1_800_000_000).expect("a time of this century");
        let mut world = Self {
            random,
            now,
            ahead: SignedDuration::ZERO,
            fires: Fires::default(),
            server: None,
            spawner: Spawner::new(),
            observer: Observer::default(),
            checks: Checks::default(),
            acknowledged: BTreeSet::new(),
            deleted: BTreeSet::new(),
            expired: BTreeSet::new(),
            submitted: BTreeMap::new(),
            queue: BTreeMap::new(),
            sequence: 0,
            disk: MemoryDisk::new(),
            doom: Doom::None,
            slow: false,
            generation: 0,
            link: 0,
            connected: false,
            last_request: now,
            last_reply: now,
            directories: BTreeSet::new(),
            peace: false,
            attended_at: None,
            stats: Stats::default(),
            log,
            plan,
        };
        world.tell(|world| format!("{:#?}", world.plan));
        world.set_out();
        world
    }

    /// Puts what the plan foresees into the queue.
    fn set_out(&mut self) {
        let storm_ms = self.plan.stormy_s * 1000;
        self.after_ms(0, Event::Restart);
        for job in 0..self.plan.jobs.len() {
            let at = self.random.u64(0..=storm_ms / 2);
            self.after_ms(at, Event::Submit(job));
        }
        for cron_job in 0..self.plan.cron_jobs.len() {
            let at = self.random.u64(0..=storm_ms / 4);
            self.after_ms(at, Event::SubmitCronJob(cron_job));
        }
        for fault in self.plan.faults.clone() {
            let at = self.random.u64(1..=storm_ms);
            self.after_ms(at, Event::Fault(fault));
        }
        for action in self.plan.actions.clone() {
            let at = self.random.u64(1..=storm_ms);
            self.after_ms(at, Event::Act(action));
        }
        self.after_ms(storm_ms + 1, Event::Peace);
    }

    fn live(&mut self) -> Result<(), String> {
        let end = self.now + SignedDuration::from_secs(END_S);
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.now = self.now.max(at);
            self.stats.steps += 1;
            self.tell(|world| format!("{} {}", world.now, story::event(&event)));
            self.happen(event)?;
            self.pump()?;
            self.look()?;
            self.check()?;
            self.stats.jobs = self.checks.jobs_ended();
            if self.peace && self.at_rest() {
                return self.check_end();
            }
            if self.now > end || self.stats.steps > STEPS_MAX {
                break;
            }
        }
        Err(format!("not at rest: {}", self.unfinished()))
    }

    pub(crate) fn tell(&self, what: impl FnOnce(&Self) -> String) {
        if let Some(log) = self.log {
            log(&what(self));
        }
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Restart => self.start_server(),
            Event::Connect(generation) if generation == self.generation => self.connect(),
            Event::Attend(generation) if generation == self.generation => {
                if let Some(server) = &mut self.server {
                    self.attended_at = Some(server.engine.store().head());
                    server.engine.run_begins(RUN);
                }
                Ok(())
            }
            Event::ToSpawner(link, request) if link == self.link => self.spawner_takes(request),
            Event::ToServer(link, reply) if link == self.link => {
                self.drive(|driver, engine, now| driver.input(engine, Input::Spawner(reply), now));
                Ok(())
            }
            Event::Exit(instance, id, code) if instance == self.spawner.instance => {
                let effects = self.spawner.exit(&id, code, self.now);
                self.after_effects(effects);
                Ok(())
            }
            Event::Written(generation) if generation == self.generation => self.written(),
            Event::Answer(generation, input) if generation == self.generation => {
                self.drive(|driver, engine, now| driver.input(engine, *input, now));
                Ok(())
            }
            Event::Submit(job) => self.submit(job),
            Event::SubmitCronJob(number) => self.submit_cron_job(number),
            Event::Act(action) => self.act(action),
            Event::Fault(fault) => self.fault(fault),
            Event::FastDisk => {
                self.slow = false;
                Ok(())
            }
            Event::Peace => self.make_peace(),
            // Timers need no more than the settling after every step; the rest is for a server, a
            // connection or a spawner that is no more.
            _ => Ok(()),
        }
    }

    /// Lets the server come to rest and hands its disk the next batch.
    fn pump(&mut self) -> Result<(), String> {
        self.drive(|driver, engine, now| driver.settle(engine, now));
        let Some(server) = &mut self.server else { return Ok(()) };
        if server.writing.is_none()
            && let Some(batch) = server.engine.store_mut().take_batch()
        {
            let (done, result) = batch.perform(&mut self.disk);
            if result.is_err() {
                return self.die_writing();
            }
            server.writing = Some(done);
            let lasts = if self.slow { self.random.u64(1..400) } else { self.random.u64(0..2) };
            self.after_ms(lasts, Event::Written(self.generation));
        }
        self.set_timer();
        Ok(())
    }

    fn set_timer(&mut self) {
        let Some(server) = &mut self.server else { return };
        let wake_at = server.driver.wake_at(&server.engine);
        let ahead = self.ahead;
        if let Some(at) = wake_at.map(|at| at - ahead)
            && server.wake_at.is_none_or(|set| at < set || set <= self.now)
        {
            server.wake_at = Some(at);
            self.at(at.max(self.now), Event::Wake);
        }
    }

    /// Lets engine and node do something, and sees to their deeds.
    fn drive(&mut self, step: impl FnOnce(&mut Driver, &mut Engine, Timestamp) -> Vec<Deed>) {
        let Some(server) = &mut self.server else { return };
        let clock = self.now + self.ahead;
        let deeds = step(&mut server.driver, &mut server.engine, clock);
        self.do_deeds(deeds);
    }

    fn do_deeds(&mut self, deeds: Vec<Deed>) {
        for deed in deeds {
            match deed {
                Deed::Spawner(request) => {
                    let at = self.later().max(self.last_request);
                    self.last_request = at;
                    self.at(at, Event::ToSpawner(self.link, request));
                }
                Deed::Prepare { uid, .. } => {
                    self.directories.insert(uid);
                    self.answer(Input::Prepared { uid, result: Ok(()) });
                }
                Deed::CleanUp { uid } => {
                    self.directories.remove(&uid);
                    self.answer(Input::CleanedUp { uid });
                }
                // Nothing but the machine's own image is in this world.
                Deed::FindImage(request) => {
                    self.answer(Input::Image { id: request.id, news: ImageNews::Absent });
                }
                Deed::RemoveLogs(_) | Deed::ReleaseImages { .. } => {}
                Deed::ReadTermination { id, .. } => {
                    self.answer(Input::TerminationRead { id, message: String::new() });
                }
            }
        }
    }

    fn answer(&mut self, input: Input) {
        let at = self.later();
        self.at(at, Event::Answer(self.generation, Box::new(input)));
    }

    fn later(&mut self) -> Timestamp {
        let ms = self.random.u64(0..=self.plan.late_ms_max);
        self.now + SignedDuration::from_millis(ms as i64)
    }

    fn after_effects(&mut self, effects: Effects) {
        for (at, id, code) in effects.ends {
            self.at(at, Event::Exit(self.spawner.instance, id, code));
        }
        for reply in effects.replies {
            let at = self.later().max(self.last_reply);
            self.last_reply = at;
            let again = self.plan.doubled_in > 0 && self.random.u32(0..self.plan.doubled_in) == 0;
            if again {
                *self.stats.faults.entry("Doubled".to_owned()).or_default() += 1;
                self.at(at, Event::ToServer(self.link, reply.clone()));
            }
            self.at(at, Event::ToServer(self.link, reply));
        }
    }

    fn spawner_takes(&mut self, request: Request) -> Result<(), String> {
        let started = match &request {
            Request::Start(start) => Some(&start.id),
            _ => None,
        };
        let job = started.and_then(|id| self.observer.job_of_pod(&id.pod));
        let plan = job.and_then(|job| self.plan.jobs.iter().find(|plan| plan.name == job));
        if let Some(id) = started {
            self.checks.start(id, plan, &self.spawner)?;
        }
        let effects = self.spawner.request(request, plan, &mut self.random, self.now);
        self.after_effects(effects);
        Ok(())
    }

    fn start_server(&mut self) -> Result<(), String> {
        if self.server.is_some() {
            return Ok(());
        }
        self.generation += 1;
        let limits = store::Limits {
            segment_bytes: 64 << 10,
            garbage_bytes: 64 << 10,
            compact_bytes: 4 << 10,
            ..store::Limits::default()
        };
        let store = match Store::open(&mut self.disk, limits, self.now + self.ahead) {
            Ok(store) => store,
            Err(store::Error::Io(_)) => return self.die_writing(),
            Err(error) => return Err(format!("the store does not open again: {error}")),
        };
        let config = Config {
            node: node_object(self.plan.cpu_milli),
            scope: match self.plan.client_back_ms_max {
                None => Scope::All,
                Some(_) => Scope::Runs(BTreeSet::new()),
            },
            seed: self.random.u64(..),
            limits: Limits::default(),
            root_ca: None,
            zone: kinds::cron::Zone::UTC,
        };
        let mut engine = Engine::open(store, config, self.clock());
        while let Some(batch) = engine.store_mut().take_batch() {
            let (done, result) = batch.perform(&mut self.disk);
            if result.is_err() {
                return self.die_writing();
            }
            engine.store_mut().batch_done(done);
        }
        let clock = self.clock();
        let (driver, deeds) =
            Driver::start(node_config(), self.directories.clone(), &mut engine, clock);
        self.server = Some(Server { engine, driver, writing: None, wake_at: None });
        self.do_deeds(deeds);
        let at = self.random.u64(0..50);
        self.after_ms(at, Event::Connect(self.generation));
        if let Some(most) = self.plan.client_back_ms_max {
            let at = self.random.u64(0..most);
            self.after_ms(at, Event::Attend(self.generation));
        }
        self.look()?;
        if self.peace {
            self.suspend_cron_jobs()?;
        }
        self.submit_again()
    }

    fn connect(&mut self) -> Result<(), String> {
        if self.connected || self.server.is_none() {
            return Ok(());
        }
        self.link += 1;
        self.connected = true;
        let (instance, known) = (self.spawner.instance.to_string(), self.spawner.list());
        self.drive(|driver, engine, now| driver.connected(engine, &instance, known, now));
        Ok(())
    }

    fn written(&mut self) -> Result<(), String> {
        let Some(server) = &mut self.server else { return Ok(()) };
        let Some(done) = server.writing.take() else { return Ok(()) };
        server.engine.store_mut().batch_done(done);
        self.acknowledge();
        self.look()?;
        self.drive(Driver::durable);
        Ok(())
    }

    fn fault(&mut self, fault: Fault) -> Result<(), String> {
        *self.stats.faults.entry(format!("{fault:?}")).or_default() += 1;
        match fault {
            Fault::ServerKilled => {
                self.disk.restart();
                self.die();
            }
            Fault::PowerLost => self.doom_disk(Doom::Power),
            Fault::KilledWhileWriting => self.doom_disk(Doom::Kill),
            Fault::SpawnerKilled => {
                self.spawner.die();
                self.break_link();
            }
            Fault::Disconnected => self.break_link(),
            Fault::ClockSet => self.set_clock(),
            Fault::SlowDisk => {
                self.slow = true;
                let lasts = self.random.u64(100..3000);
                self.after_ms(lasts, Event::FastDisk);
            }
        }
        Ok(())
    }

    fn doom_disk(&mut self, doom: Doom) {
        if self.doom == Doom::None {
            self.doom = doom;
            let ahead = self.random.u64(0..5);
            self.disk.fail_at(self.disk.changes() + ahead);
        }
    }

    /// The disk failed as it was doomed to: the server is gone, or the whole machine.
    fn die_writing(&mut self) -> Result<(), String> {
        match std::mem::replace(&mut self.doom, Doom::None) {
            Doom::Power => {
                self.disk.power_loss(self.random.u64(..));
                self.spawner.die();
            }
            Doom::Kill => self.disk.restart(),
            Doom::None => return Err("the disk failed without a fault".to_owned()),
        }
        self.die();
        Ok(())
    }

    /// The server is gone; it will be started again.
    fn die(&mut self) {
        self.doom = Doom::None;
        self.server = None;
        self.generation += 1;
        self.link += 1;
        self.connected = false;
        self.attended_at = None;
        let at = self.random.u64(1..2000);
        self.after_ms(at, Event::Restart);
    }

    fn break_link(&mut self) {
        self.link += 1;
        self.connected = false;
        self.drive(Driver::disconnected);
        let at = self.random.u64(1..500);
        self.after_ms(at, Event::Connect(self.generation));
    }

    fn make_peace(&mut self) -> Result<(), String> {
        self.peace = true;
        if self.doom != Doom::None {
            self.doom = Doom::None;
            self.disk.restart();
        }
        self.act(Action::Resume)?;
        self.suspend_cron_jobs()
    }

    /// What the clock of the machine shows.
    pub(crate) fn clock(&self) -> Timestamp {
        self.now + self.ahead
    }

    pub(crate) fn after_ms(&mut self, ms: u64, event: Event) {
        self.at(self.now + SignedDuration::from_millis(ms as i64), event);
    }

    fn at(&mut self, at: Timestamp, event: Event) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), event);
    }

    /// Nothing is left that the world could still do for its Jobs.
    fn at_rest(&self) -> bool {
        let Some(server) = &self.server else { return false };
        let store = server.engine.store();
        store.head() == store.durable()
            && self.acknowledged.len() == self.plan.jobs.len()
            && self.observer.all_finished()
            && self.observer.no_pod_is_open()
            && !self.awaits_an_end()
            && self.spawner.is_empty()
            && self.directories.is_empty()
    }

    /// Whether the server acts on the Jobs, and not only on what clients ask, and this revision shows
    /// it already.
    pub(crate) fn is_acted_on(&self, durable: Revision) -> bool {
        self.plan.client_back_ms_max.is_none() || self.attended_at.is_some_and(|at| durable > at)
    }

    /// The faults are over.
    pub(crate) fn in_peace(&self) -> bool {
        self.peace
    }

    fn unfinished(&self) -> String {
        format!(
            "server {}, jobs open {:?}, pods open {:?}, containers {}, directories {}",
            self.server.is_some(),
            self.observer.open_jobs(),
            self.observer.open_pods(),
            self.spawner.list().len(),
            self.directories.len()
        )
    }
}
