//! Frames on the socket: a length and that many bytes of JSON.

use crate::protocol::FRAME_BYTES_MAX;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// The length field at the start of a frame, bytes, little-endian.
const LENGTH_BYTES: usize = 4;

/// Room that a frame gets at first, bytes: most starts of a container fit.
const FRAME_BYTES_USUAL: usize = 4096;

/// Why the other side cannot be understood; the connection is of no use any more.
#[derive(Debug)]
pub enum FrameError {
    /// A frame announced more than [`FRAME_BYTES_MAX`] bytes.
    TooLong(usize),
    /// The frame's JSON is not the message expected.
    Json(serde_json::Error),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            FrameError::TooLong(len) => {
                write!(f, "a frame of {len} bytes is longer than {FRAME_BYTES_MAX}")
            }
            FrameError::Json(error) => write!(f, "a frame that is no message: {error}"),
        }
    }
}

impl std::error::Error for FrameError {}

/// A message as a frame.
///
/// # Errors
/// [`FrameError::TooLong`] if the other side would refuse it.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = Vec::with_capacity(FRAME_BYTES_USUAL);
    frame.resize(LENGTH_BYTES, 0);
    serde_json::to_writer(&mut frame, message).map_err(FrameError::Json)?;
    let len = frame.len() - LENGTH_BYTES;
    if len > FRAME_BYTES_MAX {
        return Err(FrameError::TooLong(len));
    }
    let header = u32::try_from(len).expect("bounded by FRAME_BYTES_MAX").to_le_bytes();
    frame[..LENGTH_BYTES].copy_from_slice(&header);
    Ok(frame)
}

/// Takes bytes as they come and gives back whole messages.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    used: usize,
}

impl Decoder {
    /// Add bytes that were received.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.used > 0 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one.
    ///
    /// # Errors
    /// The stream cannot be followed any further.
    #[expect(clippy::should_implement_trait, reason = "an iterator has one item type")]
    pub fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let rest = &self.bytes[self.used..];
        let Some((header, rest)) = rest.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let len = usize::try_from(u32::from_le_bytes(*header)).unwrap_or(usize::MAX);
        if len > FRAME_BYTES_MAX {
            return Err(FrameError::TooLong(len));
        }
        let Some(body) = rest.get(..len) else { return Ok(None) };
        let message = serde_json::from_slice(body).map_err(FrameError::Json)?;
        self.used += LENGTH_BYTES + len;
        if self.used == self.bytes.len() {
            *self = Decoder::default();
        }
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Request;

    #[test]
    fn messages_survive_any_cut() {
        let mut stream = encode(&Request::Stop).unwrap();
        stream.extend(encode(&Request::Hello { version: 7 }).unwrap());
        for cut in 0..=stream.len() {
            let mut decoder = Decoder::default();
            let mut seen = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                decoder.push(part);
                while let Some(request) = decoder.next::<Request>().unwrap() {
                    seen.push(format!("{request:?}"));
                }
            }
            assert_eq!(seen, ["Stop", "Hello { version: 7 }"], "cut at {cut}");
        }
    }

    #[test]
    fn an_endless_frame_and_noise_are_refused() {
        let mut decoder = Decoder::default();
        decoder.push(&u32::MAX.to_le_bytes());
        assert!(matches!(decoder.next::<Request>(), Err(FrameError::TooLong(_))));
        let mut decoder = Decoder::default();
        decoder.push(&[2, 0, 0, 0, b'{', b'{']);
        assert!(matches!(decoder.next::<Request>(), Err(FrameError::Json(_))));
    }
}
