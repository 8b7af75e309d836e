//! The clients of the world: they submit Jobs until that is acknowledged, change their minds, delete
//! pods, and look at everything that becomes durable.

use engine::{DeleteOptions, Subresource};
use kinds::{Draft, Key, Kind, Revision};

use crate::{
    deletions::draw_propagation,
    plan::Action,
    story,
    world::{Event, World},
};

/// How long a client waits before it tries again, milliseconds.
const RETRY_MS: u64 = 100;

impl World {
    pub(crate) fn submit(&mut self, job: usize) -> Result<(), String> {
        if self.acknowledged.contains(&job) {
            return Ok(());
        }
        let manifest = self.plan.jobs[job].manifest().to_string();
        let now = self.clock();
        let Some(server) = &mut self.server else {
            self.after_ms(RETRY_MS, Event::Submit(job));
            return Ok(());
        };
        let draft = Draft::from_json(Kind::Job, manifest.as_bytes()).map_err(|e| e.to_string())?;
        match server.engine.create(draft, false, now) {
            Ok(written) => drop(self.submitted.insert(job, written.object.meta.revision)),
            // An earlier try had arrived after all.
            Err(error) if error.reason == kinds::Reason::AlreadyExists => {
                self.submitted.insert(job, server.engine.store().head());
            }
            Err(error) => return Err(format!("a valid Job was refused: {error}")),
        }
        Ok(())
    }

    /// What was submitted and never acknowledged is submitted again.
    pub(crate) fn submit_again(&mut self) -> Result<(), String> {
        let open: Vec<usize> = std::mem::take(&mut self.submitted).into_keys().collect();
        open.into_iter().try_for_each(|job| self.submit(job))
    }

    /// Tells clients what is durable.
    pub(crate) fn acknowledge(&mut self) {
        let Some(server) = &self.server else { return };
        let durable: Revision = server.engine.store().durable();
        let told = self.submitted.extract_if(.., |_, revision| *revision <= durable);
        self.acknowledged.extend(told.map(|(job, _)| job));
    }

    pub(crate) fn act(&mut self, action: Action) -> Result<(), String> {
        if self.in_peace() && !matches!(action, Action::Resume) {
            return Ok(());
        }
        let Some(server) = &self.server else {
            self.after_ms(RETRY_MS, Event::Act(action));
            return Ok(());
        };
        let jobs: Vec<Key> =
            server.engine.store().list(Kind::Job, None).map(|j| j.key.clone()).collect();
        match action {
            Action::Resume => {
                let peace = self.in_peace();
                jobs.iter().try_for_each(|job| {
                    self.change(job, |spec| {
                        spec["suspend"] = false.into();
                        if peace && spec["parallelism"] == 0 {
                            spec["parallelism"] = 1.into();
                        }
                    })
                })
            }
            Action::Suspend => self.change_one(&jobs, |spec| spec["suspend"] = true.into()),
            Action::Scale(parallelism) => {
                self.change_one(&jobs, |spec| spec["parallelism"] = parallelism.into())
            }
            Action::Stretch(indexes) => self.change_one(&jobs, |spec| stretch(spec, indexes)),
            Action::DeletePod | Action::EvictPod => {
                let pods = server.engine.store().list(Kind::Pod, None);
                let pods: Vec<Key> = pods.map(|pod| pod.key.clone()).collect();
                match action {
                    Action::EvictPod => self.evict_one(&pods),
                    _ => self.delete_one(&pods),
                }
            }
            Action::DeleteJob => self.delete_one(&jobs),
        }
    }

    fn change_one(
        &mut self,
        jobs: &[Key],
        change: impl FnOnce(&mut serde_json::Value),
    ) -> Result<(), String> {
        match self.random.choice(jobs) {
            Some(job) => self.change(job, change),
            None => Ok(()),
        }
    }

    fn change(
        &mut self,
        key: &Key,
        change: impl FnOnce(&mut serde_json::Value),
    ) -> Result<(), String> {
        let now = self.clock();
        let Some(server) = &mut self.server else { return Ok(()) };
        let Some(job) = server.engine.store().get(key) else { return Ok(()) };
        let mut json: serde_json::Value =
            serde_json::from_slice(&job.json()).map_err(|e| e.to_string())?;
        change(&mut json["spec"]);
        let draft =
            Draft::from_json(Kind::Job, json.to_string().as_bytes()).map_err(|e| e.to_string())?;
        let updated = server.engine.update(draft, Subresource::Main, false, now);
        updated.map(drop).map_err(|error| format!("a valid change was refused: {error}"))
    }

    fn delete_one(&mut self, keys: &[Key]) -> Result<(), String> {
        let Some(key) = self.random.choice(keys).cloned() else { return Ok(()) };
        if let Some(job) = self.plan.jobs.iter().position(|job| *job.name == *key.name) {
            self.deleted.insert(job);
            // Once it is asked for it may happen, acknowledged or not.
            self.acknowledged.insert(job);
        }
        let propagation = draw_propagation(&mut self.random);
        let grace = if self.random.u32(0..4) == 0 { Some(0) } else { None };
        let options =
            DeleteOptions { propagation, grace_period_seconds: grace, ..Default::default() };
        let now = self.clock();
        let Some(server) = &mut self.server else { return Ok(()) };
        let deleted = server.engine.delete(&key, &options, now);
        deleted.map(drop).map_err(|error| format!("a deletion was refused: {error}"))
    }

    fn evict_one(&mut self, pods: &[Key]) -> Result<(), String> {
        let Some(key) = self.random.choice(pods) else { return Ok(()) };
        let Some(server) = &mut self.server else { return Ok(()) };
        let evicted = server.engine.evict(key, &DeleteOptions::default(), self.now);
        evicted.map_err(|error| format!("an eviction was refused: {error}"))
    }

    /// A client that watches takes in what became durable, and everything is checked.
    pub(crate) fn look(&mut self) -> Result<(), String> {
        let Some(server) = &self.server else { return Ok(()) };
        let store = server.engine.store();
        let changes = self.observer.follow(store)?;
        for change in &changes {
            self.tell(|_| story::change(change));
            self.checks.change(change, &self.spawner)?;
            self.fires.change(change)?;
            self.expired.extend(self.check_going(change)?);
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.observer.compare(store)?;
        // What clients change while the server acts for nobody waits for its consequences.
        match self.is_acted_on(store.durable()) {
            true => self.checks.now(&self.observer, self.observer.is_current(store))?,
            false => return Ok(()),
        }
        if self.observer.is_current(store) { self.check_cron_jobs(&self.observer) } else { Ok(()) }
    }

    pub(crate) fn check(&mut self) -> Result<(), String> {
        match self.spawner.started_twice.first() {
            Some(id) => Err(format!("{id:?} was started twice")),
            None => Ok(()),
        }
    }

    pub(crate) fn check_end(&mut self) -> Result<(), String> {
        let lost = self.acknowledged.difference(&self.deleted);
        let lost = lost.filter(|job| !self.expired.contains(job));
        let lost =
            lost.map(|job| &self.plan.jobs[*job].name).find(|name| !self.observer.has_job(name));
        match lost {
            Some(name) => Err(format!("{name} was acknowledged and is gone")),
            None => {
                self.check_nothing_abandoned()?;
                self.checks.end(&self.observer)
            }
        }
    }
}

/// Gives an Indexed Job other completions, and as many places, where its policies allow that.
fn stretch(spec: &mut serde_json::Value, indexes: u32) {
    if spec["completionMode"] != "Indexed" || !spec["successPolicy"].is_null() {
        return;
    }
    let least = spec["maxFailedIndexes"].as_u64().unwrap_or(1);
    let indexes = u64::from(indexes).max(least);
    spec["completions"] = indexes.into();
    spec["parallelism"] = indexes.into();
}
