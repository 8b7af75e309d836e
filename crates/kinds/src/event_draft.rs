//! Events that the server itself records. There are more of them than of everything else, so they
//! are written once, straight into the bytes they are kept as.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::{Draft, Facts, Key, Kind, Meta, Object, Revision, Uid, api_time};

/// Room for an Event, so that its JSON is not copied while it grows.
const EVENT_BYTES: usize = 1024;

/// An Event of the server's own, complete but for its revision.
#[derive(Clone, Debug)]
pub struct EventDraft {
    /// Where it is kept.
    pub key: Key,
    /// Its own identity.
    pub uid: Uid,
    /// `involvedObject`: what it is about.
    pub about: Key,
    /// The uid of that.
    pub about_uid: Uid,
    /// A part of that, such as `spec.containers{c}`.
    pub field_path: Option<String>,
    /// Warning rather than Normal.
    pub warning: bool,
    /// CamelCase, for machines.
    pub reason: String,
    /// For people.
    pub message: String,
    /// `source.component`
    pub component: &'static str,
    /// `source.host`, where the source has one.
    pub host: Option<String>,
    /// How often it happened.
    pub count: i32,
    /// When it happened first; the creation of the object.
    pub first: Timestamp,
    /// When it happened last.
    pub last: Timestamp,
}

impl EventDraft {
    /// Finishes the Event: gives it its revision.
    pub fn seal(self, revision: Revision) -> Object {
        let about_uid = self.about_uid.to_string();
        let json = Bytes::copy_from_slice(&self.json(&revision.to_string(), &about_uid));
        let meta = Meta {
            uid: self.uid,
            revision,
            generation: 0,
            created_s: self.first.as_second(),
            deletion_s: None,
            labels: Default::default(),
            owners: Vec::new(),
            finalizers: Vec::new(),
            run: None,
            facts: Facts::Event {
                kind: self.about.kind.info().name.to_owned(),
                name: self.about.name.to_string(),
                uid: about_uid,
            },
        };
        Object::from_parts(self.key, meta, json)
    }

    /// The Event as any other object, for what is not done with its like every day.
    pub fn draft(&self) -> Draft {
        let json = self.json("", &self.about_uid.to_string());
        let mut draft = Draft::from_json(Kind::Event, &json).expect("an Event is an object");
        draft.metadata.resource_version = None;
        draft
    }

    fn json(&self, revision: &str, about_uid: &str) -> Vec<u8> {
        let info = self.about.kind.info();
        let event = Event {
            kind: "Event",
            api_version: "v1",
            metadata: Metadata {
                creation_timestamp: api_time(self.first).0,
                name: &self.key.name,
                namespace: &self.key.namespace,
                resource_version: revision,
                uid: self.uid,
            },
            count: self.count,
            event_time: (),
            first_timestamp: api_time(self.first).0,
            involved_object: Involved {
                kind: info.name,
                api_version: info.api_version(),
                name: &self.about.name,
                uid: about_uid,
                namespace: &self.about.namespace,
                field_path: self.field_path.as_deref(),
            },
            last_timestamp: api_time(self.last).0,
            message: &self.message,
            reason: &self.reason,
            reporting_component: self.component,
            reporting_instance: self.host.as_deref().unwrap_or_default(),
            source: Source { component: self.component, host: self.host.as_deref() },
            r#type: if self.warning { "Warning" } else { "Normal" },
        };
        let mut out = Vec::with_capacity(EVENT_BYTES);
        serde_json::to_writer(&mut out, &event).expect("plain data serialises");
        out
    }
}

/// An Event as the API has it, in the order of [`Draft::to_json`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: Metadata<'a>,
    count: i32,
    event_time: (),
    first_timestamp: Timestamp,
    involved_object: Involved<'a>,
    last_timestamp: Timestamp,
    message: &'a str,
    reason: &'a str,
    reporting_component: &'static str,
    reporting_instance: &'a str,
    source: Source<'a>,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    creation_timestamp: Timestamp,
    name: &'a str,
    namespace: &'a str,
    resource_version: &'a str,
    uid: Uid,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Involved<'a> {
    kind: &'a str,
    api_version: String,
    name: &'a str,
    uid: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field_path: Option<&'a str>,
}

#[derive(Serialize)]
struct Source<'a> {
    component: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(host: Option<&str>, field_path: Option<&str>) -> EventDraft {
        EventDraft {
            key: Key::new(Kind::Event, "default", "p.0000000000000001"),
            uid: Uid::from_random(1),
            about: Key::new(Kind::Job, "default", "p"),
            about_uid: Uid::from_random(2),
            field_path: field_path.map(str::to_owned),
            warning: host.is_none(),
            reason: "Started".to_owned(),
            message: "Container \"c\" started".to_owned(),
            component: "kubelet",
            host: host.map(str::to_owned),
            count: 3,
            first: Timestamp::from_millisecond(1_800_000_000_500).unwrap(),
            last: Timestamp::from_millisecond(1_800_000_061_999).unwrap(),
        }
    }

    /// Whoever changes such an Event later must find every byte where it is written anew.
    #[test]
    fn an_event_is_sealed_as_any_draft_of_it_would_be() {
        for (host, field_path) in [(None, None), (Some("node"), Some("spec.containers{c}"))] {
            let event = event(host, field_path);
            let usual = event.draft().seal(42);
            let sealed = event.seal(42);
            assert_eq!(sealed.json(), usual.json());
            assert_eq!((&sealed.key, &sealed.meta), (&usual.key, &usual.meta));
            let typed = serde_json::to_value(sealed.event()).unwrap();
            let bytes: serde_json::Value = serde_json::from_slice(&sealed.json()).unwrap();
            let named = |value: &serde_json::Value| value["involvedObject"].clone();
            assert_eq!(named(&typed), named(&bytes));
        }
    }
}
