//! What objects take of a ResourceQuota, and which quotas count them (`pkg/quota/v1/evaluator/core`).

use std::collections::{BTreeMap, BTreeSet};

use kinds::{
    KindInfo,
    quantity::Quantity,
    types::core::v1::{
        Container, Pod, PodSpec, ResourceQuota, ScopedResourceSelectorRequirement, Service,
    },
};

use crate::resources::{self, Amounts};

/// Kinds whose number is also limited by their bare name.
const BARE_COUNTS: [&str; 4] = ["configmaps", "secrets", "services", "resourcequotas"];

/// Resources that every container has to name if a quota limits them: a rule of old that newer
/// resources do not follow.
const NAMED_BY_EACH: [&str; 6] =
    ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];

/// The resources of nodes that quotas know by name; others are extended ones.
const NATIVE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// One object's count.
pub fn count(info: &KindInfo) -> Amounts {
    let one = Quantity::from_milli(1000);
    let mut counts = Amounts::from([(format!("count/{}", info.qualified()), one)]);
    if BARE_COUNTS.contains(&info.qualified().as_str()) {
        counts.insert(info.plural.to_owned(), one);
    }
    counts
}

/// What a Pod takes beside its count: nothing any more once it has ended.
pub fn of_pod(pod: &Pod) -> Amounts {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let Some(spec) = pod.spec.as_ref().filter(|_| !matches!(phase, Some("Succeeded" | "Failed")))
    else {
        return Amounts::new();
    };
    compute(&resources::requests(spec, true), &resources::limits(spec, true))
}

/// The quota's names of what is requested and limited.
fn compute(requests: &Amounts, limits: &Amounts) -> Amounts {
    let mut used = Amounts::from([("pods".to_owned(), Quantity::from_milli(1000))]);
    for (name, amount) in requests {
        if NATIVE.contains(&name.as_str()) || name.starts_with("hugepages-") {
            used.insert(name.clone(), *amount);
        }
        used.insert(format!("requests.{name}"), *amount);
    }
    for (name, amount) in limits.iter().filter(|(name, _)| NATIVE.contains(&name.as_str())) {
        used.insert(format!("limits.{name}"), *amount);
    }
    used
}

/// What a Service takes beside its count.
pub fn of_service(service: &Service) -> Amounts {
    let Some(spec) = &service.spec else { return Amounts::new() };
    let ports = spec.ports.as_deref().unwrap_or_default();
    let open = match (spec.type_.as_deref(), spec.allocate_load_balancer_node_ports) {
        (Some("NodePort"), _) | (Some("LoadBalancer"), None | Some(true)) => ports.len(),
        (Some("LoadBalancer"), Some(false)) => {
            ports.iter().filter(|port| port.node_port.is_some_and(|port| port != 0)).count()
        }
        _ => 0,
    };
    let balancers = usize::from(spec.type_.as_deref() == Some("LoadBalancer"));
    let amount = |n: usize| Quantity::from_milli(1000 * n as i64);
    [
        ("services.nodeports".to_owned(), amount(open)),
        ("services.loadbalancers".to_owned(), amount(balancers)),
    ]
    .into()
}

/// Whether the quota counts this Pod, or with `None` an object of another kind.
pub fn matches(quota: &ResourceQuota, pod: Option<&Pod>) -> bool {
    let Some(spec) = &quota.spec else { return false };
    let scopes = spec.scopes.iter().flatten().map(|scope| ScopedResourceSelectorRequirement {
        scope_name: scope.clone(),
        operator: "Exists".to_owned(),
        values: None,
    });
    let selected = spec.scope_selector.iter().flat_map(|s| s.match_expressions.iter().flatten());
    let mut all = scopes.chain(selected.cloned());
    all.all(|scope| {
        pod.and_then(|pod| pod.spec.as_ref()).is_some_and(|spec| in_scope(&scope, spec))
    })
}

fn in_scope(scope: &ScopedResourceSelectorRequirement, spec: &PodSpec) -> bool {
    let terminating = spec.active_deadline_seconds.is_some();
    match &*scope.scope_name {
        "Terminating" => terminating,
        "NotTerminating" => !terminating,
        "BestEffort" => kinds::admit::qos_class(spec) == "BestEffort",
        "NotBestEffort" => kinds::admit::qos_class(spec) != "BestEffort",
        "PriorityClass" => {
            let class = spec.priority_class_name.clone().filter(|class| !class.is_empty());
            let listed = |class: &String| scope.values.iter().flatten().any(|value| value == class);
            match (&*scope.operator, &class) {
                ("Exists", class) => class.is_some(),
                ("DoesNotExist", class) => class.is_none(),
                ("In", class) => class.as_ref().is_some_and(listed),
                (_, class) => !class.as_ref().is_some_and(listed),
            }
        }
        "CrossNamespacePodAffinity" => spec.affinity.as_ref().is_some_and(across_namespaces),
        _ => false,
    }
}

fn across_namespaces(affinity: &kinds::types::core::v1::Affinity) -> bool {
    let near = affinity.pod_affinity.iter().flat_map(|a| {
        let required = a.required_during_scheduling_ignored_during_execution.iter().flatten();
        let preferred = a.preferred_during_scheduling_ignored_during_execution.iter().flatten();
        required.chain(preferred.map(|term| &term.pod_affinity_term))
    });
    let far = affinity.pod_anti_affinity.iter().flat_map(|a| {
        let required = a.required_during_scheduling_ignored_during_execution.iter().flatten();
        let preferred = a.preferred_during_scheduling_ignored_during_execution.iter().flatten();
        required.chain(preferred.map(|term| &term.pod_affinity_term))
    });
    near.chain(far).any(|term| {
        term.namespace_selector.is_some() || term.namespaces.as_ref().is_some_and(|n| !n.is_empty())
    })
}

/// What the containers of a new pod fail to name although the quota limits it.
///
/// # Errors
/// `must specify cpu for: a,b; memory for: a`
pub fn constraints(spec: &PodSpec, hard: &Amounts) -> Result<(), String> {
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
        let named = named_by(container);
        for resource in NAMED_BY_EACH {
            if hard.contains_key(resource) && !named.contains_key(resource) {
                missing.entry(resource).or_default().insert(&container.name);
            }
        }
    }
    let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(",");
    let texts: Vec<String> = missing
        .into_iter()
        .map(|(resource, names)| format!("{resource} for: {}", list(names)))
        .collect();
    if texts.is_empty() { Ok(()) } else { Err(format!("must specify {}", texts.join("; "))) }
}

fn named_by(container: &Container) -> Amounts {
    let resources = container.resources.clone().unwrap_or_default();
    let read = |list| resources::read(list);
    compute(&read(resources.requests.as_ref()), &read(resources.limits.as_ref()))
}

/// Whether `delta` more fits under the hard limits.
///
/// # Errors
/// `requested: cpu=2, used: cpu=1, limited: cpu=2` with the resources that do not fit.
pub fn fits(hard: &Amounts, used: &Amounts, delta: &Amounts) -> Result<(), String> {
    let none = Quantity::from_milli(0);
    let (mut requested, mut before, mut limited) = (Vec::new(), Vec::new(), Vec::new());
    for (name, amount) in delta.iter().filter(|(_, amount)| !amount.is_zero()) {
        let Some(most) = hard.get(name) else { continue };
        let present = used.get(name).copied().unwrap_or(none);
        if present + *amount > *most {
            requested.push(format!("{name}={amount}"));
            before.push(format!("{name}={present}"));
            limited.push(format!("{name}={most}"));
        }
    }
    if requested.is_empty() {
        return Ok(());
    }
    let text = |parts: Vec<String>| parts.join(",");
    Err(format!(
        "requested: {}, used: {}, limited: {}",
        text(requested),
        text(before),
        text(limited)
    ))
}
