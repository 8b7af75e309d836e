//! Pods in tables. The one STATUS word sums up phase, reasons, conditions and every container, by
//! upstream's rules: initialisation first, then the containers from the last to the first, so that
//! the first one has the last word.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Row, RowCondition, Table,
    cells::{AGE, NAME, NONE, age, name, or, text, view, wide},
    time,
};
use crate::Object;

pub(super) static POD: Table = Table {
    columns: &[
        NAME,
        text("Ready", "Ready containers out of all that stay running"),
        text("Status", "The state of the pod and its containers in one word"),
        text("Restarts", "How often containers were started again, and when last"),
        AGE,
        wide("IP", "First address of the pod"),
        wide("Node", "Where the pod runs"),
        wide("Nominated Node", "Where room is being made for the pod"),
        wide("Readiness Gates", "Fulfilled conditions out of those that readiness asks for"),
    ],
    row,
};

const SUCCEEDED: &[RowCondition] = &[RowCondition {
    kind: "Completed",
    status: "True",
    reason: "Succeeded",
    message: "The pod has completed successfully.",
}];
const FAILED: &[RowCondition] = &[RowCondition {
    kind: "Completed",
    status: "True",
    reason: "Failed",
    message: "The pod failed.",
}];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pod {
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    node_name: String,
    containers: Vec<Container>,
    init_containers: Vec<Container>,
    readiness_gates: Vec<Gate>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    name: String,
    restart_policy: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Gate {
    condition_type: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: String,
    reason: String,
    nominated_node_name: String,
    conditions: Vec<Condition>,
    #[serde(rename = "podIPs")]
    pod_ips: Vec<Ip>,
    init_container_statuses: Vec<ContainerStatus>,
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
    reason: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ip {
    ip: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    ready: bool,
    started: bool,
    restart_count: i64,
    state: State,
    last_state: State,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    running: Option<serde::de::IgnoredAny>,
    terminated: Option<Terminated>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Terminated {
    exit_code: i32,
    signal: i32,
    reason: String,
    finished_at: Option<Timestamp>,
}

fn row(object: &Object, now: Timestamp) -> Row {
    let pod: Pod = view(object);
    let summary = pod.summary();
    let status = pod.word(&summary, object.deleting());
    let address = pod.status.pod_ips.first().map(|first| first.ip.clone()).unwrap_or_default();
    let gates = pod.gates();
    let conditions = match &*pod.status.phase {
        "Succeeded" => SUCCEEDED,
        "Failed" => FAILED,
        _ => &[],
    };
    let cells = vec![
        name(object),
        format!("{}/{}", summary.ready, pod.total()).into(),
        status.into(),
        summary.restarts.cell(now),
        age(object, now),
        or(address, NONE),
        or(pod.spec.node_name, NONE),
        or(pod.status.nominated_node_name, NONE),
        gates,
    ];
    Row { cells, conditions }
}

/// What the statuses of the containers come to.
#[derive(Default)]
struct Summary {
    ready: usize,
    restarts: Restarts,
    /// What the containers say instead of the pod's own reason.
    reason: Option<String>,
    /// The reason of the first container that ended with an error.
    error: Option<String>,
    running: bool,
}

#[derive(Clone, Copy, Default)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, container: &ContainerStatus) {
        self.count += container.restart_count;
        let ended = container.last_state.terminated.as_ref().and_then(|t| t.finished_at);
        self.last = self.last.max(ended);
    }

    fn cell(self, now: Timestamp) -> Value {
        match self.last {
            Some(last) if self.count != 0 => {
                format!("{} ({} ago)", self.count, time::human_duration(last, now)).into()
            }
            _ => self.count.to_string().into(),
        }
    }
}

impl Terminated {
    /// Its reason, or how it ended.
    fn word(&self) -> String {
        match (&*self.reason, self.signal) {
            ("", 0) => format!("ExitCode:{}", self.exit_code),
            ("", signal) => format!("Signal:{signal}"),
            (reason, _) => reason.to_owned(),
        }
    }
}

impl Pod {
    fn is_sidecar(&self, name: &str) -> bool {
        self.sidecars().any(|container| container.name == name)
    }

    fn sidecars(&self) -> impl Iterator<Item = &Container> {
        self.spec.init_containers.iter().filter(|c| c.restart_policy == "Always")
    }

    fn total(&self) -> usize {
        self.spec.containers.len() + self.sidecars().count()
    }

    fn holds(&self, condition: &str) -> bool {
        self.status.conditions.iter().any(|c| c.r#type == condition && c.status == "True")
    }

    fn gates(&self) -> Value {
        let gates = &self.spec.readiness_gates;
        if gates.is_empty() {
            return NONE.into();
        }
        let fulfilled = |gate: &&Gate| {
            let first = self.status.conditions.iter().find(|c| c.r#type == gate.condition_type);
            first.is_some_and(|c| c.status == "True")
        };
        format!("{}/{}", gates.iter().filter(fulfilled).count(), gates.len()).into()
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        let sidecar_restarts = self.initialise(&mut summary);
        if summary.reason.is_none() || self.holds("Initialized") {
            summary.restarts = sidecar_restarts;
            self.run(&mut summary);
        }
        summary
    }

    /// Counts the init containers up to the first that is not done, which becomes the reason; gives
    /// the restarts of the sidecars among them.
    fn initialise(&self, summary: &mut Summary) -> Restarts {
        let mut sidecar_restarts = Restarts::default();
        for (at, container) in self.status.init_container_statuses.iter().enumerate() {
            let sidecar = self.is_sidecar(&container.name);
            summary.restarts.add(container);
            if sidecar {
                sidecar_restarts.add(container);
            }
            let state = &container.state;
            let word = match (&state.terminated, &state.waiting) {
                (Some(end), _) if end.exit_code == 0 => continue,
                _ if sidecar && container.started => {
                    summary.ready += usize::from(container.ready);
                    continue;
                }
                (Some(end), _) => end.word(),
                (None, Some(Waiting { reason }))
                    if !matches!(&**reason, "" | "PodInitializing") =>
                {
                    reason.clone()
                }
                _ => format!("{at}/{}", self.spec.init_containers.len()),
            };
            summary.reason = Some(format!("Init:{word}"));
            break;
        }
        sidecar_restarts
    }

    fn run(&self, summary: &mut Summary) {
        for container in self.status.container_statuses.iter().rev() {
            summary.restarts.add(container);
            let state = &container.state;
            match (&state.waiting, &state.terminated) {
                (Some(waiting), _) if !waiting.reason.is_empty() => {
                    summary.reason = Some(waiting.reason.clone());
                }
                (_, Some(end)) => {
                    if end.exit_code != 0 {
                        summary.error = Some(end.word());
                    }
                    summary.reason = Some(end.word());
                }
                _ if container.ready && state.running.is_some() => {
                    summary.running = true;
                    summary.ready += 1;
                }
                _ => {}
            }
        }
    }

    /// The STATUS cell.
    fn word(&self, summary: &Summary, deleting: bool) -> String {
        let status = &self.status;
        let ended = matches!(&*status.phase, "Succeeded" | "Failed");
        if deleting && status.reason == "NodeLost" {
            return "Unknown".to_owned();
        }
        if deleting && !ended {
            return "Terminating".to_owned();
        }
        let gated = |c: &Condition| c.r#type == "PodScheduled" && c.reason == "SchedulingGated";
        let own = match &*status.reason {
            _ if status.conditions.iter().any(gated) => "SchedulingGated",
            "" => &status.phase,
            reason => reason,
        };
        let word = summary.reason.as_deref().unwrap_or(own);
        let word = match word {
            "Completed" if summary.running && self.holds("Ready") => "Running",
            "Completed" if summary.running && summary.error.is_none() => "NotReady",
            "Completed" => summary.error.as_deref().unwrap_or(word),
            word => word,
        };
        word.to_owned()
    }
}
