//! The volumes of a pod or a template.

use serde_json::Value;

use super::{
    container::optional,
    writer::{Writer, amount, list, text},
};

/// Writes volumes; `inner` is whether they stand within a template.
pub(super) fn volumes(writer: &mut Writer, volumes: &Value, inner: bool) {
    let space = if inner { "  " } else { "" };
    if list(volumes).is_empty() {
        writer.field(0, &format!("{space}Volumes"), "<none>");
        return;
    }
    writer.line(0, &format!("{space}Volumes:"));
    for volume in list(volumes) {
        let indent = if inner { " " } else { "" };
        writer.line(1, &format!("{indent}{}:", text(&volume["name"])));
        source(writer, volume);
    }
}

fn source(writer: &mut Writer, volume: &Value) {
    let of = |field: &str| Some(&volume[field]).filter(|value| value.is_object());
    if let Some(path) = of("hostPath") {
        writer.field(2, "Type", "HostPath (bare host directory volume)");
        writer.field(2, "Path", &text(&path["path"]));
        let kind = if path["type"].is_null() { "<none>".to_owned() } else { text(&path["type"]) };
        writer.field(2, "HostPathType", &kind);
    } else if let Some(empty) = of("emptyDir") {
        let kind = "EmptyDir (a temporary directory that shares a pod's lifetime)";
        writer.field(2, "Type", kind);
        let limit = amount(&empty["sizeLimit"]);
        let limit = if limit.is_empty() { "<unset>".to_owned() } else { limit };
        writer.field(2, "Medium", &text(&empty["medium"]));
        writer.field(2, "SizeLimit", &limit);
    } else if let Some(secret) = of("secret") {
        writer.field(2, "Type", "Secret (a volume populated by a Secret)");
        writer.field(2, "SecretName", &text(&secret["secretName"]));
        writer.field(2, "Optional", &optional(secret).to_string());
    } else if let Some(config) = of("configMap") {
        writer.field(2, "Type", "ConfigMap (a volume populated by a ConfigMap)");
        writer.field(2, "Name", &text(&config["name"]));
        writer.field(2, "Optional", &optional(config).to_string());
    } else if let Some(downward) = of("downwardAPI") {
        let kind = "DownwardAPI (a volume populated by information about the pod)";
        writer.field(2, "Type", kind);
        writer.line(2, "Items:");
        items(writer, downward);
    } else if let Some(projected) = of("projected") {
        let kind = "Projected (a volume that contains injected data from multiple sources)";
        writer.field(2, "Type", kind);
        list(&projected["sources"]).iter().for_each(|source| injected(writer, source));
    } else {
        // Kinds of volumes that are not served are refused before anything has one.
        writer.line(1, "<unknown>");
    }
}

fn items(writer: &mut Writer, downward: &Value) {
    for item in list(&downward["items"]) {
        let (field, resource) = (&item["fieldRef"], &item["resourceFieldRef"]);
        let path = text(&item["path"]);
        if field.is_object() {
            writer.line(3, &format!("{} -> {path}", text(&field["fieldPath"])));
        } else if resource.is_object() {
            writer.line(3, &format!("{} -> {path}", text(&resource["resource"])));
        }
    }
}

fn injected(writer: &mut Writer, source: &Value) {
    let (secret, config) = (&source["secret"], &source["configMap"]);
    if secret.is_object() {
        writer.field(2, "SecretName", &text(&secret["name"]));
        writer.field(2, "Optional", &optional(secret).to_string());
    } else if source["downwardAPI"].is_object() {
        writer.field(2, "DownwardAPI", "true");
    } else if config.is_object() {
        writer.field(2, "ConfigMapName", &text(&config["name"]));
        writer.field(2, "Optional", &optional(config).to_string());
    } else {
        let token = &source["serviceAccountToken"];
        writer.given(2, "TokenExpirationSeconds", &token["expirationSeconds"]);
    }
}
