//! Segments of the store's log. The input is a segment file as it lies on disk. Nearly every change
//! of one fails a checksum, so the input is opened twice: as it is, and with its checksums mended, as
//! if a program at fault had written it.

use jiff::Timestamp;
use store::{Limits, MemoryDisk, Store};

const SECTOR_BYTES: usize = 512;
/// First byte of a frame.
const HEAD: u8 = 0xa5;
/// How much of a frame's first sector is not payload.
const HEAD_BYTES: usize = 29;
/// Where the header of a segment has its checksum.
const HEADER_SUM_AT: usize = 28;

const LIMITS: Limits = Limits {
    window_bytes: 1 << 20,
    window_age_s: 300,
    segment_bytes: 4096,
    garbage_bytes: 4096,
    compact_bytes: 1024,
};

pub(crate) fn fuzz(data: &[u8]) {
    open(data.to_vec(), LIMITS);
    let mut mended = data.to_vec();
    mended.resize(data.len().next_multiple_of(SECTOR_BYTES), 0);
    mend(&mut mended);
    // With no room for a watch window: sealing what was deleted reads its JSON, and JSON that passes
    // its checksum is what the store was given.
    open(mended, Limits { window_bytes: 0, ..LIMITS });
}

/// What is refused was not touched; what opens, opens again with the same in it.
fn open(segment: Vec<u8>, limits: Limits) {
    let mut disk = MemoryDisk::new();
    disk.set_contents(1, segment);
    let before = disk.changes();
    match Store::open(&mut disk, limits, Timestamp::UNIX_EPOCH) {
        Ok(store) => {
            let again = Store::open(&mut disk, limits, Timestamp::UNIX_EPOCH);
            let again = again.unwrap_or_else(|error| panic!("opened once, and then: {error}"));
            assert_eq!(keys(&again), keys(&store));
            assert!(again.head() >= store.head(), "revisions went back");
        }
        Err(error) => {
            assert_eq!(disk.changes(), before, "refused and yet written to: {error}");
        }
    }
}

fn keys(store: &Store) -> Vec<String> {
    let objects = kinds::KINDS.iter().flat_map(|info| store.list(info.kind, None));
    objects.map(|object| format!("{:?} {}", object.key, object.meta.revision)).collect()
}

/// Makes every checksum right that stands where one should be.
fn mend(segment: &mut [u8]) {
    let Some(header) = segment.get_mut(..SECTOR_BYTES) else { return };
    let sum = crc32fast::hash(&header[..HEADER_SUM_AT]);
    header[HEADER_SUM_AT..HEADER_SUM_AT + 4].copy_from_slice(&sum.to_le_bytes());
    let mut at = SECTOR_BYTES;
    while segment.get(at) == Some(&HEAD) {
        let frame = &mut segment[at..];
        let length = u32::from_le_bytes([frame[1], frame[2], frame[3], frame[4]]) as usize;
        let payload = payload(frame, length);
        frame[5..9].copy_from_slice(&crc32fast::hash(&payload).to_le_bytes());
        let sum = crc32fast::hash(&frame[1..25]);
        frame[25..HEAD_BYTES].copy_from_slice(&sum.to_le_bytes());
        at += (HEAD_BYTES + payload.len() + payload.len() / (SECTOR_BYTES - 1))
            .next_multiple_of(SECTOR_BYTES);
    }
}

/// The bytes of a frame without its head and the marks of its sectors.
fn payload(frame: &[u8], length: usize) -> Vec<u8> {
    let sectors = frame.chunks(SECTOR_BYTES).enumerate();
    let bytes = sectors.flat_map(|(n, sector)| &sector[if n == 0 { HEAD_BYTES } else { 1 }..]);
    bytes.take(length).copied().collect()
}
