//! The state of a run, from what the watches tell: pure, and indifferent to being told the same
//! thing twice or only the last of several changes, as a watch that was interrupted does.

use std::collections::{BTreeMap, HashSet};

use apiserver::HistoryLine;
use engine::history::{JobRecord, Outcome};
use jiff::{SignedDuration, Timestamp};
use kinds::{
    Kind, Uid,
    types::{
        batch::v1::{Job, JobCondition, JobStatus},
        core::v1::{Event as Told, Pod},
    },
};

use super::{
    events::{Event, Happening},
    outcome::{End, Result},
    pods::{LogRead, PodView, Stuck},
    pulls::Pulls,
    watching::Seen,
    work::{Id, Work},
};
use crate::exit::Failure;

/// Everything that was submitted and is followed, and what became of it so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    works: Vec<Work>,
    by_uid: BTreeMap<Uid, usize>,
    /// When something of the run was last seen to run.
    busy: Timestamp,
    pulls: Pulls,
}

/// What one change brought.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Changes {
    /// What happened, in order.
    pub(crate) events: Vec<Event>,
    /// Logs that can be read now, each attempt of each container once.
    pub(crate) logs: Vec<LogRead>,
    /// What a Job waits for, told once per reason.
    pub(crate) waits: Option<Stuck>,
}

impl Progress {
    /// Begins to follow a Job that the server has.
    pub(crate) fn submitted_job(&mut self, uid: Uid, job: &Job, now: Timestamp) -> Changes {
        let work = Work::of_job(job, now);
        self.submitted(uid, work, now)
    }

    /// Begins to follow a Pod that was submitted as such.
    pub(crate) fn submitted_pod(&mut self, uid: Uid, pod: &Pod, now: Timestamp) -> Changes {
        let work = Work::of_pod(pod, now);
        self.submitted(uid, work, now)
    }

    fn submitted(&mut self, uid: Uid, work: Work, now: Timestamp) -> Changes {
        let event = work.event(Happening::Submitted, now);
        self.by_uid.insert(uid, self.works.len());
        self.works.push(work);
        Changes { events: vec![event], ..Changes::default() }
    }

    /// Takes what a watch tells.
    pub(crate) fn take(
        &mut self,
        seen: Seen,
        now: Timestamp,
    ) -> core::result::Result<Changes, Failure> {
        let changes = match seen {
            Seen::Now(object) => match object.key.kind {
                Kind::Job => {
                    self.job(object.meta.uid, &object.job(), now);
                    Changes::default()
                }
                Kind::Event => {
                    let events = self.pull(&object.event(), now).into_iter().collect();
                    Changes { events, ..Changes::default() }
                }
                _ => self.pod(object.meta.uid, &object.pod(), now),
            },
            Seen::Gone(object) if object.key.kind == Kind::Event => Changes::default(),
            Seen::Gone(object) if object.key.kind == Kind::Pod => {
                let pod = object.pod();
                // The last state may hold an end that nobody has seen yet.
                let changes = self.pod(object.meta.uid, &pod, now);
                self.gone(object.meta.uid, controller(&pod), now);
                changes
            }
            Seen::Gone(object) => {
                // Its last state may be its end.
                self.job(object.meta.uid, &object.job(), now);
                self.gone(object.meta.uid, None, now);
                Changes::default()
            }
            Seen::All { kind: Kind::Event, .. } => Changes::default(),
            Seen::All { kind, asked, there } => {
                self.only(kind == Kind::Pod, &asked, &there, now);
                Changes::default()
            }
            Seen::Lost(failure) => return Err(failure),
        };
        Ok(changes)
    }

    /// Takes a Job as it is now.
    pub(crate) fn job(&mut self, uid: Uid, job: &Job, now: Timestamp) {
        let Some(work) = self.work_mut(uid) else { return };
        let Some(status) = &job.status else { return };
        work.succeeded = status.succeeded.unwrap_or(0);
        work.failed_pods = status.failed.unwrap_or(0);
        let conditions = status.conditions.as_deref().unwrap_or_default();
        work.ending = conditions.iter().find_map(decided);
        if let Some(end) = conditions.iter().find_map(ending) {
            work.set_index_ends(status);
            work.finish(end, now);
        }
    }

    /// Takes what the history says of a Job that is gone: how it ended, and how its pods did.
    pub(crate) fn recorded(&mut self, line: &HistoryLine, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        if let Some(work) = self.work_mut(line.job.uid) {
            for pod in &line.pods {
                let told = work.pod(pod.uid, &PodView::of_record(pod), now);
                changes.events.extend(told.events);
                changes.logs.extend(told.logs);
            }
        }
        self.job(line.job.uid, &as_job(&line.job), now);
        changes
    }

    /// Takes a pod as it is now: of a followed Job, or one that was submitted as such.
    pub(crate) fn pod(&mut self, uid: Uid, pod: &Pod, now: Timestamp) -> Changes {
        let owner = controller(pod).unwrap_or(uid);
        let busy_before = self.running() > 0;
        let Some(work) = self.work_mut(owner) else { return Changes::default() };
        let mut changes = work.pod(uid, &PodView::of(pod, work.rules.policy.as_ref()), now);
        if busy_before || self.running() > 0 {
            self.busy = now;
        }
        changes.events.extend(self.pulled(uid, now));
        changes
    }

    /// Takes an Event that tells of an image being pulled.
    pub(crate) fn pull(&mut self, told: &Told, now: Timestamp) -> Option<Event> {
        let pod = self.pulls.told(told)?;
        self.pulled(pod, now)
    }

    /// What an Event told of a pod, if the pod is known by now.
    fn pulled(&mut self, pod: Uid, now: Timestamp) -> Option<Event> {
        let work = self.works.iter_mut().find(|work| work.has(pod))?;
        let image = self.pulls.of(pod)?;
        work.pulling(pod, &image, now)
    }

    /// Something is gone: a Job, a submitted Pod, or a Job's pod.
    pub(crate) fn gone(&mut self, uid: Uid, owner: Option<Uid>, now: Timestamp) {
        if let Some(work) = self.work_mut(uid) {
            work.finish(End::Deleted, now);
        } else if let Some(work) = owner.and_then(|owner| self.work_mut(owner)) {
            work.pod_gone(uid);
        }
    }

    /// Of these Jobs (or, with `pods`, of the pods of these, a submitted Pod being its own) only
    /// what is in `there` exists.
    pub(crate) fn only(
        &mut self,
        pods: bool,
        asked: &HashSet<Uid>,
        there: &HashSet<Uid>,
        now: Timestamp,
    ) {
        for uid in asked {
            let Some(work) = self.work_mut(*uid) else { continue };
            match work.id.is_job && pods {
                true => work.only_pods(there),
                false if there.contains(uid) => {}
                false => work.finish(End::Deleted, now),
            }
        }
    }

    /// Gives up on a Job or Pod that could not start.
    pub(crate) fn give_up(&mut self, stuck: &Stuck, now: Timestamp) {
        if let Some(work) = self.works.iter_mut().find(|work| work.id == stuck.work) {
            let (reason, message) = (stuck.reason.clone(), stuck.message.clone());
            work.finish(End::NotStarted { reason, message }, now);
        }
    }

    /// What has waited for its start since `limit` before `now`: every pod that its own fault keeps
    /// from starting, and, while nothing of the run runs, every pod that waits for room.
    pub(crate) fn stuck(&self, limit: SignedDuration, now: Timestamp) -> Vec<Stuck> {
        let due = |stuck: &Stuck| now.duration_since(stuck.since) >= limit;
        self.waiting().filter(due).collect()
    }

    /// When [`stuck`](Self::stuck) may have something to say, if nothing changes until then.
    pub(crate) fn stuck_at(&self, limit: SignedDuration) -> Option<Timestamp> {
        let due = |stuck: Stuck| stuck.since.saturating_add(limit).ok();
        self.waiting().filter_map(due).min()
    }

    fn waiting(&self) -> impl Iterator<Item = Stuck> {
        let idle = (self.running() == 0).then_some(self.busy);
        self.works.iter().filter_map(move |work| work.stuck(idle))
    }

    /// Pods that run now.
    pub(crate) fn running(&self) -> usize {
        self.works.iter().map(|work| work.running).sum()
    }

    /// Everything that is followed, in the order of submission.
    pub(crate) fn works(&self) -> &[Work] {
        &self.works
    }

    /// What is not over yet.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = (Uid, &Id)> {
        let works = self.by_uid.iter().map(|(uid, at)| (*uid, &self.works[*at]));
        works.filter(|(_, work)| work.end.is_none()).map(|(uid, work)| (uid, &work.id))
    }

    /// The uid of a Job or Pod of the run.
    pub(crate) fn uid_of(&self, id: &Id) -> Option<Uid> {
        self.by_uid.iter().find(|(_, at)| self.works[**at].id == *id).map(|(uid, _)| *uid)
    }

    /// Stops following something that others go on with.
    pub(crate) fn leave(&mut self, uid: Uid, now: Timestamp) {
        if let Some(work) = self.work_mut(uid) {
            work.leave(now);
        }
    }

    /// Whether no pod is left that has not ended.
    pub(crate) fn no_pods(&self) -> bool {
        self.works.iter().all(Work::no_pods)
    }

    /// Whether everything is over.
    pub(crate) fn finished(&self) -> bool {
        self.works.iter().all(|work| work.end.is_some())
    }

    /// Whether the ends of all pods that the ended Jobs counted were seen here too; the watch of
    /// pods may lag behind that of Jobs.
    pub(crate) fn all_pods_seen(&self) -> bool {
        self.works.iter().all(Work::all_pods_seen)
    }

    /// Whether the run has one pod at a time, so that its output is passed through byte by byte.
    pub(crate) fn one_pod(&self) -> bool {
        matches!(self.works.as_slice(), [work] if work.single_pod && work.containers.len() == 1)
    }

    /// What the exit code is decided by.
    pub(crate) fn results(&self) -> Vec<Result<'_>> {
        self.works.iter().map(Work::result).collect()
    }

    fn work_mut(&mut self, uid: Uid) -> Option<&mut Work> {
        self.by_uid.get(&uid).map(|at| &mut self.works[*at])
    }
}

/// The uid of the pod's managing controller.
fn controller(pod: &Pod) -> Option<Uid> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    Uid::parse(&owners.find(|owner| owner.controller == Some(true))?.uid)
}

/// A Job that ended as the record says.
fn as_job(record: &JobRecord) -> Job {
    let type_ = match record.outcome {
        Outcome::Complete => "Complete",
        Outcome::Failed => "Failed",
        Outcome::Cancelled => return Job::default(),
    };
    let condition = JobCondition {
        type_: type_.to_owned(),
        status: "True".to_owned(),
        reason: Some(record.reason.clone()),
        message: Some(record.message.clone()),
        ..JobCondition::default()
    };
    let status = JobStatus {
        succeeded: Some(record.succeeded),
        failed: Some(record.failed),
        completed_indexes: record.completed_indexes.clone(),
        failed_indexes: record.failed_indexes.clone(),
        conditions: Some(vec![condition]),
        ..JobStatus::default()
    };
    Job { status: Some(status), ..Job::default() }
}

/// How the Job will end once its pods have, where that is decided.
fn decided(condition: &JobCondition) -> Option<String> {
    let decides = matches!(condition.type_.as_str(), "SuccessCriteriaMet" | "FailureTarget");
    (decides && condition.status == "True").then(|| {
        let said = [&condition.reason, &condition.message];
        let said: Vec<&str> = said.into_iter().flatten().map(String::as_str).collect();
        said.join(": ")
    })
}

fn ending(condition: &JobCondition) -> Option<End> {
    let reason = condition.reason.clone().unwrap_or_default();
    let message = condition.message.clone().unwrap_or_default();
    match (condition.type_.as_str(), condition.status.as_str()) {
        ("Complete", "True") => Some(End::Complete),
        ("Failed", "True") => Some(End::Failed { reason, message }),
        _ => None,
    }
}
