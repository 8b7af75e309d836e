//! The story of a seed, a line for each thing that happens: what a failure is understood from.

use kinds::{Facts, Kind, Object};
use spawner::protocol::Request;
use store::Change;

use crate::world::Event;

/// One thing that happens.
pub(crate) fn event(event: &Event) -> String {
    match event {
        Event::ToSpawner(link, Request::Start(start)) => {
            format!("ToSpawner({link}, Start({:?}))", start.id)
        }
        event => format!("{event:?}"),
    }
}

/// One change that clients now see.
pub(crate) fn change(change: &Change) -> String {
    let object = &change.object;
    let deleting = if object.deleting() { " deleting" } else { "" };
    let finalizers = &object.meta.finalizers;
    let Change { revision, kind, .. } = change;
    format!("    {revision} {kind:?} {}{deleting} {finalizers:?} {}", object.key, about(object))
}

fn about(object: &Object) -> String {
    match object.key.kind {
        Kind::Pod => {
            let Facts::Pod { phase, node_name } = &object.meta.facts else { return String::new() };
            format!("{} on {node_name:?}: {phase}", object.meta.uid)
        }
        Kind::Job => {
            let (spec, status) = (object.job().spec, object.job().status);
            let (spec, status) = (spec.unwrap_or_default(), status.unwrap_or_default());
            let conditions: Vec<_> = status.conditions.iter().flatten().map(|c| &c.type_).collect();
            format!(
                "parallelism {:?} suspend {:?}: active {:?} ready {:?} terminating {:?} succeeded {:?} failed {:?} {:?} {conditions:?}",
                spec.parallelism,
                spec.suspend,
                status.active,
                status.ready,
                status.terminating,
                status.succeeded,
                status.failed,
                status.completed_indexes,
            )
        }
        Kind::Event => {
            let event = object.event();
            format!(
                "{} {}: {}",
                event.involved_object.name.unwrap_or_default(),
                event.reason.unwrap_or_default(),
                event.message.unwrap_or_default()
            )
        }
        _ => String::new(),
    }
}
