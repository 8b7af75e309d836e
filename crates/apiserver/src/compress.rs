//! Compression of an answer on its way out, piece by piece: no large answer is held a second time,
//! and none keeps the thread for longer than a piece takes.

use std::io::Write as _;

use bytes::{Buf as _, Bytes};
use flate2::{Compression, write::GzEncoder};

use crate::{body::Chunk, limits::COMPRESSED_PIECE_BYTES};

/// The compressed form of some pieces, in pieces.
pub(crate) struct Compressed<I> {
    pieces: I,
    current: Chunk,
    /// Gone once everything is compressed.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl<I: Iterator<Item = Chunk>> Compressed<I> {
    pub(crate) fn new(pieces: I) -> Self {
        let encoder = GzEncoder::new(Vec::new(), Compression::fast());
        Self { pieces, current: Chunk::default(), encoder: Some(encoder) }
    }
}

impl<I: Iterator<Item = Chunk>> Iterator for Compressed<I> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let mut encoder = self.encoder.take()?;
        while encoder.get_ref().len() < COMPRESSED_PIECE_BYTES {
            if !self.current.has_remaining() {
                let Some(next) = self.pieces.next() else {
                    let rest = encoder.finish().expect("memory takes everything");
                    return Some(Bytes::from(rest).into());
                };
                self.current = next;
            }
            let piece = self.current.chunk();
            let piece = &piece[..piece.len().min(COMPRESSED_PIECE_BYTES)];
            encoder.write_all(piece).expect("memory takes everything");
            let taken = piece.len();
            self.current.advance(taken);
        }
        let made = std::mem::take(encoder.get_mut());
        self.encoder = Some(encoder);
        Some(Bytes::from(made).into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
        #[test]
        fn what_goes_in_comes_out(pieces in prop::collection::vec((0..100_000usize, any::<u8>()), 0..4)) {
            let mut random = fastrand::Rng::with_seed(1);
            let pieces: Vec<Bytes> = pieces
                .into_iter()
                .map(|(bytes, spread)| {
                    (0..bytes).map(|_| random.u8(..=spread)).collect::<Vec<u8>>().into()
                })
                .collect();
            let mut sent = Vec::new();
            for chunk in Compressed::new(pieces.iter().cloned().map(Chunk::from)) {
                sent.extend_from_slice(chunk.chunk());
            }
            let mut got = Vec::new();
            flate2::read::GzDecoder::new(&*sent).read_to_end(&mut got).unwrap();
            prop_assert!(got == pieces.concat());
        }
    }
}
