//! Objects being worked on: typed metadata, everything else left raw, so that changing a status
//! neither parses nor loses any byte of the spec.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    DecodeError, Facts, Key, Kind, Labels, Meta, Object, Owner, RUN_ANNOTATION, Revision, Uid,
    metav1::{ObjectMeta, Time},
    scan,
    types::{
        batch::v1::{CronJob, CronJobStatus, Job, JobStatus},
        core::v1::{
            ConfigMap, Event, Namespace, NamespaceStatus, Node, NodeStatus, Pod, PodStatus,
            ResourceQuota, ResourceQuotaStatus, Service, ServiceAccount,
        },
        node::v1::RuntimeClass,
        scheduling::v1::PriorityClass,
    },
};

/// Room for the beginning of an object, so that its JSON is not copied while it grows.
const METADATA_BYTES: usize = 1024;

/// An object being worked on: typed metadata, everything else raw.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The kind.
    pub kind: Kind,
    /// `metadata`
    pub metadata: ObjectMeta,
    /// Every other top-level field except `apiVersion` and `kind`: `spec`, `status`, `data`, …
    pub rest: BTreeMap<String, Box<RawValue>>,
}

impl Draft {
    /// Reads JSON of a known kind. Only the shape of `metadata` is checked here.
    pub fn from_json(kind: Kind, json: &[u8]) -> Result<Self, DecodeError> {
        let top: BTreeMap<String, Box<RawValue>> =
            serde_json::from_slice(json).map_err(|source| DecodeError { kind, source })?;
        Self::from_top(kind, top).map_err(|source| DecodeError { kind, source })
    }

    fn from_top(
        kind: Kind,
        mut rest: BTreeMap<String, Box<RawValue>>,
    ) -> Result<Self, serde_json::Error> {
        rest.remove("apiVersion");
        rest.remove("kind");
        let metadata = match rest.remove("metadata") {
            Some(raw) => serde_json::from_str(raw.get())?,
            None => ObjectMeta::default(),
        };
        Ok(Self { kind, metadata, rest })
    }

    pub(crate) fn of<T: Serialize>(kind: Kind, typed: &T) -> Self {
        let json = serde_json::to_vec(typed).expect("typed objects serialise");
        Self::from_json(kind, &json).expect("typed objects are objects")
    }

    /// A draft of a typed Pod.
    pub fn of_pod(pod: &Pod) -> Self {
        Self::of(Kind::Pod, pod)
    }

    /// A draft of a typed Job.
    pub fn of_job(job: &Job) -> Self {
        Self::of(Kind::Job, job)
    }

    /// A draft of a typed Event.
    pub fn of_event(event: &Event) -> Self {
        Self::of(Kind::Event, event)
    }

    /// A draft of a typed Node.
    pub fn of_node(node: &Node) -> Self {
        Self::of(Kind::Node, node)
    }

    /// A draft of a typed Namespace.
    pub fn of_namespace(namespace: &Namespace) -> Self {
        Self::of(Kind::Namespace, namespace)
    }

    /// A draft of a typed RuntimeClass.
    pub fn of_runtime_class(class: &RuntimeClass) -> Self {
        Self::of(Kind::RuntimeClass, class)
    }

    /// A draft of a typed ServiceAccount.
    pub fn of_service_account(account: &ServiceAccount) -> Self {
        Self::of(Kind::ServiceAccount, account)
    }

    /// A draft of a typed ConfigMap.
    pub fn of_config_map(map: &ConfigMap) -> Self {
        Self::of(Kind::ConfigMap, map)
    }

    /// A draft of a typed PriorityClass.
    pub fn of_priority_class(class: &PriorityClass) -> Self {
        Self::of(Kind::PriorityClass, class)
    }

    pub(crate) fn set<T: Serialize>(&mut self, field: &str, value: &T) {
        let raw = serde_json::value::to_raw_value(value).expect("typed values serialise");
        self.rest.insert(field.to_owned(), raw);
    }

    /// Replaces the status of a Job.
    pub fn set_job_status(&mut self, status: &JobStatus) {
        self.set("status", status);
    }

    /// Replaces the status of a CronJob.
    pub fn set_cron_job_status(&mut self, status: &CronJobStatus) {
        self.set("status", status);
    }

    /// Replaces the status of a Pod.
    pub fn set_pod_status(&mut self, status: &PodStatus) {
        self.set("status", status);
    }

    /// Replaces the status of a Node.
    pub fn set_node_status(&mut self, status: &NodeStatus) {
        self.set("status", status);
    }

    /// Replaces the status of a ResourceQuota.
    pub fn set_resource_quota_status(&mut self, status: &ResourceQuotaStatus) {
        self.set("status", status);
    }

    /// Replaces the status of a Namespace.
    pub fn set_namespace_status(&mut self, status: &NamespaceStatus) {
        self.set("status", status);
    }

    /// The draft as a typed Namespace.
    pub fn namespace(&self) -> Result<Namespace, DecodeError> {
        Ok(Namespace {
            metadata: self.metadata.clone(),
            spec: self.get("spec")?,
            status: self.get("status")?,
        })
    }

    /// The draft as a typed Node.
    pub fn node(&self) -> Result<Node, DecodeError> {
        Ok(Node {
            metadata: self.metadata.clone(),
            spec: self.get("spec")?,
            status: self.get("status")?,
        })
    }

    /// The draft as a typed Service.
    pub fn service(&self) -> Result<Service, DecodeError> {
        Ok(Service {
            metadata: self.metadata.clone(),
            spec: self.get("spec")?,
            status: self.get("status")?,
        })
    }

    /// The draft as a typed ResourceQuota.
    pub fn resource_quota(&self) -> Result<ResourceQuota, DecodeError> {
        Ok(ResourceQuota {
            metadata: self.metadata.clone(),
            spec: self.get("spec")?,
            status: self.get("status")?,
        })
    }

    /// The draft as a typed Pod.
    pub fn pod(&self) -> Result<Pod, DecodeError> {
        Ok(Pod {
            metadata: self.metadata.clone(),
            spec: self.get("spec")?,
            status: self.get("status")?,
        })
    }

    /// The draft as a typed Job.
    pub fn job(&self) -> Result<Job, DecodeError> {
        Ok(Job {
            metadata: self.metadata.clone(),
            spec: self.get("spec")?,
            status: self.get("status")?,
        })
    }

    /// The draft as a typed CronJob.
    pub fn cron_job(&self) -> Result<CronJob, DecodeError> {
        Ok(CronJob {
            metadata: self.metadata.clone(),
            spec: self.get("spec")?.unwrap_or_default(),
            status: self.get("status")?,
        })
    }

    /// The status of a Pod; empty if it has none yet.
    pub fn pod_status(&self) -> Result<PodStatus, DecodeError> {
        Ok(self.get("status")?.unwrap_or_default())
    }

    fn get<T: DeserializeOwned>(&self, field: &str) -> Result<Option<T>, DecodeError> {
        let Some(raw) = self.rest.get(field) else { return Ok(None) };
        serde_json::from_str(raw.get()).map_err(|source| DecodeError { kind: self.kind, source })
    }

    /// Binds a Pod: sets `spec.nodeName` and leaves every other byte of the spec as it is.
    pub fn set_node_name(&mut self, node: &str) {
        let spec = self.rest.get("spec").map_or("{}", |raw| raw.get());
        let field = format!("\"nodeName\":{}", serde_json::Value::from(node));
        let bound = match place(spec, "nodeName") {
            Some(there) if there.name == "nodeName" => {
                [&spec[..there.start], &field, &spec[there.value.end..]].concat()
            }
            Some(next) => [&spec[..next.start], &field, ",", &spec[next.start..]].concat(),
            None => {
                let (all, end) = spec.split_at(spec.rfind('}').unwrap_or_default());
                let comma = if all.trim_end().ends_with('{') { "" } else { "," };
                [all, comma, &field, end].concat()
            }
        };
        let raw = RawValue::from_string(bound).expect("a field more leaves an object one");
        self.rest.insert("spec".to_owned(), raw);
    }

    /// The key this draft will have; name and namespace must be set by now.
    pub fn key(&self) -> Key {
        let namespace = self.metadata.namespace.as_deref().unwrap_or_default();
        Key::new(self.kind, namespace, self.metadata.name.as_deref().unwrap_or_default())
    }

    /// The JSON of the draft as it stands, for decoding as a typed object or for an answer.
    pub fn to_json(&self) -> Vec<u8> {
        let info = self.kind.info();
        let fields = self.rest.iter().map(|(name, raw)| name.len() + raw.get().len() + 4);
        let mut out = Vec::with_capacity(METADATA_BYTES + fields.sum::<usize>());
        let (name, version) = (info.name, info.api_version());
        out.extend(
            format!(r#"{{"kind":"{name}","apiVersion":"{version}","metadata":"#).into_bytes(),
        );
        serde_json::to_writer(&mut out, &self.metadata).expect("metadata serialises");
        for (name, raw) in &self.rest {
            out.push(b',');
            serde_json::to_writer(&mut out, name).expect("a string serialises");
            out.push(b':');
            out.extend(raw.get().as_bytes());
        }
        out.push(b'}');
        out
    }

    /// Finishes the change: gives it its revision and reads the index.
    ///
    /// # Panics
    /// If `metadata.uid` is not a uid, or the facts of the kind cannot be read: what reaches this
    /// point was validated.
    pub fn seal(mut self, revision: Revision) -> Object {
        self.metadata.resource_version = Some(revision.to_string());
        self.index(revision)
    }

    /// What the object would be, for the answer to a dry run: it has no revision of its own.
    ///
    /// # Panics
    /// As [`seal`](Self::seal).
    pub fn preview(self) -> Object {
        self.index(0)
    }

    fn index(mut self, revision: Revision) -> Object {
        omit_empty(&mut self.metadata);
        let (key, facts) = (self.key(), self.facts());
        // No more room than it takes, as it is kept for long; and copied, as what is cut off would lie
        // about in small pieces.
        let json = Bytes::copy_from_slice(&self.to_json());
        let meta = self.metadata;
        let seconds = |time: &Option<Time>| time.as_ref().map(|t| t.0.as_second());
        let index = Meta {
            uid: meta.uid.as_deref().and_then(Uid::parse).expect("a sealed object has a uid"),
            revision,
            generation: meta.generation.unwrap_or(0),
            created_s: seconds(&meta.creation_timestamp).unwrap_or(0),
            deletion_s: seconds(&meta.deletion_timestamp),
            owners: Owner::of(&meta),
            labels: meta.labels.as_ref().map(Labels::from).unwrap_or_default(),
            finalizers: meta.finalizers.unwrap_or_default(),
            run: meta.annotations.and_then(|mut all| all.remove(RUN_ANNOTATION)),
            facts,
        };
        Object::from_parts(key, index, json)
    }

    fn facts(&self) -> Facts {
        match self.kind {
            Kind::Pod => Facts::Pod {
                node_name: self.text("spec", "nodeName"),
                phase: self.text("status", "phase"),
            },
            Kind::Job => {
                let status: JobPeek = self.peek("status");
                let ended = |c: &ConditionPeek| {
                    c.status == "True" && matches!(&*c.r#type, "Complete" | "Failed")
                };
                Facts::Job {
                    finished: status.conditions.iter().any(ended),
                    succeeded: status.succeeded,
                }
            }
            Kind::Event => {
                let about: Involved = self.peek("involvedObject");
                Facts::Event { kind: about.kind, name: about.name, uid: about.uid }
            }
            _ => Facts::None,
        }
    }

    /// A text in a top-level field; empty if there is none.
    fn text(&self, field: &str, name: &str) -> String {
        let raw = self.rest.get(field).and_then(|raw| scan::field(raw.get(), name));
        raw.map_or_else(String::new, |text| {
            serde_json::from_str(text).expect("a sealed object was validated")
        })
    }

    fn peek<T: DeserializeOwned + Default>(&self, field: &str) -> T {
        let raw = self.rest.get(field).map(|raw| raw.get());
        raw.map_or_else(T::default, |text| {
            serde_json::from_str(text).expect("a sealed object was validated")
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobPeek {
    conditions: Vec<ConditionPeek>,
    succeeded: i32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConditionPeek {
    r#type: String,
    status: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Involved {
    kind: String,
    name: String,
    uid: String,
}

/// A field of an object, or the one before which it belongs.
fn place<'a>(json: &'a str, name: &str) -> Option<scan::Field<'a>> {
    let mut fields = scan::fields(json);
    let next = fields.find(|field| *field.name >= *name)?;
    // Where the fields are in no order, it may be further behind.
    let late = if next.name == name { None } else { fields.find(|field| field.name == name) };
    Some(late.unwrap_or(next))
}

/// Seconds-precise time as the API writes it.
pub fn api_time(now: Timestamp) -> Time {
    Time(Timestamp::from_second(now.as_second()).expect("a timestamp's own seconds are in range"))
}

/// What holds nothing is not there, as upstream's encoding has it: clients tell `[]` from nothing.
fn omit_empty(metadata: &mut ObjectMeta) {
    metadata.finalizers.take_if(|finalizers| finalizers.is_empty());
    metadata.owner_references.take_if(|owners| owners.is_empty());
    metadata.labels.take_if(|labels| labels.is_empty());
    metadata.annotations.take_if(|annotations| annotations.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "11111111-2222-4333-8444-555555555555";

    fn sealed(kind: Kind, json: &str) -> Object {
        let mut draft = Draft::from_json(kind, json.as_bytes()).unwrap();
        draft.metadata.uid = Some(UID.to_owned());
        draft.seal(42)
    }

    #[test]
    fn sealing_reads_the_index_once() {
        let object = sealed(
            Kind::Pod,
            r#"{"metadata":{"name":"p","namespace":"n","generation":3,"labels":{"a":"b"},
                "creationTimestamp":"1970-01-01T00:00:05Z","deletionTimestamp":"1970-01-01T00:00:09Z",
                "finalizers":["f/x"],"ownerReferences":[
                {"apiVersion":"v1","kind":"K","name":"o","uid":"11111111-2222-4333-8444-555555555556","controller":true},
                {"apiVersion":"v1","kind":"K","name":"o","uid":"not one of ours"}]},
                "spec":{"nodeName":"here","containers":[]},"status":{"phase":"Running"}}"#,
        );
        let meta = &object.meta;
        assert_eq!(object.key, Key::new(Kind::Pod, "n", "p"));
        assert_eq!((meta.revision, meta.generation, meta.created_s), (42, 3, 5));
        assert_eq!(meta.deletion_s, Some(9));
        assert!(object.deleting());
        assert_eq!(meta.finalizers, ["f/x"]);
        let owner = Uid::parse("11111111-2222-4333-8444-555555555556").unwrap();
        assert_eq!(meta.owners, [Owner { uid: owner, controller: true }]);
        let facts = Facts::Pod { node_name: "here".into(), phase: "Running".into() };
        assert_eq!(meta.facts, facts);
        assert_eq!(object.pod().metadata.resource_version.as_deref(), Some("42"));
    }

    #[test]
    fn empty_lists_and_maps_of_the_metadata_are_left_out() {
        let object = sealed(
            Kind::ConfigMap,
            r#"{"metadata":{"name":"c","namespace":"n","finalizers":[],"ownerReferences":[],
                "labels":{},"annotations":{}},"data":{}}"#,
        );
        let json: serde_json::Value = serde_json::from_slice(&object.json()).unwrap();
        let fields: Vec<&String> = json["metadata"].as_object().unwrap().keys().collect();
        assert_eq!(fields, ["name", "namespace", "resourceVersion", "uid"]);
    }

    #[test]
    fn binding_a_pod_adds_one_field_in_its_place() {
        for (spec, bound) in [
            (r#"{}"#, r#"{"nodeName":"n\"1"}"#),
            (r#"{"a":[ 1 ]}"#, r#"{"a":[ 1 ],"nodeName":"n\"1"}"#),
            (r#"{"x":{"nodeName":1}}"#, r#"{"nodeName":"n\"1","x":{"nodeName":1}}"#),
            (r#"{"a":1,"nodeName":"","x":2}"#, r#"{"a":1,"nodeName":"n\"1","x":2}"#),
            (r#"{"x":2,"nodeName":""}"#, r#"{"x":2,"nodeName":"n\"1"}"#),
        ] {
            let json = format!(r#"{{"metadata":{{"name":"p"}},"spec":{spec}}}"#);
            let mut draft = Draft::from_json(Kind::Pod, json.as_bytes()).unwrap();
            draft.set_node_name("n\"1");
            assert_eq!(draft.rest["spec"].get(), bound);
        }
    }

    #[test]
    fn a_job_is_finished_by_a_terminal_condition_that_is_true() {
        for (conditions, finished) in [
            (r#"[]"#, false),
            (r#"[{"type":"Complete","status":"True"}]"#, true),
            (r#"[{"type":"Failed","status":"True"}]"#, true),
            (r#"[{"type":"Failed","status":"False"}]"#, false),
            (r#"[{"type":"FailureTarget","status":"True"}]"#, false),
            (r#"[{"type":"Suspended","status":"True"},{"type":"Complete","status":"True"}]"#, true),
        ] {
            let json = format!(
                r#"{{"metadata":{{"name":"j"}},"status":{{"succeeded":2,"conditions":{conditions}}}}}"#
            );
            let facts = sealed(Kind::Job, &json).meta.facts;
            assert_eq!(facts, Facts::Job { finished, succeeded: 2 }, "{conditions}");
        }
    }

    #[test]
    fn changing_the_status_leaves_every_byte_of_the_spec() {
        let spec = r#"{"containers": [ {"name":"c", "futureField": 1.50} ]}"#;
        let json = format!(r#"{{"metadata":{{"name":"p","namespace":"n"}},"spec":{spec}}}"#);
        let mut draft = sealed(Kind::Pod, &json).draft();
        draft.set_pod_status(&PodStatus { phase: Some("Failed".into()), ..PodStatus::default() });
        let object = draft.seal(43);
        assert!(std::str::from_utf8(&object.json()).unwrap().contains(spec));
        let facts = Facts::Pod { node_name: String::new(), phase: "Failed".into() };
        assert_eq!(object.meta.facts, facts);
    }
}
