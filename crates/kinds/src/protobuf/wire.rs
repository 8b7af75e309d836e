//! The wire format of protobuf: numbers and bytes behind tags. Borrows; never reads past its end.

use super::{ProtobufError, Result};

/// One value as it stands on the wire.
#[derive(Clone, Copy)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// Eight or four bytes: no field of the API has such a value.
    Fixed(u8),
}

impl<'a> Wire<'a> {
    fn kind(self) -> u8 {
        match self {
            Self::Varint(_) => 0,
            Self::Bytes(_) => 2,
            Self::Fixed(kind) => kind,
        }
    }

    fn wrong<T>(self, name: &str) -> Result<T> {
        Err(ProtobufError::Wire(format!("wrong wireType = {} for field {name}", self.kind())))
    }

    /// A number; `name` is that of the field.
    pub(super) fn varint(self, name: &str) -> Result<u64> {
        match self {
            Self::Varint(number) => Ok(number),
            other => other.wrong(name),
        }
    }

    /// Bytes: a text or a message.
    pub(super) fn bytes(self, name: &str) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => other.wrong(name),
        }
    }

    /// A text; what is not UTF-8 is replaced, as Go's JSON does.
    pub(super) fn text(self, name: &str) -> Result<String> {
        Ok(String::from_utf8_lossy(self.bytes(name)?).into_owned())
    }
}

/// Reads a message from its start.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field's number and value; none at the end.
    pub(super) fn field(&mut self) -> Result<Option<(u64, Wire<'a>)>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let (number, kind) = (tag >> 3, tag & 7);
        if number == 0 {
            return Err(ProtobufError::Wire(format!("illegal tag 0 (wire type {kind})")));
        }
        let wire = match kind {
            0 => Wire::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Wire::Fixed(1)
            }
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Wire::Fixed(5)
            }
            other => return Err(ProtobufError::Wire(format!("illegal wireType {other}"))),
        };
        Ok(Some((number, wire)))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8]> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(end)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Seven bits to a byte, the lowest first.
    pub(super) fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take(1)? else { return Err(end()) };
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(ProtobufError::Wire("integer overflow".to_owned()))
    }
}

fn end() -> ProtobufError {
    ProtobufError::Wire("unexpected EOF".to_owned())
}
