//! Events, the Kubernetes kind: what happened to an object, for people. Repeats are folded into one
//! object by count, and all of them live within a budget of bytes and age.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use jiff::Timestamp;
use kinds::{Draft, EventDraft, Key, Kind, Uid};

use crate::{correlator::Correlator, limits::Limits};

/// Bytes of an Event object besides its message and the name and namespace of what it is about.
const EVENT_OVERHEAD_BYTES: usize = 700;

/// Bytes that `metadata.resourceVersion` adds to an object that is not sealed yet.
const REVISION_BYTES: usize = 40;

/// How the words of many Events begin that are told as one.
const COMBINED: &str = "(combined from similar events): ";

/// Records whatever it has to say: upstream's scheduler speaks through another API.
const OUTSPOKEN: &str = "default-scheduler";

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

/// What is known of an Event object.
struct Known {
    key: Key,
    uid: Uid,
    count: i32,
    first: Timestamp,
    last_s: i64,
    bytes: usize,
}

/// Knows which Events exist, to fold repeats and to keep the budget.
#[derive(Default)]
pub(crate) struct Recorder {
    known: HashMap<u64, Known>,
    /// Every known Event once, by the time at which it was put here: it may have been seen since.
    queue: VecDeque<(i64, u64)>,
    bytes: usize,
    sequence: u64,
    correlator: Correlator,
}

impl Recorder {
    /// Takes in an Event found in the store: it is kept, but not counted up any more.
    pub(crate) fn found(&mut self, key: &Key, uid: Uid, seen_s: i64, bytes: usize) {
        let first = Timestamp::from_second(seen_s).unwrap_or_default();
        let known = Known { key: key.clone(), uid, count: 1, first, last_s: seen_s, bytes };
        self.keep(hash(&uid), known);
    }

    /// Takes in an Event that a client posts or changes: it counts towards the budget like any other.
    pub(crate) fn posted(&mut self, draft: &Draft) {
        let Some(uid) = crate::engine::uid(draft) else { return };
        let bytes = draft.to_json().len() + REVISION_BYTES;
        match self.known.get_mut(&hash(&uid)) {
            Some(known) => {
                self.bytes = self.bytes - std::mem::replace(&mut known.bytes, bytes) + bytes
            }
            None => {
                let created = draft.metadata.creation_timestamp.as_ref();
                let seen_s = created.map_or(0, |time| time.0.as_second());
                self.found(&draft.key(), uid, seen_s, bytes);
            }
        }
    }

    fn keep(&mut self, fold: u64, known: Known) {
        self.bytes += known.bytes;
        self.queue.push_back((known.last_s, fold));
        self.known.insert(fold, known);
    }

    /// The Event object that says it: a new one, or the earlier one counted up. `None` if there was
    /// too much of the like.
    pub(crate) fn record(
        &mut self,
        about: &About,
        what: &Happening,
        node: &str,
        uid: Uid,
        now: Timestamp,
    ) -> Option<EventDraft> {
        let now_s = now.as_second();
        let (fold, message) = self.fold(about, what, now_s);
        let source = hash(&(about.uid, what.component));
        let heard = what.component == OUTSPOKEN || self.correlator.hears(source, now_s);
        if let Some(known) = self.known.get_mut(&fold) {
            known.count += 1;
            known.last_s = now_s;
            return heard.then(|| event(about, what, message, node, known, now));
        }
        if !heard {
            return None;
        }
        self.sequence += 1;
        let stamp = (now.as_nanosecond() as u64).wrapping_add(self.sequence);
        let name = format!("{}.{stamp:016x}", about.key.name).into();
        let namespace = match about.key.namespace.is_empty() {
            true => "default".into(),
            false => about.key.namespace.clone(),
        };
        let key = Key { kind: Kind::Event, namespace, name };
        let names = 2 * about.key.name.len() + 2 * about.key.namespace.len();
        let bytes = EVENT_OVERHEAD_BYTES + names + message.len();
        let known = Known { key, uid, count: 1, first: now, last_s: now_s, bytes };
        let event = event(about, what, message, node, &known, now);
        self.keep(fold, known);
        Some(event)
    }

    /// What stands for an Event, which is the same as the last with an equal one; and its words,
    /// which are others if it is combined with more like it.
    fn fold(&mut self, about: &About, what: &Happening, now_s: i64) -> (u64, String) {
        let Happening { component, warning, reason, message } = what;
        let like = hash(&(about.uid, *component, *warning, reason));
        if *component != OUTSPOKEN && self.correlator.combines(like, hash(message), now_s) {
            return (hash(&(COMBINED, like)), format!("{COMBINED}{message}"));
        }
        let fold = hash(&(about.uid, &about.field_path, component, reason, message));
        (fold, message.clone())
    }

    /// Takes out one Event that is over the budget.
    pub(crate) fn expired(&mut self, limits: &Limits, now: Timestamp) -> Option<Key> {
        loop {
            let (seen_s, fold) = *self.queue.front()?;
            let old = now.as_second() - seen_s > limits.event_age_s;
            if !old && self.bytes <= limits.event_bytes_max {
                return None;
            }
            self.queue.pop_front();
            let last_s = self.known.get(&fold)?.last_s;
            if last_s > seen_s {
                self.queue.push_back((last_s, fold));
                continue;
            }
            let known = self.known.remove(&fold)?;
            self.bytes -= known.bytes;
            return Some(known.key);
        }
    }
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

fn event(
    about: &About,
    what: &Happening,
    message: String,
    node: &str,
    known: &Known,
    now: Timestamp,
) -> EventDraft {
    EventDraft {
        key: known.key.clone(),
        uid: known.uid,
        about: about.key.clone(),
        about_uid: about.uid,
        field_path: about.field_path.clone(),
        warning: what.warning,
        reason: what.reason.clone(),
        message,
        component: what.component,
        host: (what.component == "kubelet").then(|| node.to_owned()),
        count: known.count,
        first: known.first,
        last: now,
    }
}
