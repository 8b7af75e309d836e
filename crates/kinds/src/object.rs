//! Objects as bytes: immutable JSON, with the few fields that everyone asks for read once.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Draft, Key, Kind, Labels, Revision, Uid,
    metav1::ObjectMeta,
    packed::{Model, Packed},
    scan,
    types::{
        batch::v1::{CronJob, Job},
        core::v1::{
            ConfigMap, Event, LimitRange, Node, Pod, ResourceQuota, Secret, ServiceAccount,
        },
        node::v1::RuntimeClass,
        scheduling::v1::PriorityClass,
    },
};

/// Names the run of the command line that submitted an object; its value is the run's id. A private
/// server acts only on objects of live runs.
pub const RUN_ANNOTATION: &str = "coracle.local/run";

/// One revision of one object: its JSON, exactly as clients get it, and the small index of it.
#[derive(Clone, Debug)]
pub struct Object {
    /// Kind, namespace and name.
    pub key: Key,
    /// What is asked for often, read once.
    pub meta: Meta,
    body: Body,
    /// The revision that the body tells; the object's own may be a later one.
    told: Revision,
}

/// The JSON, as it is kept.
#[derive(Clone, Debug)]
enum Body {
    Plain(Bytes),
    Packed(Packed),
}

/// The small index beside the bytes; the store writes it too, so that opening parses no JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Which incarnation this is.
    pub uid: Uid,
    /// `metadata.resourceVersion`
    pub revision: Revision,
    /// `metadata.generation`; 0 where the kind has none.
    pub generation: i64,
    /// `metadata.creationTimestamp`, seconds since the epoch.
    pub created_s: i64,
    /// `metadata.deletionTimestamp`, seconds since the epoch, once deletion began.
    pub deletion_s: Option<i64>,
    /// `metadata.labels`
    pub labels: Labels,
    /// `metadata.ownerReferences` that name a uid of ours.
    pub owners: Vec<Owner>,
    /// `metadata.finalizers`
    pub finalizers: Vec<String>,
    /// The annotation [`RUN_ANNOTATION`]: the run of the command line that submitted the object.
    pub run: Option<String>,
    /// What selectors and the engine ask of this kind beyond metadata.
    pub facts: Facts,
}

/// One owner reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owner {
    /// The owner's uid.
    pub uid: Uid,
    /// Whether the owner is the managing controller.
    pub controller: bool,
}

impl Owner {
    /// The owners that an object's metadata names by a uid of ours.
    pub fn of(meta: &ObjectMeta) -> Vec<Self> {
        let owners = meta.owner_references.iter().flatten();
        let ours = owners.filter_map(|o| {
            Some(Self { uid: Uid::parse(&o.uid)?, controller: o.controller.unwrap_or(false) })
        });
        ours.collect()
    }
}

/// Kind-specific fields that are asked for without decoding the object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Facts {
    /// Nothing beyond the metadata.
    None,
    /// Of a Pod: `spec.nodeName` (empty while unbound) and `status.phase`.
    Pod {
        /// `spec.nodeName`
        node_name: String,
        /// `status.phase`
        phase: String,
    },
    /// Of a Job: whether a Complete or Failed condition is True, and `status.succeeded`.
    Job {
        /// A terminal condition is True.
        finished: bool,
        /// `status.succeeded`
        succeeded: i32,
    },
    /// Of an Event: the uid text and name of what it is about.
    Event {
        /// `involvedObject.kind`
        kind: String,
        /// `involvedObject.name`
        name: String,
        /// `involvedObject.uid`
        uid: String,
    },
}

/// An object that cannot be read back as its own kind: a broken invariant of the store or an error
/// of the request that carried it.
#[derive(Debug, thiserror::Error)]
#[error("{kind:?}: {source}")]
pub struct DecodeError {
    pub(crate) kind: Kind,
    pub(crate) source: serde_json::Error,
}

impl Object {
    /// Puts back together what the store kept.
    pub fn from_parts(key: Key, meta: Meta, json: Bytes) -> Self {
        let told = meta.revision;
        Self { key, meta, body: Body::Plain(json), told }
    }

    /// The JSON, exactly as clients get it. Shared, not copied, unless the object is one that
    /// [`plain`](Self::plain) has no bytes of.
    pub fn json(&self) -> Bytes {
        match self.plain() {
            Some(json) => json.clone(),
            None => self.retold(),
        }
    }

    /// The JSON, if it is kept as clients get it.
    pub fn plain(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Plain(json) if self.told == self.meta.revision => Some(json),
            _ => None,
        }
    }

    /// How many bytes the JSON has.
    pub fn json_bytes(&self) -> usize {
        let text = match &self.body {
            Body::Plain(json) => json.len(),
            Body::Packed(packed) => packed.len(),
        };
        let digits = |revision: Revision| revision.checked_ilog10().unwrap_or(0) as usize;
        text + digits(self.meta.revision) - digits(self.told)
    }

    /// How many bytes of memory the JSON takes.
    pub fn kept_bytes(&self) -> usize {
        match &self.body {
            Body::Plain(json) => json.len(),
            Body::Packed(packed) => packed.kept(),
        }
    }

    /// The JSON as it was written.
    pub(crate) fn text(&self) -> Bytes {
        match &self.body {
            Body::Plain(json) => json.clone(),
            Body::Packed(packed) => packed.unpack().into(),
        }
    }

    /// The JSON with the object's own revision.
    fn retold(&self) -> Bytes {
        let text = self.text();
        if self.told == self.meta.revision {
            return text;
        }
        let json = std::str::from_utf8(&text).expect("JSON is UTF-8");
        let at = resource_version(json).expect("a sealed object tells its revision");
        let own = format!("\"{}\"", self.meta.revision);
        [&json[..at.start], &own, &json[at.end..]].concat().into()
    }

    /// The same state under another revision, as [`Draft::seal`] would give it. The bytes are shared.
    pub fn at(&self, revision: Revision) -> Self {
        let meta = Meta { revision, ..self.meta.clone() };
        Self { key: self.key.clone(), meta, body: self.body.clone(), told: self.told }
    }

    /// Whether it is probably at rest: Events, and Pods that are over.
    pub fn at_rest(&self) -> bool {
        match &self.meta.facts {
            Facts::Pod { phase, .. } => phase == "Succeeded" || phase == "Failed",
            Facts::Event { .. } => true,
            Facts::Job { .. } | Facts::None => false,
        }
    }

    /// The same object in less memory, of which a model tells most; reading it costs a few
    /// microseconds then. `None` if it has too little in common with the model.
    pub fn packed(&self, model: &Model) -> Option<Self> {
        let body = Body::Packed(model.pack(&self.text())?);
        Some(Self { key: self.key.clone(), meta: self.meta.clone(), body, told: self.told })
    }

    /// Shares the memory of what is equal in an earlier state of the object.
    pub fn share(&mut self, earlier: &Self) {
        if self.key == earlier.key {
            self.key = earlier.key.clone();
        }
        if self.meta.labels == earlier.meta.labels {
            self.meta.labels = earlier.meta.labels.clone();
        }
    }

    /// Opens the object for a change.
    pub fn draft(&self) -> Draft {
        Draft::from_json(self.key.kind, &self.json())
            .expect("the store holds only objects it sealed")
    }

    /// Whether deletion has begun.
    pub fn deleting(&self) -> bool {
        self.meta.deletion_s.is_some()
    }

    fn typed<T: DeserializeOwned>(&self, kind: Kind) -> T {
        assert_eq!(self.key.kind, kind, "asked {} for another kind", self.key);
        serde_json::from_slice(&self.json()).expect("the store holds only objects it validated")
    }

    /// The typed Job. The object must be one.
    pub fn job(&self) -> Job {
        self.typed(Kind::Job)
    }

    /// The typed CronJob. The object must be one.
    pub fn cron_job(&self) -> CronJob {
        self.typed(Kind::CronJob)
    }

    /// The typed Pod. The object must be one.
    pub fn pod(&self) -> Pod {
        self.typed(Kind::Pod)
    }

    /// The typed ConfigMap. The object must be one.
    pub fn config_map(&self) -> ConfigMap {
        self.typed(Kind::ConfigMap)
    }

    /// The typed Secret. The object must be one.
    pub fn secret(&self) -> Secret {
        self.typed(Kind::Secret)
    }

    /// The typed Node. The object must be one.
    pub fn node(&self) -> Node {
        self.typed(Kind::Node)
    }

    /// The typed RuntimeClass. The object must be one.
    pub fn runtime_class(&self) -> RuntimeClass {
        self.typed(Kind::RuntimeClass)
    }

    /// The typed Event. The object must be one.
    pub fn event(&self) -> Event {
        self.typed(Kind::Event)
    }

    /// The typed ServiceAccount. The object must be one.
    pub fn service_account(&self) -> ServiceAccount {
        self.typed(Kind::ServiceAccount)
    }

    /// The typed PriorityClass. The object must be one.
    pub fn priority_class(&self) -> PriorityClass {
        self.typed(Kind::PriorityClass)
    }

    /// The typed LimitRange. The object must be one.
    pub fn limit_range(&self) -> LimitRange {
        self.typed(Kind::LimitRange)
    }

    /// The typed ResourceQuota. The object must be one.
    pub fn resource_quota(&self) -> ResourceQuota {
        self.typed(Kind::ResourceQuota)
    }
}

/// Where the value of `metadata.resourceVersion` lies.
fn resource_version(json: &str) -> Option<Range<usize>> {
    let metadata = scan::fields(json).find(|field| field.name == "metadata")?.value;
    let inside = &json[metadata.clone()];
    let value = scan::fields(inside).find(|field| field.name == "resourceVersion")?.value;
    Some(metadata.start + value.start..metadata.start + value.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTS: [&str; 3] = [
        r#"{"metadata":{"name":"a","annotations":{"resourceVersion":"7"}}}"#,
        r#"{"metadata":{"name":"a","labels":{"k":"\"}{"}},"data":{"resourceVersion":"1"}}"#,
        r#"{"metadata":{"name":"a","finalizers":["f"]},"data":{"metadata":"m"}}"#,
    ];

    fn draft(json: &str) -> Draft {
        let mut draft = Draft::from_json(Kind::ConfigMap, json.as_bytes()).unwrap();
        draft.metadata.uid = Some(Uid::from_random(7).to_string());
        draft
    }

    #[test]
    fn another_revision_changes_nothing_but_the_revision() {
        for json in OBJECTS {
            for revision in [1, 10, 1 << 40] {
                let (moved, sealed) =
                    (draft(json).seal(9).at(revision), draft(json).seal(revision));
                assert_eq!(moved.json(), sealed.json());
                assert_eq!(moved.json_bytes(), sealed.json().len());
                assert_eq!((moved.key, moved.meta), (sealed.key, sealed.meta));
            }
        }
    }

    #[test]
    fn a_packed_object_is_the_same_in_less_memory() {
        let model = Model::of(&draft(OBJECTS[0]).seal(1));
        for json in OBJECTS {
            let plain = draft(json).seal(1234);
            let packed = plain.packed(&model).unwrap();
            assert!(packed.kept_bytes() * 2 <= plain.kept_bytes());
            assert_eq!(packed.json(), plain.json());
            assert_eq!(packed.plain(), None);
            assert_eq!(packed.json_bytes(), plain.json().len());
            assert_eq!(packed.at(99).json(), plain.at(99).json());
            assert_eq!((packed.key, packed.meta), (plain.key, plain.meta));
        }
        let other = r#"{"metadata":{"name":"b"},"data":{"a":"0123456789abcdefghijklmnopqrstuvwxyz!@$%^&*(),./<>?;:|[]{}`~-_=+ABCDEFGHIJKLMNOPQRSTUVWXYZ0a1b2c3d4e5f6g7h8i9j","x":"9z8y7x6w5v4u3t2s1r0qpAoBnCmDlEkFjGiHhIgJfKeLdMcNbOaP0Q1R2S3T4U5V6W7X8Y9Z"}}"#;
        assert!(draft(other).seal(1).packed(&model).is_none(), "they have little in common");
    }

    #[test]
    fn a_later_state_shares_what_is_equal() {
        let earlier = draft(OBJECTS[1]).seal(1);
        let mut later = draft(OBJECTS[1]).seal(2);
        later.share(&earlier);
        assert!(std::sync::Arc::ptr_eq(&later.key.name, &earlier.key.name));
        let mut other = draft(OBJECTS[2]).seal(3);
        other.share(&earlier);
        assert!(other.meta.labels.is_empty());
    }
}
