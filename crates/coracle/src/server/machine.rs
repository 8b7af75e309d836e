//! The works: one loop that waits for whatever happens next (a request, a batch that became durable,
//! the spawner, a file, a timer), lets engine and node decide, and sees to what they want done.

use std::{
    io,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use apiserver::Server;
use driver::{Deed, Driver};
use engine::{Engine, PodLog};
use jiff::{SignedDuration, Timestamp};
use kinds::{Facts, Kind, Uid};
use node::{
    Input,
    host::Machine,
    logs,
    spawner_client::{Event, SpawnerClient},
    streams::{Ask, Desk},
    volumes,
};
use spawner::protocol::{Reply, Request};
use store::Done;
use tokens::Signer;
use tokio::sync::{
    Notify,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::{disk::Writer, images::Images, notifier::Notifier, this_node};
use crate::{clock, exit::Failure};

/// How long news that nobody waits for (a container that runs, an Event) may wait for the next
/// write, in milliseconds.
const RIDE_ALONG_MS: i64 = 100;

/// The longest sleep, in seconds: a clock that was set is noticed after that.
const SLEEP_S_MAX: i64 = 60;

/// How long the end of the pods is waited for beyond their grace periods, in seconds.
const STOP_PODS_S_MAX: u64 = 120;

/// How long a server that ends waits for what ended before it to give back what it held, in
/// milliseconds.
const REST_MS_MAX: u64 = 3_000;

pub(super) struct Works {
    server: Rc<Server>,
    driver: Driver,
    spawner: SpawnerClient,
    writer: Writer,
    /// A batch is with the writer.
    writing: bool,
    /// Something is committed that should be durable at once.
    urgent: bool,
    /// Since when something committed waits to be written.
    behind_since: Option<Timestamp>,
    data_dir: PathBuf,
    /// The logs that an earlier server left, once they are counted.
    logs: UnboundedReceiver<Vec<logs::Found>>,
    answers: UnboundedReceiver<Input>,
    answer: UnboundedSender<Input>,
    images: Images,
    notifier: Notifier,
    told: Rc<Notify>,
    asks: UnboundedReceiver<Ask>,
    desk: Desk,
    signer: Arc<Signer>,
}

impl Works {
    /// Shows the node what is there, and starts to look for the spawner.
    pub(super) fn start(
        server: Rc<Server>,
        writer: Writer,
        data_dir: &Path,
        signer: Arc<Signer>,
    ) -> io::Result<Self> {
        let config = this_node::config(&Machine::observe(data_dir), data_dir)?;
        let directories = volumes::left_over(data_dir)?;
        let (driver, deeds) =
            Driver::start(config, directories, &mut server.engine(), clock::now());
        let (answer, answers) = unbounded_channel();
        let (counted, logs) = unbounded_channel();
        let program = Path::new("/proc/self/exe");
        let spawner = SpawnerClient::new(data_dir, program, clock::now);
        let live = live_pods(&server.engine());
        let asks = server.take_asks().expect("there is one driver");
        let images = Images::start(data_dir, live, answer.clone())?;
        let mut works = Self {
            server,
            driver,
            spawner,
            writer,
            writing: false,
            urgent: false,
            behind_since: None,
            data_dir: data_dir.to_owned(),
            logs,
            answers,
            answer,
            images,
            notifier: Notifier::new(),
            told: Rc::default(),
            asks,
            desk: Desk::new(fastrand::u32(..)),
            signer,
        };
        works.perform(deeds);
        let (directory, kept) = (data_dir.to_owned(), works.server.engine().kept_logs());
        works.remove_logs(move || {
            // Nobody listens any more once the server ends.
            let _ = counted.send(logs::remove_others(&directory, &kept)?);
            Ok(())
        });
        Ok(works)
    }

    /// Is notified whenever somebody was told of the end of a Job, or was not to be told.
    pub(super) fn told(&self) -> Rc<Notify> {
        Rc::clone(&self.told)
    }

    /// Works until something breaks. May be dropped and called again.
    pub(super) async fn go_on(&mut self) -> Result<(), Failure> {
        loop {
            let sleep = self.pump();
            self.step(sleep).await?;
        }
    }

    /// Ends in good order: what is committed becomes durable, the spawner may leave when nothing
    /// runs. With `pods`, everything that runs is ended first.
    pub(super) async fn stop(&mut self, pods: bool) -> Result<(), Failure> {
        if pods {
            let until = tokio::time::Instant::now() + Duration::from_secs(STOP_PODS_S_MAX);
            self.server.engine().stop_pods(clock::now());
            while self.driver.node().running() > 0 && tokio::time::Instant::now() < until {
                let sleep = self.pump();
                let step = self.step(sleep);
                if let Ok(result) = tokio::time::timeout_at(until, step).await {
                    result?;
                }
            }
        }
        self.come_to_rest().await?;
        loop {
            self.urgent = true;
            self.pump();
            if !self.writing {
                break;
            }
            self.written().await?;
        }
        self.spawner.send(&Request::Stop);
        Ok(())
    }

    /// Gives what just ended the time to give back what it held, so that nothing of it is left for a
    /// next server that may never come.
    async fn come_to_rest(&mut self) -> Result<(), Failure> {
        let until = tokio::time::Instant::now() + Duration::from_millis(REST_MS_MAX);
        while !self.driver.node().at_rest() && tokio::time::Instant::now() < until {
            let sleep = self.pump();
            let step = self.step(sleep);
            if let Ok(result) = tokio::time::timeout_at(until, step).await {
                result?;
            }
        }
        Ok(())
    }

    /// Waits for the next thing to happen and takes it in.
    async fn step(&mut self, sleep: Duration) -> Result<(), Failure> {
        tokio::select! {
            () = self.server.kicked() => self.urgent = true,
            done = self.writer.done(), if self.writing => self.take_written(done)?,
            event = self.spawner.next() => self.spawner_says(event),
            Some(input) = self.answers.recv() => self.input(input),
            Some(found) = self.logs.recv() => self.take_logs(found),
            Some(ask) = self.asks.recv() => {
                let request = self.desk.ask(ask, self.spawner.version());
                self.spawner.send_all(&request);
            }
            Some((id, result)) = self.notifier.answered() => {
                self.server.engine().notice_answered(id, result, clock::now());
                self.told.notify_one();
            }
            () = tokio::time::sleep(sleep) => {}
        }
        Ok(())
    }

    /// Lets engine and node come to rest, hands over what should be written, and says how long there
    /// is nothing to do.
    fn pump(&mut self) -> Duration {
        let now = clock::now();
        self.drive(|driver, engine| driver.settle(engine, now));
        let mut engine = self.server.engine();
        engine.notices_due(now).into_iter().for_each(|notice| self.notifier.send(notice));
        self.urgent |= engine.take_urgent();
        let wake_at = self.driver.wake_at(&engine);
        let behind = engine.store().head() != engine.store().durable();
        let mut due = None;
        if self.writing || !behind {
            self.behind_since = None;
        } else {
            let since = *self.behind_since.get_or_insert(now);
            due = Some(since + SignedDuration::from_millis(RIDE_ALONG_MS));
        }
        if !self.writing && (self.urgent || due.is_some_and(|due| due <= now)) {
            self.urgent = false;
            if let Some(batch) = engine.store_mut().take_batch() {
                self.writing = true;
                self.writer.write(batch);
                due = None;
            }
        }
        let most = now + SignedDuration::from_secs(SLEEP_S_MAX);
        let until = [wake_at, due].into_iter().flatten().fold(most, Timestamp::min);
        Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO)
    }

    async fn written(&mut self) -> Result<(), Failure> {
        let done = self.writer.done().await;
        self.take_written(done)
    }

    fn take_written(&mut self, done: Option<(Done, io::Result<()>)>) -> Result<(), Failure> {
        let broken = |why: String| {
            Failure::engine(format!(
                "{}: the store cannot be written: {why}; nothing that was acknowledged is lost, and \
                 containers go on: make room and start again",
                self.data_dir.display()
            ))
        };
        let (done, result) = done.ok_or_else(|| broken("the writing thread ended".to_owned()))?;
        result.map_err(|error| broken(error.to_string()))?;
        self.writing = false;
        self.server.engine().store_mut().batch_done(done);
        self.server.durable_moved();
        let now = clock::now();
        self.drive(|driver, engine| driver.durable(engine, now));
        Ok(())
    }

    fn spawner_says(&mut self, event: Event) {
        let now = clock::now();
        match event {
            Event::Reply(Reply::Executed { exec, how, .. }) if self.desk.executed(exec, &how) => {}
            Event::Reply(reply) => self.input(Input::Spawner(reply)),
            Event::Given { number, streams } => self.desk.given(number, streams),
            Event::Connected { instance, containers } => {
                tracing::info!(instance, containers = containers.len(), "a spawner answers");
                self.drive(|driver, engine| driver.connected(engine, &instance, containers, now));
            }
            Event::Disconnected { error } => {
                tracing::warn!(error, "the spawner is gone; starting another");
                self.desk.disconnected();
                self.drive(|driver, engine| driver.disconnected(engine, now));
            }
            Event::Unreachable { error } => tracing::warn!(error, "the spawner cannot be reached"),
        }
    }

    fn take_logs(&self, found: Vec<logs::Found>) {
        let log =
            |logs::Found { namespace, pod, uid, bytes }| (PodLog { namespace, pod, uid }, bytes);
        self.server.engine().logs_found(found.into_iter().map(log).collect());
    }

    fn input(&mut self, input: Input) {
        let now = clock::now();
        self.drive(|driver, engine| driver.input(engine, input, now));
    }

    fn drive(&mut self, step: impl FnOnce(&mut Driver, &mut Engine) -> Vec<Deed>) {
        let deeds = step(&mut self.driver, &mut self.server.engine());
        self.perform(deeds);
    }

    fn perform(&mut self, deeds: Vec<Deed>) {
        let mut requests = Vec::new();
        for deed in deeds {
            match deed {
                Deed::Spawner(request) => requests.push(request),
                Deed::Prepare { uid, plan } => {
                    let signer = Arc::clone(&self.signer);
                    self.aside(move || {
                        let result = volumes::perform(&plan, &signer);
                        Input::Prepared { uid, result }
                    });
                }
                Deed::CleanUp { uid } => {
                    let data_dir = self.data_dir.clone();
                    self.aside(move || clean_up(&data_dir, uid));
                }
                Deed::FindImage(request) => self.images.find(request),
                Deed::ReleaseImages { uid } => self.images.release(uid.to_string()),
                Deed::RemoveLogs(PodLog { namespace, pod, uid }) => {
                    let data_dir = self.data_dir.clone();
                    self.remove_logs(move || {
                        logs::remove(&data_dir, &namespace, &pod, &uid.to_string())
                    });
                }
                Deed::ReadTermination { id, read } => self.aside(move || {
                    let message = volumes::read_termination(&read);
                    Input::TerminationRead { id, message }
                }),
            }
        }
        self.spawner.send_all(&requests);
    }

    /// Nobody waits for logs to go; what is left is tried again when the next server starts.
    fn remove_logs(&self, work: impl FnOnce() -> io::Result<()> + Send + 'static) {
        tokio::task::spawn_blocking(move || {
            if let Err(error) = work() {
                tracing::warn!(%error, "old logs cannot be removed");
            }
        });
    }

    /// Does file work on a thread of its own: it may hang, and nothing else may hang with it.
    fn aside(&self, work: impl FnOnce() -> Input + Send + 'static) {
        let answer = self.answer.clone();
        tokio::task::spawn_blocking(move || {
            // Nobody listens any more once the server ends.
            let _ = answer.send(work());
        });
    }
}

/// The pods whose containers may run.
fn live_pods(engine: &Engine) -> Vec<String> {
    let over = |facts: &Facts| match facts {
        Facts::Pod { phase, .. } => phase == "Succeeded" || phase == "Failed",
        _ => false,
    };
    let pods = engine.store().list(Kind::Pod, None).filter(|pod| !over(&pod.meta.facts));
    pods.map(|pod| pod.meta.uid.to_string()).collect()
}

fn clean_up(data_dir: &Path, uid: Uid) -> Input {
    if let Err(error) = volumes::clean_up(data_dir, uid) {
        // What is left is found and tried again when the next server starts.
        tracing::warn!(pod = %uid, %error, "the pod's files cannot be removed");
    }
    Input::CleanedUp { uid }
}
