//! Labels as they are kept beside an object's bytes: a map with a string per name and per value is
//! more memory than all the rest of the index.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Stands behind each name and each value. No label has it: admission takes letters, digits and
/// `-_./` only.
const END: char = '\0';

/// `metadata.labels` of one object, in one piece of memory that its revisions may share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels(Option<Arc<str>>);

impl Labels {
    /// The names with their values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut texts = self.0.as_deref().unwrap_or_default().split_terminator(END);
        std::iter::from_fn(move || Some((texts.next()?, texts.next()?)))
    }

    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl From<&BTreeMap<String, String>> for Labels {
    fn from(labels: &BTreeMap<String, String>) -> Self {
        let bytes = labels.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        let mut text = String::with_capacity(bytes);
        for part in labels.iter().flat_map(|(name, value)| [name, value]) {
            text.push_str(part);
            text.push(END);
        }
        Self((!text.is_empty()).then(|| text.into()))
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs: Vec<(&str, &str)> = self.iter().collect();
        serializer.collect_map(pairs)
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|labels| Self::from(&labels))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn labels_are_the_map_they_were_made_of(
            map in prop::collection::btree_map("[a-z./]{1,8}", "[a-z]{0,8}", 0..5),
        ) {
            let labels = Labels::from(&map);
            prop_assert_eq!(labels.is_empty(), map.is_empty());
            prop_assert!(labels.iter().eq(map.iter().map(|(n, v)| (n.as_str(), v.as_str()))));
            prop_assert!(map.iter().all(|(name, value)| labels.get(name) == Some(value)));
            prop_assert_eq!(labels.get("absent"), None);
            let bytes = postcard::to_stdvec(&labels).unwrap();
            prop_assert_eq!(&bytes, &postcard::to_stdvec(&map).unwrap());
            prop_assert_eq!(postcard::from_bytes::<Labels>(&bytes).unwrap(), labels);
        }
    }
}
