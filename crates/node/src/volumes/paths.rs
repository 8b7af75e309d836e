//! Where the files of a pod lie, and what it is called from inside.

use std::path::{Path, PathBuf};

use kinds::types::core::v1::Pod;

use crate::Config;

/// The longest host name, bytes.
const HOSTNAME_BYTES_MAX: usize = 63;

/// The places of one pod's files.
#[derive(Clone, Debug)]
pub(crate) struct PodPaths {
    directory: PathBuf,
}

impl PodPaths {
    pub(crate) fn new(config: &Config, uid: &str) -> Self {
        Self { directory: pods(&config.data_dir).join(uid) }
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.clone()
    }

    pub(crate) fn volume(&self, name: &str) -> PathBuf {
        self.directory.join("volumes").join(name)
    }
}

/// Where the directories of all pods lie.
pub(super) fn pods(data_dir: &Path) -> PathBuf {
    data_dir.join("pods")
}

/// `spec.hostname`, else the pod's name, cut to what a host name may be; the machine's own on the
/// host network.
pub(crate) fn hostname(pod: &Pod, config: &Config) -> String {
    let spec = pod.spec.as_ref();
    if spec.is_some_and(|spec| spec.host_network == Some(true)) {
        return config.host_name.clone();
    }
    let own = spec.and_then(|spec| spec.hostname.as_deref());
    let name = own.filter(|name| !name.is_empty()).or(pod.metadata.name.as_deref());
    let name = name.unwrap_or_default();
    let mut end = name.len().min(HOSTNAME_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].trim_end_matches(['-', '.']).to_owned()
}
