//! How an object is named: by kind, namespace and name while it exists, by uid for all time.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::Kind;

/// Kind, namespace and name: what the API addresses an object by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The kind, from the table of kinds.
    pub kind: Kind,
    /// The namespace; empty for cluster-scoped kinds.
    pub namespace: Arc<str>,
    /// The name, unique within kind and namespace.
    pub name: Arc<str>,
}

impl Key {
    /// The key of an object; `namespace` is empty for cluster-scoped kinds.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = self.kind.info().plural;
        match self.namespace.is_empty() {
            true => write!(f, "{plural}/{}", self.name),
            false => write!(f, "{plural}/{}/{}", self.namespace, self.name),
        }
    }
}

/// The identity of one incarnation of an object: a version 4 UUID. Written as its usual text where
/// people may read it (JSON), as its 128 bits in the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(u128);

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return u128::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is not a UUID")))
    }
}

impl Uid {
    /// A UUID of version 4 made from 128 random bits.
    pub fn from_random(bits: u128) -> Self {
        let version = (bits & !(0xf << 76)) | (0x4 << 76);
        Self((version & !(0x3 << 62)) | (0x2 << 62))
    }

    /// Reads the usual text form. `None` for anything else, which then names no object of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
        // Digits and dashes are looked at group by group: uids are read all the time.
        let (mut bits, mut from) = (0, 0);
        for end in [8, 13, 18, 23, 36] {
            let mut group = 0_u64;
            for byte in &text[from..end] {
                group = group << 4 | u64::from(char::from(*byte).to_digit(16)?);
            }
            bits = bits << (4 * (end - from)) | u128::from(group);
            if text.get(end).is_some_and(|byte| *byte != b'-') {
                return None;
            }
            from = end + 1;
        }
        Some(Self(bits))
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'-'; 36];
        let digits = (0..36).filter(|at| !matches!(at, 8 | 13 | 18 | 23));
        for (digit, at) in digits.enumerate() {
            text[at] = b"0123456789abcdef"[(self.0 >> (124 - 4 * digit)) as usize & 0xf];
        }
        f.write_str(std::str::from_utf8(&text).expect("digits are ASCII"))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uid_text_round_trips_and_is_version_4() {
        let uid = Uid::from_random(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let text = uid.to_string();
        assert_eq!(text, "01234567-89ab-4def-8123-456789abcdef");
        assert_eq!(Uid::parse(&text), Some(uid));
        assert_eq!(Uid::parse("01234567-89ab-4def-8123-456789abcdeg"), None);
        assert_eq!(Uid::parse("not a uid"), None);
    }

    /// As a bare 128-bit number it could not be read back out of JSON with flattened fields.
    #[test]
    fn in_json_a_uid_is_its_text() {
        let uid = Uid::from_random(7);
        let json = serde_json::to_string(&uid).unwrap();
        assert_eq!(json, format!("\"{uid}\""));
        assert_eq!(serde_json::from_str::<Uid>(&json).unwrap(), uid);
        assert!(serde_json::from_str::<Uid>("\"7\"").is_err());
        let bytes = postcard::to_stdvec(&uid).unwrap();
        assert_eq!(postcard::from_bytes::<Uid>(&bytes).unwrap(), uid);
    }
}
