//! ResourceQuotas: defaults and validation.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use serde_json::{Value, json};

use super::resources;
use crate::{
    FieldError, FieldErrorKind, FieldErrors,
    path::Path,
    types::core::v1::{ResourceQuota, ResourceQuotaSpec, ResourceQuotaStatus, ScopeSelector},
};

/// The scopes there are, and the resources that each can be put on.
const SCOPES: [(&str, &[&str]); 7] = [
    ("BestEffort", &["pods"]),
    ("CrossNamespacePodAffinity", OF_PODS),
    ("NotBestEffort", OF_PODS),
    ("NotTerminating", OF_PODS),
    ("PriorityClass", OF_PODS),
    ("Terminating", OF_PODS),
    ("VolumeAttributesClass", &["persistentvolumeclaims", "requests.storage"]),
];

/// What is counted of pods.
const OF_PODS: &[&str] =
    &["pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];

/// Scopes that no object can be in at once.
const CONFLICTS: [[&str; 2]; 2] =
    [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]];

/// Scopes without values.
const PLAIN: [&str; 5] =
    ["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating"];

/// Defaults of a ResourceQuota and everything wrong with it.
pub(super) fn finish(
    quota: &mut ResourceQuota,
    old: Option<&ResourceQuota>,
    errors: &mut FieldErrors,
) {
    let at = Path::top("spec");
    let spec = quota.spec.get_or_insert_default();
    spec.hard.iter_mut().for_each(resources::round);
    amounts(spec.hard.as_ref(), at.field("hard"), errors);
    scopes(spec, at.field("scopes"), errors);
    if let Some(selector) = &spec.scope_selector {
        self::selector(selector, spec, at.field("scopeSelector"), errors);
    }
    if let Some(old) = old {
        let set = |spec: Option<&ResourceQuotaSpec>| {
            let scopes = spec.and_then(|spec| spec.scopes.clone()).unwrap_or_default();
            scopes.into_iter().collect::<BTreeSet<_>>()
        };
        if set(old.spec.as_ref()) != set(Some(spec)) {
            errors.push(FieldError::immutable(at.field("scopes"), &spec.scopes));
        }
    }
}

/// Everything wrong with a status.
pub(super) fn check_status(status: &ResourceQuotaStatus, errors: &mut FieldErrors) {
    let at = Path::top("status");
    amounts(status.hard.as_ref(), at.field("hard"), errors);
    amounts(status.used.as_ref(), at.field("used"), errors);
}

fn amounts(list: Option<&BTreeMap<String, Text>>, at: Path<'_>, errors: &mut FieldErrors) {
    for (name, amount) in list.into_iter().flatten() {
        resources::quota_name(name, at.key(name), errors);
        resources::quota_amount(name, amount, at.key(name), errors);
    }
}

/// The resources of the quota that the scope cannot be put on.
fn misplaced<'a>(scope: &'a str, spec: &'a ResourceQuotaSpec) -> impl Iterator<Item = &'a str> {
    let covers = SCOPES.iter().find(|(name, _)| *name == scope).map(|(_, covers)| *covers);
    let names = spec.hard.iter().flat_map(BTreeMap::keys).map(String::as_str);
    names.filter(move |name| {
        resources::is_quota_name(name) && covers.is_some_and(|covers| !covers.contains(name))
    })
}

fn is_scope(name: &str) -> bool {
    SCOPES.iter().any(|(scope, _)| *scope == name)
}

fn scopes(spec: &ResourceQuotaSpec, at: Path<'_>, errors: &mut FieldErrors) {
    let scopes = spec.scopes.as_deref().unwrap_or_default();
    for scope in scopes {
        if !is_scope(scope) {
            errors.push(FieldError::invalid(at, json!(scopes), "unsupported scope"));
        }
        for _ in misplaced(scope, spec) {
            let text = "unsupported scope applied to resource";
            errors.push(FieldError::invalid(at, json!(scopes), text));
        }
    }
    conflicts(scopes.iter().map(String::as_str).collect(), &json!(scopes), at, errors);
}

fn conflicts(scopes: BTreeSet<&str>, shown: &Value, at: Path<'_>, errors: &mut FieldErrors) {
    for pair in CONFLICTS {
        if pair.iter().all(|scope| scopes.contains(scope)) {
            errors.push(FieldError::invalid(at, shown.clone(), "conflicting scopes"));
        }
    }
}

fn selector(
    selector: &ScopeSelector,
    spec: &ResourceQuotaSpec,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    let at = at.field("matchExpressions");
    let all = selector.match_expressions.as_deref().unwrap_or_default();
    for one in all {
        let (scope, operator) = (one.scope_name.as_str(), one.operator.as_str());
        if !is_scope(scope) {
            errors.push(FieldError::invalid(at.field("scopeName"), scope, "unsupported scope"));
        }
        for _ in misplaced(scope, spec) {
            let (kind, path) = (FieldErrorKind::Invalid, at.to_string());
            let detail = "unsupported scope applied to resource".to_owned();
            errors.push(FieldError { kind, path, value: Some(internal(selector)), detail });
        }
        if PLAIN.contains(&scope) && operator != "Exists" {
            let text = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
            errors.push(FieldError::invalid(at.field("operator"), operator, text));
        }
        let values = one.values.as_deref().unwrap_or_default();
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                errors.push(FieldError::required(at.field("values"), text));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                errors.push(FieldError::invalid(at.field("values"), json!(values), text));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                let text = "not a valid selector operator";
                errors.push(FieldError::invalid(at.field("operator"), other, text));
            }
        }
    }
    let scopes = all.iter().map(|one| one.scope_name.as_str()).collect();
    conflicts(scopes, &json!(spec.scopes), at, errors);
}

/// As upstream's internal type prints it.
fn internal(selector: &ScopeSelector) -> String {
    let all = selector.match_expressions.iter().flatten();
    let all = all.map(|one| {
        let (scope, operator, values) =
            (json!(one.scope_name), json!(one.operator), json!(one.values));
        format!(r#"{{"ScopeName":{scope},"Operator":{operator},"Values":{values}}}"#)
    });
    format!(r#"{{"MatchExpressions":[{}]}}"#, all.collect::<Vec<_>>().join(","))
}
