//! The kinds whose tables are a few plain cells.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};

use super::{
    Column, Table,
    cells::{AGE, NAME, Template, age, labels, name, plain, text, view},
};

pub(super) static NAMESPACE: Table = Table {
    columns: &[NAME, text("Status", "Active, or Terminating while it is emptied"), AGE],
    row: |object, now| {
        let namespace: Namespace = view(object);
        plain([name(object), namespace.status.phase.into(), age(object, now)])
    },
};

pub(super) static CONFIG_MAP: Table = Table {
    columns: &[NAME, text("Data", "Number of keys, binary ones included"), AGE],
    row: |object, now| {
        let map: Data = view(object);
        let keys = map.data.len() + map.binary_data.len();
        plain([name(object), keys.into(), age(object, now)])
    },
};

pub(super) static SECRET: Table = Table {
    columns: &[NAME, text("Type", "What the data is for"), text("Data", "Number of keys"), AGE],
    row: |object, now| {
        let secret: Data = view(object);
        plain([name(object), secret.r#type.into(), secret.data.len().into(), age(object, now)])
    },
};

pub(super) static RUNTIME_CLASS: Table = Table {
    columns: &[NAME, text("Handler", "How pods of this class are run"), AGE],
    row: |object, now| {
        let class: Class = view(object);
        plain([name(object), class.handler.into(), age(object, now)])
    },
};

pub(super) static SERVICE_ACCOUNT: Table =
    Table { columns: &[NAME, AGE], row: |object, now| plain([name(object), age(object, now)]) };

pub(super) static LEASE: Table = Table {
    columns: &[NAME, text("Holder", "Who holds the lease"), AGE],
    row: |object, now| {
        let lease: Lease = view(object);
        plain([name(object), lease.spec.holder_identity.into(), age(object, now)])
    },
};

pub(super) static POD_TEMPLATE: Table = Table {
    columns: &[
        NAME,
        text("Containers", "Names of the containers"),
        text("Images", "Images of the containers"),
        text("Pod Labels", "Labels of the pods that are made of it"),
    ],
    row: |object, _| {
        let Templated { template } = view(object);
        plain([
            name(object),
            template.names(),
            template.images(),
            labels(&template.metadata.labels),
        ])
    },
};

/// What is shown of a kind that has no table of its own: no age, but the time.
pub(super) static ANY: Table = Table {
    columns: &[
        NAME,
        Column { kind: "date", ..text("Created At", "When the object was created, in UTC") },
    ],
    row: |object, _| {
        let created = Timestamp::from_second(object.meta.created_s).unwrap_or_default();
        plain([name(object), created.to_string().into()])
    },
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Namespace {
    status: Phase,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Phase {
    phase: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Data {
    r#type: String,
    data: BTreeMap<String, IgnoredAny>,
    binary_data: BTreeMap<String, IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Class {
    handler: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Lease {
    spec: Holder,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Holder {
    holder_identity: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Templated {
    template: Template,
}
