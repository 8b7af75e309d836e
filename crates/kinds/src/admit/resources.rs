//! Resource requests and limits: defaults, validation, quality of service.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

use super::meta::push_all;
use crate::{
    FieldError, FieldErrors,
    path::Path,
    quantity::Quantity,
    types::core::v1::{PodSpec, ResourceRequirements},
    validate,
};

/// Names of resources without a domain.
const STANDARD: [&str; 20] = [
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
];

/// Those that a container may ask for.
const OF_CONTAINERS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Those that are counted in whole objects.
const COUNTED: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

type List = BTreeMap<String, Text>;

fn read(text: &Text) -> Option<Quantity> {
    Quantity::parse(&text.0).ok()
}

/// The amount of a resource; `None` when it is not named or zero.
fn amount(list: Option<&List>, name: &str) -> Option<Quantity> {
    let quantity = list?.get(name).and_then(read)?;
    (quantity.milli() != 0).then_some(quantity)
}

/// Rounds every amount up to thousandths.
pub(super) fn round(list: &mut List) {
    for text in list.values_mut() {
        if let Some(quantity) = read(text) {
            text.0 = quantity.rounded_to_milli().to_string();
        }
    }
}

/// Rounds every amount up to thousandths; with `fill`, a missing request is the limit.
pub(super) fn defaults(resources: &mut ResourceRequirements, fill: bool) {
    [&mut resources.limits, &mut resources.requests].into_iter().flatten().for_each(round);
    if let (true, Some(limits)) = (fill, &resources.limits) {
        let requests = resources.requests.get_or_insert_default();
        for (name, limit) in limits {
            requests.entry(name.clone()).or_insert_with(|| limit.clone());
        }
    }
}

/// Everything wrong with the resources of a container.
pub(super) fn check(resources: &ResourceRequirements, at: Path<'_>, errors: &mut FieldErrors) {
    for (field, list) in [("limits", &resources.limits), ("requests", &resources.requests)] {
        for (name, text) in list.iter().flatten() {
            let at = at.field(field);
            container_name(name, at.key(name), errors);
            amount_of(name.contains('/'), text, at.key(name), errors);
        }
    }
    for (name, text) in resources.requests.iter().flatten() {
        let limit = resources.limits.as_ref().and_then(|limits| limits.get(name));
        if let Some((limit_text, request, limit)) =
            limit.and_then(|l| Some((l, read(text)?, read(l)?)))
            && request > limit
        {
            let text_of = format!("must be less than or equal to {name} limit of {}", limit_text.0);
            errors.push(FieldError::invalid(at.field("requests"), text.0.as_str(), text_of));
        }
    }
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Whether the resource is Kubernetes' own.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Whether the resource is somebody's own, under their domain.
fn is_extended(name: &str) -> bool {
    let in_quota = format!("requests.{name}");
    !is_native(name)
        && !name.starts_with("requests.")
        && validate::qualified_name(&in_quota).is_empty()
}

/// Whether a limit may be above its request.
pub(super) fn may_be_overcommitted(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// Whether a quota knows the resource by itself.
pub(super) fn is_quota_name(name: &str) -> bool {
    let pages = is_huge_page(name) || name.starts_with("requests.hugepages-");
    pages || (name != "storage" && STANDARD.contains(&name))
}

/// The name of any resource.
pub(super) fn name(name: &str, at: Path<'_>, errors: &mut FieldErrors) {
    let wrong = validate::qualified_name(name);
    if wrong.is_empty() && !name.contains('/') && name != "storage" && !is_quota_name(name) {
        let text = "must be a standard resource type or fully qualified";
        errors.push(FieldError::invalid(at, name, text));
    }
    push_all(errors, at, name, wrong);
}

/// The name of a resource that a container may ask for.
pub(super) fn container_name(name: &str, at: Path<'_>, errors: &mut FieldErrors) {
    self::name(name, at, errors);
    let text = if !name.contains('/') {
        if OF_CONTAINERS.contains(&name) || is_huge_page(name) {
            return;
        }
        "must be a standard resource for containers"
    } else if is_native(name) || is_extended(name) {
        return;
    } else {
        "doesn't follow extended resource name standard"
    };
    errors.push(FieldError::invalid(at, name, text));
}

/// The name of a resource that a quota may limit.
pub(super) fn quota_name(name: &str, at: Path<'_>, errors: &mut FieldErrors) {
    self::name(name, at, errors);
    if !name.contains('/') && !is_quota_name(name) {
        errors.push(FieldError::invalid(at, name, "must be a standard resource for quota"));
    }
}

/// The amount of a resource in a quota.
pub(super) fn quota_amount(name: &str, text: &Text, at: Path<'_>, errors: &mut FieldErrors) {
    amount_of(COUNTED.contains(&name) || is_extended(name), text, at, errors);
}

fn amount_of(whole: bool, text: &Text, at: Path<'_>, errors: &mut FieldErrors) {
    let Some(quantity) = read(text) else { return };
    if quantity.is_negative() {
        let detail = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(at, text.0.as_str(), detail));
    }
    if whole && !quantity.is_whole() {
        errors.push(FieldError::invalid(at, text.0.as_str(), "must be an integer"));
    }
}

/// The quality-of-service class of a pod: `Guaranteed` when every container has cpu and memory
/// limits and requests equal to them, `BestEffort` when none names any, else `Burstable`.
pub fn qos_class(spec: &PodSpec) -> &'static str {
    let containers = || spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let mut named = false;
    let mut guaranteed = true;
    for container in containers() {
        let resources = container.resources.as_ref();
        for name in ["cpu", "memory"] {
            let limit = amount(resources.and_then(|r| r.limits.as_ref()), name);
            let request = amount(resources.and_then(|r| r.requests.as_ref()), name);
            named |= limit.is_some() || request.is_some();
            guaranteed &= limit.is_some() && request.is_none_or(|r| Some(r) == limit);
        }
    }
    match (named, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
