//! Nodes in tables.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Row, Table,
    cells::{AGE, NAME, NONE, UNKNOWN, age, name, or, plain, text, view, wide},
};
use crate::Object;

pub(super) static NODE: Table = Table {
    columns: &[
        NAME,
        text("Status", "Whether the node is ready, and whether it takes new pods"),
        text("Roles", "What the node is for, according to its labels"),
        AGE,
        text("Version", "Version of the node agent"),
        wide("Internal-IP", "First address of the node inside its network"),
        wide("External-IP", "First address of the node from outside"),
        wide("OS-Image", "Operating system as the node reports it"),
        wide("Kernel-Version", "Kernel of the node and its architecture"),
        wide("Container-Runtime", "What runs the containers, with its version"),
    ],
    row,
};

const ROLE_PREFIX: &str = "node-role.kubernetes.io/";
const ROLE_LABEL: &str = "kubernetes.io/role";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    unschedulable: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    conditions: Vec<Condition>,
    addresses: Vec<Address>,
    node_info: Info,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Address {
    r#type: String,
    address: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Info {
    architecture: String,
    container_runtime_version: String,
    kernel_version: String,
    kubelet_version: String,
    os_image: String,
}

fn row(object: &Object, now: Timestamp) -> Row {
    let node: Node = view(object);
    let address = |wanted: &str| {
        let first = node.status.addresses.iter().find(|a| a.r#type == wanted);
        Value::from(first.map_or(NONE, |a| &*a.address))
    };
    let (internal, external) = (address("InternalIP"), address("ExternalIP"));
    let state = node.state();
    let info = node.status.node_info;
    let kernel = if info.kernel_version.is_empty() { UNKNOWN } else { &info.kernel_version };
    let kernel = match &*info.architecture {
        "" => kernel.to_owned(),
        architecture => format!("{kernel} ({architecture})"),
    };
    plain([
        name(object),
        state.into(),
        or(roles(object), NONE),
        age(object, now),
        info.kubelet_version.into(),
        internal,
        external,
        or(info.os_image, UNKNOWN),
        kernel.into(),
        or(info.container_runtime_version, UNKNOWN),
    ])
}

impl Node {
    fn state(&self) -> String {
        let ready = self.status.conditions.iter().rfind(|c| c.r#type == "Ready");
        let state = match ready.map(|c| &*c.status) {
            Some("True") => "Ready",
            Some(_) => "NotReady",
            None => "Unknown",
        };
        let closed = if self.spec.unschedulable { ",SchedulingDisabled" } else { "" };
        format!("{state}{closed}")
    }
}

fn roles(object: &Object) -> String {
    let role = |(key, value): (&str, &str)| match key.strip_prefix(ROLE_PREFIX) {
        Some(role) => Some(role.to_owned()),
        None => (key == ROLE_LABEL).then(|| value.to_owned()),
    };
    let roles: BTreeSet<String> =
        object.meta.labels.iter().filter_map(role).filter(|role| !role.is_empty()).collect();
    roles.into_iter().collect::<Vec<_>>().join(",")
}
