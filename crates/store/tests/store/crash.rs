//! The power fails at every change of the disk: what was acknowledged is there, each transaction is
//! there whole or not at all, and nothing is there without what came before it.

use std::collections::BTreeMap;

use bytes::Bytes;
use kinds::Revision;
use store::{MemoryDisk, Store, Write};

use crate::common::*;

/// What must survive: objects and records.
type Whole = (View, BTreeMap<String, Bytes>);

const SEEDS: u64 = 6;

/// One transaction of the scripted workload: rewrites, deletions, records, some of them large
/// enough that segments fill and the oldest ones are cleaned.
fn transaction(n: u64) -> (Vec<Write>, Vec<(String, Option<Bytes>)>) {
    let name = |n: u64| format!("o{}", n % 5);
    let mut writes = vec![Write::Put(config_map_of(&name(n), n, (n as usize % 3) * 300))];
    if n % 4 == 3 {
        writes.push(Write::Delete(key(&name(n - 1))));
    }
    let record = (n % 2 == 1).then(|| Bytes::from(format!("record {n}")));
    (writes, vec![(format!("r{}", n % 3), record)])
}

fn whole(store: &Store) -> Whole {
    (view(store), store.records("").map(|(n, b)| (n.to_owned(), b.clone())).collect())
}

/// What one run of the workload, up to the loss of power, committed and was told.
struct Run {
    disk: MemoryDisk,
    /// The state after each transaction, the empty one first.
    states: Vec<Whole>,
    acknowledged: usize,
    /// The highest revision that was given out at all, durable or not.
    given_out: Revision,
    finished: bool,
}

fn run(fail_at: u64) -> Run {
    let mut disk = MemoryDisk::new();
    disk.fail_at(fail_at);
    let states = vec![Whole::default()];
    let mut run = Run { disk, states, acknowledged: 0, given_out: 0, finished: false };
    let Ok(mut store) = Store::open(&mut run.disk, SMALL, time(0)) else { return run };
    for n in 0..40 {
        let (writes, records) = transaction(n);
        store.commit_with(writes, records, time(1));
        run.states.push(whole(&store));
        run.given_out = store.head();
        // Batches of one, two and three transactions.
        if n % 6 == 0 || n % 6 == 2 || n % 6 == 5 {
            if run_batch(&mut store, &mut run.disk).is_err() {
                return run;
            }
            run.acknowledged = run.states.len() - 1;
        }
    }
    run.finished = true;
    run
}

/// Opens, and checks that the state is that after some prefix of the transactions.
fn check(disk: &mut MemoryDisk, run: &Run, story: &str) -> Store {
    let store = Store::open(disk, SMALL, time(2)).unwrap_or_else(|e| panic!("{story}: {e}"));
    let found = whole(&store);
    let kept = run.states.iter().rposition(|s| *s == found);
    let kept = kept.unwrap_or_else(|| panic!("{story}: no prefix has {found:?}"));
    assert!(kept >= run.acknowledged, "{story}: {kept} kept, {} acknowledged", run.acknowledged);
    store
}

#[test]
fn a_crash_at_any_write_or_sync_keeps_every_acknowledged_transaction() {
    for fail_at in 0.. {
        let run = run(fail_at);
        for seed in 0..SEEDS {
            let story = format!("power fails at change {fail_at}, seed {seed}");
            let mut disk = run.disk.clone();
            disk.power_loss(seed);
            let mut store = check(&mut disk, &run, &story);
            assert!(store.head() >= run.given_out, "{story}: a revision would come back");
            let mut expected = view(&store);
            expected.insert("after".into(), 1);
            store.commit(vec![Write::Put(config_map("after", 1))], time(3));
            run_batches(&mut store, &mut disk);
            assert_eq!(view(&Store::open(&mut disk, SMALL, time(4)).unwrap()), expected, "{story}");
        }
        if run.finished {
            assert!(fail_at > 60, "only {fail_at} changes");
            assert!(run.disk.contents(1).is_none(), "the workload never removed a segment");
            return;
        }
    }
}

#[test]
fn a_crash_while_opening_after_a_crash_loses_nothing_either() {
    for fail_at in 0..60 {
        let run = run(fail_at);
        for seed in 0..2 * SEEDS {
            for again in 0.. {
                let story = format!("change {fail_at}, seed {seed}, then {again} of opening");
                let mut disk = run.disk.clone();
                disk.power_loss(seed);
                disk.fail_at(disk.changes() + again);
                let opened = Store::open(&mut disk, SMALL, time(2)).is_ok();
                for second in 0..2 * SEEDS {
                    let mut disk = disk.clone();
                    disk.power_loss(100 + second);
                    check(&mut disk, &run, &story);
                }
                if opened {
                    break;
                }
            }
        }
    }
}

/// The process dies between write and sync, the machine lives on: the next server reads from the
/// page cache what was never synced, and shows it. Then the power fails.
#[test]
fn what_a_reopened_store_showed_survives_a_later_loss_of_power() {
    let mut unsynced_seen = 0;
    for fail_at in 0..60 {
        let run = run(fail_at);
        let mut reopened = run.disk.clone();
        reopened.restart();
        let shown = check(&mut reopened, &run, "after the death of the process");
        unsynced_seen += usize::from(whole(&shown) != run.states[run.acknowledged]);
        for seed in 0..SEEDS {
            let mut disk = reopened.clone();
            disk.power_loss(seed);
            let later = Store::open(&mut disk, SMALL, time(3)).unwrap();
            assert_eq!(whole(&later), whole(&shown), "change {fail_at}, seed {seed}");
        }
    }
    assert!(unsynced_seen > 5, "the case this test is about came up {unsynced_seen} times");
}
