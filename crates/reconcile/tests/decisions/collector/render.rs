//! How objects are written in the cases, in and out.

use std::{collections::BTreeMap, fmt::Write as _};

use kinds::{Draft, KINDS, Key, Kind};
use reconcile::{Note, TRACKING_FINALIZER};
use serde_json::{Value, json};

use crate::notation::{START, uid};

/// The first words of lines that are steps.
pub(super) const STEPS: [&str; 4] = ["delete", "release", "back", "finalize"];

/// Reads an object; `there` are those above it. An owner may stand below.
pub(super) fn object(line: &str, there: &BTreeMap<Key, Draft>) -> Draft {
    let words: Vec<&str> = line.split(' ').collect();
    let kind = KINDS.iter().find(|info| info.singular == words[0]);
    let info = kind.unwrap_or_else(|| panic!("unknown kind in {line:?}"));
    let value = |key: &str| words.iter().find_map(|word| word.strip_prefix(key));
    let list = |key: &str| {
        value(key).map(|list| list.split(',').filter(|entry| !entry.is_empty()).collect::<Vec<_>>())
    };
    let mut finalizers = list("finalizers=").unwrap_or_default();
    if words.contains(&"tracked") {
        finalizers.push(TRACKING_FINALIZER);
    }
    let mut object = json!({"metadata": {
        "name": words[1], "uid": uid(words[1]), "generation": info.generation.then_some(1),
        "finalizers": finalizers,
        "ownerReferences": list("owners=").map(|all| {
            all.into_iter().map(|name| owner(name, there)).collect::<Vec<_>>()
        }),
    }});
    if info.namespaced {
        object["metadata"]["namespace"] = value("ns=").unwrap_or("default").into();
    }
    match info.kind {
        Kind::Namespace => {
            let waits = list("waits=").unwrap_or_else(|| vec!["kubernetes"]);
            object["spec"] = json!({"finalizers": waits});
            object["status"] = json!({"phase": "Active"});
            if let Some(condition) = value("condition=") {
                let (type_, status) = condition.split_once('=').unwrap();
                object["status"]["conditions"] = json!([{"type": type_, "status": status}]);
            }
        }
        Kind::Pod => {
            let phases = ["Pending", "Running", "Succeeded", "Failed"];
            let phase = phases.into_iter().find(|phase| words.contains(phase));
            let grace: i64 = value("grace=").map_or(30, |seconds| seconds.parse().unwrap());
            object["spec"] = json!({"containers": [], "terminationGracePeriodSeconds": grace});
            if words.contains(&"node") {
                object["spec"]["nodeName"] = "here".into();
            }
            object["status"] = json!({"phase": phase.unwrap_or("Pending")});
        }
        Kind::Job => {
            object["spec"] = json!({"template": {"spec": {"containers": []}}});
            if words.contains(&"Complete") {
                let complete = json!({"type": "Complete", "status": "True"});
                object["status"] = json!({"conditions": [complete]});
            }
        }
        _ => {}
    }
    Draft::from_json(info.kind, object.to_string().as_bytes()).unwrap()
}

fn owner(text: &str, there: &BTreeMap<Key, Draft>) -> Value {
    let (text, blocks) = match text.strip_suffix('!') {
        Some(text) => (text, true),
        None => (text, false),
    };
    if let Some((kind, name)) = text.strip_prefix("lost:").and_then(|lost| lost.split_once('/')) {
        let (version, kind) = kind.rsplit_once('.').unwrap();
        let version = version.replace(':', "/");
        return json!({"apiVersion": version, "kind": kind, "name": name, "uid": uid("lost"),
            "blockOwnerDeletion": blocks});
    }
    let (name, old) = match text.strip_prefix("old:") {
        Some(name) => (name, true),
        None => (text, false),
    };
    // Circles need an owner that stands below: those are ConfigMaps.
    let kind = there.keys().find(|key| *key.name == *name).map_or(Kind::ConfigMap, |key| key.kind);
    let info = kind.info();
    json!({"apiVersion": info.api_version(), "kind": info.name, "name": name,
        "uid": if old { uid("old") } else { uid(name) }, "blockOwnerDeletion": blocks,
        "controller": kind == Kind::Job})
}

/// What differs, a line each: what was told, what went, and the objects that are not as they were.
pub(super) fn difference(
    before: &BTreeMap<Key, Draft>,
    after: &BTreeMap<Key, Draft>,
    told: &mut Vec<Note>,
) -> String {
    let mut text = String::new();
    for note in told.drain(..) {
        let _ = writeln!(text, "  {}: {}", note.reason, note.message);
    }
    for (key, old) in before {
        match after.get(key) {
            None => drop(writeln!(text, "  gone {}", key.name)),
            Some(new) if new.to_json() != old.to_json() => text += &written(old, new),
            Some(_) => {}
        }
    }
    text
}

fn written(old: &Draft, draft: &Draft) -> String {
    let meta = &draft.metadata;
    let mut text = format!("  {} {}", draft.kind.info().singular, draft.key().name);
    let mut word = |name: &str, list: Vec<String>| {
        if !list.is_empty() {
            let _ = write!(text, " {name}={}", list.join(","));
        }
    };
    let owners = meta.owner_references.iter().flatten();
    let owners = owners.map(|owner| {
        let blocks = owner.block_owner_deletion == Some(true);
        format!("{}{}", owner.name, if blocks { "!" } else { "" })
    });
    word("owners", owners.collect());
    word("finalizers", meta.finalizers.clone().unwrap_or_default());
    if let Some(at) = &meta.deletion_timestamp {
        let grace = meta.deletion_grace_period_seconds;
        let grace = grace.map(|seconds| format!(" grace={seconds}")).unwrap_or_default();
        let _ = write!(text, " deleted={}{grace}", at.0.duration_since(START).as_secs());
        if let Some(generation @ 2..) = meta.generation {
            let _ = write!(text, " generation={generation}");
        }
    }
    match draft.kind {
        Kind::Pod => {
            let status = draft.pod().unwrap().status.unwrap_or_default();
            let _ = writeln!(text, " {}", status.phase.unwrap_or_default());
        }
        Kind::Namespace => text += &namespace(old, draft),
        _ => text.push('\n'),
    }
    text
}

/// What a namespace waits for, its phase, and the conditions that are not as they were.
fn namespace(old: &Draft, draft: &Draft) -> String {
    let before = old.namespace().unwrap().status.and_then(|status| status.conditions);
    let before = before.unwrap_or_default();
    let namespace = draft.namespace().unwrap();
    let (spec, status) = (namespace.spec.unwrap_or_default(), namespace.status.unwrap_or_default());
    let waits = spec.finalizers.unwrap_or_default().join(",");
    let mut text = format!(" waits={waits} {}\n", status.phase.unwrap_or_default());
    for c in status.conditions.into_iter().flatten().filter(|c| !before.contains(c)) {
        let since = c.last_transition_time.map(|at| at.0.duration_since(START).as_secs());
        let since = since.map(|since| format!(" since={since}")).unwrap_or_default();
        let (reason, message) = (c.reason.unwrap_or_default(), c.message.unwrap_or_default());
        let _ = writeln!(text, "    {}={}{since} {reason}: {message}", c.type_, c.status);
    }
    text
}
