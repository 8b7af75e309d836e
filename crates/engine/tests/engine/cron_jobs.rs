//! The life of CronJobs: what they make, and that no time is used twice or lost whatever happens.

use engine::{DeleteOptions, Scope, Subresource};
use jiff::SignedDuration;
use kinds::{
    Draft, Key, Kind,
    types::batch::v1::{CronJob, Job},
};
use serde_json::{Value, json};

use crate::world::{World, indexed};

/// Every fifth minute; the world begins at a full hour of universal time.
fn every_five(change: &[(&str, Value)]) -> String {
    let mut json = json!({
        "metadata": {"name": "tick", "namespace": "default"},
        "spec": {"schedule": "*/5 * * * *", "jobTemplate": {
            "metadata": {"labels": {"app": "tick"}, "annotations": {"a": "b"}},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [
                {"name": "main", "image": "coracle.local/host", "command": ["true"]},
            ]}}},
        }},
    });
    for (path, value) in change {
        json["spec"][*path] = value.clone();
    }
    json.to_string()
}

fn key() -> Key {
    Key::new(Kind::CronJob, "default", "tick")
}

impl World {
    fn cron_job(&self) -> CronJob {
        self.engine.get(&key()).unwrap().cron_job()
    }

    fn jobs(&self) -> Vec<Job> {
        self.engine.store().list(Kind::Job, None).map(|job| job.job()).collect()
    }

    fn job_names(&self) -> Vec<String> {
        self.jobs().into_iter().map(|job| job.metadata.name.unwrap()).collect()
    }

    fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
        self.sync();
    }

    fn active(&self) -> usize {
        self.cron_job().status.and_then(|status| status.active).map_or(0, |active| active.len())
    }

    fn count_of(&self, reason: &str) -> i32 {
        let events =
            self.events().into_iter().filter(|event| event.reason.as_deref() == Some(reason));
        events.map(|event| event.count.unwrap_or(1)).sum()
    }

    /// Ends the container of every pod well.
    fn end_all(&mut self) {
        for pod in self.running() {
            self.end(&pod, 0);
        }
    }
}

#[test]
fn a_job_is_made_when_it_is_due_and_its_end_is_noticed() {
    let mut world = World::new(Scope::All);
    world.create(Kind::CronJob, &every_five(&[]));
    assert!(world.jobs().is_empty());
    let due = world.now + SignedDuration::from_mins(5);
    assert_eq!(world.engine.wake_at(), Some(due));
    world.wait(5);
    let [job] = &world.jobs()[..] else { panic!("one Job") };
    let (meta, cron_job) = (&job.metadata, world.cron_job());
    assert_eq!(meta.name.as_deref(), Some(&*format!("tick-{}", due.as_second() / 60)));
    assert_eq!(meta.labels.as_ref().unwrap()["app"], "tick");
    let annotations = meta.annotations.as_ref().unwrap();
    assert_eq!(annotations["a"], "b");
    assert_eq!(annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"], due.to_string());
    let owner = &meta.owner_references.as_ref().unwrap()[0];
    assert_eq!(
        (&owner.name, Some(&owner.uid)),
        (&"tick".to_owned(), cron_job.metadata.uid.as_ref())
    );
    assert_eq!((owner.controller, owner.block_owner_deletion), (Some(true), Some(true)));
    let status = cron_job.status.unwrap();
    assert_eq!(status.last_schedule_time.unwrap().0, due);
    assert_eq!(status.active.unwrap()[0].uid, meta.uid);
    world.end_all();
    let status = world.cron_job().status.unwrap();
    assert_eq!((status.active, status.last_successful_time.unwrap().0), (None, world.now));
    assert_eq!((world.count_of("SuccessfulCreate"), world.count_of("SawCompletedJob")), (2, 1));
}

#[test]
fn a_job_and_the_status_that_knows_it_are_one_transaction() {
    let mut world = World::new(Scope::All);
    world.create(Kind::CronJob, &every_five(&[]));
    world.now += SignedDuration::from_mins(5);
    world.engine.settle(world.now);
    assert_eq!(world.job_names().len(), 1);
    // Nothing of it is durable: a crash forgets both, and the time is met again.
    let mut again = World::at(world.disk.clone(), Scope::All, world.now);
    assert_eq!((again.job_names().len(), again.active()), (1, 1));
    again.wait(1);
    assert_eq!(again.job_names().len(), 1);
}

#[test]
fn after_a_long_time_away_the_latest_time_is_met_and_no_other() {
    let mut world = World::new(Scope::All);
    world.create(Kind::CronJob, &every_five(&[]));
    let now = world.now + SignedDuration::from_hours(24 * 7) + SignedDuration::from_mins(2);
    let again = World::at(world.disk.clone(), Scope::All, now);
    let due = now - SignedDuration::from_mins(2);
    assert_eq!(again.job_names(), [format!("tick-{}", due.as_second() / 60)]);
    assert_eq!(again.count_of("TooManyMissedTimes"), 1);
    let skew = again.engine.cron_job_skew();
    assert_eq!((skew.counts[7], skew.counts.iter().sum::<u64>(), skew.sum_s), (1, 1, 120.0));
}

#[test]
fn a_clock_that_is_put_back_makes_no_time_twice() {
    let mut world = World::new(Scope::All);
    world.create(Kind::CronJob, &every_five(&[]));
    world.wait(10);
    assert_eq!(world.job_names().len(), 1);
    world.wait(-10);
    world.wait(5);
    world.wait(5);
    assert_eq!(world.job_names().len(), 1, "until the clock is where it was");
    world.wait(5);
    assert_eq!(world.job_names().len(), 2);
}

#[test]
fn a_new_schedule_makes_nothing_up() {
    let mut world = World::new(Scope::All);
    world.create(Kind::CronJob, &every_five(&[("schedule", json!("0 0 1 1 *"))]));
    world.wait(31);
    let mut draft = world.engine.get(&key()).unwrap().draft();
    let spec = every_five(&[("schedule", json!("*/30 * * * *"))]);
    draft.rest.insert(
        "spec".into(),
        Draft::from_json(Kind::CronJob, spec.as_bytes()).unwrap().rest["spec"].clone(),
    );
    world.engine.update(draft, Subresource::Main, false, world.now).unwrap();
    world.sync();
    assert_eq!(world.job_names(), [""; 0], "the half hour that has passed is not made up for");
    world.wait(29);
    assert_eq!(world.job_names().len(), 1);
}

#[test]
fn a_refused_job_is_told_and_tried_again() {
    let mut world = World::new(Scope::All);
    world.create(
        Kind::ResourceQuota,
        r#"{"metadata":{"name":"few","namespace":"default"},"spec":{"hard":{"count/jobs.batch":"1"}}}"#,
    );
    world.create(Kind::Job, &indexed("other", 1, 1));
    world.create(Kind::CronJob, &every_five(&[]));
    world.wait(5);
    assert_eq!((world.job_names(), world.active()), (vec!["other".to_owned()], 0));
    assert_eq!(world.count_of("FailedCreate"), 1);
    let retry = world.engine.wake_at().unwrap();
    assert_eq!(retry, world.now + SignedDuration::from_secs(1));
    let other = Key::new(Kind::Job, "default", "other");
    let options = DeleteOptions {
        propagation: Some(engine::Propagation::Background),
        ..DeleteOptions::default()
    };
    world.engine.delete(&other, &options, world.now).unwrap();
    world.now = retry;
    world.sync();
    assert_eq!((world.job_names().len(), world.active()), (1, 1));
}

#[test]
fn a_job_made_by_hand_is_noticed_and_does_not_stand_in_the_way() {
    let mut world = World::new(Scope::All);
    let cron_job =
        world.create(Kind::CronJob, &every_five(&[("concurrencyPolicy", json!("Forbid"))]));
    let mut job: Value = serde_json::from_str(&indexed("by-hand", 1, 1)).unwrap();
    job["metadata"]["ownerReferences"] = json!([{"apiVersion": "batch/v1", "kind": "CronJob",
        "name": "tick", "uid": cron_job.meta.uid.to_string(), "controller": true}]);
    world.create(Kind::Job, &job.to_string());
    assert_eq!((world.count_of("UnexpectedJob"), world.active()), (1, 0));
    world.wait(5);
    assert_eq!(world.job_names().len(), 2);
    world.wait(5);
    assert_eq!((world.job_names().len(), world.count_of("JobAlreadyActive")), (2, 1));
}

#[test]
fn a_deleted_cron_job_takes_its_jobs_along() {
    let mut world = World::new(Scope::All);
    world.create(Kind::CronJob, &every_five(&[]));
    world.wait(5);
    world.engine.delete(&key(), &DeleteOptions::default(), world.now).unwrap();
    world.sync();
    assert!(world.jobs().is_empty() && world.engine.get(&key()).is_err());
    assert_eq!(world.engine.wake_at(), None);
}

#[test]
fn a_private_server_leaves_cron_jobs_alone() {
    let mut world = World::new(Scope::All);
    world.create(Kind::CronJob, &every_five(&[]));
    let private = World::at(
        world.disk.clone(),
        Scope::Runs(Default::default()),
        world.now + SignedDuration::from_mins(5),
    );
    assert!(private.jobs().is_empty());
    world.wait(5);
    assert_eq!(world.jobs().len(), 1);
}

#[test]
fn cron_jobs_that_have_nothing_to_do_are_not_looked_at() {
    let mut world = World::new(Scope::All);
    for number in 0..500 {
        let json =
            every_five(&[("schedule", json!(format!("{} {} 1 1 *", number % 60, number / 60)))]);
        world.create(Kind::CronJob, &json.replace("tick", &format!("tick-{number}")));
    }
    world.create(Kind::CronJob, &every_five(&[]));
    let before = world.engine.reconciled(Kind::CronJob);
    world.wait(5);
    world.end_all();
    let looks = world.engine.reconciled(Kind::CronJob) - before;
    assert!((2..=4).contains(&looks), "{looks} looks for one Job");
}

#[test]
fn a_job_that_changes_owners_is_no_child_any_more() {
    let mut world = World::new(Scope::All);
    world.create(Kind::CronJob, &every_five(&[]));
    world.wait(5);
    let name = world.job_names().remove(0);
    let mut draft = world.engine.get(&Key::new(Kind::Job, "default", &name)).unwrap().draft();
    draft.metadata.owner_references = None;
    world.engine.update(draft, Subresource::Main, false, world.now).unwrap();
    world.sync();
    world.end_all();
    assert_eq!((world.active(), world.count_of("SawCompletedJob")), (1, 0));
}
