//! Reading and verifying whole segments. Large ones are read on a second thread while the one
//! before is replayed: that is a third of the work of opening.

use std::{ops::Range, sync::mpsc, thread};

use crate::{
    Disk, Error,
    format::{
        Damage, FORMAT_VERSION, Found, Header, SECTOR_BYTES, read_frame, read_segment_header,
    },
};

/// Segments of less than this many bytes are not worth a second thread.
const SCAN_AHEAD_BYTES: u64 = 1 << 20;

/// A segment that was found to be in order.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    pub(crate) number: u64,
    pub(crate) state: ScanState,
    /// The payloads of all frames.
    pub(crate) payloads: Vec<u8>,
    pub(crate) frames: Vec<ScannedFrame>,
}

/// How far a segment was written to.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum ScanState {
    /// It was created, and never written to.
    #[default]
    Unwritten,
    /// It has this size, and frames up to `used`; behind them lie so many bytes of a torn one.
    Written { bytes: u64, used: u64, torn: usize },
}

/// A frame that passed its checksum.
#[derive(Debug, PartialEq)]
pub(crate) struct ScannedFrame {
    pub(crate) offset: u64,
    pub(crate) sequence: u64,
    pub(crate) at_s: i64,
    /// Where in `payloads` its payload is.
    pub(crate) payload: Range<usize>,
}

/// Hands every segment to `each`, in order.
pub(crate) fn scan_all(
    disk: &mut dyn Disk,
    numbers: &[u64],
    segment_bytes: u64,
    mut each: impl FnMut(&Scanned) -> Result<(), Error>,
) -> Result<(), Error> {
    if segment_bytes >= SCAN_AHEAD_BYTES && numbers.len() > 1 {
        return scan_ahead(disk, numbers, each);
    }
    let (mut file, mut scanned) = (Vec::new(), Scanned::default());
    for number in numbers {
        scan(disk, *number, numbers.last() == Some(number), &mut file, &mut scanned)?;
        each(&scanned)?;
    }
    Ok(())
}

/// The same, with the next segment being read and verified on a second thread.
fn scan_ahead(
    disk: &mut dyn Disk,
    numbers: &[u64],
    mut each: impl FnMut(&Scanned) -> Result<(), Error>,
) -> Result<(), Error> {
    let (filled, segments) = mpsc::sync_channel(1);
    let (emptied, buffers) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut file = Vec::new();
            for number in numbers {
                let mut scanned: Scanned = buffers.try_recv().unwrap_or_default();
                let newest = numbers.last() == Some(number);
                let result = scan(disk, *number, newest, &mut file, &mut scanned);
                if filled.send(result.map(|()| scanned)).is_err() {
                    return;
                }
            }
        });
        for scanned in segments {
            let scanned = scanned?;
            each(&scanned)?;
            // At the end of the log nobody takes it any more.
            let _ = emptied.send(scanned);
        }
        Ok(())
    })
}

/// Reads and verifies one segment.
fn scan(
    disk: &dyn Disk,
    number: u64,
    newest: bool,
    file: &mut Vec<u8>,
    into: &mut Scanned,
) -> Result<(), Error> {
    read_file(disk, number, file)?;
    verify(number, file, newest, into)
}

fn read_file(disk: &dyn Disk, segment: u64, into: &mut Vec<u8>) -> Result<(), Error> {
    const STEP_BYTES: usize = 1 << 20;
    let mut length = 0;
    loop {
        into.resize(into.len().max(length + STEP_BYTES), 0);
        match disk.read(segment, length as u64, &mut into[length..])? {
            0 => break,
            read => length += read,
        }
    }
    into.truncate(length);
    Ok(())
}

/// Verifies a segment, given all its bytes.
fn verify(number: u64, file: &[u8], newest: bool, into: &mut Scanned) -> Result<(), Error> {
    let corrupt = |d: Damage| Error::Corrupt { segment: number, offset: d.offset, what: d.what };
    into.number = number;
    into.payloads.clear();
    into.frames.clear();
    let bytes = match read_segment_header(number, file).map_err(corrupt)? {
        Header::Newer { found } => {
            return Err(Error::Newer { found, supported: FORMAT_VERSION });
        }
        Header::Written { bytes } => bytes,
        Header::Unwritten if newest && file.iter().all(|b| *b == 0) => {
            into.state = ScanState::Unwritten;
            return Ok(());
        }
        Header::Unwritten => {
            let what = "the header of the segment is missing".to_owned();
            return Err(corrupt(Damage { offset: 0, what }));
        }
    };
    if file.len() as u64 != bytes {
        let what = format!("the file has {} bytes and should have {bytes}", file.len());
        return Err(corrupt(Damage { offset: bytes.min(file.len() as u64), what }));
    }
    let (used, torn) = scan_frames(file, newest, into).map_err(corrupt)?;
    into.state = ScanState::Written { bytes, used: used as u64, torn };
    Ok(())
}

fn scan_frames(file: &[u8], newest: bool, into: &mut Scanned) -> Result<(usize, usize), Damage> {
    let mut offset = SECTOR_BYTES;
    loop {
        let start = into.payloads.len();
        let found = read_frame(&file[offset..], newest, &mut into.payloads)
            .map_err(|d| Damage { offset: offset as u64 + d.offset, ..d })?;
        match found {
            Found::Frame { sequence, at_s, bytes } => {
                let payload = start..into.payloads.len();
                let frame = ScannedFrame { offset: offset as u64, sequence, at_s, payload };
                into.frames.push(frame);
                offset += bytes;
            }
            Found::Torn { bytes } => return Ok((offset, bytes)),
            Found::End => return Ok((offset, 0)),
        }
    }
}
