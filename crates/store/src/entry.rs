//! What a frame holds: entries, one after the other, each with its raw bytes behind it.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use kinds::{Key, Kind, Meta, Object, Revision};
use serde::{Deserialize, Serialize};

use crate::format::COUNT_MAX;

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
    pub(crate) fn put(object: &'a Object, json: &[u8], previous: Revision) -> Self {
        let meta = Cow::Borrowed(&object.meta);
        Self::Put { key: (&object.key).into(), previous, meta, bytes: size(json) }
    }

    /// The entry of a copy; the object's JSON is to follow.
    pub(crate) fn copy(object: &'a Object, json: &[u8]) -> Self {
        let meta = Cow::Borrowed(&object.meta);
        Self::Copy { key: (&object.key).into(), meta, bytes: size(json) }
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

/// One entry as it is replayed: owned, so that it may come from another thread.
#[derive(Debug)]
pub(crate) enum Decoded {
    Put { object: Arc<Object>, previous: Revision },
    Copy { object: Arc<Object> },
    Delete { key: Key, previous: Revision, revision: Revision },
    Record { name: Arc<str>, value: Bytes },
    Forget { name: Arc<str> },
    Reserve { revision: Revision },
    Oldest { segment: u64 },
}

impl Decoded {
    /// All entries of a payload, each with the bytes it took; `None` if something else is in it, or a
    /// number that no store has counted up to.
    pub(crate) fn all(mut payload: &[u8]) -> Option<Vec<(Self, u64)>> {
        let mut all = Vec::new();
        while !payload.is_empty() {
            let (entry, raw, rest) = Entry::read(payload)?;
            let entry = Self::new(entry, raw);
            if entry.largest_count() > COUNT_MAX {
                return None;
            }
            all.push((entry, (payload.len() - rest.len()) as u64));
            payload = rest;
        }
        Some(all)
    }

    /// The largest revision or segment that it names.
    fn largest_count(&self) -> u64 {
        match self {
            Self::Put { object, previous } => object.meta.revision.max(*previous),
            Self::Copy { object } => object.meta.revision,
            Self::Delete { previous, revision, .. } => *revision.max(previous),
            Self::Reserve { revision } => *revision,
            Self::Oldest { segment } => *segment,
            Self::Record { .. } | Self::Forget { .. } => 0,
        }
    }

    fn new(entry: Entry<'_>, raw: &[u8]) -> Self {
        let object = |key: EntryKey<'_>, meta: Cow<'_, Meta>| {
            let json = Bytes::copy_from_slice(raw);
            Arc::new(Object::from_parts(key.to_key(), meta.into_owned(), json))
        };
        match entry {
            Entry::Put { key, previous, meta, .. } => {
                Self::Put { object: object(key, meta), previous }
            }
            Entry::Copy { key, meta, .. } => Self::Copy { object: object(key, meta) },
            Entry::Delete { key, previous, revision } => {
                Self::Delete { key: key.to_key(), previous, revision }
            }
            Entry::Record { name, .. } => {
                Self::Record { name: name.into(), value: Bytes::copy_from_slice(raw) }
            }
            Entry::Forget { name } => Self::Forget { name: name.into() },
            Entry::Reserve { revision } => Self::Reserve { revision },
            Entry::Oldest { segment } => Self::Oldest { segment },
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use kinds::Draft;
    use proptest::prelude::*;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        let lines: Vec<String> = bytes
            .chunks(32)
            .map(|line| line.iter().map(|b| format!("{b:02x}")).collect::<String>())
            .collect();
        lines.join("\n")
    }

    /// If this changes, stores on disk can no longer be read: raise `FORMAT_VERSION`, and read the
    /// old one too.
    #[test]
    fn the_bytes_of_every_entry_stay_what_they_are() {
        let json = r#"{"metadata":{"namespace":"default","name":"a","labels":{"k":"v"},
            "uid":"01234567-89ab-4def-8123-456789abcdef","creationTimestamp":"2026-01-01T00:00:00Z",
            "finalizers":["f"],"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"o",
            "uid":"01234567-89ab-4def-8123-456789abcdee","controller":true}]},
            "spec":{"nodeName":"n"},"status":{"phase":"Running"}}"#;
        let pod = Draft::from_json(Kind::Pod, json.as_bytes()).unwrap().seal(300);
        let key = &pod.key;
        let mut out = String::new();
        for (entry, raw) in [
            (Entry::put(&pod, &pod.json(), 299), &b"{}"[..]),
            (Entry::copy(&pod, &pod.json()), b"{}"),
            (Entry::Delete { key: key.into(), previous: 300, revision: 301 }, b""),
            (Entry::record("name", b"raw"), b"raw"),
            (Entry::Forget { name: "name" }, b""),
            (Entry::Reserve { revision: 65_536 }, b""),
            (Entry::Oldest { segment: 7 }, b""),
        ] {
            let mut bytes = Vec::new();
            assert_eq!(entry.write(raw, &mut bytes), bytes.len() as u64);
            out += &format!("{}\n\n", hex(&bytes));
        }
        expect![[r#"
            00040764656661756c740161ab02ef9bafcdf8acd19181dfb7da9af1d9a2a302
            ac020080e4ad950d0001016b017601ee9bafcdf8acd19181dfb7da9af1d9a2a3
            02010101660001016e0752756e6e696e6798037b7d

            01040764656661756c740161ef9bafcdf8acd19181dfb7da9af1d9a2a302ac02
            0080e4ad950d0001016b017601ee9bafcdf8acd19181dfb7da9af1d9a2a30201
            0101660001016e0752756e6e696e6798037b7d

            02040764656661756c740161ac02ad02

            03046e616d6503726177

            04046e616d65

            05808004

            0607

        "#]]
        .assert_eq(&out);
    }

    #[test]
    fn a_number_that_cannot_be_counted_on_from_is_not_an_entry() {
        let pod = Draft::from_json(
            Kind::Pod,
            br#"{"metadata":{"name":"a","uid":"01234567-89ab-4def-8123-456789abcdef"}}"#,
        )
        .unwrap();
        let object = |revision| pod.clone().seal(revision);
        for (count, whole) in [(COUNT_MAX, true), (COUNT_MAX + 1, false), (u64::MAX, false)] {
            let (new, old) = (object(count), object(1));
            let (new_json, old_json) = (new.json(), old.json());
            for entry in [
                Entry::put(&old, &old_json, count),
                Entry::put(&new, &new_json, 0),
                Entry::copy(&new, &new_json),
                Entry::Delete { key: (&old.key).into(), previous: count, revision: 1 },
                Entry::Delete { key: (&old.key).into(), previous: 1, revision: count },
                Entry::Reserve { revision: count },
                Entry::Oldest { segment: count },
            ] {
                let raw = match &entry {
                    Entry::Put { meta, .. } | Entry::Copy { meta, .. } => {
                        if meta.revision == count { &new_json[..] } else { &old_json[..] }
                    }
                    _ => b"",
                };
                let mut bytes = Vec::new();
                entry.write(raw, &mut bytes);
                assert_eq!(Decoded::all(&bytes).is_some(), whole, "{entry:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_are_entries_or_not_but_never_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            variant in 0..8_u8,
        ) {
            let mut bytes = bytes;
            bytes.insert(0, variant);
            if let Some((_, raw, rest)) = Entry::read(&bytes) {
                prop_assert!(raw.len() + rest.len() < bytes.len());
            }
        }
    }
}
