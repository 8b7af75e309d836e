//! Reading, verifying and decoding whole segments. Large ones are scanned on threads, several
//! segments at a time: that is most of the work of opening.

use std::{
    num::NonZero,
    sync::mpsc::{self, Receiver},
    thread::{self, available_parallelism},
};

use crate::{
    Disk, Error,
    entry::Decoded,
    format::{
        Damage, FORMAT_VERSION, Found, Header, SECTOR_BYTES, read_frame, read_segment_header,
    },
};

/// Segments of less than this many bytes are not worth a thread.
const SCAN_THREAD_BYTES: u64 = 1 << 20;

/// At most so many threads scan; more would wait for memory.
const SCAN_THREADS_MAX: usize = 4;

/// A segment that was found to be in order.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) number: u64,
    pub(crate) state: ScanState,
}

/// How far a segment was written to.
#[derive(Debug)]
pub(crate) enum ScanState {
    /// It was created, and never written to.
    Unwritten,
    /// It has this size, and frames up to `used`; behind them lie so many bytes of a torn one.
    Written { bytes: u64, used: u64, torn: usize, frames: Vec<ScannedFrame> },
}

/// A frame that passed its checksum.
#[derive(Debug)]
pub(crate) struct ScannedFrame {
    pub(crate) offset: u64,
    pub(crate) sequence: u64,
    pub(crate) at_s: i64,
    /// Its entries, each with the bytes it takes.
    pub(crate) entries: Vec<(Decoded, u64)>,
}

/// Hands every segment to `each`, in order.
pub(crate) fn scan_all(
    disk: &mut (dyn Disk + '_),
    numbers: &[u64],
    segment_bytes: u64,
    mut each: impl FnMut(Scanned) -> Result<(), Error>,
) -> Result<(), Error> {
    if segment_bytes < SCAN_THREAD_BYTES || numbers.len() < 2 {
        let mut scanner = Scanner::default();
        return numbers.iter().try_for_each(|n| each(scanner.scan(disk, *n, numbers)?));
    }
    let lanes = available_parallelism().map_or(1, NonZero::get).min(SCAN_THREADS_MAX);
    let disk = &*disk;
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes)
            .map(|lane| {
                let (filled, segments) = mpsc::sync_channel(1);
                let mine = numbers.iter().skip(lane).step_by(lanes);
                scope.spawn(move || {
                    let mut scanner = Scanner::default();
                    // Nobody listens any more once a segment was refused.
                    mine.map(|n| scanner.scan(disk, *n, numbers)).all(|s| filled.send(s).is_ok())
                });
                segments
            })
            .collect();
        let in_turn = lanes.iter().cycle().take(numbers.len());
        in_turn.map(Receiver::recv).try_for_each(|segment| match segment {
            Ok(scanned) => each(scanned?),
            Err(_) => unreachable!("a scanner ends only after its last segment"),
        })
    })
}

/// Buffers that one scanning thread uses again and again.
#[derive(Default)]
struct Scanner {
    file: Vec<u8>,
    payload: Vec<u8>,
}

impl Scanner {
    /// Reads and verifies one segment of all those that exist.
    fn scan(&mut self, disk: &dyn Disk, number: u64, all: &[u64]) -> Result<Scanned, Error> {
        read_file(disk, number, &mut self.file)?;
        let state = self.verify(number, all.last() == Some(&number))?;
        Ok(Scanned { number, state })
    }

    fn verify(&mut self, number: u64, newest: bool) -> Result<ScanState, Error> {
        let corrupt =
            |d: Damage| Error::Corrupt { segment: number, offset: d.offset, what: d.what };
        let refuse = |offset, what: String| Err(corrupt(Damage { offset, what }));
        let length = self.file.len() as u64;
        match read_segment_header(number, &self.file).map_err(corrupt)? {
            Header::Newer { found } => Err(Error::Newer { found, supported: FORMAT_VERSION }),
            Header::Unwritten if newest && self.file.iter().all(|b| *b == 0) => {
                Ok(ScanState::Unwritten)
            }
            Header::Unwritten => refuse(0, "the header of the segment is missing".to_owned()),
            Header::Written { bytes } if bytes != length => {
                let what = format!("the file has {length} bytes and should have {bytes}");
                refuse(bytes.min(length), what)
            }
            Header::Written { bytes } => self.frames(bytes, newest).map_err(corrupt),
        }
    }

    fn frames(&mut self, bytes: u64, newest: bool) -> Result<ScanState, Damage> {
        let (mut frames, mut at) = (Vec::new(), SECTOR_BYTES);
        let torn = loop {
            let offset = at as u64;
            let found = read_frame(&self.file[at..], newest, &mut self.payload)
                .map_err(|d| Damage { offset: offset + d.offset, ..d })?;
            match found {
                Found::Frame { sequence, at_s, bytes } => {
                    let Some(entries) = Decoded::all(&self.payload) else {
                        let what = "a frame holds something that is not an entry".to_owned();
                        return Err(Damage { offset, what });
                    };
                    frames.push(ScannedFrame { offset, sequence, at_s, entries });
                    at += bytes;
                }
                Found::Torn { bytes } => break bytes,
                Found::End => break 0,
            }
        };
        Ok(ScanState::Written { bytes, used: at as u64, torn, frames })
    }
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
