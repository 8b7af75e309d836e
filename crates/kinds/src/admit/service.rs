//! Services: defaults and validation. Only type `ClusterIP`, headless or not, is accepted so far (the
//! support table refuses the others), and no address is assigned to it.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::json;

use super::{
    container::{PROTOCOLS, fill, one_of, port_number},
    meta::{self, push_all},
};
use crate::{
    FieldError, FieldErrorKind, FieldErrors,
    path::Path,
    types::core::v1::{Service, ServicePort, ServiceSpec, ServiceStatus},
    validate,
};

/// Seconds that a client keeps its pod when a Service says no more than that it does.
const AFFINITY_TIMEOUT_S: i32 = 10_800;

/// Longest time that a client keeps its pod.
const AFFINITY_TIMEOUT_S_MAX: i32 = 86_400;

const AFFINITIES: [&str; 2] = ["ClientIP", "None"];
const DISTRIBUTIONS: [&str; 3] = ["PreferClose", "PreferSameZone", "PreferSameNode"];
const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];
const FAMILY_POLICIES: [&str; 3] = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const INTERNAL_POLICIES: [&str; 2] = ["Cluster", "Local"];
const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

/// Defaults of a Service and everything wrong with it.
pub(super) fn finish(service: &mut Service, old: Option<&Service>, errors: &mut FieldErrors) {
    service.status.get_or_insert_default().load_balancer.get_or_insert_default();
    let before = old.and_then(|old| old.spec.as_ref());
    let spec = service.spec.get_or_insert_default();
    defaults(spec, before);
    check(spec, errors);
    if let Some(before) = before {
        let (was, is) = (cluster_ips(before), cluster_ips(spec));
        if was.first() != is.first() {
            let at = Path::top("spec");
            let at = at.field("clusterIPs");
            errors.push(FieldError::invalid(at.index(0), json!(is), "may not change once set"));
        }
    }
}

fn defaults(spec: &mut ServiceSpec, before: Option<&ServiceSpec>) {
    fill(&mut spec.type_, "ClusterIP");
    fill(&mut spec.session_affinity, "None");
    match spec.session_affinity.as_deref() {
        Some("ClientIP") => {
            let config = spec.session_affinity_config.get_or_insert_default();
            let client = config.client_ip.get_or_insert_default();
            client.timeout_seconds.get_or_insert(AFFINITY_TIMEOUT_S);
        }
        Some("None") => spec.session_affinity_config = None,
        _ => {}
    }
    for port in spec.ports.iter_mut().flatten() {
        fill(&mut port.protocol, "TCP");
        let whole = IntOrString::Int(port.port);
        let target = port.target_port.get_or_insert_with(|| whole.clone());
        if matches!(target, IntOrString::Int(0)) || *target == IntOrString::String(String::new()) {
            *target = whole;
        }
    }
    spec.internal_traffic_policy.get_or_insert_with(|| "Cluster".to_owned());
    // What a client leaves out of an update stays; the two fields say the same.
    if let Some(before) = before
        && cluster_ips(spec).is_empty()
    {
        spec.cluster_ip.clone_from(&before.cluster_ip);
        spec.cluster_ips.clone_from(&before.cluster_ips);
    }
    let addresses = cluster_ips(spec);
    if let Some(first) = addresses.first().cloned() {
        spec.cluster_ip = Some(first);
        spec.cluster_ips = Some(addresses);
    }
}

/// The addresses, whichever of the two fields names them.
fn cluster_ips(spec: &ServiceSpec) -> Vec<String> {
    let single = spec.cluster_ip.iter().filter(|address| !address.is_empty());
    match spec.cluster_ips.as_deref() {
        None | Some([]) => single.cloned().collect(),
        Some(several) => several.to_vec(),
    }
}

fn check(spec: &ServiceSpec, errors: &mut FieldErrors) {
    let at = Path::top("spec");
    let headless = cluster_ips(spec).first().is_some_and(|address| address == "None");
    let list = spec.ports.as_deref().unwrap_or_default();
    if list.is_empty() && !headless {
        errors.push(FieldError::required(at.field("ports"), ""));
    }
    ports(list, at.field("ports"), errors);
    meta::labels(spec.selector.as_ref(), at.field("selector"), errors);
    one_of(spec.session_affinity.as_deref(), &AFFINITIES, at.field("sessionAffinity"), errors);
    let client = spec.session_affinity_config.as_ref().and_then(|c| c.client_ip.as_ref());
    if let Some(seconds) = client.and_then(|client| client.timeout_seconds)
        && !(1..=AFFINITY_TIMEOUT_S_MAX).contains(&seconds)
    {
        let at = at.field("sessionAffinityConfig");
        let at = at.field("clientIP");
        let text = format!("must be greater than 0 and less than {AFFINITY_TIMEOUT_S_MAX}");
        errors.push(FieldError::invalid(at.field("timeoutSeconds"), seconds, text));
    }
    families(spec, at, errors);
    one_of(spec.type_.as_deref(), &TYPES, at.field("type"), errors);
    external(spec, at, errors);
    let policy = spec.internal_traffic_policy.as_deref();
    one_of(policy, &INTERNAL_POLICIES, at.field("internalTrafficPolicy"), errors);
    if let Some(distribution) = spec.traffic_distribution.as_deref()
        && !DISTRIBUTIONS.contains(&distribution)
    {
        let at = at.field("trafficDistribution");
        errors.push(FieldError::not_supported(at, distribution, &DISTRIBUTIONS));
    }
}

fn families(spec: &ServiceSpec, at: Path<'_>, errors: &mut FieldErrors) {
    let mut seen = BTreeSet::new();
    for (i, family) in spec.ip_families.iter().flatten().enumerate() {
        let at = at.field("ipFamilies");
        if !FAMILIES.contains(&&**family) {
            errors.push(FieldError::not_supported(at.index(i), family.as_str(), &FAMILIES));
        }
        if !seen.insert(family) {
            errors.push(FieldError::duplicate(at.index(i), family.as_str()));
        }
    }
    if let Some(policy) = spec.ip_family_policy.as_deref()
        && !FAMILY_POLICIES.contains(&policy)
    {
        let at = at.field("ipFamilyPolicy");
        errors.push(FieldError::not_supported(at, policy, &FAMILY_POLICIES));
    }
}

/// What only Services that are reached from outside may have.
fn external(spec: &ServiceSpec, at: Path<'_>, errors: &mut FieldErrors) {
    const BALANCED: &str = "may only be used when `type` is 'LoadBalancer'";
    if spec.type_.as_deref() != Some("ClusterIP") {
        return;
    }
    for (i, port) in spec.ports.iter().flatten().enumerate() {
        if port.node_port.unwrap_or(0) != 0 {
            let at = at.field("ports");
            let text = "may not be used when `type` is 'ClusterIP'";
            errors.push(FieldError::forbidden(at.index(i).field("nodePort"), text));
        }
    }
    let ranges = spec.load_balancer_source_ranges.as_deref().unwrap_or_default();
    for (field, set) in [
        ("LoadBalancerSourceRanges", !ranges.is_empty()),
        ("allocateLoadBalancerNodePorts", spec.allocate_load_balancer_node_ports.is_some()),
        ("loadBalancerClass", spec.load_balancer_class.is_some()),
    ] {
        if set {
            errors.push(FieldError::forbidden(at.field(field), BALANCED));
        }
    }
    let externally = spec.external_ips.as_ref().is_some_and(|addresses| !addresses.is_empty());
    if let Some(policy) = spec.external_traffic_policy.as_deref().filter(|p| !p.is_empty())
        && !externally
    {
        let text = "may only be set for externally-accessible services";
        errors.push(FieldError::invalid(at.field("externalTrafficPolicy"), policy, text));
    }
    if let Some(port) = spec.health_check_node_port.filter(|port| *port != 0) {
        let text =
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.push(FieldError::invalid(at.field("healthCheckNodePort"), port, text));
    }
}

fn ports(ports: &[ServicePort], at: Path<'_>, errors: &mut FieldErrors) {
    let mut names = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for (i, port) in ports.iter().enumerate() {
        let at = at.index(i);
        match port.name.as_deref().unwrap_or_default() {
            "" if ports.len() > 1 => errors.push(FieldError::required(at.field("name"), "")),
            "" => {}
            name => {
                push_all(errors, at.field("name"), name, validate::dns_label(name));
                if !names.insert(name) {
                    errors.push(FieldError::duplicate(at.field("name"), name));
                }
            }
        }
        port_number(port.port, at.field("port"), errors);
        one_of(port.protocol.as_deref(), &PROTOCOLS, at.field("protocol"), errors);
        match &port.target_port {
            Some(IntOrString::Int(target)) => port_number(*target, at.field("targetPort"), errors),
            Some(IntOrString::String(name)) => {
                push_all(errors, at.field("targetPort"), name, validate::port_name(name));
            }
            None => {}
        }
        if let Some(protocol) = &port.app_protocol {
            let wrong = validate::qualified_name(protocol);
            push_all(errors, at.field("appProtocol"), protocol, wrong);
        }
    }
    for (i, port) in ports.iter().enumerate() {
        let protocol = port.protocol.as_deref().unwrap_or_default();
        if !numbers.insert((protocol, port.port)) {
            // As upstream's internal type prints it.
            let value = format!(
                r#"{{"Name":"","Protocol":{protocol:?},"AppProtocol":null,"Port":{},"TargetPort":0,"NodePort":0}}"#,
                port.port
            );
            let (kind, path) = (FieldErrorKind::Duplicate, at.index(i).to_string());
            errors.push(FieldError { kind, path, value: Some(value), detail: String::new() });
        }
    }
}

/// Everything wrong with a status: only load balancers have addresses outside.
pub(super) fn check_status(status: &ServiceStatus, errors: &mut FieldErrors) {
    let balancer = status.load_balancer.as_ref();
    if balancer.and_then(|b| b.ingress.as_ref()).is_some_and(|ingress| !ingress.is_empty()) {
        let at = Path::top("status");
        let at = at.field("loadBalancer");
        let text = "may only be used when `spec.type` is \"LoadBalancer\"";
        errors.push(FieldError::forbidden(at.field("ingress"), text));
    }
}
