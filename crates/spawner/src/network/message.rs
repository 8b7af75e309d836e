//! Netlink messages as bytes: headers, and attributes that may hold attributes. The same few lines
//! serve links, addresses and routes as well as nftables, for which there is no library that does.

use crate::sys::netlink::HEADER_BYTES;

/// Messages that are sent together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Of the last message; they count from 1.
    number: u32,
    /// Where the last message begins.
    begin: usize,
}

/// The body of one message.
pub(super) struct Body<'a>(&'a mut Vec<u8>);

impl Batch {
    /// Add a message of a type, with flags besides `NLM_F_REQUEST`.
    pub(super) fn add(&mut self, kind: u16, flags: libc::c_int, fill: impl FnOnce(&mut Body)) {
        self.begin = self.bytes.len();
        self.number += 1;
        let flags = u16::try_from(flags | libc::NLM_F_REQUEST).expect("flags are 16 bits");
        self.bytes.extend([0; 4]);
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(self.number.to_ne_bytes());
        self.bytes.extend([0; 4]);
        debug_assert_eq!(self.bytes.len(), self.begin + HEADER_BYTES);
        fill(&mut Body(&mut self.bytes));
        let length = u32::try_from(self.bytes.len() - self.begin).expect("messages are short");
        self.bytes[self.begin..self.begin + 4].copy_from_slice(&length.to_ne_bytes());
    }

    /// Ask for an acknowledgement of the message that was added last.
    pub(super) fn acknowledge(&mut self) {
        let at = self.begin + 6;
        let flags = u16::from_ne_bytes([self.bytes[at], self.bytes[at + 1]]);
        let flags = flags | u16::try_from(libc::NLM_F_ACK).expect("flags are 16 bits");
        self.bytes[at..at + 2].copy_from_slice(&flags.to_ne_bytes());
    }

    /// All of them, and the number of the last.
    pub(super) fn bytes(&self) -> (&[u8], u32) {
        (&self.bytes, self.number)
    }
}

impl Body<'_> {
    /// Bytes as they are: the fixed part of a message.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// An attribute. What follows is aligned to four bytes.
    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.hold(kind, |body| body.raw(value));
    }

    /// An attribute that is a string with its end.
    pub(super) fn text(&mut self, kind: u16, value: &str) {
        self.hold(kind, |body| {
            body.raw(value.as_bytes());
            body.raw(&[0]);
        });
    }

    /// An attribute that holds attributes, marked as such.
    pub(super) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Body)) {
        self.hold(kind | NESTED, fill);
    }

    fn hold(&mut self, kind: u16, fill: impl FnOnce(&mut Body)) {
        let begin = self.0.len();
        self.0.extend([0; 2]);
        self.0.extend(kind.to_ne_bytes());
        fill(self);
        let length = u16::try_from(self.0.len() - begin).expect("attributes are short");
        self.0[begin..begin + 2].copy_from_slice(&length.to_ne_bytes());
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

/// `NLA_F_NESTED`
const NESTED: u16 = 1 << 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_lengths_are_not() {
        let mut batch = Batch::default();
        batch.add(16, 0, |body| {
            body.raw(&[7, 0, 0, 0]);
            body.nest(2, |body| body.text(1, "veth"));
        });
        batch.acknowledge();
        let (bytes, last) = batch.bytes();
        assert_eq!(last, 1);
        let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
        let half = |at: usize| u16::from_ne_bytes(bytes[at..at + 2].try_into().unwrap());
        assert_eq!((word(0), half(4), half(6), word(8)), (36, 16, 5, 1), "header");
        assert_eq!((half(20), half(22)), (16, 2 | NESTED), "the outer one: its padded content");
        assert_eq!((half(24), half(26)), (9, 1), "the inner one: five letters and zero");
        assert_eq!(&bytes[28..36], b"veth\0\0\0\0");
    }
}
