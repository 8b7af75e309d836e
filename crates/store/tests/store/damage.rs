//! Bytes that were durable change behind the store's back: refused, the place named, nothing
//! written.

use proptest::prelude::*;
use store::{Error, FORMAT_VERSION, Limits, MemoryDisk, Store, Write};

use crate::common::*;

const LIMITS: Limits = Limits { segment_bytes: 3072, garbage_bytes: 1 << 20, ..SMALL };
const FRAME_BYTES_MAX: u64 = 1024;

/// Three small segments, with room left in the last.
fn log() -> MemoryDisk {
    let mut disk = MemoryDisk::new();
    let mut store = Store::open(&mut disk, LIMITS, time(0)).unwrap();
    for n in 0..8 {
        let more = (n % 3) as usize * 150;
        store.commit(vec![Write::Put(config_map_of(&format!("o{}", n % 3), n, more))], time(1));
        run_batches(&mut store, &mut disk);
    }
    assert_eq!(all_contents(&disk).len(), 3);
    disk
}

/// Opens a damaged log, which must be refused and left alone; returns segment and offset.
fn refused(mut disk: MemoryDisk, story: &str) -> (u64, u64) {
    let (before, changes) = (all_contents(&disk), disk.changes());
    match Store::open(&mut disk, LIMITS, time(2)) {
        Err(Error::Corrupt { segment, offset, .. }) => {
            assert_eq!(disk.changes(), changes, "{story}: the disk was written to");
            assert_eq!(all_contents(&disk), before, "{story}");
            (segment, offset)
        }
        Err(other) => panic!("{story}: {other}"),
        Ok(store) => panic!("{story}: opened with {:?}", view(&store)),
    }
}

#[test]
fn every_single_flipped_bit_is_refused_and_its_place_named() {
    let clean = log();
    for (segment, bytes) in all_contents(&clean) {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let mut disk = clean.clone();
            disk.set_contents(segment, flipped);
            let story = format!("segment {segment}, bit {bit}");
            let (named, offset) = refused(disk, &story);
            let at = (bit / 8) as u64;
            assert_eq!(named, segment, "{story}");
            assert!(offset <= at && at < offset + FRAME_BYTES_MAX, "{story}: named {offset}");
        }
    }
}

#[test]
fn every_truncation_is_refused_at_its_length() {
    let clean = log();
    for (segment, bytes) in all_contents(&clean) {
        for length in 0..bytes.len() {
            let mut disk = clean.clone();
            disk.set_contents(segment, bytes[..length].to_vec());
            let story = format!("segment {segment} cut to {length}");
            assert_eq!(refused(disk, &story), (segment, length as u64), "{story}");
        }
    }
}

#[test]
fn a_lost_sector_that_was_durable_is_refused() {
    let clean = log();
    let segments = all_contents(&clean);
    let (newest, last) = segments.last().unwrap();
    let end = last.iter().rposition(|b| *b != 0).unwrap() / 512;
    for (segment, bytes) in &segments {
        for sector in 0..bytes.len() / 512 {
            let lost = &bytes[sector * 512..][..512];
            // The very last frame cannot be told from one that a crash tore; see docs/store.md.
            let tail = segment == newest && sector + 1 >= end;
            if tail || lost.iter().all(|b| *b == 0) {
                continue;
            }
            let mut holed = bytes.clone();
            holed[sector * 512..][..512].fill(0);
            let mut disk = clean.clone();
            disk.set_contents(*segment, holed);
            let story = format!("segment {segment}, sector {sector}");
            let (named, offset) = refused(disk, &story);
            assert_eq!(named, *segment, "{story}");
            assert!(offset <= sector as u64 * 512, "{story}: named {offset}");
        }
    }
}

#[test]
fn missing_and_exchanged_segments_are_refused() {
    let clean = log();
    let segments = all_contents(&clean);
    let without = |gone: u64| {
        let mut disk = MemoryDisk::new();
        for (n, bytes) in segments.iter().filter(|(n, _)| *n != gone) {
            disk.set_contents(*n, bytes.clone());
        }
        disk
    };
    assert_eq!(refused(without(1), "the first is gone"), (2, 0));
    assert_eq!(refused(without(2), "the second is gone"), (3, 0));
    let mut exchanged = clean.clone();
    exchanged.set_contents(1, segments[1].1.clone());
    assert_eq!(refused(exchanged, "the second stands in for the first"), (1, 0));
}

#[test]
fn the_first_segment_may_be_missing_only_if_the_log_says_so() {
    let mut disk = MemoryDisk::new();
    let mut store = Store::open(&mut disk, SMALL, time(0)).unwrap();
    for n in 0..100 {
        store.commit(vec![Write::Put(config_map("a", n))], time(1));
        run_batches(&mut store, &mut disk);
    }
    let segments = all_contents(&disk);
    assert!(segments[0].0 > 1, "compaction has removed some");
    assert!(Store::open(&mut disk.clone(), SMALL, time(1)).is_ok());
    let mut less = MemoryDisk::new();
    for (n, bytes) in &segments[1..] {
        less.set_contents(*n, bytes.clone());
    }
    assert_eq!(refused(less, "one more is gone"), (segments[1].0, 0));
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let mut disk = log();
    let mut bytes = disk.contents(1).unwrap();
    bytes[8..12].copy_from_slice(&(FORMAT_VERSION + 1).to_le_bytes());
    let checksum = crc32fast::hash(&bytes[..28]);
    bytes[28..32].copy_from_slice(&checksum.to_le_bytes());
    disk.set_contents(1, bytes);
    let before = all_contents(&disk);
    let error = Store::open(&mut disk, LIMITS, time(2)).unwrap_err();
    assert!(matches!(error, Error::Newer { found, supported }
        if (found, supported) == (FORMAT_VERSION + 1, FORMAT_VERSION)));
    assert_eq!(all_contents(&disk), before);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..4096),
        at in 0..3072_usize,
        tail in any::<bool>(),
    ) {
        let mut disk = log();
        let mut mixed = disk.contents(3).unwrap();
        let end = mixed.len().min(at + bytes.len());
        mixed[at..end].copy_from_slice(&bytes[..end - at]);
        if tail {
            mixed[at..].fill(0);
        }
        disk.set_contents(3, mixed);
        let _ = Store::open(&mut disk, LIMITS, time(2));
        disk.set_contents(3, bytes);
        let _ = Store::open(&mut disk, LIMITS, time(2));
    }
}
