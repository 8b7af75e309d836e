//! The one machine of every world.

use std::collections::BTreeMap;

/// The node, with this many thousandths of a CPU.
///
/// # Panics
/// Never: the node is valid.
pub fn node_object(cpu_milli: u64) -> kinds::types::core::v1::Node {
    serde_json::from_value(serde_json::json!({
        "metadata": {"name": "here"},
        "status": {"allocatable": {"cpu": format!("{cpu_milli}m"), "memory": "4Gi", "pods": "100"}},
    }))
    .expect("the node is a Node")
}

/// What the node is told of it.
pub fn node_config() -> node::Config {
    node::Config {
        node_name: "here".to_owned(),
        host_name: "here".to_owned(),
        host_ips: Vec::new(),
        pod_range: Some(node::Config::POD_RANGE),
        data_dir: "/nowhere".into(),
        host: node::HostRoot::default(),
        images: BTreeMap::new(),
        cpu_milli: 2000,
        memory_bytes: 4 << 30,
        pids_max: None,
        writable_bytes: node::Config::WRITABLE_BYTES,
        log_file_bytes_max: node::Config::LOG_FILE_BYTES_MAX,
        log_files_max: node::Config::LOG_FILES_MAX,
        status_hold_ms: node::Config::STATUS_HOLD_MS,
    }
}

/// An Indexed Job of one cheap container.
pub fn indexed_job(indexes: u32, parallelism: u32) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "many", "namespace": "default"},
        "spec": {
            "completionMode": "Indexed", "completions": indexes, "parallelism": parallelism,
            "template": {"spec": {
                "restartPolicy": "Never",
                "containers": [
                    {"name": "main", "image": "coracle.local/host", "command": ["true"]},
                ],
            }},
        },
    })
}
