//! The writing end of the log: which transaction goes into which segment, decided as it is
//! committed, so that everything that lives knows its place at once.

use std::{collections::VecDeque, sync::Arc};

use kinds::Key;

use crate::{
    Limits,
    batch::Step,
    format::{SECTOR_BYTES, frame, frame_bytes, segment_header},
    limits::ZERO_AHEAD_BYTES,
};

/// Something whose latest entry may lie in a segment.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Object(Key),
    Record(Arc<str>),
}

/// One segment file and what was written into it.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    /// Size of the file.
    pub(crate) bytes: u64,
    /// Where the next frame goes.
    pub(crate) used: u64,
    /// Up to here zeros or frames were written since opening.
    pub(crate) written: u64,
    /// Bytes of all entries, queued ones too.
    pub(crate) entry_bytes: u64,
    /// What the entries are of, in their order.
    pub(crate) items: VecDeque<Item>,
}

impl Segment {
    pub(crate) fn new(number: u64, bytes: u64) -> Self {
        let used = SECTOR_BYTES as u64;
        Self { number, bytes, used, written: used, entry_bytes: 0, items: VecDeque::new() }
    }

    /// Lays a frame at the end. A frame that reaches past what was written takes zeros with it:
    /// the sync after it then maps their blocks too, and those of the next frames need only carry
    /// data. A frame that is large itself would gain nothing.
    fn append(&mut self, mut frame: Vec<u8>) -> Step {
        let offset = self.used;
        self.used += frame.len() as u64;
        if self.used > self.written {
            self.written = self.used;
            if (frame.len() as u64) < ZERO_AHEAD_BYTES {
                self.written = (self.used + ZERO_AHEAD_BYTES).min(self.bytes);
                let zeros = usize::try_from(self.written - self.used).unwrap_or(0);
                frame.resize(frame.len() + zeros, 0);
            }
        }
        Step::Write { segment: self.number, offset, bytes: frame }
    }
}

/// Transactions that will make one frame of one segment.
#[derive(Debug)]
struct Piece {
    segment: u64,
    create: bool,
    at_s: i64,
    payload: Vec<u8>,
}

/// Segments, oldest first, and what is queued for the newest ones.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) segments: VecDeque<Segment>,
    pieces: Vec<Piece>,
    /// Number of the last frame.
    pub(crate) sequence: u64,
    /// Bytes of all entries of all segments.
    pub(crate) entry_bytes: u64,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { segments: VecDeque::new(), pieces: Vec::new(), sequence: 0, entry_bytes: 0 }
    }

    /// Bytes that are queued.
    pub(crate) fn queued_bytes(&self) -> u64 {
        self.pieces.iter().map(|p| p.payload.len() as u64).sum()
    }

    /// Whether nothing is queued.
    pub(crate) fn is_idle(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The number of the first segment that is still written to.
    pub(crate) fn first_open(&self) -> Option<u64> {
        let queued = self.pieces.first().map(|p| p.segment);
        queued.or_else(|| self.segments.back().map(|s| s.number))
    }

    /// Queues a transaction; returns the segment it will lie in.
    pub(crate) fn place(
        &mut self,
        transaction: &[u8],
        items: impl Iterator<Item = Item>,
        at_s: i64,
        limits: &Limits,
    ) -> u64 {
        let number = self.segment_for(transaction.len(), at_s, limits);
        let piece = self.pieces.last_mut().expect("segment_for leaves a piece");
        piece.payload.extend_from_slice(transaction);
        piece.at_s = at_s;
        let segment = self.segments.back_mut().expect("segment_for leaves a segment");
        segment.items.extend(items);
        segment.entry_bytes += transaction.len() as u64;
        self.entry_bytes += transaction.len() as u64;
        number
    }

    /// Sees to it that the last piece has room for a transaction.
    fn segment_for(&mut self, transaction: usize, at_s: i64, limits: &Limits) -> u64 {
        let newest = self.segments.back().map_or(0, |s| s.number);
        let queued = self.pieces.last().filter(|p| p.segment == newest);
        let needed = frame_bytes(queued.map_or(0, |p| p.payload.len()) + transaction);
        let fits = self.segments.back().is_some_and(|s| s.used + needed <= s.bytes);
        if fits && queued.is_some() {
            return newest;
        }
        let segment = if fits { newest } else { newest + 1 };
        if !fits {
            let bytes = SECTOR_BYTES as u64 + frame_bytes(transaction);
            let bytes = bytes.max(limits.segment_bytes).next_multiple_of(SECTOR_BYTES as u64);
            self.segments.push_back(Segment::new(segment, bytes));
        }
        self.pieces.push(Piece { segment, create: !fits, at_s, payload: Vec::new() });
        segment
    }

    /// Turns what is queued into work for the disk: each piece is one write and one sync, and is
    /// durable before a later segment appears.
    pub(crate) fn take(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        for piece in std::mem::take(&mut self.pieces) {
            let Piece { segment, create, at_s, payload } = piece;
            let at = self.segments.iter_mut().rev().find(|s| s.number == segment);
            let at = at.expect("only segments that are no longer written to are retired");
            if create {
                let (bytes, header) = (at.bytes, segment_header(segment, at.bytes));
                steps.push(Step::Create { segment, bytes });
                steps.push(Step::Write { segment, offset: 0, bytes: header });
                steps.push(Step::Sync { segment });
            }
            self.sequence += 1;
            steps.push(at.append(frame(self.sequence, at_s, &payload)));
            steps.push(Step::Sync { segment });
        }
        steps
    }
}
