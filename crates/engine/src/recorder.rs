//! Events, the Kubernetes kind: what happened to an object, for people. Repeats are folded into one
//! object by count, and all of them live within a budget of bytes and age.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use jiff::Timestamp;
use kinds::{Draft, Key, Kind, Object, Uid, api_time, metav1::ObjectMeta};
use serde_json::{json, value::RawValue};

use crate::limits::Limits;

/// What an Event is about.
#[derive(Clone, Debug)]
pub struct About {
    /// The object.
    pub key: Key,
    /// Its uid.
    pub uid: Uid,
    /// A part of it, such as `spec.containers{c}`.
    pub field_path: Option<String>,
}

/// What happened.
#[derive(Clone, Debug)]
pub struct Happening {
    /// Who says so: `job-controller`, `kubelet`, `default-scheduler`.
    pub component: &'static str,
    /// Warning rather than Normal.
    pub warning: bool,
    /// CamelCase, for machines.
    pub reason: String,
    /// For people.
    pub message: String,
}

struct Known {
    key: Key,
    uid: Uid,
    count: i32,
    first: Timestamp,
}

/// Knows which Events exist, to fold repeats and to keep the budget.
#[derive(Default)]
pub(crate) struct Recorder {
    folded: HashMap<u64, Known>,
    kept: VecDeque<(u64, Key, i64, usize)>,
    bytes: usize,
    sequence: u64,
}

impl Recorder {
    /// Takes in an Event found in the store.
    pub(crate) fn found(&mut self, object: &Object) {
        let size = object.json().len();
        self.kept.push_back((0, object.key.clone(), object.meta.created_s, size));
        self.bytes += size;
    }

    /// The Event object that says it: a new one, or the earlier one counted up.
    pub(crate) fn record(
        &mut self,
        about: &About,
        what: &Happening,
        node: &str,
        uid: Uid,
        now: Timestamp,
    ) -> Draft {
        let mut hasher = DefaultHasher::new();
        (about.uid, &about.field_path, what.component, &what.reason, &what.message)
            .hash(&mut hasher);
        let fold = hasher.finish();
        self.sequence += 1;
        let sequence = self.sequence;
        let known =
            self.folded.entry(fold).and_modify(|known| known.count += 1).or_insert_with(|| {
                let stamp = (now.as_nanosecond() as u64).wrapping_add(sequence);
                let name = format!("{}.{stamp:016x}", about.key.name);
                let namespace =
                    if about.key.namespace.is_empty() { "default" } else { &about.key.namespace };
                Known { key: Key::new(Kind::Event, namespace, &name), uid, count: 1, first: now }
            });
        let draft = event(about, what, node, known, now);
        if known.count == 1 {
            let size = draft.to_json().len();
            self.kept.push_back((fold, known.key.clone(), now.as_second(), size));
            self.bytes += size;
        }
        draft
    }

    /// Takes out one Event that is over the budget.
    pub(crate) fn expired(&mut self, limits: &Limits, now: Timestamp) -> Option<Key> {
        let (_, _, created_s, _) = self.kept.front()?;
        let old = now.as_second() - created_s > limits.event_age_s;
        if !old && self.bytes <= limits.event_bytes_max {
            return None;
        }
        let (fold, key, _, size) = self.kept.pop_front()?;
        self.folded.remove(&fold);
        self.bytes -= size;
        Some(key)
    }
}

fn event(about: &About, what: &Happening, node: &str, known: &Known, now: Timestamp) -> Draft {
    let info = about.key.kind.info();
    let mut involved = json!({
        "kind": info.name, "apiVersion": info.api_version(),
        "name": &*about.key.name, "uid": about.uid.to_string(),
    });
    if !about.key.namespace.is_empty() {
        involved["namespace"] = json!(&*about.key.namespace);
    }
    if let Some(path) = &about.field_path {
        involved["fieldPath"] = json!(path);
    }
    let host = (what.component == "kubelet").then_some(node);
    let mut source = json!({"component": what.component});
    if let Some(host) = host {
        source["host"] = json!(host);
    }
    let fields = [
        ("involvedObject", involved),
        ("reason", json!(what.reason)),
        ("message", json!(what.message)),
        ("source", source),
        ("firstTimestamp", json!(api_time(known.first))),
        ("lastTimestamp", json!(api_time(now))),
        ("count", json!(known.count)),
        ("type", json!(if what.warning { "Warning" } else { "Normal" })),
        ("eventTime", json!(null)),
        ("reportingComponent", json!(what.component)),
        ("reportingInstance", json!(host.unwrap_or_default())),
    ];
    let raw = |value: serde_json::Value| {
        RawValue::from_string(value.to_string()).expect("a JSON value prints as JSON")
    };
    Draft {
        kind: Kind::Event,
        metadata: ObjectMeta {
            name: Some(known.key.name.to_string()),
            namespace: Some(known.key.namespace.to_string()),
            uid: Some(known.uid.to_string()),
            creation_timestamp: Some(api_time(known.first)),
            ..Default::default()
        },
        rest: fields.into_iter().map(|(name, value)| (name.to_owned(), raw(value))).collect(),
    }
}
