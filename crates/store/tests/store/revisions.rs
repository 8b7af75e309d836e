//! A revision that anyone saw never comes back with other content.

use store::{MemoryDisk, Store, Write};

use crate::common::*;

/// A disk that says it has synced and has not loses the latest frames whole, and the log ends
/// cleanly before them. The block was reserved long before, so the revisions are still not reused.
#[test]
fn revisions_do_not_come_back_even_if_the_disk_lost_what_it_had_synced() {
    let mut disk = MemoryDisk::new();
    let mut store = Store::open(&mut disk, SMALL, time(0)).unwrap();
    let mut seen = Vec::new();
    for n in 0..20 {
        let lost_from_here = disk.clone();
        for m in 0..3 {
            store.commit(vec![Write::Put(config_map("a", n * 10 + m))], time(1));
            run_batches(&mut store, &mut disk);
            seen.push(store.durable());
        }
        let mut older = lost_from_here;
        let mut again = Store::open(&mut older, SMALL, time(1)).unwrap();
        let changes = again.commit(vec![Write::Put(config_map("a", 1000))], time(1));
        assert!(seen.iter().all(|s| *s < changes[0].revision), "{seen:?}");
    }
}

#[test]
fn a_new_block_is_reserved_long_before_the_last_is_used_up() {
    let mut disk = MemoryDisk::new();
    let mut store = Store::open(&mut disk, SMALL, time(0)).unwrap();
    let mut before = disk.clone();
    for n in 0..100_000 {
        if n % 1000 == 0 {
            before = disk.clone();
        }
        store.commit(vec![Write::Put(config_map("a", n))], time(1));
        if n % 100 == 99 {
            run_batches(&mut store, &mut disk);
        }
        if n % 10_000 == 9_999 {
            let again = Store::open(&mut before.clone(), SMALL, time(1)).unwrap();
            assert!(again.head() >= store.durable(), "a tail of 1,000 revisions is covered");
        }
    }
}

#[test]
fn every_opening_goes_past_all_that_was_given_out() {
    let mut disk = MemoryDisk::new();
    let mut last = 0;
    for n in 0..5 {
        let mut store = Store::open(&mut disk, SMALL, time(n)).unwrap();
        assert!(store.head() >= last);
        assert_eq!(store.durable(), store.head());
        last = store.commit(vec![Write::Put(config_map("a", 1))], time(n))[0].revision;
    }
    assert!(last < 1_000_000, "restarts are cheap in revisions: {last}");
}
