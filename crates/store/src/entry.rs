//! What a frame holds: entries, one after the other, each with its raw bytes behind it.

use std::borrow::Cow;

use kinds::{Key, Kind, Meta, Object, Revision};
use serde::{Deserialize, Serialize};

/// One entry, without the raw bytes that follow it. The order of the variants is the byte layout.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Entry<'a> {
    /// An object's new state; its JSON follows.
    Put {
        #[serde(borrow)]
        key: EntryKey<'a>,
        /// Revision of the state it replaces; 0 for none.
        previous: Revision,
        meta: Cow<'a, Meta>,
        bytes: u32,
    },
    /// An object's state once more, carried forward by compaction; its JSON follows.
    Copy {
        #[serde(borrow)]
        key: EntryKey<'a>,
        meta: Cow<'a, Meta>,
        bytes: u32,
    },
    /// An object is gone.
    Delete {
        #[serde(borrow)]
        key: EntryKey<'a>,
        previous: Revision,
        revision: Revision,
    },
    /// Bytes under a name, which follow.
    Record { name: &'a str, bytes: u32 },
    /// A name has no bytes any more.
    Forget { name: &'a str },
    /// Revisions up to this one may have been given out.
    Reserve { revision: Revision },
    /// Segments before this one hold nothing that counts.
    Oldest { segment: u64 },
}

/// A key by reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EntryKey<'a> {
    kind: Kind,
    namespace: &'a str,
    name: &'a str,
}

impl<'a> From<&'a Key> for EntryKey<'a> {
    fn from(key: &'a Key) -> Self {
        Self { kind: key.kind, namespace: &key.namespace, name: &key.name }
    }
}

impl EntryKey<'_> {
    pub(crate) fn to_key(self) -> Key {
        Key::new(self.kind, self.namespace, self.name)
    }
}

fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("what the store keeps is smaller than 4 GiB")
}

impl<'a> Entry<'a> {
    /// The entry of a new state; the object's JSON is to follow.
    pub(crate) fn put(object: &'a Object, previous: Revision) -> Self {
        let meta = Cow::Borrowed(&object.meta);
        Self::Put { key: (&object.key).into(), previous, meta, bytes: size(object.json()) }
    }

    /// The entry of a copy; the object's JSON is to follow.
    pub(crate) fn copy(object: &'a Object) -> Self {
        let meta = Cow::Borrowed(&object.meta);
        Self::Copy { key: (&object.key).into(), meta, bytes: size(object.json()) }
    }

    /// The entry of a record; its bytes are to follow.
    pub(crate) fn record(name: &'a str, bytes: &[u8]) -> Self {
        Self::Record { name, bytes: size(bytes) }
    }

    /// Appends the entry and its raw bytes; returns how many bytes that took.
    pub(crate) fn write(&self, raw: &[u8], out: &mut Vec<u8>) -> u64 {
        let start = out.len();
        *out = postcard::to_extend(self, std::mem::take(out)).expect("a Vec takes any length");
        out.extend_from_slice(raw);
        (out.len() - start) as u64
    }

    /// Takes one entry and its raw bytes off the front of a payload; `None` if none is there.
    pub(crate) fn read(payload: &'a [u8]) -> Option<(Self, &'a [u8], &'a [u8])> {
        let (entry, rest) = postcard::take_from_bytes::<Self>(payload).ok()?;
        let bytes = match entry {
            Self::Put { bytes, .. } | Self::Copy { bytes, .. } | Self::Record { bytes, .. } => {
                bytes as usize
            }
            _ => 0,
        };
        let (raw, rest) = rest.split_at_checked(bytes)?;
        Some((entry, raw, rest))
    }
}
