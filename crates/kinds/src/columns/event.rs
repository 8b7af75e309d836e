//! Events in tables. They carry their times and counts in an old and a new form; both are read.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Column, Row, Table,
    cells::{NAME, name, plain, text, view, wide},
    time,
};
use crate::Object;

pub(super) static EVENT: Table = Table {
    columns: &[
        text("Last Seen", "Time since this was last observed"),
        text("Type", "Normal or Warning"),
        text("Reason", "Machine-readable cause"),
        text("Object", "What the event is about"),
        wide("Subobject", "The part of the object that the event is about"),
        wide("Source", "Who observed it"),
        text("Message", "What happened"),
        wide("First Seen", "Time since this was first observed"),
        wide("Count", "How often it was observed"),
        Column { priority: 1, ..NAME },
    ],
    row,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Event {
    r#type: String,
    reason: String,
    message: String,
    involved_object: Involved,
    source: Source,
    reporting_component: String,
    reporting_instance: String,
    first_timestamp: Option<Timestamp>,
    last_timestamp: Option<Timestamp>,
    event_time: Option<Timestamp>,
    series: Option<Series>,
    count: i32,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Involved {
    kind: String,
    name: String,
    field_path: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    component: String,
    host: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    count: i32,
    last_observed_time: Option<Timestamp>,
}

fn row(object: &Object, now: Timestamp) -> Row {
    let event: Event = view(object);
    let first = event.first_timestamp.or(event.event_time);
    let (last, count) = match &event.series {
        Some(series) => (series.last_observed_time, series.count),
        None => (event.last_timestamp.or(first), if event.count == 0 { 1 } else { event.count }),
    };
    plain([
        time::since(last, now).into(),
        event.r#type.as_str().into(),
        event.reason.as_str().into(),
        event.about().into(),
        event.involved_object.field_path.as_str().into(),
        event.source().into(),
        event.message.trim().into(),
        time::since(first, now).into(),
        count.into(),
        name(object),
    ])
}

impl Event {
    fn about(&self) -> String {
        let kind = self.involved_object.kind.to_lowercase();
        match &*self.involved_object.name {
            "" => kind,
            name => format!("{kind}/{name}"),
        }
    }

    fn source(&self) -> String {
        let first = |old: &'_ str, new: &'_ str| if old.is_empty() { new } else { old }.to_owned();
        let component = first(&self.source.component, &self.reporting_component);
        match first(&self.source.host, &self.reporting_instance) {
            host if host.is_empty() => component,
            host => format!("{component}, {host}"),
        }
    }
}
