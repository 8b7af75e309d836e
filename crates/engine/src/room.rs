//! The pods that wait for a place on the node and the room that placed pods take. Pods of the same
//! shape stand or fall together, so a pass over a thousand equal pods asks once.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use kinds::{Key, Uid, types::core::v1::PodSpec};
use reconcile::placement::{NodeFacts, Room, place, requests, take, tolerates_cordon};

/// The order in which waiting pods are tried: priority, then time, then order of arrival.
type Turn = (Reverse<i32>, i64, u64);

struct Waiting {
    key: Key,
    spec: PodSpec,
    shape: String,
    /// The reason it was told last; told again only when it changes.
    told: String,
}

#[derive(Default)]
pub(crate) struct Placement {
    waiting: BTreeMap<Turn, Waiting>,
    turns: HashMap<Key, Turn>,
    placed: HashMap<Uid, Room>,
    used: Room,
    arrivals: u64,
    /// Something changed that may make room; else nobody needs to be asked again.
    changed: bool,
}

/// What became of a waiting pod in one pass.
pub(crate) enum Placed {
    /// It has a place on the node.
    Bound(Key),
    /// It has none, for this reason.
    Waits(Key, String),
}

impl Placement {
    pub(crate) fn wait(&mut self, key: Key, created_s: i64, spec: PodSpec) {
        if self.turns.contains_key(&key) {
            return;
        }
        self.arrivals += 1;
        let turn = (Reverse(spec.priority.unwrap_or(0)), created_s, self.arrivals);
        let room = requests(&spec);
        let (selector, node, preempts) =
            (&spec.node_selector, &spec.node_name, &spec.preemption_policy);
        let tolerates = tolerates_cordon(&spec);
        let shape = format!("{room:?} {selector:?} {node:?} {preempts:?} {tolerates}");
        self.turns.insert(key.clone(), turn);
        self.waiting.insert(turn, Waiting { key, spec, shape, told: String::new() });
        self.changed = true;
    }

    pub(crate) fn forget_waiting(&mut self, key: &Key) {
        if let Some(turn) = self.turns.remove(key) {
            self.waiting.remove(&turn);
        }
    }

    /// Takes room for a pod that is bound.
    pub(crate) fn occupy(&mut self, uid: Uid, spec: &PodSpec) {
        if let std::collections::hash_map::Entry::Vacant(vacant) = self.placed.entry(uid) {
            let room = requests(spec);
            add(&mut self.used, room);
            vacant.insert(room);
        }
    }

    /// Gives a pod's room back.
    pub(crate) fn release(&mut self, uid: Uid) {
        if let Some(room) = self.placed.remove(&uid) {
            take(&mut self.used, room);
            self.changed |= !cfg!(feature = "planted-forgotten-wake");
        }
    }

    /// Something about the node changed.
    pub(crate) fn look_again(&mut self) {
        self.changed = true;
    }

    /// One pass over the waiting pods, in turn. A pod that gets a place stops waiting; its room is
    /// taken when its binding is put. `known` tells a pod's uid and whether it is in scope.
    pub(crate) fn pass(
        &mut self,
        node: &NodeFacts,
        known: impl Fn(&Key) -> Option<(Uid, bool)>,
    ) -> Vec<Placed> {
        if !std::mem::take(&mut self.changed) || self.waiting.is_empty() {
            return Vec::new();
        }
        let mut refused: HashMap<String, String> = HashMap::new();
        let mut results = Vec::new();
        let mut free = node.allocatable;
        take(&mut free, self.used);
        let mut bound = Vec::new();
        for (turn, pod) in &mut self.waiting {
            if !known(&pod.key).is_some_and(|(_, in_scope)| in_scope) {
                continue;
            }
            if !refused.contains_key(&pod.shape) {
                match place(&mut free, node, &pod.spec) {
                    Ok(()) => {
                        bound.push(*turn);
                        continue;
                    }
                    Err(why) => drop(refused.insert(pod.shape.clone(), why)),
                }
            }
            let why = &refused[&pod.shape];
            if pod.told != *why {
                pod.told.clone_from(why);
                results.push(Placed::Waits(pod.key.clone(), why.clone()));
            }
        }
        for turn in bound {
            let Some(pod) = self.waiting.remove(&turn) else { continue };
            self.turns.remove(&pod.key);
            if let Some((uid, _)) = known(&pod.key) {
                self.occupy(uid, &pod.spec);
            }
            results.push(Placed::Bound(pod.key));
        }
        results
    }
}

fn add(used: &mut Room, room: Room) {
    used.cpu_milli = used.cpu_milli.saturating_add(room.cpu_milli);
    used.memory_bytes = used.memory_bytes.saturating_add(room.memory_bytes);
    used.pods += room.pods;
}
