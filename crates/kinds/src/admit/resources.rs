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

/// Resources without a domain that a container may ask for.
const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

type List = BTreeMap<String, Text>;

fn read(text: &Text) -> Option<Quantity> {
    Quantity::parse(&text.0).ok()
}

/// The amount of a resource; `None` when it is not named or zero.
fn amount(list: Option<&List>, name: &str) -> Option<Quantity> {
    let quantity = list?.get(name).and_then(read)?;
    (quantity.milli() != 0).then_some(quantity)
}

/// Rounds every amount up to thousandths; with `fill`, a missing request is the limit.
pub(super) fn defaults(resources: &mut ResourceRequirements, fill: bool) {
    let lists = [&mut resources.limits, &mut resources.requests];
    for text in lists.into_iter().flatten().flat_map(|list| list.values_mut()) {
        if let Some(quantity) = read(text) {
            text.0 = quantity.rounded_to_milli().to_string();
        }
    }
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
            self::name(name, at, errors);
            value(name, text, at.key(name), errors);
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

fn name(name: &str, at: Path<'_>, errors: &mut FieldErrors) {
    let before = errors.len();
    push_all(errors, at.key(name), name, validate::qualified_name(name));
    if errors.len() > before || name.contains('/') || name.starts_with("hugepages-") {
        return;
    }
    if !STANDARD.contains(&name) {
        let text = "must be a standard resource for containers";
        errors.push(FieldError::invalid(at.key(name), name, text));
    }
}

fn value(name: &str, text: &Text, at: Path<'_>, errors: &mut FieldErrors) {
    let Some(quantity) = read(text) else { return };
    if quantity.is_negative() {
        let detail = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(at, text.0.as_str(), detail));
    }
    if name.contains('/') && !quantity.is_whole() {
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
