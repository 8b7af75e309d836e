//! Compaction keeps the state and gives space back.

use bytes::Bytes;
use store::{Disk, Limits, MemoryDisk, Store, Write};

use crate::common::*;

const LIMITS: Limits = Limits { segment_bytes: 32 << 10, garbage_bytes: 64 << 10, ..SMALL };

fn file_bytes(disk: &MemoryDisk) -> usize {
    all_contents(disk).iter().map(|(_, bytes)| bytes.len()).sum()
}

#[test]
fn ten_times_rewritten_takes_little_more_than_once_written() {
    let mut disk = MemoryDisk::new();
    let mut store = Store::open(&mut disk, LIMITS, time(0)).unwrap();
    let mut expected = View::new();
    let mut largest = 0;
    for round in 0..10 {
        for n in 0..300_u64 {
            let (name, value) = (format!("o{n}"), round * 1000 + n);
            // A fifth is written once and never again: cold objects have to be carried along.
            if round == 0 || n % 5 != 0 {
                let record = Some(Bytes::from(vec![7; 100]));
                let records = vec![(format!("r{}", n % 50), record)];
                store.commit_with(
                    vec![Write::Put(config_map_of(&name, value, 800))],
                    records,
                    time(1),
                );
                expected.insert(name, value);
            }
            if n % 7 == 0 {
                run_batch(&mut store, &mut disk).unwrap();
            }
        }
        largest = largest.max(file_bytes(&disk));
    }
    run_batches(&mut store, &mut disk);
    let live = 300 * 1200;
    assert!(largest < 3 * live, "{largest} bytes of segments for {live} live bytes");
    assert!(disk.segments().unwrap()[0] > 20, "old segments are gone");
    assert_eq!(view(&store), expected);
    let again = Store::open(&mut disk, LIMITS, time(1)).unwrap();
    assert_eq!(view(&again), expected);
    assert_eq!(again.records("").count(), 50);
}

#[test]
fn deleting_everything_gives_the_space_back() {
    let mut disk = MemoryDisk::new();
    let mut store = Store::open(&mut disk, LIMITS, time(0)).unwrap();
    let names: Vec<String> = (0..500).map(|n| format!("o{n}")).collect();
    for name in &names {
        store.commit(vec![Write::Put(config_map_of(name, 1, 1000))], time(1));
        run_batch(&mut store, &mut disk).unwrap();
    }
    assert!(file_bytes(&disk) > 500_000);
    store.commit(names.iter().map(|n| Write::Delete(key(n))).collect(), time(1));
    run_batches(&mut store, &mut disk);
    assert!(file_bytes(&disk) < 200_000, "{} bytes for nothing", file_bytes(&disk));
    assert_eq!(view(&Store::open(&mut disk, LIMITS, time(1)).unwrap()), View::new());
}

/// A deleted object came back when the segment with its deletion was cleaned before the one with
/// its last state. It cannot, as long as the oldest goes first: here the deletion is carried over
/// segment borders at every distance.
#[test]
fn what_was_deleted_stays_deleted() {
    for distance in 1..60 {
        let mut disk = MemoryDisk::new();
        let mut store = Store::open(&mut disk, SMALL, time(0)).unwrap();
        store.commit(vec![Write::Put(config_map("gone", 1))], time(1));
        for n in 0..120 {
            if n == distance {
                store.commit(vec![Write::Delete(key("gone"))], time(1));
            }
            store.commit(vec![Write::Put(config_map_of("a", n, 100))], time(1));
            run_batch(&mut store, &mut disk).unwrap();
            if n > distance && n % 3 == 0 {
                let again = Store::open(&mut disk.clone(), SMALL, time(1)).unwrap();
                assert_eq!(view(&again), View::from([("a".into(), n)]));
            }
        }
    }
}
