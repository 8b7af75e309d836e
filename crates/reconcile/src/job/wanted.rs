//! How many pods there should be, which go when there are too many, and which indexes come next.

use std::{cmp::Reverse, collections::HashSet};

use jiff::Timestamp;
use kinds::Uid;

use super::{
    BackOff,
    ends::{Tally, count},
    facts::{Phase, PodFacts},
    spec::{Mode, Terms},
};

/// How many pods one plan creates, or deletes to scale down; the rest is left to the next plan,
/// which is asked for at once.
const PODS_PER_PLAN_MAX: usize = 500;

/// The pods to make and to remove.
#[derive(Default)]
pub(super) struct Wanted {
    /// Active pods to delete.
    pub(super) remove: HashSet<Uid>,
    /// The removed ones are wanted no longer although the Job goes on, so they are not failures.
    pub(super) uncounted: bool,
    /// One entry for each pod to make: its index, or `None` if the Job is not Indexed.
    pub(super) create: Vec<Option<u32>>,
    /// When to look again.
    pub(super) wake_at: Option<Timestamp>,
}

/// The pods as they will be after the plan.
pub(super) struct Counts {
    pub(super) active: i32,
    pub(super) ready: i32,
    pub(super) terminating: i32,
}

impl Wanted {
    /// `ending`: the end of the Job is decided.
    pub(super) fn of(
        terms: &Terms,
        tally: &Tally,
        pods: &[&PodFacts],
        ending: bool,
        back_off: BackOff,
        now: Timestamp,
    ) -> Self {
        let active: Vec<&PodFacts> = pods.iter().copied().filter(|pod| pod.active()).collect();
        if ending {
            return Self { remove: active.iter().map(|pod| pod.uid).collect(), ..Self::default() };
        }
        if terms.deleting {
            return Self::default();
        }
        if terms.suspended {
            let remove = active.iter().map(|pod| pod.uid).collect();
            return Self { remove, uncounted: true, ..Self::default() };
        }
        let wanted = how_many(terms, tally, active.len());
        let excess = active.len().saturating_sub(wanted);
        let ignored = cfg!(feature = "planted-ignored-terminating");
        let held = if terms.replace_failed_only && !ignored {
            pods.iter().filter(|pod| pod.terminating()).count()
        } else {
            0
        };
        let missing = wanted.saturating_sub(active.len() + held);
        let removal = to_remove(terms, active, excess);
        if !removal.is_empty() {
            return Self::removing(removal, now);
        }
        Self::creating(terms, tally, pods, missing, back_off, now)
    }

    fn removing(pods: Vec<&PodFacts>, now: Timestamp) -> Self {
        Self {
            wake_at: (pods.len() > PODS_PER_PLAN_MAX).then_some(now),
            remove: pods.iter().take(PODS_PER_PLAN_MAX).map(|pod| pod.uid).collect(),
            uncounted: true,
            create: Vec::new(),
        }
    }

    fn creating(
        terms: &Terms,
        tally: &Tally,
        pods: &[&PodFacts],
        missing: usize,
        back_off: BackOff,
        now: Timestamp,
    ) -> Self {
        if missing == 0 {
            return Self::default();
        }
        if let Some(until) = back_off.until().filter(|&until| until > now) {
            return Self { wake_at: Some(until), ..Self::default() };
        }
        let asked = missing.min(PODS_PER_PLAN_MAX);
        let indexes = match terms.mode {
            Mode::Indexed(completions) => next_indexes(terms, tally, pods, completions, asked),
            Mode::Count(_) | Mode::Queue => {
                let wake_at = (missing > asked).then_some(now);
                return Self { wake_at, create: vec![None; asked], ..Self::default() };
            }
        };
        let limited = missing > asked && indexes.len() == asked;
        let mut wanted = Self::default();
        for index in indexes {
            match tally.kept.until(index).filter(|&until| until > now) {
                None => wanted.create.push(Some(index)),
                until => wanted.wake_at = wanted.wake_at.into_iter().chain(until).min(),
            }
        }
        if limited && !wanted.create.is_empty() {
            wanted.wake_at = Some(now);
        }
        wanted
    }

    /// How the pods will stand.
    pub(super) fn counts(&self, pods: &[&PodFacts]) -> Counts {
        let stays = |pod: &&&PodFacts| pod.active() && !self.remove.contains(&pod.uid);
        let staying = pods.iter().filter(stays);
        let terminating = pods.iter().filter(|pod| pod.terminating()).count();
        Counts {
            active: count(staying.clone().count() + self.create.len()),
            ready: count(staying.filter(|pod| pod.ready_since.is_some()).count()),
            terminating: count(terminating + self.remove.len()),
        }
    }
}

/// How many pods should be active, when this many are.
fn how_many(terms: &Terms, tally: &Tally, active: usize) -> usize {
    let succeeded = usize::try_from(tally.succeeded).unwrap_or(0);
    match terms.mode {
        // The queue is empty: the others finish what they have.
        Mode::Queue if succeeded > 0 => active,
        Mode::Queue => terms.parallelism,
        Mode::Count(n) | Mode::Indexed(n) => {
            terms.parallelism.min((n as usize).saturating_sub(succeeded))
        }
    }
}

/// Which of the active pods go, so that at least `excess` do: those that can never count first, then
/// those whose loss costs least.
fn to_remove<'a>(terms: &Terms, mut active: Vec<&'a PodFacts>, excess: usize) -> Vec<&'a PodFacts> {
    if excess == 0 && !any_useless(terms, &active) {
        return Vec::new();
    }
    active.sort_unstable_by(|a, b| cheapest(a).cmp(&cheapest(b)));
    let (useful, mut remove) = split_useless(terms, active);
    let more = excess.saturating_sub(remove.len());
    remove.extend(useful.into_iter().take(more));
    remove
}

fn any_useless(terms: &Terms, active: &[&PodFacts]) -> bool {
    let mut seen = HashSet::with_capacity(active.len());
    !active.iter().all(|pod| useful(terms, pod, &mut seen))
}

/// Parts pods in order of cost into those that can count and those that cannot: of each index only
/// the dearest can.
fn split_useless<'a>(
    terms: &Terms,
    by_cost: Vec<&'a PodFacts>,
) -> (Vec<&'a PodFacts>, Vec<&'a PodFacts>) {
    let mut seen = HashSet::new();
    let from_dearest = by_cost.into_iter().rev();
    let (mut yes, mut no): (Vec<_>, Vec<_>) =
        from_dearest.partition(|pod| useful(terms, pod, &mut seen));
    yes.reverse();
    no.reverse();
    (yes, no)
}

/// Whether this pod can count beside those seen so far.
fn useful(terms: &Terms, pod: &PodFacts, seen: &mut HashSet<u32>) -> bool {
    match (terms.mode, pod.index) {
        (Mode::Indexed(completions), Some(index)) => index < completions && seen.insert(index),
        (Mode::Indexed(_), None) => false,
        (Mode::Count(_) | Mode::Queue, _) => true,
    }
}

/// Orders pods by what their loss costs, cheapest first.
fn cheapest(pod: &PodFacts) -> impl Ord + '_ {
    let phase = match pod.phase {
        Phase::Pending => 0,
        Phase::Unknown => 1,
        _ => 2,
    };
    (
        pod.bound,
        phase,
        pod.ready_since.is_some(),
        Reverse(pod.ready_since),
        Reverse(pod.restarts_max),
        Reverse(pod.created),
        &pod.name,
    )
}

/// The smallest indexes that are neither decided nor taken.
fn next_indexes(
    terms: &Terms,
    tally: &Tally,
    pods: &[&PodFacts],
    completions: u32,
    asked: usize,
) -> Vec<u32> {
    let takes = |pod: &&&PodFacts| pod.active() || (terms.replace_failed_only && pod.terminating());
    let taken: HashSet<u32> = pods.iter().filter(takes).filter_map(|pod| pod.index).collect();
    let after = |index: u32| Some(tally.next_open(index.checked_add(1)?));
    std::iter::successors(Some(tally.next_open(0)), |&index| after(index))
        .take_while(|&index| index < completions)
        .filter(|index| !taken.contains(index))
        .take(asked)
        .collect()
}
