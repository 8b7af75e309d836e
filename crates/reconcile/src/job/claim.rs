//! Which pods are this Job's: adopting, releasing, and letting go of what nobody will count.

use kinds::{Uid, types::batch::v1::Job};

use super::{
    View, conditions,
    facts::{Owner, PodFacts},
    spec::{Terms, managed_elsewhere},
};
use crate::{BackOff, Plan, Write};

/// What must change before it is clear which pods are the Job's: an orphan that matches is adopted,
/// a pod that no longer matches is released. A Job that is being deleted does neither.
pub(super) fn settle(terms: &Terms, all: &[&PodFacts]) -> Vec<Write> {
    if terms.deleting {
        return Vec::new();
    }
    let own = Owner::Job(uid(terms.job));
    let orphan = |pod: &PodFacts| pod.owner == Owner::Nobody && pod.matches && !pod.deleting;
    let stray = |pod: &PodFacts| pod.owner == own && !pod.matches;
    let mut claims: Vec<&PodFacts> =
        all.iter().copied().filter(|pod| orphan(pod) || stray(pod)).collect();
    claims.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let write = |pod: &PodFacts| match pod.owner {
        Owner::Nobody => Write::AdoptPod { name: pod.name.to_string() },
        _ => Write::ReleasePod { name: pod.name.to_string() },
    };
    claims.into_iter().map(write).collect()
}

/// The pods that the Job controls.
pub(super) fn controlled<'a>(job: &Job, all: &[&'a PodFacts]) -> Vec<&'a PodFacts> {
    let own = Owner::Job(uid(job));
    all.iter().copied().filter(|pod| pod.owner == own).collect()
}

/// The plan of a finished Job: whatever of its pods is still tracked will never be counted.
pub(super) fn let_go(view: &View) -> Plan {
    let own = Owner::Job(uid(view.job));
    let ours = |pod: &&PodFacts| pod.owner == own || (pod.owner == Owner::Nobody && pod.matches);
    let left = view.pods.iter().copied().filter(|pod| pod.tracked).filter(ours);
    let mut names: Vec<String> = left.map(|pod| pod.name.to_string()).collect();
    names.sort_unstable();
    let writes = names.into_iter().map(|name| Write::RemoveFinalizer { name }).collect();
    Plan { writes, back_off: BackOff::default(), ..Plan::default() }
}

/// What to do about a tracked pod that no Job's plan speaks of. `job` is the Job that controls it,
/// if that still exists. `None`: leave it alone.
pub fn orphan(pod: &PodFacts, job: Option<&Job>) -> Option<Write> {
    let unanswered = match (pod.owner, job) {
        (Owner::Other, _) => false,
        (Owner::Nobody, _) | (Owner::Job(_), None) => true,
        (Owner::Job(_), Some(job)) => !managed_elsewhere(job) && conditions::finished(job),
    };
    (pod.tracked && unanswered).then(|| Write::RemoveFinalizer { name: pod.name.to_string() })
}

fn uid(job: &Job) -> Uid {
    job.metadata.uid.as_deref().and_then(Uid::parse).expect("a stored Job has a uid")
}
