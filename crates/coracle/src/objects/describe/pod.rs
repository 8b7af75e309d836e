//! Pods, and the templates of pods.

use serde_json::Value;

use super::{
    container::{containers, resources},
    volumes::volumes,
    writer::{Writer, list, or, text},
};

/// Everything about a pod but its events.
pub(super) fn pod(writer: &mut Writer, pod: &Value) {
    let (metadata, spec, status) = (&pod["metadata"], &pod["spec"], &pod["status"]);
    writer.field(0, "Name", &text(&metadata["name"]));
    writer.field(0, "Namespace", &text(&metadata["namespace"]));
    writer.given(0, "Priority", &spec["priority"]);
    writer.given(0, "Priority Class Name", &spec["priorityClassName"]);
    writer.given(0, "Runtime Class Name", &spec["runtimeClassName"]);
    writer.given(0, "Service Account", &spec["serviceAccountName"]);
    match text(&spec["nodeName"]) {
        node if node.is_empty() => writer.field(0, "Node", "<none>"),
        node => writer.field(0, "Node", &format!("{node}/{}", text(&status["hostIP"]))),
    }
    writer.time(0, "Start Time", &status["startTime"]);
    writer.labels(0, "Labels", &metadata["labels"]);
    writer.annotations(0, "Annotations", &metadata["annotations"]);
    phase(writer, pod);
    writer.given(0, "Reason", &status["reason"]);
    writer.given(0, "Message", &status["message"]);
    let profile = &spec["securityContext"]["seccompProfile"];
    writer.given(0, "SeccompProfile", &profile["type"]);
    writer.given(0, "LocalhostProfile", &profile["localhostProfile"]);
    addresses(writer, status);
    writer.controller(pod);
    writer.given(0, "NominatedNodeName", &status["nominatedNodeName"]);
    if spec["resources"].is_object() {
        writer.line(0, "Resources:");
        resources(writer, &spec["resources"], 1);
    }
    let inits = &spec["initContainers"];
    if !list(inits).is_empty() {
        let statuses = &status["initContainerStatuses"];
        containers(writer, "Init Containers", inits, statuses, false, Some(pod));
    }
    let statuses = &status["containerStatuses"];
    containers(writer, "Containers", &spec["containers"], statuses, false, Some(pod));
    conditions(writer, status);
    volumes(writer, &spec["volumes"], false);
    writer.field(0, "QoS Class", &text(&status["qosClass"]));
    writer.labels(0, "Node-Selectors", &spec["nodeSelector"]);
    tolerations(writer, 0, spec);
    spreads(writer, 0, spec);
}

/// Whether a pod has several containers, so that its events are about one of them.
pub(super) fn has_parts(pod: &Value) -> bool {
    let count = |field: &str| list(&pod["spec"][field]).len();
    count("containers") + count("initContainers") > 1
}

fn phase(writer: &mut Writer, pod: &Value) {
    let (metadata, phase) = (&pod["metadata"], text(&pod["status"]["phase"]));
    if metadata["deletionTimestamp"].is_null() || matches!(phase.as_str(), "Failed" | "Succeeded") {
        writer.field(0, "Status", &phase);
        return;
    }
    let since = writer.age(&metadata["deletionTimestamp"]);
    writer.field(0, "Status", &format!("Terminating (lasts {since})"));
    let grace = or(&metadata["deletionGracePeriodSeconds"], "0");
    writer.field(0, "Termination Grace Period", &format!("{grace}s"));
}

fn addresses(writer: &mut Writer, status: &Value) {
    writer.field(0, "IP", &text(&status["podIP"]));
    match list(&status["podIPs"]) {
        [] => writer.field(0, "IPs", "<none>"),
        addresses => {
            writer.line(0, "IPs:");
            addresses.iter().for_each(|address| writer.field(1, "IP", &text(&address["ip"])));
        }
    }
}

fn conditions(writer: &mut Writer, status: &Value) {
    if list(&status["conditions"]).is_empty() {
        return;
    }
    writer.line(0, "Conditions:");
    writer.line(1, "Type\tStatus");
    for condition in list(&status["conditions"]) {
        writer.line(1, &format!("{} \t{} ", text(&condition["type"]), text(&condition["status"])));
    }
}

fn tolerations(writer: &mut Writer, level: usize, spec: &Value) {
    let mut tolerations: Vec<&Value> = list(&spec["tolerations"]).iter().collect();
    tolerations.sort_by_key(|toleration| text(&toleration["key"]));
    let texts: Vec<String> = tolerations.into_iter().map(toleration).collect();
    writer.list(level, "Tolerations", &texts);
}

/// `key=value:Effect op=Exists for 300s`
fn toleration(toleration: &Value) -> String {
    let part = |mark: &str, field: &str| match text(&toleration[field]) {
        value if value.is_empty() => String::new(),
        value => format!("{mark}{value}"),
    };
    let mut whole = format!("{}{}{}", part("", "key"), part("=", "value"), part(":", "effect"));
    if toleration["operator"] == "Exists" && part("", "value").is_empty() {
        whole.push_str(if whole.is_empty() { "op=Exists" } else { " op=Exists" });
    }
    match text(&toleration["tolerationSeconds"]) {
        seconds if seconds.is_empty() => whole,
        seconds => format!("{whole} for {seconds}s"),
    }
}

fn spreads(writer: &mut Writer, level: usize, spec: &Value) {
    let mut spreads: Vec<&Value> = list(&spec["topologySpreadConstraints"]).iter().collect();
    if spreads.is_empty() {
        return;
    }
    spreads.sort_by_key(|spread| text(&spread["topologyKey"]));
    let texts: Vec<String> = spreads
        .into_iter()
        .map(|spread| {
            let selector = match selector(&spread["labelSelector"]) {
                selector if spread["labelSelector"].is_object() => {
                    format!(" for selector {selector}")
                }
                _ => String::new(),
            };
            format!(
                "{}:{} when max skew {} is exceeded{selector}",
                text(&spread["topologyKey"]),
                text(&spread["whenUnsatisfiable"]),
                text(&spread["maxSkew"])
            )
        })
        .collect();
    writer.list(level, "Topology Spread Constraints", &texts);
}

/// A label selector on one line: `a=b,c in (d,e)`.
pub(super) fn selector(selector: &Value) -> String {
    let labels = super::writer::entries(&selector["matchLabels"]);
    let mut terms: Vec<(String, String)> =
        labels.map(|(key, value)| (key.clone(), format!("{key}={}", text(value)))).collect();
    for term in list(&selector["matchExpressions"]) {
        let key = text(&term["key"]);
        let mut values: Vec<String> = list(&term["values"]).iter().map(text).collect();
        values.sort();
        let values = values.join(",");
        let term = match term["operator"].as_str() {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.clone(),
        };
        terms.push((key, term));
    }
    terms.sort();
    let terms: Vec<String> = terms.into_iter().map(|(_, term)| term).collect();
    terms.join(",")
}

/// The template of a Job or another controller.
pub(super) fn template(writer: &mut Writer, template: &Value) {
    let (metadata, spec) = (&template["metadata"], &template["spec"]);
    writer.line(0, "Pod Template:");
    writer.labels(1, "Labels", &metadata["labels"]);
    if metadata["annotations"].as_object().is_some_and(|map| !map.is_empty()) {
        writer.annotations(1, "Annotations", &metadata["annotations"]);
    }
    writer.given(1, "Service Account", &spec["serviceAccountName"]);
    if !list(&spec["initContainers"]).is_empty() {
        let inits = &spec["initContainers"];
        containers(writer, "Init Containers", inits, &Value::Null, true, None);
    }
    containers(writer, "Containers", &spec["containers"], &Value::Null, true, None);
    volumes(writer, &spec["volumes"], true);
    spreads(writer, 1, spec);
    writer.given(1, "Priority Class Name", &spec["priorityClassName"]);
    writer.labels(1, "Node-Selectors", &spec["nodeSelector"]);
    tolerations(writer, 1, spec);
}
