//! What a client should know of a pod template that is accepted all the same: names that are out of
//! use, and settings that hide others. Only of fields that work or are kept; the texts are upstream's.

use std::collections::BTreeMap;

use super::container_warnings;
use crate::{
    metav1::{LabelSelector, ObjectMeta},
    path::Path,
    types::core::v1::{KeyToPath, PodAffinityTerm, PodSpec, PodTemplateSpec, Volume},
    validate,
};

/// Labels of nodes that are out of use, and what became of them.
const OLD_NODE_LABELS: [(&str, &str); 8] = [
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "deprecated since v1.22; use Taints and Tolerations instead",
    ),
];

/// Annotations that do nothing any more.
const OLD_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];

/// The annotation that once was the seccomp profile of a pod.
const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";

/// Everything to tell of a template.
pub(super) fn of_template(template: &PodTemplateSpec, at: Path<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(spec) = &template.spec else { return warnings };
    let annotations = template.metadata.as_ref().and_then(|m: &ObjectMeta| m.annotations.as_ref());
    let annotations = Annotations { map: annotations, at };
    let in_spec = at.field("spec");
    nodes(spec, in_spec, &mut warnings);
    spreads(spec, in_spec, &mut warnings);
    for (key, text) in OLD_ANNOTATIONS {
        annotations.warn(key, text, &mut warnings);
    }
    spec.volumes.iter().flatten().for_each(|volume| overlaps(volume, &mut warnings));
    let security = spec.security_context.as_ref();
    if security.is_none_or(|context| context.seccomp_profile.is_none()) {
        let text = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
        annotations.warn(SECCOMP, text, &mut warnings);
    }
    container_warnings::of_containers(spec, &annotations, in_spec, &mut warnings);
    pods(spec, in_spec, &mut warnings);
    warnings
}

/// The annotations of a template, which stands at `at`.
pub(super) struct Annotations<'a> {
    map: Option<&'a BTreeMap<String, String>>,
    at: Path<'a>,
}

impl Annotations<'_> {
    /// Warns of an annotation, if it is there.
    pub(super) fn warn(&self, key: &str, text: &str, warnings: &mut Vec<String>) {
        if self.map.is_some_and(|map| map.contains_key(key)) {
            let metadata = self.at.field("metadata");
            let at = metadata.field("annotations");
            warnings.push(format!("{}: {text}", at.key(key)));
        }
    }
}

fn old_label(key: &str) -> Option<&'static str> {
    OLD_NODE_LABELS.iter().find(|(label, _)| *label == key).map(|(_, text)| *text)
}

/// Where the pods go.
fn nodes(spec: &PodSpec, at: Path<'_>, warnings: &mut Vec<String>) {
    let selector = at.field("nodeSelector");
    for key in spec.node_selector.iter().flatten().map(|(key, _)| key) {
        if let Some(text) = old_label(key) {
            warnings.push(format!("{}: {text}", selector.key(key)));
        }
    }
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let preferred = affinity.and_then(|affinity| {
        affinity.preferred_during_scheduling_ignored_during_execution.as_ref()
    });
    for (i, term) in preferred.into_iter().flatten().enumerate() {
        let at = format!(
            "{at}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[{i}].preference"
        );
        for (j, expression) in term.preference.match_expressions.iter().flatten().enumerate() {
            let at = format!("{at}.matchExpressions[{j}]");
            if let Some(text) = old_label(&expression.key) {
                warnings.push(format!("{at}.key: {} is {text}", expression.key));
            }
            for (k, value) in expression.values.iter().flatten().enumerate() {
                let wrong = validate::label_value(value);
                let texts =
                    wrong.iter().map(|w| format!("{at}.values[{k}]: {value} is invalid, {w}"));
                warnings.extend(texts);
            }
        }
    }
}

const NO_SELECTOR: &str = "a null labelSelector results in matching no pod";

fn spreads(spec: &PodSpec, at: Path<'_>, warnings: &mut Vec<String>) {
    for (i, spread) in spec.topology_spread_constraints.iter().flatten().enumerate() {
        let at = format!("{at}.topologySpreadConstraints[{i}]");
        if let Some(text) = old_label(&spread.topology_key) {
            warnings.push(format!("{at}.topologyKey: {} is {text}", spread.topology_key));
        }
        if spread.label_selector.is_none() {
            warnings.push(format!("{at}.labelSelector: {NO_SELECTOR}"));
        }
    }
}

/// What the pods want to be near to, or far from.
fn pods(spec: &PodSpec, at: Path<'_>, warnings: &mut Vec<String>) {
    let mut warn = |selector: &Option<LabelSelector>, field: &str, i: usize, term: &str| {
        if selector.is_none() {
            warnings.push(format!("{at}.affinity.{field}[{i}]{term}.labelSelector: {NO_SELECTOR}"));
        }
    };
    let affinity = spec.affinity.as_ref();
    let near = affinity.and_then(|affinity| affinity.pod_affinity.as_ref());
    let required =
        near.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    for (i, term) in required.into_iter().flatten().enumerate() {
        let field = "podAffinity.requiredDuringSchedulingIgnoredDuringExecution";
        warn(&term.label_selector, field, i, "");
    }
    let far = affinity.and_then(|affinity| affinity.pod_anti_affinity.as_ref());
    for (kind, preferred) in [
        (
            "podAffinity",
            near.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref()),
        ),
        (
            "podAntiAffinity",
            far.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref()),
        ),
    ] {
        for (i, term) in preferred.into_iter().flatten().enumerate() {
            let field = format!("{kind}.preferredDuringSchedulingIgnoredDuringExecution");
            let PodAffinityTerm { label_selector, .. } = &term.pod_affinity_term;
            warn(label_selector, &field, i, ".podAffinityTerm");
        }
    }
}

/// Files of a volume that take each other's place.
fn overlaps(volume: &Volume, warnings: &mut Vec<String>) {
    let map = volume.config_map.as_ref();
    let secret = volume.secret.as_ref();
    let sources = [
        map.map(|map| (format!("ConfigMap {:?}", map.name), map.items.as_deref())),
        secret.map(|secret| {
            let name = secret.secret_name.as_deref().unwrap_or_default();
            (format!("Secret {name:?}"), secret.items.as_deref())
        }),
    ];
    for (source, items) in sources.into_iter().flatten() {
        for (path, other) in overlapping(items.unwrap_or_default()) {
            let name = &volume.name;
            warnings.push(format!(
                "volume {name:?} ({source}): overlapping paths: {path:?} with {other:?}"
            ));
        }
    }
}

fn overlapping(items: &[KeyToPath]) -> Vec<(&str, &str)> {
    let within = |path: &str, folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let paths: Vec<&str> = items.iter().map(|item| item.path.trim_end_matches('/')).collect();
    let mut pairs = Vec::new();
    for (i, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        let others = paths[..i].iter().filter(|other| !other.is_empty());
        let meet = others.filter(|other| within(path, other) || within(other, path));
        pairs.extend(meet.map(|other| (*path, *other)));
    }
    pairs
}
