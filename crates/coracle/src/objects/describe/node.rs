//! The node, with what its pods have asked for.

use kinds::quantity::Quantity;
use serde_json::Value;

use super::writer::{Writer, amount, entries, list, long_time, moment, or, text};

/// Everything about a node but its events. `pods` are those that have not ended; `lease` is what the
/// node renews, or why it could not be read.
pub(super) fn node(
    writer: &mut Writer,
    node: &Value,
    pods: &[Value],
    lease: &Result<Value, String>,
) {
    let (metadata, spec, status) = (&node["metadata"], &node["spec"], &node["status"]);
    writer.field(0, "Name", &text(&metadata["name"]));
    writer.field(0, "Roles", &roles(&metadata["labels"]));
    writer.labels(0, "Labels", &metadata["labels"]);
    writer.annotations(0, "Annotations", &metadata["annotations"]);
    writer.time(0, "CreationTimestamp", &metadata["creationTimestamp"]);
    let taints: Vec<String> = list(&spec["taints"]).iter().map(taint).collect();
    writer.list(0, "Taints", &taints);
    writer.field(0, "Unschedulable", &or(&spec["unschedulable"], "false"));
    match lease {
        Ok(lease) => held(writer, &lease["spec"]),
        Err(why) => writer.field(0, "Lease", &format!("Failed to get lease: {why}")),
    }
    conditions(writer, status);
    writer.line(0, "Addresses:");
    for address in list(&status["addresses"]) {
        writer.field(1, &text(&address["type"]), &text(&address["address"]));
    }
    for (label, amounts) in [("Capacity", "capacity"), ("Allocatable", "allocatable")] {
        if status[amounts].is_object() {
            writer.line(0, &format!("{label}:"));
        }
        entries(&status[amounts]).for_each(|(name, given)| writer.field(1, name, &amount(given)));
    }
    system(writer, &status["nodeInfo"]);
    writer.given(0, "PodCIDR", &spec["podCIDR"]);
    writer.given(0, "ProviderID", &spec["providerID"]);
    let there = if status["allocatable"].is_object() { "allocatable" } else { "capacity" };
    taken(writer, &status[there], pods);
}

fn roles(labels: &Value) -> String {
    let mut roles: Vec<String> = entries(labels)
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) if !role.is_empty() => Some(role.to_owned()),
            _ => (key == "kubernetes.io/role").then(|| text(value)),
        })
        .collect();
    roles.sort();
    if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") }
}

fn taint(taint: &Value) -> String {
    let value = match text(&taint["value"]) {
        value if value.is_empty() => String::new(),
        value => format!("={value}"),
    };
    format!("{}{value}:{}", text(&taint["key"]), text(&taint["effect"]))
}

fn held(writer: &mut Writer, lease: &Value) {
    let time = |value: &Value| moment(value).map_or("<unset>".to_owned(), long_time);
    writer.line(0, "Lease:");
    writer.field(1, "HolderIdentity", &or(&lease["holderIdentity"], "<unset>"));
    writer.field(1, "AcquireTime", &time(&lease["acquireTime"]));
    writer.field(1, "RenewTime", &time(&lease["renewTime"]));
}

fn conditions(writer: &mut Writer, status: &Value) {
    let conditions = list(&status["conditions"]);
    if conditions.is_empty() {
        return;
    }
    writer.line(0, "Conditions:");
    writer.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    writer.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    for condition in conditions {
        let word = |field: &str| text(&condition[field]);
        let time = |field: &str| {
            let unknown = || "Mon, 01 Jan 0001 00:00:00 +0000".to_owned();
            moment(&condition[field]).map_or_else(unknown, long_time)
        };
        writer.line(
            1,
            &format!(
                "{} \t{} \t{} \t{} \t{} \t{}",
                word("type"),
                word("status"),
                time("lastHeartbeatTime"),
                time("lastTransitionTime"),
                word("reason"),
                word("message")
            ),
        );
    }
}

fn system(writer: &mut Writer, info: &Value) {
    writer.line(0, "System Info:");
    for (label, field) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ] {
        writer.field(1, label, &text(&info[field]));
    }
}

/// Amounts of what pods ask for, in the unit in which they are counted.
#[derive(Clone, Copy)]
struct Amount {
    name: &'static str,
    /// Whether it is counted in thousandths.
    milli: bool,
}

const CPU: Amount = Amount { name: "cpu", milli: true };
const MEMORY: Amount = Amount { name: "memory", milli: false };
const STORAGE: Amount = Amount { name: "ephemeral-storage", milli: false };

impl Amount {
    /// What a map of resources says.
    fn in_map(self, map: &Value) -> i64 {
        let quantity = map[self.name].as_str().and_then(|text| Quantity::parse(text).ok());
        quantity.map_or(0, |quantity| if self.milli { quantity.milli() } else { quantity.value() })
    }

    /// What a pod asks for: its containers together, or, where that is more, one of those that run
    /// before them beside those that stay.
    fn of_pod(self, pod: &Value, which: &str) -> i64 {
        let of = |container: &Value| self.in_map(&container["resources"][which]);
        let mut staying = 0;
        let mut before = 0;
        for container in list(&pod["spec"]["initContainers"]) {
            if container["restartPolicy"] == "Always" {
                staying += of(container);
                before = before.max(staying);
            } else {
                before = before.max(staying + of(container));
            }
        }
        let together = list(&pod["spec"]["containers"]).iter().map(of).sum::<i64>() + staying;
        let whole = self.in_map(&pod["spec"]["resources"][which]);
        together.max(before).max(whole) + self.in_map(&pod["spec"]["overhead"])
    }

    /// `500m (25%)` of what there is.
    fn share(self, amount: i64, there: &Value) -> String {
        let quantity =
            if self.milli { Quantity::from_milli(amount) } else { Quantity::from_bytes(amount) };
        let percent = match self.in_map(there) {
            0 => 0.0,
            all => amount as f64 / all as f64 * 100.0,
        };
        format!("{quantity} ({}%)", percent as i64)
    }
}

fn taken(writer: &mut Writer, there: &Value, pods: &[Value]) {
    writer.field(0, "Non-terminated Pods", &format!("({} in total)", pods.len()));
    writer.line(
        1,
        "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge",
    );
    writer.line(
        1,
        "---------\t----\t\t------------\t----------\t---------------\t-------------\t---",
    );
    for pod in pods {
        let metadata = &pod["metadata"];
        let share = |amount: Amount, which: &str| amount.share(amount.of_pod(pod, which), there);
        let line = format!(
            "{}\t{}\t\t{}\t{}\t{}\t{}\t{}",
            text(&metadata["namespace"]),
            text(&metadata["name"]),
            share(CPU, "requests"),
            share(CPU, "limits"),
            share(MEMORY, "requests"),
            share(MEMORY, "limits"),
            writer.age(&metadata["creationTimestamp"])
        );
        writer.line(1, &line);
    }
    writer.line(0, "Allocated resources:");
    writer.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    writer.line(1, "Resource\tRequests\tLimits");
    writer.line(1, "--------\t--------\t------");
    for amount in [CPU, MEMORY, STORAGE] {
        let sum = |which: &str| pods.iter().map(|pod| amount.of_pod(pod, which)).sum::<i64>();
        let share = |which: &str| amount.share(sum(which), there);
        let (requests, limits) = (share("requests"), share("limits"));
        writer.line(1, &format!("{}\t{requests}\t{limits}", amount.name));
    }
    others(writer, there, pods);
}

/// Resources that are not every node's, such as GPUs: counted, without a share.
fn others(writer: &mut Writer, there: &Value, pods: &[Value]) {
    const COMMON: [&str; 4] = ["cpu", "memory", "ephemeral-storage", "pods"];
    for (name, _) in entries(there).filter(|(name, _)| !COMMON.contains(&name.as_str())) {
        let sum = |which: &str| {
            let of = |container: &Value| {
                let amount = container["resources"][which][name].as_str();
                amount.and_then(|text| Quantity::parse(text).ok()).map_or(0, Quantity::value)
            };
            let containers = pods.iter().flat_map(|pod| list(&pod["spec"]["containers"]));
            containers.map(of).sum::<i64>()
        };
        writer.line(1, &format!("{name}\t{}\t{}", sum("requests"), sum("limits")));
    }
}
