//! The store against a BTreeMap, with small limits, restarts and losses of power in between.

use std::collections::BTreeMap;

use kinds::Revision;
use proptest::prelude::*;
use store::{ChangeKind, Expired, Limits, MemoryDisk, Store, Write};

use crate::common::*;

#[derive(Clone, Debug)]
enum Op {
    /// One transaction of writes by name; only what exists is removed.
    Commit(BTreeMap<u8, Step>),
    Batch,
    /// Runs all batches, then opens again.
    Restart,
    /// Loses power with whatever is queued.
    Crash(u64),
    /// Time passes.
    Wait(i64),
}

/// A write: a put of so many bytes, a removal, or one after the other.
#[derive(Clone, Copy, Debug)]
enum Step {
    Put(u16),
    Delete,
    End(u16),
}

fn op() -> impl Strategy<Value = Op> {
    let bytes = 0..1500_u16;
    let write = prop_oneof![
        6 => bytes.clone().prop_map(Step::Put),
        1 => Just(Step::Delete),
        1 => bytes.prop_map(Step::End),
    ];
    prop_oneof![
        10 => prop::collection::btree_map(0..8_u8, write, 1..4).prop_map(Op::Commit),
        4 => Just(Op::Batch),
        1 => Just(Op::Restart),
        1 => any::<u64>().prop_map(Op::Crash),
        1 => (0..200_i64).prop_map(Op::Wait),
    ]
}

struct World {
    disk: MemoryDisk,
    limits: Limits,
    store: Store,
    now_s: i64,
    next_value: u64,
    /// The state at every revision that is durable or may become so.
    states: BTreeMap<Revision, View>,
}

impl World {
    fn new(window_bytes: usize) -> Self {
        let limits = Limits { window_bytes, ..SMALL };
        let mut disk = MemoryDisk::new();
        let store = Store::open(&mut disk, limits, time(0)).unwrap();
        let states = BTreeMap::from([(store.head(), View::new())]);
        Self { disk, limits, store, now_s: 0, next_value: 0, states }
    }

    fn state(&self, revision: Revision) -> &View {
        self.states.range(..=revision).next_back().unwrap().1
    }

    fn commit(&mut self, writes: BTreeMap<u8, Step>) {
        let mut state = self.state(self.store.head()).clone();
        let mut revision = self.store.head();
        let mut drafts = Vec::new();
        let mut count = 0;
        for (n, write) in writes {
            let name = format!("o{n}");
            let had = state.contains_key(&name);
            let draft = match write {
                Step::Put(bytes) | Step::End(bytes) => {
                    self.next_value += 1;
                    Some(config_map_of(&name, self.next_value, bytes.into()))
                }
                Step::Delete => None,
            };
            let mut step = |state: &View| {
                revision += 1;
                count += 1;
                self.states.insert(revision, state.clone());
            };
            if draft.is_some() && (had || matches!(write, Step::Put(_))) {
                state.insert(name.clone(), self.next_value);
                step(&state);
            }
            if had && !matches!(write, Step::Put(_)) {
                state.remove(&name);
                step(&state);
            }
            drafts.extend(match (write, draft) {
                (Step::Put(_), Some(draft)) => Some(Write::Put(draft)),
                (Step::End(_), Some(draft)) if had => Some(Write::End(draft)),
                (Step::Delete, _) if had => Some(Write::Delete(key(&name))),
                _ => None,
            });
        }
        // A record in each transaction tells later which was the last one kept.
        let record = ("head".to_owned(), Some(revision.to_string().into()));
        let changes = self.store.commit_with(drafts, vec![record], time(self.now_s));
        assert_eq!((changes.len(), self.store.head()), (count, revision));
    }

    fn open(&mut self) {
        let acknowledged = self.store.durable();
        self.store = Store::open(&mut self.disk, self.limits, time(self.now_s)).unwrap();
        let record = self.store.records("head").next();
        let kept = record.map_or(0, |(_, r)| str::from_utf8(r).unwrap().parse().unwrap());
        assert!(kept >= acknowledged || self.state(kept) == self.state(acknowledged));
        self.states.retain(|revision, _| *revision <= kept);
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Commit(writes) => self.commit(writes),
            Op::Batch => {
                run_batch(&mut self.store, &mut self.disk).unwrap();
            }
            Op::Restart => {
                run_batches(&mut self.store, &mut self.disk);
                self.open();
            }
            Op::Crash(seed) => {
                self.disk.fail_at(self.disk.changes() + seed % 7);
                let _ = run_batch(&mut self.store, &mut self.disk);
                self.disk.power_loss(seed);
                self.open();
            }
            Op::Wait(seconds) => self.now_s += seconds,
        }
    }

    /// A watch from any revision that is kept tells exactly the difference of the lists.
    fn check(&self) {
        assert_eq!(view(&self.store), *self.state(self.store.head()));
        let durable = self.store.durable();
        for (after, state) in self.states.range(..=durable) {
            let changes = match self.store.changes_after(*after) {
                Ok(changes) => changes,
                Err(Expired { oldest }) => {
                    assert!(oldest > *after && self.store.changes_after(oldest).is_ok());
                    continue;
                }
            };
            let mut state = state.clone();
            let mut last = *after;
            for change in changes {
                assert!(change.revision > last && change.revision <= durable);
                assert_eq!(change.object.meta.revision, change.revision);
                last = change.revision;
                let name = change.object.key.name.to_string();
                let before = match change.kind {
                    ChangeKind::Deleted => state.remove(&name),
                    _ => state.insert(name, value(&change.object)),
                };
                assert_eq!(before, change.previous.as_ref().map(|p| value(p)));
                assert_eq!(before.is_none(), change.kind == ChangeKind::Added);
            }
            assert_eq!(state, *self.state(durable), "watched from {after}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn the_store_is_a_map_with_a_history(
        window_bytes in prop_oneof![Just(5_000_usize), Just(64 << 20)],
        ops in prop::collection::vec(op(), 1..80),
    ) {
        let mut world = World::new(window_bytes);
        for op in ops {
            world.step(op);
            world.check();
        }
    }
}
