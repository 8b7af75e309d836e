//! The kinds that say how pods are admitted and ranked: quotas and priority classes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Column, Table,
    cells::{AGE, NAME, age, name, plain, text, view},
};

pub(super) static RESOURCE_QUOTA: Table = Table {
    columns: &[
        NAME,
        text("Request", "Used out of what is allowed, of all but limits"),
        text("Limit", "Used out of what is allowed, of limits"),
        AGE,
    ],
    row: |object, now| {
        let quota: Quota = view(object);
        let (limits, requests): (Vec<_>, Vec<_>) =
            quota.status.hard.keys().partition(|name| name.starts_with("limits."));
        let cell = |names: Vec<&String>| quota.status.cell(&names);
        plain([name(object), cell(requests).into(), cell(limits).into(), age(object, now)])
    },
};

pub(super) static PRIORITY_CLASS: Table = Table {
    columns: &[
        NAME,
        Column { kind: "integer", ..text("Value", "Priority of the pods of this class") },
        Column {
            kind: "boolean",
            ..text("Global-Default", "Whether pods that name no class are of this one")
        },
        AGE,
        text("PreemptionPolicy", "Whether the pods may take the place of others"),
    ],
    row: |object, now| {
        let class: Class = view(object);
        plain([
            name(object),
            class.value.into(),
            class.global_default.into(),
            age(object, now),
            class.preemption_policy.into(),
        ])
    },
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Quota {
    status: Usage,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    hard: BTreeMap<String, String>,
    used: BTreeMap<String, String>,
}

impl Usage {
    fn cell(&self, names: &[&String]) -> String {
        let shares = names.iter().map(|name| {
            let used = self.used.get(*name).map_or("0", |used| used);
            format!("{name}: {used}/{}", self.hard[*name])
        });
        shares.collect::<Vec<_>>().join(", ")
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Class {
    value: i32,
    global_default: bool,
    preemption_policy: String,
}
