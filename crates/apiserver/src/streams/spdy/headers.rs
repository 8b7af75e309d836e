//! Header blocks: a compressed stream of their own per direction, which lasts as long as the
//! connection.

use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_HAS_MORE_INPUT},
};

use super::dictionary::{ID, dictionary};

/// Bytes of a header block, inflated.
const BLOCK_BYTES_MAX: usize = 64 * 1024;

/// Headers of a stream.
const HEADERS_MAX: u32 = 64;

/// How far back a compressed stream may refer, bytes.
const WINDOW_BYTES: usize = 32 * 1024;

/// The head of a compressed stream with a dictionary: two bytes, and the dictionary's checksum.
const HEAD_BYTES: usize = 6;

/// The bit in its second byte that says so.
const HAS_DICTIONARY: u8 = 0x20;

/// Names, in lower case, and values.
pub(crate) type Headers = Vec<(String, String)>;

/// The compressed stream of header blocks that a client sends.
pub(super) struct Inflater {
    state: Box<DecompressorOxide>,
    window: Box<[u8]>,
    at: usize,
    /// What has come of its head.
    head: Vec<u8>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        let mut window = vec![0; WINDOW_BYTES].into_boxed_slice();
        let dictionary = dictionary();
        let at = dictionary.len();
        window[..at].copy_from_slice(&dictionary);
        Self { state: Box::default(), window, at, head: Vec::new() }
    }

    /// Reads the next block.
    ///
    /// # Errors
    /// What is wrong with it; nothing that follows can be read then.
    pub(super) fn read(&mut self, block: &[u8]) -> Result<Headers, &'static str> {
        parse(&self.inflate(block)?)
    }

    fn inflate(&mut self, mut block: &[u8]) -> Result<Vec<u8>, &'static str> {
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(block.len());
        if missing > 0 {
            self.head.extend_from_slice(&block[..missing]);
            block = &block[missing..];
            let known = self.head.len() < HEAD_BYTES
                || self.head[1] & HAS_DICTIONARY != 0 && self.head[2..] == ID.to_be_bytes();
            if !known {
                return Err("a header block does not begin with the dictionary of SPDY/3");
            }
        }
        let mut text = Vec::new();
        loop {
            let flags = TINFL_FLAG_HAS_MORE_INPUT;
            let (status, read, written) =
                decompress(&mut self.state, block, &mut self.window, self.at, flags);
            text.extend_from_slice(&self.window[self.at..self.at + written]);
            self.at = (self.at + written) % WINDOW_BYTES;
            block = &block[read..];
            if text.len() > BLOCK_BYTES_MAX {
                return Err("a header block is too long");
            }
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput if block.is_empty() => return Ok(text),
                _ => return Err("a header block cannot be inflated"),
            }
        }
    }
}

/// A count, then names and values, each after its length.
fn parse(block: &[u8]) -> Result<Headers, &'static str> {
    let mut rest = block;
    let count = number(&mut rest)?;
    if count > HEADERS_MAX {
        return Err("a stream has too many headers");
    }
    let mut headers = Headers::new();
    for _ in 0..count {
        let name = text(&mut rest)?.to_ascii_lowercase();
        headers.push((name, text(&mut rest)?));
    }
    Ok(headers)
}

fn number(rest: &mut &[u8]) -> Result<u32, &'static str> {
    let (number, after) = rest.split_first_chunk().ok_or("a header block breaks off")?;
    *rest = after;
    Ok(u32::from_be_bytes(*number))
}

fn text(rest: &mut &[u8]) -> Result<String, &'static str> {
    let length = usize::try_from(number(rest)?).unwrap_or(usize::MAX);
    let (text, after) = rest.split_at_checked(length).ok_or("a header block breaks off")?;
    *rest = after;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// The first block without headers that we send, and those that follow: as they are, since there is
/// nothing to compress.
pub(super) fn empty_block(first: bool) -> Vec<u8> {
    let head: &[u8] = if first { &[0x78, 0x01] } else { &[] };
    // A stored block of four bytes, the count of headers; and an empty one, without which clients in Go
    // wait for more. Neither is the last.
    [head, &[0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0], &[0, 0, 0, 0xff, 0xff]].concat()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A block as a client may send it: stored.
    pub(crate) fn block(first: bool, headers: &[(&str, &str)]) -> Vec<u8> {
        let long = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
        let mut text = long(headers.len()).to_vec();
        for part in headers.iter().flat_map(|(name, value)| [name, value]) {
            text.extend(long(part.len()));
            text.extend(part.bytes());
        }
        let mut block =
            if first { [&[0x78, 0xbb], &ID.to_be_bytes()[..]].concat() } else { vec![] };
        let length = u16::try_from(text.len()).unwrap();
        block.push(0);
        block.extend(length.to_le_bytes());
        block.extend((!length).to_le_bytes());
        block.extend(text);
        block
    }

    #[test]
    fn blocks_are_read_one_after_the_other() {
        let mut inflater = Inflater::new();
        for number in 0..2000 {
            let port = number.to_string();
            let sent = [("StreamType", "data"), ("port", &port)];
            let read = inflater.read(&block(number == 0, &sent)).unwrap();
            let expected =
                [("streamtype".to_owned(), "data".to_owned()), ("port".to_owned(), port)];
            assert_eq!(read, expected, "block {number}, past the end of the window");
        }
    }

    #[test]
    fn blocks_that_refer_to_the_dictionary_and_to_each_other_are_read() {
        // What clients in Go make of one header, twice: with the dictionary, and a flush after each.
        let first = [
            0x78, 0xf9, 0xe3, 0xc6, 0xa7, 0xc2, 0x62, 0x60, 0x60, 0x60, 0x04, 0xa5, 0xac, 0xe0,
            0x92, 0xa2, 0xd4, 0xc4, 0x5c, 0x68, 0x51, 0xc2, 0x9a, 0x0a, 0x0a, 0x68, 0x00, 0x00,
            0x00, 0x00, 0xff, 0xff,
        ];
        let second = [0xc2, 0x23, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff];
        let mut inflater = Inflater::new();
        for block in [&first[..], &second] {
            let read = inflater.read(block).unwrap();
            assert_eq!(read, [("streamtype".to_owned(), "error".to_owned())]);
        }
    }

    #[test]
    fn what_is_no_block_is_refused() {
        let long = "x".repeat(60_000);
        let cases: [(&str, Vec<u8>); 5] = [
            ("does not begin with", vec![0x78, 0x9c, 0, 0, 0, 0, 0, 0]),
            ("cannot be inflated", [&block(true, &[])[..6], &[7, 7]].concat()),
            ("breaks off", block(true, &[])[..6].to_vec()),
            ("too long", [block(true, &[("a", &long)]), block(false, &[("b", &long)])].concat()),
            ("too many", block(true, &[("a", ""); 65])),
        ];
        for (why, bytes) in cases {
            let error = Inflater::new().read(&bytes).unwrap_err();
            assert!(error.contains(why), "{error}, not {why}");
        }
    }
}
