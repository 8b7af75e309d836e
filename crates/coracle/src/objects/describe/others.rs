//! Kinds whose descriptions are short, and every kind that has none of its own: all its fields.

use kinds::Kind;
use serde_json::Value;

use crate::objects::print::table::labels;

use super::writer::{Writer, amount, entries, list, long_time, moment, or, text};

/// Words that stay in capitals in the label of a field.
const ACRONYMS: [&str; 4] = ["API", "URL", "UID", "GUID"];

/// Fields of metadata that are not among the others.
const HEAD: [&str; 5] = ["managedFields", "name", "namespace", "labels", "annotations"];

/// What the scopes of a quota mean, in upstream's words.
const SCOPES: [(&str, &str); 4] = [
    (
        "Terminating",
        "Matches all pods that have an active deadline. These pods have a limited lifespan on a node \
         before being actively terminated by the system.",
    ),
    (
        "NotTerminating",
        "Matches all pods that do not have an active deadline. These pods usually include long \
         running pods whose container command is not expected to terminate.",
    ),
    (
        "BestEffort",
        "Matches all pods that do not have resource requirements set. These pods have a best effort \
         quality of service.",
    ),
    (
        "NotBestEffort",
        "Matches all pods that have at least one resource requirement set. These pods have a \
         burstable or guaranteed quality of service.",
    ),
];

/// Everything about an object but its events.
pub(super) fn other(
    writer: &mut Writer,
    kind: Kind,
    object: &Value,
    within: &[(Kind, Vec<Value>)],
) {
    match kind {
        Kind::Namespace => namespace(writer, object, within),
        Kind::ConfigMap => config_map(writer, object),
        Kind::Secret => secret(writer, object),
        Kind::ServiceAccount => service_account(writer, object),
        Kind::Service => service(writer, object),
        Kind::PriorityClass => priority_class(writer, object),
        Kind::LimitRange => {
            writer.field(0, "Name", &text(&object["metadata"]["name"]));
            writer.field(0, "Namespace", &text(&object["metadata"]["namespace"]));
            limits(writer, "", std::slice::from_ref(object));
        }
        Kind::ResourceQuota => {
            writer.field(0, "Name", &text(&object["metadata"]["name"]));
            writer.field(0, "Namespace", &text(&object["metadata"]["namespace"]));
            quota(writer, 0, "----", object);
        }
        _ => every_field(writer, object),
    }
}

/// Whether upstream shows events of this kind.
pub(super) fn has_events(kind: Kind) -> bool {
    !matches!(kind, Kind::Namespace | Kind::Secret | Kind::LimitRange | Kind::ResourceQuota)
}

fn namespace(writer: &mut Writer, object: &Value, within: &[(Kind, Vec<Value>)]) {
    writer.field(0, "Name", &text(&object["metadata"]["name"]));
    writer.labels(0, "Labels", &object["metadata"]["labels"]);
    writer.annotations(0, "Annotations", &object["metadata"]["annotations"]);
    writer.field(0, "Status", &text(&object["status"]["phase"]));
    if !list(&object["status"]["conditions"]).is_empty() {
        writer.line(0, "Conditions:");
        writer.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
        writer.line(1, "----\t------\t------------------\t------\t-------");
    }
    for condition in list(&object["status"]["conditions"]) {
        let word = |field: &str| text(&condition[field]);
        let when = moment(&condition["lastTransitionTime"]).map(long_time).unwrap_or_default();
        let (kind, status) = (word("type"), word("status"));
        writer
            .line(1, &format!("{kind}\t{status}\t{when}\t{}\t{}", word("reason"), word("message")));
    }
    for (kind, objects) in within {
        writer.line(0, "");
        match (kind, objects.as_slice()) {
            (Kind::ResourceQuota, []) => writer.line(0, "No resource quota."),
            (Kind::ResourceQuota, quotas) => {
                writer.line(0, "Resource Quotas");
                for object in quotas {
                    writer.field(1, "Name", &text(&object["metadata"]["name"]));
                    quota(writer, 1, "---", object);
                }
            }
            (_, []) => writer.line(0, "No LimitRange resource."),
            (_, ranges) => {
                writer.line(0, "Resource Limits");
                limits(writer, " ", ranges);
            }
        }
    }
}

fn quota(writer: &mut Writer, level: usize, rule: &str, object: &Value) {
    // Within a namespace they are indented already.
    let bullet = if level == 0 { " *" } else { "*" };
    let mut scopes: Vec<String> = list(&object["spec"]["scopes"]).iter().map(text).collect();
    scopes.sort();
    if !scopes.is_empty() {
        writer.field(level, "Scopes", &scopes.join(", "));
    }
    for scope in &scopes {
        if let Some((_, meaning)) = SCOPES.iter().find(|(name, _)| name == scope) {
            writer.line(level, &format!("{bullet} {meaning}"));
        }
    }
    writer.line(level, "Resource\tUsed\tHard");
    writer.line(level, &format!("--------\t{rule}\t{rule}"));
    for (name, hard) in entries(&object["status"]["hard"]) {
        let used = amount(&object["status"]["used"][name]);
        let used = if used.is_empty() { "0" } else { &used };
        writer.line(level, &format!("{name}\t{used}\t{}", amount(hard)));
    }
}

fn limits(writer: &mut Writer, indent: &str, ranges: &[Value]) {
    const COLUMNS: [&str; 5] = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
    let titles =
        "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio";
    writer.line(0, &format!("{indent}{titles}"));
    let rule = "----\t--------\t---\t---\t---------------\t-------------\t-----------------------";
    writer.line(0, &format!("{indent}{rule}"));
    for limit in ranges.iter().flat_map(|range| list(&range["spec"]["limits"])) {
        let mut names: Vec<&String> = COLUMNS
            .iter()
            .flat_map(|column| entries(&limit[column]).map(|(name, _)| name))
            .collect();
        names.sort();
        names.dedup();
        for name in names {
            let cells: Vec<String> =
                COLUMNS.iter().map(|column| cell(&limit[column][name])).collect();
            let kind = text(&limit["type"]);
            writer.line(0, &format!("{indent}{kind}\t{name}\t{}", cells.join("\t")));
        }
    }
}

/// A limit, or a dash where there is none.
fn cell(value: &Value) -> String {
    let amount = amount(value);
    if amount.is_empty() { "-".to_owned() } else { amount }
}

fn config_map(writer: &mut Writer, object: &Value) {
    writer.head(object);
    writer.line(0, "");
    writer.line(0, "Data");
    writer.line(0, "====");
    for (key, value) in entries(&object["data"]) {
        writer.line(0, &format!("{key}:"));
        writer.line(0, "----");
        writer.line(0, &text(value));
        writer.line(0, "");
    }
    writer.line(0, "");
    writer.line(0, "BinaryData");
    writer.line(0, "====");
    for (key, value) in entries(&object["binaryData"]) {
        writer.line(0, &format!("{key}: {} bytes", decoded_bytes(&text(value))));
    }
    writer.line(0, "");
}

fn secret(writer: &mut Writer, object: &Value) {
    writer.head(object);
    writer.line(0, "");
    writer.field(0, "Type", &text(&object["type"]));
    writer.line(0, "");
    writer.line(0, "Data");
    writer.line(0, "====");
    for (key, value) in entries(&object["data"]) {
        writer.field(0, key, &format!("{} bytes", decoded_bytes(&text(value))));
    }
}

/// The length of what base64 stands for.
fn decoded_bytes(base64: &str) -> usize {
    base64.len() / 4 * 3 - base64.bytes().rev().take_while(|byte| *byte == b'=').count()
}

fn service_account(writer: &mut Writer, object: &Value) {
    writer.head(object);
    let names = |field: &str| -> Vec<String> {
        list(&object[field]).iter().map(|reference| text(&reference["name"])).collect()
    };
    writer.list(0, "Image pull secrets", &names("imagePullSecrets"));
    let mountable = names("secrets");
    if !mountable.is_empty() {
        writer.list(0, "Mountable secrets", &mountable);
    }
}

fn service(writer: &mut Writer, object: &Value) {
    writer.head(object);
    let spec = &object["spec"];
    let join = |value: &Value| {
        let texts: Vec<String> = list(value).iter().map(text).collect();
        texts.join(",")
    };
    let selector: Vec<String> =
        entries(&spec["selector"]).map(|(key, value)| format!("{key}={}", text(value))).collect();
    let selector = if selector.is_empty() { "<none>".to_owned() } else { selector.join(",") };
    writer.field(0, "Selector", &selector);
    writer.field(0, "Type", &text(&spec["type"]));
    writer.given(0, "IP Family Policy", &spec["ipFamilyPolicy"]);
    let families = join(&spec["ipFamilies"]);
    writer.field(0, "IP Families", if families.is_empty() { "<none>" } else { &families });
    writer.field(0, "IP", &text(&spec["clusterIP"]));
    let addresses = join(&spec["clusterIPs"]);
    writer.field(0, "IPs", if addresses.is_empty() { "<none>" } else { &addresses });
    let outside = join(&spec["externalIPs"]);
    if !outside.is_empty() {
        writer.field(0, "External IPs", &outside);
    }
    writer.given(0, "External Name", &spec["externalName"]);
    for port in list(&spec["ports"]) {
        let (name, protocol) = (or(&port["name"], "<unset>"), text(&port["protocol"]));
        writer.field(0, "Port", &format!("{name}\t{}/{protocol}", text(&port["port"])));
        writer.field(0, "TargetPort", &format!("{}/{protocol}", text(&port["targetPort"])));
        if port["nodePort"].as_i64().unwrap_or(0) != 0 {
            let number = text(&port["nodePort"]);
            writer.field(0, "NodePort", &format!("{name}\t{number}/{protocol}"));
        }
        // Nothing is reached through a Service yet.
        writer.field(0, "Endpoints", "<none>");
    }
    writer.field(0, "Session Affinity", &text(&spec["sessionAffinity"]));
    writer.given(0, "External Traffic Policy", &spec["externalTrafficPolicy"]);
    writer.given(0, "Internal Traffic Policy", &spec["internalTrafficPolicy"]);
}

fn priority_class(writer: &mut Writer, object: &Value) {
    writer.field(0, "Name", &text(&object["metadata"]["name"]));
    writer.field(0, "Value", &or(&object["value"], "0"));
    writer.field(0, "GlobalDefault", &or(&object["globalDefault"], "false"));
    writer.field(0, "PreemptionPolicy", &text(&object["preemptionPolicy"]));
    writer.field(0, "Description", &text(&object["description"]));
    writer.field(0, "Annotations", &labels(&object["metadata"]["annotations"]));
}

fn every_field(writer: &mut Writer, object: &Value) {
    let metadata = &object["metadata"];
    writer.field(0, "Name", &text(&metadata["name"]));
    writer.field(0, "Namespace", &text(&metadata["namespace"]));
    writer.labels(0, "Labels", &metadata["labels"]);
    writer.annotations(0, "Annotations", &metadata["annotations"]);
    let mut rest = object.clone();
    if let Some(metadata) = rest["metadata"].as_object_mut() {
        metadata.retain(|field, _| !HEAD.contains(&field.as_str()));
    }
    fields(writer, 0, &rest);
}

fn fields(writer: &mut Writer, level: usize, map: &Value) {
    for (name, value) in entries(map) {
        let label = label(name);
        match value {
            Value::Object(_) => {
                writer.line(level, &format!("{label}:"));
                fields(writer, level + 1, value);
            }
            Value::Array(elements) => {
                writer.line(level, &format!("{label}:"));
                for element in elements {
                    match element {
                        Value::Object(_) => fields(writer, level + 1, element),
                        scalar => writer.line(level + 1, &text(scalar)),
                    }
                }
            }
            Value::Null => writer.field(level, &label, "<nil>"),
            scalar => writer.field(level, &label, &text(scalar)),
        }
    }
}

/// `Lease Duration Seconds` for `leaseDurationSeconds`.
fn label(field: &str) -> String {
    if !field.chars().all(|c| c.is_alphabetic() || c == '-') {
        return field.to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    let mut before = '\0';
    for c in field.chars() {
        match words.last_mut() {
            // A run of capitals is one word.
            Some(word) if c.is_lowercase() || before.is_uppercase() => word.push(c),
            _ => words.push(c.to_string()),
        }
        before = c;
    }
    let shown = words.iter().map(|word| {
        let upper = word.to_uppercase();
        if ACRONYMS.contains(&upper.as_str()) {
            return upper;
        }
        let mut chars = word.chars();
        let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        first + chars.as_str()
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_fields_are_words() {
        for (field, wanted) in [
            ("leaseDurationSeconds", "Lease Duration Seconds"),
            ("apiVersion", "API Version"),
            ("uid", "UID"),
            ("kind", "Kind"),
            ("a.b/c", "a.b/c"),
        ] {
            assert_eq!(label(field), wanted);
        }
    }

    #[test]
    fn base64_knows_its_length() {
        for (text, wanted) in [("", 0), ("YQ==", 1), ("YWI=", 2), ("YWJj", 3)] {
            assert_eq!(decoded_bytes(text), wanted, "{text}");
        }
    }
}
