//! A few objects and what happens to them. One line each:
//! `KIND NAME [ns=NAME] [owners=LIST] [finalizers=LIST] [waits=LIST] [words of a pod]`, with kinds in
//! small letters and `waits` for the `spec.finalizers` of a namespace. An owner is the name of another
//! object, with a `!` if that is blocked; `old:NAME` is an earlier incarnation of it, `lost:KIND/NAME`
//! one that nobody has, of a kind `v1.ConfigMap` or the like. Of a pod: `tracked`, `node`, a phase and
//! `grace=SECONDS`. Then come the steps, each a second after the one before:
//! `delete NAME [POLICY] [grace=SECONDS]`, `release NAME FINALIZER`, `back NAME` (the node gave the pod
//! back), `finalize NAME` (nothing waits for the namespace any more).
//!
//! What comes out is told step by step: what went, and every object that is not as it was.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use kinds::{Draft, Key, Kind, Uid, selector::Selector};
use reconcile::{
    Note, PodFacts, TRACKING_FINALIZER,
    deletion::{
        Begun, FOREGROUND_FINALIZER, ORPHAN_FINALIZER, Propagation, begin, has_content_finalizer,
    },
    garbage::{
        Due, Kin, OwnerState, Verdict, blocks, disown, due, elsewhere, has_finalizer, judge,
        owner_key, strip_finalizer, unblock,
    },
    namespace, orphan,
};

use super::render;
use crate::notation::START;

/// More looks in a row at all objects than any step can cause.
const ROUNDS_MAX: usize = 30;

/// Every object of a case, and what is known of them.
#[derive(Clone)]
pub(super) struct Objects {
    pub(super) all: BTreeMap<Key, Draft>,
    pub(super) now: Timestamp,
    swept: BTreeSet<Key>,
    told: Vec<Note>,
    /// In which order objects are looked at must not matter.
    backwards: bool,
}

/// What becomes of a case, step by step.
pub(crate) fn live(_: &str, given: &str) -> String {
    let [there, back] = [false, true].map(|backwards| life(given, backwards));
    assert_eq!(there, back, "the order in which objects are looked at matters");
    there
}

fn life(given: &str, backwards: bool) -> String {
    let all = BTreeMap::new();
    let mut world =
        Objects { all, now: START, swept: BTreeSet::new(), told: Vec::new(), backwards };
    let lines = given.trim().lines();
    let is_step = |line: &&str| render::STEPS.contains(&line.split(' ').next().unwrap());
    let (steps, objects): (Vec<&str>, Vec<&str>) = lines.partition(is_step);
    for line in objects {
        let draft = render::object(line, &world.all);
        world.all.insert(draft.key(), draft);
    }
    let before = world.all.clone();
    world.settle();
    let mut text = render::difference(&before, &world.all, &mut world.told);
    if !text.is_empty() {
        text = format!("at first\n{text}");
    }
    for step in steps {
        world.now += SignedDuration::from_secs(1);
        let before = world.all.clone();
        world.step(step);
        world.settle();
        text += &format!("{step}\n");
        text += &render::difference(&before, &world.all, &mut world.told);
    }
    if text.is_empty() { "nothing\n".to_owned() } else { text }
}

impl Objects {
    fn step(&mut self, step: &str) {
        let words: Vec<&str> = step.split(' ').collect();
        let key = self.named(words[1]).unwrap_or_else(|| panic!("no object {}", words[1]));
        match words[0] {
            "delete" => {
                let policy = words.iter().find_map(|word| match *word {
                    "Background" => Some(Propagation::Background),
                    "Foreground" => Some(Propagation::Foreground),
                    "Orphan" => Some(Propagation::Orphan),
                    _ => None,
                });
                let grace = words.iter().find_map(|word| word.strip_prefix("grace="));
                self.delete(&key, grace.map(|seconds| seconds.parse().unwrap()), policy);
            }
            "release" => self.edit(&key, |draft| strip_finalizer(&mut draft.metadata, words[2])),
            "back" => {
                self.edit(&key, |draft| draft.metadata.deletion_grace_period_seconds = Some(0));
            }
            "finalize" => self.edit(&key, |draft| {
                let mut namespace = draft.namespace().unwrap();
                namespace.spec.get_or_insert_default().finalizers = None;
                *draft = Draft::of_namespace(&namespace);
            }),
            other => panic!("unknown step {other}"),
        }
    }

    /// Looks at every object until none changes any more.
    fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let before = self.all.clone();
            let mut keys: Vec<Key> = before.keys().cloned().collect();
            if self.backwards {
                keys.reverse();
            }
            keys.iter().for_each(|key| self.look(key));
            let same = |(a, b): (&Draft, &Draft)| a.to_json() == b.to_json();
            if before.len() == self.all.len() && before.values().zip(self.all.values()).all(same) {
                return;
            }
        }
        panic!("no fixed point");
    }

    fn look(&mut self, key: &Key) {
        let Some(draft) = self.all.get(key).cloned() else { return };
        match draft.metadata.deletion_timestamp {
            Some(_) => self.go_on(key),
            None => self.judge(key, &draft),
        }
        if key.kind == Kind::Pod && has_finalizer(&draft.metadata, TRACKING_FINALIZER) {
            self.let_stray_go(key);
        }
        if key.kind == Kind::Namespace {
            self.empty(key);
        }
    }

    fn judge(&mut self, key: &Key, draft: &Draft) {
        let owners = draft.metadata.owner_references.clone().unwrap_or_default();
        let states: Vec<OwnerState> = owners
            .iter()
            .map(|owner| match owner_key(&key.namespace, owner) {
                None => OwnerState::Unknown,
                Some(at) => match self.all.get(&at) {
                    Some(there) if there.metadata.uid.as_deref() == Some(&owner.uid) => {
                        let waits = self.waits(&at);
                        if waits { OwnerState::Waiting } else { OwnerState::Solid }
                    }
                    _ => OwnerState::Absent,
                },
            })
            .collect();
        for (owner, _) in owners.iter().zip(&states).filter(|(_, s)| **s == OwnerState::Absent) {
            let has = |draft: &Draft| draft.metadata.uid.as_deref() == Some(&owner.uid);
            let note = elsewhere(&key.namespace, owner);
            if self.all.values().any(has) && !self.told.contains(&note) {
                self.told.push(note);
            }
        }
        let dependents = self.dependents(key);
        let kin = Kin {
            owners: &states,
            owns: !dependents.is_empty(),
            owns_waiting: dependents.iter().any(|dependent| self.waits(dependent)),
        };
        match judge(&draft.metadata, &kin) {
            Verdict::Keep => {}
            Verdict::Unlink(kept) => {
                self.edit(key, |draft| draft.metadata.owner_references = Some(kept));
            }
            Verdict::Delete { propagation, unblock: first } => {
                if first {
                    self.edit(key, |draft| unblock(&mut draft.metadata));
                }
                self.delete(key, None, Some(propagation));
            }
        }
    }

    fn go_on(&mut self, key: &Key) {
        while let Some(draft) = self.all.get(key).cloned() {
            let own = own_uid(&draft);
            let dependents = self.dependents(key);
            let blocked = dependents.iter().any(|at| blocks(&self.all[at].metadata, own));
            match due(&draft.metadata, self.swept.contains(key), blocked) {
                None => return,
                Some(Due::Release) => {
                    for dependent in &dependents {
                        self.edit(dependent, |draft| disown(&mut draft.metadata, own));
                    }
                    self.edit(key, |draft| strip_finalizer(&mut draft.metadata, ORPHAN_FINALIZER));
                }
                Some(Due::Sweep) => {
                    self.swept.insert(key.clone());
                    for dependent in &dependents {
                        self.look(dependent);
                        if key.kind == Kind::Job && dependent.kind == Kind::Pod {
                            self.untrack(dependent);
                        }
                    }
                }
                Some(Due::Finish) => self
                    .edit(key, |draft| strip_finalizer(&mut draft.metadata, FOREGROUND_FINALIZER)),
            }
        }
    }

    fn let_stray_go(&mut self, key: &Key) {
        let Some(pod) = self.all.get(key).map(|draft| draft.pod().unwrap()) else { return };
        let mut owners = pod.metadata.owner_references.iter().flatten();
        let owner = owners.find(|owner| owner.controller == Some(true));
        let job = owner.and_then(|owner| self.all.get(&owner_key(&key.namespace, owner)?));
        let job = job.map(|draft| draft.job().unwrap());
        if orphan(&PodFacts::of(&pod, &Selector::nothing(), None), job.as_ref()).is_some() {
            self.untrack(key);
        }
    }

    fn untrack(&mut self, key: &Key) {
        self.edit(key, |draft| strip_finalizer(&mut draft.metadata, TRACKING_FINALIZER));
    }

    fn empty(&mut self, key: &Key) {
        if self.all.get(key).is_none_or(|draft| draft.metadata.deletion_timestamp.is_none()) {
            return;
        }
        let left = namespace::sweep(|kind, left| {
            for inside in self.inside(kind, &key.name) {
                if self.all[&inside].metadata.deletion_timestamp.is_none() {
                    self.delete(&inside, None, Some(Propagation::Background));
                }
            }
            for inside in self.inside(kind, &key.name) {
                let meta = &self.all[&inside].metadata;
                left.add(kind, meta.finalizers.as_deref().unwrap_or_default());
            }
        });
        let next = namespace::next(&self.all[key].namespace().unwrap(), &left, self.now);
        if let Some(next) = next {
            self.put(Draft::of_namespace(&next));
        }
    }

    fn inside(&self, kind: Kind, namespace: &str) -> Vec<Key> {
        let all = self.all.keys().filter(|key| key.kind == kind && *key.namespace == *namespace);
        all.cloned().collect()
    }

    fn delete(&mut self, key: &Key, grace_s: Option<i64>, policy: Option<Propagation>) {
        let Some(draft) = self.all.get(key).cloned() else { return };
        match begin(draft, grace_s, policy, self.now) {
            Begun::Already => {}
            Begun::Kept(draft) => self.put(draft),
            Begun::Gone(_) => drop(self.all.remove(key)),
        }
    }

    fn edit(&mut self, key: &Key, change: impl FnOnce(&mut Draft)) {
        if let Some(mut draft) = self.all.get(key).cloned() {
            change(&mut draft);
            self.put(draft);
        }
    }

    /// As the engine puts an object: one that waited for its last finalizer only is gone.
    fn put(&mut self, draft: Draft) {
        let meta = &draft.metadata;
        let free = meta.finalizers.as_ref().is_none_or(Vec::is_empty);
        let over = meta.deletion_grace_period_seconds.unwrap_or(0) == 0;
        let inhabited = draft.kind == Kind::Namespace && has_content_finalizer(&draft);
        if meta.deletion_timestamp.is_some() && free && over && !inhabited {
            self.all.remove(&draft.key());
        } else {
            self.all.insert(draft.key(), draft);
        }
    }

    fn waits(&self, key: &Key) -> bool {
        let meta = &self.all[key].metadata;
        meta.deletion_timestamp.is_some() && has_finalizer(meta, FOREGROUND_FINALIZER)
    }

    fn dependents(&self, key: &Key) -> Vec<Key> {
        let own = &self.all[key].metadata.uid;
        let names = |draft: &Draft| {
            let mut owners = draft.metadata.owner_references.iter().flatten();
            owners.any(|owner| Some(&owner.uid) == own.as_ref())
        };
        self.all.iter().filter(|(_, draft)| names(draft)).map(|(key, _)| key.clone()).collect()
    }

    fn named(&self, name: &str) -> Option<Key> {
        self.all.keys().find(|key| *key.name == *name).cloned()
    }
}

fn own_uid(draft: &Draft) -> Uid {
    Uid::parse(draft.metadata.uid.as_deref().unwrap()).unwrap()
}
