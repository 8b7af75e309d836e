//! What the node must know of its machine and its limits before the first pod; all of it plain data.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use kinds::Uid;
use spawner::protocol::PodRange;

/// Facts and limits that do not change while a server runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// `metadata.name` of the Node object.
    pub node_name: String,
    /// The machine's host name, for pods on the host network.
    pub host_name: String,
    /// The node's own addresses, the chief one first; may be empty.
    pub host_ips: Vec<String>,
    /// Where the addresses of pods come from; nowhere: pods have loopback only.
    pub pod_range: Option<PodRange>,
    /// The data directory, absolute.
    pub data_dir: PathBuf,
    /// What the image [`HOST_IMAGE`](crate::HOST_IMAGE) is made of.
    pub host: HostRoot,
    /// Images that are root file system directories on this machine: image name to absolute path.
    pub images: BTreeMap<String, PathBuf>,
    /// The node's allocatable cpu, thousandths of a core.
    pub cpu_milli: i64,
    /// The node's allocatable memory, bytes.
    pub memory_bytes: i64,
    /// Most processes and threads per container; `None` is unlimited.
    pub pids_max: Option<u64>,
    /// Most bytes a container may write to its root when its memory limit does not say less.
    pub writable_bytes: u64,
    /// Size at which a log file is rotated, bytes.
    pub log_file_bytes_max: u64,
    /// Log files kept per container attempt, the current one included.
    pub log_files_max: u32,
    /// How long a status without news for controllers may wait for the next one, milliseconds.
    pub status_hold_ms: u32,
}

/// What the image [`HOST_IMAGE`](crate::HOST_IMAGE) is made of: see `spawner::protocol::Root::Host`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostRoot {
    /// Top-level directories, such as `/usr`.
    pub trees: Vec<String>,
    /// Top-level symbolic links as (path, target), such as (`/bin`, `usr/bin`).
    pub links: Vec<(String, String)>,
    /// Absolute paths inside the trees that no container may see.
    pub hidden: Vec<String>,
}

/// What an earlier server left, read when this one opened its data directory.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Pods that were bound and not yet terminal: their containers may have run.
    pub pods: BTreeSet<Uid>,
    /// Pods that have a directory: something of theirs was not given back.
    pub directories: BTreeSet<Uid>,
}

impl Config {
    /// Private networks that are seldom used elsewhere; the latter spells the name of the program.
    pub const POD_RANGE: PodRange = PodRange {
        v4: (Ipv4Addr::new(10, 186, 0, 0), 16),
        v6: Some((Ipv6Addr::new(0xfd63, 0x6f72, 0x6163, 0x6c65, 0, 0, 0, 0), 64)),
    };
    /// Log files of 10 MiB, five in all: upstream's own limits.
    pub const LOG_FILE_BYTES_MAX: u64 = 10 * 1024 * 1024;
    /// See [`Config::LOG_FILE_BYTES_MAX`].
    pub const LOG_FILES_MAX: u32 = 5;
    /// Short enough that nobody waits for it, long enough that a short pod is written once.
    pub const STATUS_HOLD_MS: u32 = 50;
    /// What a container may write to its root by default: 1 GiB, as it is held in memory.
    pub const WRITABLE_BYTES: u64 = 1024 * 1024 * 1024;
}
