//! Placement on the one node: does this pod fit, and if not, why, in the scheduler's words.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use kinds::{
    quantity::Quantity,
    types::core::v1::{Container, PodSpec},
};

/// An amount of what pods ask for, or of what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// CPU, in thousandths of a core.
    pub cpu_milli: i64,
    /// Memory, in bytes.
    pub memory_bytes: i64,
    /// Pods.
    pub pods: i64,
}

/// What placement asks of the node.
#[derive(Clone, Debug, Default)]
pub struct NodeFacts {
    /// The node's name.
    pub name: String,
    /// `metadata.labels`
    pub labels: BTreeMap<String, String>,
    /// `status.allocatable`
    pub allocatable: Room,
    /// `spec.unschedulable`: the node is cordoned, and takes no pods that do not tolerate it.
    pub unschedulable: bool,
}

/// The taint that a cordoned node is as good as having, with effect `NoSchedule`.
const UNSCHEDULABLE_TAINT: &str = "node.kubernetes.io/unschedulable";

/// The order in which waiting pods are tried: the higher priority, then the older, then by name.
pub fn queue_order(priority: i32, created_s: i64, name: &str) -> impl Ord + '_ {
    (Reverse(priority), created_s, name)
}

/// What a pod takes of the node: itself, and the greater of all its containers together and each
/// init container with the restartable ones before it, plus the pod's overhead.
pub fn requests(spec: &PodSpec) -> Room {
    Room {
        cpu_milli: effective(spec, "cpu", Quantity::milli),
        memory_bytes: effective(spec, "memory", Quantity::value),
        pods: 1,
    }
}

/// Takes the pod's requests out of `free`, or says why the pod cannot run on the node now.
///
/// # Errors
/// The message of the `FailedScheduling` Event and of the `PodScheduled` condition.
pub fn place(free: &mut Room, node: &NodeFacts, spec: &PodSpec) -> Result<(), String> {
    open(node, spec)?;
    named(node, spec)?;
    selected(node, spec)?;
    fits(*free, node, spec)?;
    take(free, requests(spec));
    Ok(())
}

/// Takes what a pod requests out of `free`, fitting or not: it runs there already, or its user chose
/// the node by name.
pub fn take(free: &mut Room, requests: Room) {
    free.cpu_milli = free.cpu_milli.saturating_sub(requests.cpu_milli);
    free.memory_bytes = free.memory_bytes.saturating_sub(requests.memory_bytes);
    free.pods -= requests.pods;
}

/// Whether a cordoned node takes the pod all the same.
pub fn tolerates_cordon(spec: &PodSpec) -> bool {
    spec.tolerations.iter().flatten().any(|toleration| {
        let is = |text: &Option<String>, value: &str| text.as_deref() == Some(value);
        let none = |text: &Option<String>| text.as_ref().is_none_or(String::is_empty);
        let exists = is(&toleration.operator, "Exists");
        let key = is(&toleration.key, UNSCHEDULABLE_TAINT) || none(&toleration.key) && exists;
        let effect = none(&toleration.effect) || is(&toleration.effect, "NoSchedule");
        key && effect && (exists || none(&toleration.value))
    })
}

fn open(node: &NodeFacts, spec: &PodSpec) -> Result<(), String> {
    match node.unschedulable && !tolerates_cordon(spec) {
        false => Ok(()),
        true => Err(never(spec, "1 node(s) were unschedulable")),
    }
}

/// A pod may name its node itself; then no other will do.
fn named(node: &NodeFacts, spec: &PodSpec) -> Result<(), String> {
    let asked = spec.node_name.as_deref().unwrap_or_default();
    match asked.is_empty() || asked == node.name {
        true => Ok(()),
        false => Err(never(spec, "1 node(s) didn't match the requested node name")),
    }
}

fn selected(node: &NodeFacts, spec: &PodSpec) -> Result<(), String> {
    let has = |(key, value)| node.labels.get(key) == Some(value);
    match spec.node_selector.iter().flatten().all(has) {
        true => Ok(()),
        false => Err(never(spec, "1 node(s) didn't match Pod's node affinity/selector")),
    }
}

fn fits(free: Room, node: &NodeFacts, spec: &PodSpec) -> Result<(), String> {
    let asked = requests(spec);
    let mut lacking: Vec<String> = elsewhere(spec).map(|r| format!("1 Insufficient {r}")).collect();
    let mut hopeless = !lacking.is_empty();
    let mut compare = |what: &str, asked: i64, free: i64, allocatable: i64| {
        if asked > 0 && asked > free {
            hopeless |= asked > allocatable;
            lacking.push(format!("1 {what}"));
        }
    };
    let all = node.allocatable;
    compare("Insufficient cpu", asked.cpu_milli, free.cpu_milli, all.cpu_milli);
    compare("Insufficient memory", asked.memory_bytes, free.memory_bytes, all.memory_bytes);
    compare("Too many pods", asked.pods, free.pods, all.pods);
    lacking.sort_unstable();
    match (lacking.is_empty(), hopeless) {
        (true, _) => Ok(()),
        (false, true) => Err(never(spec, &lacking.join(", "))),
        (false, false) => Err(crowded(spec, &lacking.join(", "))),
    }
}

/// No eviction could help.
fn never(spec: &PodSpec, reasons: &str) -> String {
    unschedulable(spec, reasons, "1 Preemption is not helpful for scheduling.")
}

/// Others are in the way, and none of them may be evicted for this pod.
fn crowded(spec: &PodSpec, reasons: &str) -> String {
    unschedulable(spec, reasons, "1 No preemption victims found for incoming pod.")
}

fn unschedulable(spec: &PodSpec, reasons: &str, preemption: &str) -> String {
    let why = match spec.preemption_policy.as_deref() {
        Some("Never") => "not eligible due to preemptionPolicy=Never.".to_owned(),
        _ => format!("0/1 nodes are available: {preemption}"),
    };
    format!("0/1 nodes are available: {reasons}. preemption: {why}")
}

/// Resources that are asked for and that the node does not have at all, such as GPUs.
fn elsewhere(spec: &PodSpec) -> impl Iterator<Item = &str> {
    let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let requests = all.filter_map(|c| c.resources.as_ref()?.requests.as_ref()).flatten();
    let here = ["cpu", "memory", "ephemeral-storage"];
    let names: BTreeSet<&str> = requests
        .filter(|(name, amount)| {
            !here.contains(&name.as_str()) && parse(&amount.0, Quantity::value) > 0
        })
        .map(|(name, _)| name.as_str())
        .collect();
    names.into_iter()
}

/// The effective request for one resource, in the unit that `unit` reads.
fn effective(spec: &PodSpec, resource: &str, unit: fn(Quantity) -> i64) -> i64 {
    let of = |container: &Container| {
        let amount = container.resources.as_ref().and_then(|r| r.requests.as_ref()?.get(resource));
        amount.map_or(0, |amount| parse(&amount.0, unit))
    };
    let (mut sidecars, mut most) = (0_i64, 0_i64);
    for container in spec.init_containers.iter().flatten() {
        let needs = sidecars.saturating_add(of(container));
        most = most.max(needs);
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars = needs;
        }
    }
    let together = spec.containers.iter().fold(sidecars, |sum, c| sum.saturating_add(of(c)));
    let overhead = spec.overhead.as_ref().and_then(|o| o.get(resource));
    most.max(together).saturating_add(overhead.map_or(0, |amount| parse(&amount.0, unit)))
}

/// Validation lets no other text through than a quantity.
fn parse(amount: &str, unit: fn(Quantity) -> i64) -> i64 {
    Quantity::parse(amount).map_or(0, unit)
}
