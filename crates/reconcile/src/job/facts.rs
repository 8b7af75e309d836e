//! What the Job controller needs to know of one pod, read once per revision of it. Small, because
//! one is kept for every pod that is not accounted for yet.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kinds::{
    Uid,
    metav1::OwnerReference,
    selector::Selector,
    types::{
        batch::v1::PodFailurePolicy,
        core::v1::{ContainerState, Pod, PodCondition, PodStatus},
    },
};

use super::{
    failure_policy::{Action, Judgement, judge},
    names::{FAILURE_COUNT_KEY, IGNORED_FAILURE_COUNT_KEY, INDEX_KEY, TRACKING_FINALIZER},
};

/// `status.phase` of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Accepted, not everything started yet; also a pod without a phase.
    Pending,
    /// Bound and started.
    Running,
    /// Every container ended with 0 and none will be restarted.
    Succeeded,
    /// Every container ended, at least one of them badly.
    Failed,
    /// Anything else.
    Unknown,
}

/// Who manages a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// No controller.
    Nobody,
    /// The `batch/v1` Job of this uid.
    Job(Uid),
    /// A controller of another kind.
    Other,
}

/// How often the index of a pod failed before that pod, as its annotations say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexFailures {
    /// Failures that count against the limit of the index.
    pub counted: u32,
    /// Failures that the failure policy ignores.
    pub ignored: u32,
}

impl IndexFailures {
    /// All of them: each makes the next wait longer.
    pub(super) fn total(self) -> u32 {
        self.counted.saturating_add(self.ignored)
    }
}

/// One pod, as far as its Job goes.
#[derive(Clone, Debug, PartialEq)]
pub struct PodFacts {
    /// `metadata.name`
    pub name: Box<str>,
    /// `metadata.uid`
    pub uid: Uid,
    /// Its managing controller.
    pub owner: Owner,
    /// Whether the Job's selector matches its labels.
    pub matches: bool,
    /// Its completion index, if it carries a valid one.
    pub index: Option<u32>,
    /// Failures of its index before it.
    pub failures: IndexFailures,
    /// What the Job's failure policy says of it, should it fail.
    pub judgement: Option<Box<Judgement>>,
    /// `status.phase`
    pub phase: Phase,
    /// Deletion has begun.
    pub deleting: bool,
    /// It carries the tracking finalizer: not accounted for yet.
    pub tracked: bool,
    /// It has a node.
    pub bound: bool,
    /// Since when it is Ready; `Timestamp::MAX` if it is, but does not say since when.
    pub ready_since: Option<Timestamp>,
    /// Restarts of all containers and init containers together.
    pub restarts: i32,
    /// The most restarts of one container, and then of one restartable init container.
    pub restarts_max: (i32, i32),
    /// `metadata.creationTimestamp`; `Timestamp::MAX` if unset.
    pub created: Timestamp,
    /// When it ended, as far as that can be told; meaningful once it is deleted or ended.
    pub finished: Timestamp,
}

impl PodFacts {
    /// Reads a pod of a Job with this selector and failure policy, or an orphan that the selector may
    /// match.
    ///
    /// # Panics
    /// If the pod has no valid `metadata.uid`: what is stored has one.
    pub fn of(pod: &Pod, selector: &Selector, policy: Option<&PodFailurePolicy>) -> Self {
        let meta = &pod.metadata;
        let none = PodStatus::default();
        let status = pod.status.as_ref().unwrap_or(&none);
        let uid = meta.uid.as_deref().and_then(Uid::parse).expect("a stored pod has a uid");
        let index = meta.annotations.as_ref().and_then(|all| all.get(INDEX_KEY)?.parse().ok());
        Self {
            name: meta.name.as_deref().unwrap_or_default().into(),
            uid,
            owner: owner(meta.owner_references.as_deref().unwrap_or_default()),
            matches: selector.matches(meta.labels.as_ref().unwrap_or(&BTreeMap::new())),
            index,
            failures: IndexFailures {
                counted: failures(pod, FAILURE_COUNT_KEY),
                ignored: failures(pod, IGNORED_FAILURE_COUNT_KEY),
            },
            judgement: policy.and_then(|policy| judge(policy, pod)).map(Box::new),
            phase: phase(status),
            deleting: meta.deletion_timestamp.is_some(),
            tracked: meta.finalizers.iter().flatten().any(|f| f == TRACKING_FINALIZER),
            bound: pod
                .spec
                .as_ref()
                .is_some_and(|s| s.node_name.as_deref().is_some_and(|n| !n.is_empty())),
            ready_since: ready(status).filter(|ready| ready.status == "True").map(since),
            restarts: restarts(status),
            restarts_max: restarts_max(pod, status),
            created: meta.creation_timestamp.as_ref().map_or(Timestamp::MAX, |t| t.0),
            finished: finished(pod, status),
        }
    }

    /// Neither ended nor being deleted.
    pub(super) fn active(&self) -> bool {
        !self.ended() && !self.deleting
    }

    /// Being deleted, but not ended.
    pub(super) fn terminating(&self) -> bool {
        !self.ended() && self.deleting
    }

    /// What is to be done about its failure by the Job's failure policy.
    pub(super) fn judged(&self) -> Option<Action> {
        self.judgement.as_ref().map(|judgement| judgement.action)
    }

    /// Whether its failure, if it fails, counts.
    pub(super) fn failure_counts(&self) -> bool {
        self.judged() != Some(Action::Ignore)
    }

    fn ended(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }
}

fn owner(references: &[OwnerReference]) -> Owner {
    match references.iter().find(|r| r.controller == Some(true)) {
        None => Owner::Nobody,
        Some(r) if r.kind == "Job" && r.api_version == "batch/v1" => {
            Uid::parse(&r.uid).map_or(Owner::Other, Owner::Job)
        }
        Some(_) => Owner::Other,
    }
}

/// A count from an annotation; 0 for what is none.
fn failures(pod: &Pod, key: &str) -> u32 {
    let text = pod.metadata.annotations.as_ref().and_then(|all| all.get(key));
    let count = text.and_then(|text| text.parse::<i32>().ok()).unwrap_or(0);
    u32::try_from(count).unwrap_or(0)
}

fn phase(status: &PodStatus) -> Phase {
    match status.phase.as_deref().unwrap_or("") {
        "" | "Pending" => Phase::Pending,
        "Running" => Phase::Running,
        "Succeeded" => Phase::Succeeded,
        "Failed" => Phase::Failed,
        _ => Phase::Unknown,
    }
}

fn ready(status: &PodStatus) -> Option<&PodCondition> {
    status.conditions.iter().flatten().find(|condition| condition.type_ == "Ready")
}

fn since(condition: &PodCondition) -> Timestamp {
    condition.last_transition_time.as_ref().map_or(Timestamp::MAX, |t| t.0)
}

fn restarts(status: &PodStatus) -> i32 {
    let all = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
    all.fold(0, |sum, container| sum.saturating_add(container.restart_count))
}

fn restarts_max(pod: &Pod, status: &PodStatus) -> (i32, i32) {
    let regular = status.container_statuses.iter().flatten();
    let sidecars =
        status.init_container_statuses.iter().flatten().filter(|c| sidecar(pod, &c.name));
    let most = |restarts: Option<i32>| restarts.unwrap_or(0);
    (most(regular.map(|c| c.restart_count).max()), most(sidecars.map(|c| c.restart_count).max()))
}

/// Whether this init container is restartable.
fn sidecar(pod: &Pod, name: &str) -> bool {
    let mut all = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
    all.any(|c| c.name == name && c.restart_policy.as_deref() == Some("Always"))
}

/// The best answer there is: the end of its last container; else when it stopped being ready; else
/// when its deletion began; else its creation.
fn finished(pod: &Pod, status: &PodStatus) -> Timestamp {
    let unready = || ready(status).filter(|r| r.status == "False")?.last_transition_time.as_ref();
    let deleted = || {
        let due = pod.metadata.deletion_timestamp.as_ref()?.0;
        let grace_s = pod.metadata.deletion_grace_period_seconds.unwrap_or(0);
        due.checked_sub(SignedDuration::from_secs(grace_s)).ok()
    };
    let created = || pod.metadata.creation_timestamp.as_ref().map(|t| t.0);
    last_end(pod, status)
        .or_else(|| unready().map(|t| t.0))
        .or_else(deleted)
        .or_else(created)
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// When the last container ended; `None` unless all have, restartable init containers included.
fn last_end(pod: &Pod, status: &PodStatus) -> Option<Timestamp> {
    let regular = status.container_statuses.iter().flatten();
    let sidecars =
        status.init_container_statuses.iter().flatten().filter(|c| sidecar(pod, &c.name));
    let ends: Option<Vec<_>> = regular.chain(sidecars).map(|c| end(c.state.as_ref()?)).collect();
    ends?.into_iter().max()
}

fn end(state: &ContainerState) -> Option<Timestamp> {
    Some(state.terminated.as_ref()?.finished_at.as_ref()?.0)
}
