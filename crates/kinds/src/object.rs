//! Objects as bytes: immutable JSON, with the few fields that everyone asks for read once.

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Draft, Key, Kind, Labels, Revision, Uid,
    metav1::ObjectMeta,
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
    json: Bytes,
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
        Self { key, meta, json }
    }

    /// The JSON, exactly as clients get it.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// Opens the object for a change.
    pub fn draft(&self) -> Draft {
        Draft::from_json(self.key.kind, &self.json).expect("the store holds only objects it sealed")
    }

    /// Whether deletion has begun.
    pub fn deleting(&self) -> bool {
        self.meta.deletion_s.is_some()
    }

    fn typed<T: DeserializeOwned>(&self, kind: Kind) -> T {
        assert_eq!(self.key.kind, kind, "asked {} for another kind", self.key);
        serde_json::from_slice(&self.json).expect("the store holds only objects it validated")
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
