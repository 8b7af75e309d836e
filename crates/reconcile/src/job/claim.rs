//! Which pods are this Job's: adopting, releasing, and letting go of what nobody will count.

use std::borrow::Cow;

use kinds::{Uid, types::batch::v1::Job};

use super::{
    View, conditions,
    facts::{Owner, PodFacts},
    spec::{Terms, managed_elsewhere},
};
use crate::{BackOff, Plan, Write};

/// The Job's pods by name. An orphan that matches is adopted; a pod that no longer matches is
/// released and is not the Job's any more. A Job that is being deleted does neither.
pub(super) fn pods<'a>(
    terms: &Terms,
    all: &'a [PodFacts],
    plan: &mut Plan,
) -> Vec<Cow<'a, PodFacts>> {
    let own = uid(terms.job);
    let mut by_name: Vec<&PodFacts> = all.iter().collect();
    by_name.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let mut mine = Vec::with_capacity(by_name.len());
    for pod in by_name {
        let name = || pod.name.to_string();
        match pod.owner {
            Owner::Job(uid) if uid == own && (pod.matches || terms.deleting) => {
                mine.push(Cow::Borrowed(pod));
            }
            Owner::Job(uid) if uid == own => plan.writes.push(Write::ReleasePod { name: name() }),
            Owner::Nobody if pod.matches && !pod.deleting && !terms.deleting => {
                plan.writes.push(Write::AdoptPod { name: name() });
                mine.push(Cow::Owned(PodFacts {
                    tracked: true,
                    owner: Owner::Job(own),
                    ..pod.clone()
                }));
            }
            _ => {}
        }
    }
    mine
}

/// The plan of a finished Job: whatever of its pods is still tracked will never be counted.
pub(super) fn let_go(view: &View) -> Plan {
    let own = uid(view.job);
    let mut names: Vec<_> = view
        .pods
        .iter()
        .filter(|pod| match pod.owner {
            Owner::Job(uid) => pod.tracked && uid == own,
            Owner::Nobody => pod.tracked && pod.matches,
            Owner::Other => false,
        })
        .map(|pod| pod.name.to_string())
        .collect();
    names.sort_unstable();
    let writes = names.into_iter().map(|name| Write::RemoveFinalizer { name }).collect();
    Plan { writes, back_off: BackOff::default(), ..Plan::default() }
}

/// What to do about a tracked pod that no unfinished Job answers for. `job` is the Job that controls
/// it, if that still exists. `None`: leave it alone.
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
