//! How layers are packed: gzip, zstd or not at all, told by their first bytes. What comes out is
//! bounded, for a few kilobytes can be made to unpack to terabytes.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use crate::{
    Error,
    limits::{LAYER_BYTES_MAX, RATIO_FREE_BYTES, RATIO_MAX},
};

const BUFFER_BYTES: usize = 128 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The first byte and the last three of a frame that decoders skip.
const ZSTD_SKIPPED: (u8, [u8; 3]) = (0x50, [0x2a, 0x4d, 0x18]);

/// The plain bytes of a layer.
pub(super) fn open<'r>(layer: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut layer = BufReader::with_capacity(BUFFER_BYTES, layer);
    let start = layer.fill_buf()?;
    Ok(if start.starts_with(&GZIP) {
        Box::new(MultiGzDecoder::new(layer))
    } else if start.starts_with(&ZSTD) || skipped(start) {
        Box::new(Frames { source: Some(layer), current: None })
    } else {
        Box::new(layer)
    })
}

fn skipped(start: &[u8]) -> bool {
    let (first, rest) = ZSTD_SKIPPED;
    start.len() >= 4 && start[0] & 0xf0 == first && start[1..4] == rest
}

/// Zstd frames one after the other: the decoder knows of single ones, tools write many.
struct Frames<R: BufRead> {
    source: Option<R>,
    current: Option<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(current) = &mut self.current {
                let count = current.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
                self.source = self.current.take().map(StreamingDecoder::into_inner);
            }
            let Some(mut source) = self.source.take() else { return Ok(0) };
            skip_frames(&mut source)?;
            if source.fill_buf()?.is_empty() {
                self.source = Some(source);
                return Ok(0);
            }
            self.current = Some(StreamingDecoder::new(source).map_err(io::Error::other)?);
        }
    }
}

fn skip_frames(source: &mut impl BufRead) -> io::Result<()> {
    while skipped(source.fill_buf()?) {
        let mut head = [0; 8];
        source.read_exact(&mut head)?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        io::copy(&mut source.by_ref().take(length.into()), &mut io::sink())?;
    }
    Ok(())
}

/// Fails once more comes out than a layer of that packed size may have.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R, packed_bytes: u64) -> Self {
        let by_ratio = packed_bytes.saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES);
        Self { inner, left: by_ratio.min(LAYER_BYTES_MAX) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)? as u64;
        match self.left.checked_sub(count) {
            Some(left) => self.left = left,
            None => {
                let error = Error::Limit {
                    what: "an unpacked layer (times its packed size)",
                    limit: RATIO_MAX,
                };
                return Err(io::Error::other(error));
            }
        }
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
}
