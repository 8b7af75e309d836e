//! Pods that nobody needs any more: those that ended, when there are too many, and those whose node is
//! no more (`pkg/controller/podgc`).

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use kinds::{
    Key, Uid, api_time,
    types::core::v1::{PodCondition, PodStatus},
};

/// How long a node may be missing before its pods have failed, seconds.
const QUARANTINE_S: i64 = 40;

/// The place of a pod among those that ended: the first goes first. Evicted pods go before the others,
/// older ones before newer ones, and of one second by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    stays_longer: bool,
    created_s: i64,
    key: Key,
}

/// The pods that ended, in the order in which they go when there are too many.
#[derive(Debug, Default)]
pub struct Terminated {
    by_rank: BTreeMap<Rank, Uid>,
    by_uid: HashMap<Uid, (bool, i64)>,
}

impl Terminated {
    /// Takes in a pod that ended: whether it was evicted, and its `metadata.creationTimestamp` in
    /// seconds. False if it was known.
    pub fn insert(&mut self, key: Key, uid: Uid, evicted: bool, created_s: i64) -> bool {
        if self.by_uid.insert(uid, (!evicted, created_s)).is_some() {
            return false;
        }
        self.by_rank.insert(Rank { stays_longer: !evicted, created_s, key }, uid);
        true
    }

    /// Takes out a pod that is gone.
    pub fn remove(&mut self, key: &Key, uid: Uid) {
        if let Some((stays_longer, created_s)) = self.by_uid.remove(&uid) {
            self.by_rank.remove(&Rank { stays_longer, created_s, key: key.clone() });
        }
    }

    /// Whether a pod was seen to end.
    pub fn contains(&self, uid: Uid) -> bool {
        self.by_uid.contains_key(&uid)
    }

    /// The pods beyond the first `max`, in the order in which they go.
    pub fn beyond(&self, max: usize) -> impl Iterator<Item = &Key> {
        self.by_rank.keys().map(|rank| &rank.key).take(self.by_rank.len().saturating_sub(max))
    }
}

/// Whether a pod was evicted by its node.
pub fn evicted(status: &PodStatus) -> bool {
    status.phase.as_deref() == Some("Failed") && status.reason.as_deref() == Some("Evicted")
}

/// What becomes of a pod that is bound to a node which is not there.
#[derive(Clone, Debug, PartialEq)]
pub enum Stray {
    /// Nothing yet: the node may come. Look again then.
    Wait(Timestamp),
    /// It has failed with this status, and is deleted without grace.
    Fail(Box<PodStatus>),
}

/// Judges a pod whose node has been missing `since` then. `generation` is the pod's.
pub fn stray(
    status: PodStatus,
    generation: Option<i64>,
    since: Timestamp,
    now: Timestamp,
) -> Stray {
    let until = since + SignedDuration::from_secs(QUARANTINE_S);
    if until > now {
        return Stray::Wait(until);
    }
    let condition = disruption("DeletionByPodGC", "PodGC: node no longer exists");
    Stray::Fail(Box::new(PodStatus {
        phase: Some("Failed".to_owned()),
        ..disrupted(status, condition, generation, now)
    }))
}

/// The condition `DisruptionTarget` for this reason.
pub fn disruption(reason: &str, message: &str) -> PodCondition {
    PodCondition {
        type_: "DisruptionTarget".to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        ..Default::default()
    }
}

/// A pod's status with a condition that is True in the place of an older one of its type, whose time
/// it keeps if that was True.
pub fn disrupted(
    mut status: PodStatus,
    mut condition: PodCondition,
    generation: Option<i64>,
    now: Timestamp,
) -> PodStatus {
    let conditions = status.conditions.get_or_insert_default();
    let old = conditions.iter().position(|old| old.type_ == condition.type_);
    let old = old.map(|at| conditions.remove(at));
    let since = old.filter(|old| old.status == "True").and_then(|old| old.last_transition_time);
    condition.last_transition_time = Some(since.unwrap_or_else(|| api_time(now)));
    condition.observed_generation = generation;
    conditions.push(condition);
    status
}
