//! Services in tables.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Row, Table,
    cells::{AGE, NAME, NONE, UNKNOWN, age, labels, name, or, plain, text, view, wide},
};
use crate::Object;

pub(super) static SERVICE: Table = Table {
    columns: &[
        NAME,
        text("Type", "How the service can be reached"),
        text("Cluster-IP", "First address of the service; None if it is headless"),
        text("External-IP", "Addresses or the name from outside"),
        text("Port(s)", "Ports of the service, with those of the node behind a colon"),
        AGE,
        wide("Selector", "Labels of the pods behind the service"),
    ],
    row,
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Service {
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    r#type: String,
    #[serde(rename = "clusterIPs")]
    cluster_ips: Vec<String>,
    #[serde(rename = "externalIPs")]
    external_ips: Vec<String>,
    external_name: String,
    ports: Vec<Port>,
    selector: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Port {
    port: i32,
    node_port: i32,
    protocol: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    load_balancer: LoadBalancer,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LoadBalancer {
    ingress: Vec<Ingress>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ingress {
    ip: String,
    hostname: String,
}

fn row(object: &Object, now: Timestamp) -> Row {
    let service: Service = view(object);
    let address = service.spec.cluster_ips.first().map_or(NONE, |first| first);
    plain([
        name(object),
        service.spec.r#type.as_str().into(),
        address.into(),
        service.external().into(),
        or(service.ports(), NONE),
        age(object, now),
        labels(&service.spec.selector),
    ])
}

impl Service {
    fn external(&self) -> String {
        let spec = &self.spec;
        let addresses: Vec<&str> = match &*spec.r#type {
            "ExternalName" => return spec.external_name.clone(),
            "LoadBalancer" => self.balanced(),
            "ClusterIP" | "NodePort" => Vec::new(),
            _ => return UNKNOWN.to_owned(),
        };
        let all: Vec<&str> =
            addresses.into_iter().chain(spec.external_ips.iter().map(|ip| &**ip)).collect();
        match (&*all, &*spec.r#type) {
            ([], "LoadBalancer") => "<pending>".to_owned(),
            ([], _) => NONE.to_owned(),
            _ => all.join(","),
        }
    }

    /// Addresses of the load balancer, in order and once each.
    fn balanced(&self) -> Vec<&str> {
        let ingress = self.status.load_balancer.ingress.iter();
        let addresses = ingress.map(|i| if i.ip.is_empty() { &*i.hostname } else { &*i.ip });
        let addresses: BTreeSet<&str> = addresses.filter(|address| !address.is_empty()).collect();
        addresses.into_iter().collect()
    }

    fn ports(&self) -> String {
        let ports =
            self.spec.ports.iter().map(|Port { port, node_port, protocol }| match node_port {
                1.. => format!("{port}:{node_port}/{protocol}"),
                _ => format!("{port}/{protocol}"),
            });
        ports.collect::<Vec<_>>().join(",")
    }
}
