//! What `GET /coracle/status` answers, shared with the command line that reads it.

use std::{collections::BTreeMap, path::PathBuf};

use engine::history::{JobRecord, PodRecord};
use serde::{Deserialize, Serialize};

/// Who holds the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// `coracle up`: acts on everything in the directory.
    Up,
    /// Started by `coracle run`: acts on objects of live runs only, ends with the last.
    Private,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerStatus {
    /// coracle's version.
    pub version: String,
    /// Who holds the data directory.
    pub mode: Mode,
    /// Process id of the server.
    pub pid: u32,
    /// The data directory, absolute.
    pub data_dir: PathBuf,
    /// Where it is reached over TLS; a private server is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<TlsEndpoint>,
    /// Last durable revision.
    pub revision: u64,
    /// Number of objects by plural, such as `pods`.
    pub objects: BTreeMap<String, usize>,
    /// The runs that live, by id.
    pub runs: Vec<RunStatus>,
    /// Unfinished Jobs and Pods that no live run submitted, as `jobs/NAMESPACE/NAME`: a private
    /// server leaves them alone. At most [`LEFTOVERS_MAX`](crate::limits::LEFTOVERS_MAX).
    #[serde(default)]
    pub leftovers: Vec<String>,
    /// Ends of Jobs that a URL is still to be told of.
    #[serde(default)]
    pub notices: usize,
    /// Resident memory of the server, bytes.
    pub memory_bytes: u64,
}

/// How Kubernetes' clients reach the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsEndpoint {
    /// `https://ADDRESS:PORT`
    pub url: String,
    /// The kubeconfig that has the certificates, absolute.
    pub kubeconfig: PathBuf,
}

/// One live run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunStatus {
    /// The run's id.
    pub id: String,
    /// Whether it was left behind on purpose, with nobody watching.
    pub detached: bool,
}

/// One line of `GET /coracle/history`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HistoryLine {
    /// The finished Job.
    #[serde(flatten)]
    pub job: JobRecord,
    /// Its pods that ended; only where one Job was asked for by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<PodRecord>,
    /// What it was asked to do: its labels, annotations and spec; only where one Job was asked for by
    /// name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<serde_json::Value>,
}
