//! Frames of SPDY/3.1, as far as streams of containers need them. Bytes come as they like; data goes
//! on piece by piece, so that a long frame needs no more room than a short one.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::headers::{Headers, Inflater, empty_block};

/// Bytes of a frame's head, and of a frame of control that is read whole beyond it.
const HEAD_BYTES: usize = 8;

/// Bytes of a control frame after its head.
const CONTROL_BYTES_MAX: usize = 32 * 1024;

/// The first two bytes of a control frame: the highest bit, and version 3.
const CONTROL: u16 = 0x8003;

/// The flag by which a stream ends in the direction of its frame.
const FLAG_FIN: u8 = 1;

/// Types of control frames.
const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;

/// Of a stream that is not wanted, why it is reset.
pub(super) const REFUSED_STREAM: u32 = 3;

/// Of one that is not needed any more.
pub(super) const CANCEL: u32 = 5;

/// Something that a client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A new stream.
    Open {
        /// Its number.
        stream: u32,
        /// Names in lower case, and values.
        headers: Headers,
        /// Whether nothing will come on it.
        ended: bool,
    },
    /// A part of what comes on a stream.
    Data {
        /// Its number.
        stream: u32,
        /// What comes; may be empty.
        bytes: Bytes,
        /// Whether nothing follows.
        ended: bool,
    },
    /// A stream is given up.
    Reset {
        /// Its number.
        stream: u32,
    },
    /// To be sent back as it is.
    Ping(u32),
    /// Nothing new will come.
    GoAway,
}

/// Takes bytes as they come and gives back what they say.
pub struct Decoder {
    bytes: BytesMut,
    headers: Inflater,
    /// The stream of a data frame that is under way, how much of it is to come, and whether the
    /// stream ends with it.
    data: Option<(u32, usize, bool)>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { bytes: BytesMut::new(), headers: Inflater::new(), data: None }
    }
}

impl Decoder {
    /// Where bytes that arrive are to be appended.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// What was said next, if it is there.
    ///
    /// # Errors
    /// What cannot be understood; the connection is of no use then.
    #[expect(clippy::should_implement_trait, reason = "an iterator does not fail")]
    pub fn next(&mut self) -> Result<Option<Frame>, &'static str> {
        loop {
            if let Some(data) = self.data.take() {
                return Ok(self.piece(data));
            }
            let Some((head, rest)) = self.bytes.split_first_chunk::<HEAD_BYTES>() else {
                return Ok(None);
            };
            let [a, b, c, d, flags, e, f, g] = *head;
            let length = usize::try_from(u32::from_be_bytes([0, e, f, g])).unwrap_or(usize::MAX);
            let first = u32::from_be_bytes([a, b, c, d]);
            if first >> 31 == 0 {
                self.bytes.advance(HEAD_BYTES);
                self.data = Some((first, length, flags & FLAG_FIN != 0));
                continue;
            }
            if u16::from_be_bytes([a, b]) != CONTROL {
                return Err("a frame is not of SPDY/3");
            }
            if length > CONTROL_BYTES_MAX {
                return Err("a control frame is too long");
            }
            if rest.len() < length {
                return Ok(None);
            }
            self.bytes.advance(HEAD_BYTES);
            let body = self.bytes.split_to(length);
            if let Some(frame) = self.control(u16::from_be_bytes([c, d]), flags, &body)? {
                return Ok(Some(frame));
            }
        }
    }

    /// As much of a data frame as is there.
    fn piece(&mut self, (stream, left, ends): (u32, usize, bool)) -> Option<Frame> {
        let here = left.min(self.bytes.len());
        if here < left {
            self.data = Some((stream, left - here, ends));
            if here == 0 {
                return None;
            }
        }
        let bytes = self.bytes.split_to(here).freeze();
        Some(Frame::Data { stream, bytes, ended: ends && here == left })
    }

    /// Frames that say nothing of interest are passed over: settings, windows, more headers.
    fn control(&mut self, of: u16, flags: u8, body: &[u8]) -> Result<Option<Frame>, &'static str> {
        let number = |at: usize| {
            let bytes = body.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_be_bytes).ok_or("a control frame is too short")
        };
        Ok(match of {
            SYN_STREAM => {
                let stream = number(0)? & 0x7fff_ffff;
                let block = body.get(10..).ok_or("a control frame is too short")?;
                let headers = self.headers.read(block)?;
                Some(Frame::Open { stream, headers, ended: flags & FLAG_FIN != 0 })
            }
            RST_STREAM => Some(Frame::Reset { stream: number(0)? & 0x7fff_ffff }),
            PING => Some(Frame::Ping(number(0)?)),
            GOAWAY => Some(Frame::GoAway),
            _ => None,
        })
    }
}

/// The head of a data frame.
pub(super) fn data(stream: u32, length: usize, ended: bool) -> [u8; HEAD_BYTES] {
    let [a, b, c, d] = stream.to_be_bytes();
    let [_, e, f, g] = u32::try_from(length).expect("pieces are short").to_be_bytes();
    [a, b, c, d, u8::from(ended), e, f, g]
}

/// The answer to a new stream: it is accepted.
pub(super) fn reply(stream: u32, first: bool) -> Vec<u8> {
    control(SYN_REPLY, &[&stream.to_be_bytes()[..], &empty_block(first)].concat())
}

/// A stream is given up.
pub(super) fn reset(stream: u32, why: u32) -> Vec<u8> {
    control(RST_STREAM, &[stream.to_be_bytes(), why.to_be_bytes()].concat())
}

/// A ping comes back.
pub(super) fn ping(id: u32) -> Vec<u8> {
    control(PING, &id.to_be_bytes())
}

/// Nothing new is taken after this stream.
pub(super) fn go_away(last: u32) -> Vec<u8> {
    control(GOAWAY, &[last.to_be_bytes(), [0; 4]].concat())
}

fn control(of: u16, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEAD_BYTES + body.len());
    frame.put_u16(CONTROL);
    frame.put_u16(of);
    // No flags, and the length in three bytes.
    frame.put_u32(u32::try_from(body.len()).expect("control frames are short"));
    frame.extend_from_slice(body);
    frame
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::{super::headers::tests::block, *};

    /// A new stream as a client opens it.
    pub(crate) fn open(stream: u32, first: bool, headers: &[(&str, &str)]) -> Vec<u8> {
        let head = [&stream.to_be_bytes()[..], &[0; 6]].concat();
        control(SYN_STREAM, &[head, block(first, headers)].concat())
    }

    /// Everything that is said, pieces of data put together.
    fn read(parts: &[&[u8]]) -> Result<Vec<Frame>, &'static str> {
        let mut decoder = Decoder::default();
        let mut frames: Vec<Frame> = Vec::new();
        for part in parts {
            decoder.buffer().extend_from_slice(part);
            while let Some(frame) = decoder.next()? {
                if let Frame::Data { stream, bytes, ended } = &frame
                    && let Some(Frame::Data { stream: of, bytes: before, ended: before_ended }) =
                        frames.last_mut()
                    && of == stream
                    && !*before_ended
                {
                    *before = [&before[..], bytes].concat().into();
                    *before_ended = *ended;
                    continue;
                }
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    #[test]
    fn frames_are_read_however_they_are_cut() {
        let settings = control(4, &[0, 0, 0, 0]);
        let all = [
            open(1, true, &[("streamType", "stdin")]),
            settings,
            [&data(1, 5, false)[..], b"hello"].concat(),
            ping(7),
            data(1, 0, true).to_vec(),
            open(3, false, &[]),
            reset(3, CANCEL),
            go_away(0),
        ]
        .concat();
        let whole = read(&[&all]).unwrap();
        let headers = vec![("streamtype".to_owned(), "stdin".to_owned())];
        let bytes = Bytes::from_static(b"hello");
        let expected = [
            Frame::Open { stream: 1, headers, ended: false },
            Frame::Data { stream: 1, bytes, ended: false },
            Frame::Ping(7),
            Frame::Data { stream: 1, bytes: Bytes::new(), ended: true },
            Frame::Open { stream: 3, headers: Vec::new(), ended: false },
            Frame::Reset { stream: 3 },
            Frame::GoAway,
        ];
        assert_eq!(whole, expected);
        for cut in 0..all.len() {
            assert_eq!(read(&[&all[..cut], &all[cut..]]).unwrap(), expected, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for (why, bytes) in [
            ("not of SPDY/3", vec![0x80, 2, 0, 1, 0, 0, 0, 0]),
            ("too long", vec![0x80, 3, 0, 1, 0, 1, 0, 0]),
            ("too short", control(SYN_STREAM, &[0; 9])),
            ("too short", control(PING, &[0; 3])),
        ] {
            let error = read(&[&bytes]).unwrap_err();
            assert!(error.contains(why), "{error}, not {why}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_makes_it_fall(bytes: Vec<u8>) {
            let _ = read(&[&bytes]);
        }
    }
}
