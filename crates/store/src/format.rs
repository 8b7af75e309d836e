//! The byte layout of a segment: how frames are laid over sectors, and how a bad frame is judged.
//!
//! Every sector that was ever written starts with a mark that is not zero. So a sector that is all
//! zero was never written, and a frame with such a hole is a write that a crash tore, while a frame
//! that is complete and fails its checksum was damaged later.

/// The format written and the newest one read. Raise it when any byte below, the entries or
/// `kinds::Meta` change.
pub const FORMAT_VERSION: u32 = 1;

/// What a disk writes whole or not at all, in bytes.
pub(crate) const SECTOR_BYTES: usize = 512;
const SECTOR: u64 = SECTOR_BYTES as u64;
const ZEROS: [u8; SECTOR_BYTES] = [0; SECTOR_BYTES];

/// The largest number of a frame, a segment or a revision. What counts up from it stays in range for
/// longer than any machine lasts; a larger one in a file was never written by a store.
pub(crate) const COUNT_MAX: u64 = 1 << 62;

const MAGIC: &[u8; 8] = b"coracle\n";
/// First byte of the first sector of a frame; differs in more than one bit from 0 and from `BODY`.
const HEAD: u8 = 0xa5;
/// First byte of every other sector of a frame.
const BODY: u8 = 0x5a;
/// Mark, payload length, payload checksum, sequence, time, checksum of these.
const HEAD_BYTES: usize = 1 + 4 + 4 + 8 + 8 + 4;
const HEAD_ROOM: usize = SECTOR_BYTES - HEAD_BYTES;
const BODY_ROOM: usize = SECTOR_BYTES - 1;

/// Something is wrong with bytes that were durable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Offset in the bytes looked at.
    pub(crate) offset: u64,
    pub(crate) what: String,
}

fn damage<T>(offset: usize, what: impl Into<String>) -> Result<T, Damage> {
    Err(Damage { offset: offset as u64, what: what.into() })
}

/// What stands in the first sector of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Created, but never written to.
    Unwritten,
    /// In use, with its size in bytes as declared at creation.
    Written {
        /// The whole size of the file.
        bytes: u64,
    },
    /// Of a format that this code does not know.
    Newer {
        /// Its version.
        found: u32,
    },
}

/// The first sector of a segment: magic, version, number, size, checksum, zeros.
pub(crate) fn segment_header(segment: u64, bytes: u64) -> Vec<u8> {
    let mut sector = Vec::with_capacity(SECTOR_BYTES);
    sector.extend_from_slice(MAGIC);
    sector.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    sector.extend_from_slice(&segment.to_le_bytes());
    sector.extend_from_slice(&bytes.to_le_bytes());
    sector.extend_from_slice(&crc32fast::hash(&sector).to_le_bytes());
    sector.resize(SECTOR_BYTES, 0);
    sector
}

/// Reads the first sector. Its layout up to the checksum is the same in every version.
pub(crate) fn read_segment_header(segment: u64, file: &[u8]) -> Result<Header, Damage> {
    let Some(sector) = file.first_chunk::<SECTOR_BYTES>() else {
        return damage(file.len(), "the file ends inside its header");
    };
    if sector == &ZEROS {
        return Ok(Header::Unwritten);
    }
    let (fields, rest) = sector.split_at(28);
    if &fields[..8] != MAGIC || u32_at(rest, 0) != crc32fast::hash(fields) {
        return damage(0, "the header of the segment fails its checksum");
    }
    let version = u32_at(fields, 8);
    if version > FORMAT_VERSION {
        return Ok(Header::Newer { found: version });
    }
    if rest[4..].iter().any(|b| *b != 0) {
        return damage(0, "the header of the segment is followed by bytes that nobody wrote");
    }
    if u64_at(fields, 12) != segment {
        let found = u64_at(fields, 12);
        return damage(0, format!("this is segment {found} under another name"));
    }
    Ok(Header::Written { bytes: u64_at(fields, 20) })
}

/// How many bytes a frame with this much payload takes: whole sectors.
pub(crate) fn frame_bytes(payload: usize) -> u64 {
    let body = payload.saturating_sub(HEAD_ROOM);
    (1 + body.div_ceil(BODY_ROOM)) as u64 * SECTOR
}

/// Lays a payload over sectors.
pub(crate) fn frame(sequence: u64, at_s: i64, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a transaction is smaller than 4 GiB");
    let mut out = Vec::with_capacity(usize::try_from(frame_bytes(payload.len())).unwrap_or(0));
    out.push(HEAD);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(&at_s.to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&out[1..]).to_le_bytes());
    let (first, rest) = payload.split_at(payload.len().min(HEAD_ROOM));
    out.extend_from_slice(first);
    for chunk in rest.chunks(BODY_ROOM) {
        out.push(BODY);
        out.extend_from_slice(chunk);
    }
    out.resize(out.len().next_multiple_of(SECTOR_BYTES), 0);
    out
}

/// What was found where a frame may begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A whole frame; its payload is in the buffer given.
    Frame {
        /// Counts the frames of the log; without gaps.
        sequence: u64,
        /// When it was written, seconds since the epoch.
        at_s: i64,
        /// Its size with padding.
        bytes: usize,
    },
    /// The last write was torn by a crash, so nobody was told of it.
    Torn {
        /// Up to here something of it was written.
        bytes: usize,
    },
    /// Nothing was written from here on.
    End,
}

/// Reads the frame at the start of `area`, which reaches to the end of the segment. Only the newest
/// segment may end in a torn write: each write is synced before a later one begins.
pub(crate) fn read_frame(
    area: &[u8],
    newest: bool,
    payload: &mut Vec<u8>,
) -> Result<Found, Damage> {
    payload.clear();
    match area.first() {
        None => Ok(Found::End),
        Some(0) => read_hole(area, newest),
        Some(&HEAD) => read_whole(area, newest, payload),
        Some(_) => damage(0, "a frame should begin here"),
    }
}

/// Judges an area whose first sector should be all zero.
fn read_hole(area: &[u8], newest: bool) -> Result<Found, Damage> {
    let mut written = 0;
    for (index, sector) in area.chunks(SECTOR_BYTES).enumerate() {
        let offset = index * SECTOR_BYTES;
        match sector[0] {
            0 if sector == &ZEROS[..sector.len()] => {}
            BODY if index > 0 => written = offset + SECTOR_BYTES,
            HEAD if index > 0 => return damage(0, "a frame is missing: later ones are there"),
            _ => return damage(offset, "bytes that nobody wrote"),
        }
    }
    match written {
        0 => Ok(Found::End),
        bytes if newest => Ok(Found::Torn { bytes }),
        _ => damage(0, "the first sector of a frame is missing"),
    }
}

fn read_whole(area: &[u8], newest: bool, payload: &mut Vec<u8>) -> Result<Found, Damage> {
    let head = &area[..HEAD_BYTES.min(area.len())];
    if head.len() < HEAD_BYTES || u32_at(head, 25) != crc32fast::hash(&head[1..25]) {
        return damage(0, "the header of a frame fails its checksum");
    }
    let length = u32_at(head, 1) as usize;
    let bytes = usize::try_from(frame_bytes(length)).unwrap_or(usize::MAX);
    let Some(frame) = area.get(..bytes) else {
        return damage(0, format!("a frame of {bytes} bytes does not fit its segment"));
    };
    let mut hole = false;
    payload.reserve(bytes);
    for (index, sector) in frame.chunks(SECTOR_BYTES).enumerate() {
        let skip = match (index, sector[0]) {
            (0, _) => HEAD_BYTES,
            (_, BODY) => 1,
            (_, 0) if sector == ZEROS => {
                hole = true;
                continue;
            }
            _ => return damage(index * SECTOR_BYTES, "a sector of a frame lost its mark"),
        };
        payload.extend_from_slice(&sector[skip..]);
    }
    if hole {
        return match newest && area[bytes..].iter().all(|b| *b == 0) {
            true => Ok(Found::Torn { bytes }),
            false => damage(0, "a sector of a frame is missing"),
        };
    }
    let (content, padding) = payload.split_at(length);
    if crc32fast::hash(content) != u32_at(head, 5) || padding.iter().any(|b| *b != 0) {
        return damage(0, "a frame fails its checksum");
    }
    payload.truncate(length);
    let sequence = u64_at(head, 9);
    if sequence > COUNT_MAX {
        return damage(0, format!("no log has {sequence} frames"));
    }
    Ok(Found::Frame { sequence, at_s: u64_at(head, 17).cast_signed(), bytes })
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let field = bytes[at..].first_chunk().expect("the caller has checked the length");
    u32::from_le_bytes(*field)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes[at..].first_chunk().expect("the caller has checked the length");
    u64::from_le_bytes(*field)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;

    fn read(area: &[u8], newest: bool) -> (Result<Found, Damage>, Vec<u8>) {
        let mut payload = Vec::new();
        (read_frame(area, newest, &mut payload), payload)
    }

    /// The bytes without the zeros at their end, 32 to a line.
    fn hex(bytes: &[u8]) -> String {
        let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        let lines = bytes[..end].chunks(32);
        let lines = lines.map(|l| l.iter().map(|b| format!("{b:02x}")).collect::<String>());
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_layout_stays_what_it_is() {
        expect!["636f7261636c650a01000000070000000000000000000001000000008585a267"]
            .assert_eq(&hex(&segment_header(7, 1 << 24)));
        expect![[r#"
            a507000000156a2c42030000000000000000f1536500000000d734c0b7706179
            6c6f6164"#]]
        .assert_eq(&hex(&frame(3, 1_700_000_000, b"payload")));
    }

    #[test]
    fn a_frame_whose_number_cannot_be_counted_on_from_is_damage() {
        for (sequence, whole) in [(COUNT_MAX, true), (COUNT_MAX + 1, false), (u64::MAX, false)] {
            let (found, _) = read(&frame(sequence, 0, b"payload"), true);
            assert_eq!(found.is_ok(), whole, "{sequence}: {found:?}");
        }
    }

    #[test]
    fn payloads_of_every_length_come_back() {
        for length in 1..=HEAD_ROOM + 2 * BODY_ROOM + 1 {
            let payload: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let mut area = frame(5, 9, &payload);
            assert_eq!(area.len() as u64, frame_bytes(length));
            assert!(area.chunks(SECTOR_BYTES).all(|sector| sector != ZEROS));
            let bytes = area.len();
            area.resize(bytes + 1024, 0);
            assert_eq!(
                read(&area, false),
                (Ok(Found::Frame { sequence: 5, at_s: 9, bytes }), payload)
            );
        }
    }

    /// A payload of zeros is the hard case: only the marks tell its sectors from a hole.
    #[test]
    fn of_a_torn_frame_any_sectors_may_be_missing() {
        let whole = frame(1, 0, &[0; HEAD_ROOM + 3 * BODY_ROOM]);
        assert_eq!(whole.len(), 4 * SECTOR_BYTES);
        for kept in 0..16_usize {
            let mut area = vec![0; 6 * SECTOR_BYTES];
            for sector in (0..4).filter(|s| kept & (1 << s) != 0) {
                let range = sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES;
                area[range.clone()].copy_from_slice(&whole[range]);
            }
            match (kept, read(&area, true).0) {
                (15, Ok(Found::Frame { .. })) | (0, Ok(Found::End)) => {}
                (1..15, Ok(Found::Torn { bytes })) => {
                    assert!(area[bytes..].iter().all(|b| *b == 0), "{kept:04b}");
                    assert!(read(&area, false).0.is_err(), "only the last write can be torn");
                }
                (_, found) => panic!("{kept:04b}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_hole_with_a_later_frame_behind_it_is_damage() {
        let [first, second] = [1, 2].map(|n| frame(n, 0, &[1; 1200]));
        for sector in 0..first.len() / SECTOR_BYTES {
            let mut area = [&first[..], &second, &[0; 1024]].concat();
            area[sector * SECTOR_BYTES..][..SECTOR_BYTES].fill(0);
            let damage = read(&area, true).0.unwrap_err();
            assert_eq!(damage.offset, 0, "sector {sector}: {}", damage.what);
        }
    }

    proptest! {
        #[test]
        fn random_sectors_never_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..2000),
            mark in prop_oneof![Just(HEAD), Just(BODY), Just(0)],
            newest in any::<bool>(),
        ) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() {
                *first = mark;
            }
            let _ = read(&bytes, newest);
            let _ = read_segment_header(1, &bytes);
        }
    }
}
