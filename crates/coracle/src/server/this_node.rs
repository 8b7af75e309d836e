//! The one node, as the API shows it and as the node agent needs it, from what the machine says.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use kinds::types::core::v1::Node;
use node::{
    Config,
    host::{self, Machine},
};
use serde_json::json;

/// Most pods at once: upstream's 110 is made for nodes that share a cluster's addresses.
const PODS_MAX: u64 = 1000;

/// Size at which a container's log file is rotated, bytes. Far more than upstream's 10 MiB: what a
/// container writes while no server is there must still be there when one comes back.
const LOG_FILE_BYTES_MAX: u64 = 256 << 20;

/// The Node object.
pub(super) fn object(machine: &Machine) -> Node {
    let name = name(machine);
    let resources = json!({
        "cpu": machine.cpus.to_string(),
        "memory": kibibytes(machine.memory_bytes),
        "ephemeral-storage": kibibytes(machine.disk_bytes),
        "pods": PODS_MAX.to_string(),
    });
    let node = json!({
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": machine.architecture,
            },
        },
        "spec": {},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "conditions": conditions(),
            "addresses": addresses(machine, &name),
            "nodeInfo": {
                "machineID": machine.machine_id,
                "systemUUID": machine.machine_id,
                "bootID": machine.boot_id,
                "kernelVersion": machine.kernel,
                "osImage": machine.os_image,
                "containerRuntimeVersion": format!("coracle://{}", env!("CARGO_PKG_VERSION")),
                "kubeletVersion": apiserver::GIT_VERSION,
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": machine.architecture,
            },
        },
    });
    serde_json::from_value(node).expect("the literal above is a Node")
}

/// As a kubelet writes amounts of bytes.
fn kibibytes(bytes: u64) -> String {
    format!("{}Ki", bytes / 1024)
}

fn addresses(machine: &Machine, name: &str) -> Vec<serde_json::Value> {
    let internal = machine.addresses.iter().map(|ip| json!({"type": "InternalIP", "address": ip}));
    internal.chain([json!({"type": "Hostname", "address": name})]).collect()
}

fn conditions() -> serde_json::Value {
    let now = kinds::api_time(crate::clock::now());
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": now,
        })
    };
    json!([
        condition(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available"
        ),
        condition(
            "DiskPressure",
            "False",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure"
        ),
        condition(
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available"
        ),
        condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ])
}

/// What the node agent must know.
///
/// # Errors
/// The machine's top-level directories cannot be read.
pub(super) fn config(machine: &Machine, data_dir: &Path) -> io::Result<Config> {
    let as_i64 = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Ok(Config {
        node_name: name(machine),
        host_name: machine.host_name.clone(),
        host_ips: machine.addresses.iter().map(ToString::to_string).collect(),
        pod_range: Some(Config::POD_RANGE),
        data_dir: data_dir.to_owned(),
        host: host::root(Path::new("/"), &[data_dir.to_owned()])?,
        images: images(data_dir)?,
        cpu_milli: as_i64(machine.cpus * 1000),
        memory_bytes: as_i64(machine.memory_bytes),
        pids_max: None,
        writable_bytes: Config::WRITABLE_BYTES,
        log_file_bytes_max: LOG_FILE_BYTES_MAX,
        log_files_max: Config::LOG_FILES_MAX,
        status_hold_ms: Config::STATUS_HOLD_MS,
    })
}

/// Root file systems that are there as directories, or as links to such: `images/NAME` in the data
/// directory is the image `NAME`.
fn images(data_dir: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let entries = match fs::read_dir(data_dir.join("images")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let mut images = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        // A link that leads nowhere is no image.
        // What begins with a dot is the store of images, or nothing.
        if let (Ok(name), Ok(path)) = (entry.file_name().into_string(), entry.path().canonicalize())
            && path.is_dir()
            && !name.starts_with('.')
        {
            images.insert(name, path);
        }
    }
    Ok(images)
}

/// The machine's host name, as a name of the API.
fn name(machine: &Machine) -> String {
    let lower = machine.host_name.to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let name: String = lower.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    let name = name.trim_matches(|c| c == '-' || c == '.');
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}
