//! `status.conditions`: those that the node owns, after those of others.

use jiff::Timestamp;
use kinds::{
    metav1::Time,
    types::core::v1::{PodCondition, PodStatus},
};

use super::phase::Phase;

/// The conditions that the node writes, in its order.
const OWN: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

/// What the conditions follow from.
pub(crate) struct Facts<'a> {
    pub(crate) phase: Phase,
    /// Volumes are made and the pod is not over.
    pub(crate) ready_to_start: bool,
    /// Whether a regular container runs or has ended.
    pub(crate) begun: bool,
    /// Init containers that are not done, or have not started, in the order of the spec.
    pub(crate) incomplete: Vec<&'a str>,
    /// Other containers that are not ready, in the order of the spec.
    pub(crate) unready: Vec<&'a str>,
    /// `conditionType` of each readiness gate.
    pub(crate) gates: Vec<&'a str>,
    pub(crate) generation: Option<i64>,
    pub(crate) now: Timestamp,
}

#[derive(Default)]
struct Verdict {
    holds: bool,
    reason: Option<&'static str>,
    message: Option<String>,
}

impl Verdict {
    fn yes() -> Self {
        Self { holds: true, ..Self::default() }
    }

    fn no(reason: &'static str, message: Option<String>) -> Self {
        Self { holds: false, reason: Some(reason), message }
    }
}

/// Takes over the conditions of others from a status that someone else wrote to as well.
pub(crate) fn adopt(status: &mut PodStatus, newer: Option<&PodStatus>) {
    let own = |c: &&PodCondition| OWN.contains(&c.type_.as_str());
    let newer = newer.and_then(|s| s.conditions.as_deref()).unwrap_or_default();
    let ours = status.conditions.take().unwrap_or_default();
    let merged: Vec<PodCondition> =
        newer.iter().filter(|c| !own(c)).chain(ours.iter().filter(own)).cloned().collect();
    status.conditions = Some(merged);
}

/// Whether a status says that the pod's volumes and namespaces are there.
pub(crate) fn ready_to_start(status: &PodStatus) -> bool {
    let conditions = status.conditions.as_deref().unwrap_or_default();
    conditions.iter().any(|c| c.type_ == OWN[0] && c.status == "True")
}

/// All conditions of a pod, given those it has now.
pub(crate) fn all(present: &[PodCondition], facts: &Facts) -> Vec<PodCondition> {
    let others = present.iter().filter(|c| !OWN.contains(&c.type_.as_str())).cloned();
    let own = OWN.map(|name| condition(name, verdict(name, present, facts), present, facts));
    others.chain(own).collect()
}

fn verdict(name: &str, present: &[PodCondition], facts: &Facts) -> Verdict {
    match name {
        "PodReadyToStartContainers" => {
            Verdict { holds: facts.ready_to_start, ..Verdict::default() }
        }
        "Initialized" if facts.phase == Phase::Succeeded => {
            Verdict { reason: Some("PodCompleted"), ..Verdict::yes() }
        }
        "Initialized" => initialized(present, facts),
        "Ready" => ready(present, facts),
        "ContainersReady" => containers_ready(facts),
        // Only bound pods come here.
        _ => Verdict::yes(),
    }
}

/// Once initialised, a pod stays so.
fn initialized(present: &[PodCondition], facts: &Facts) -> Verdict {
    let was = present.iter().any(|c| c.type_ == "Initialized" && c.status == "True");
    if facts.begun || facts.incomplete.is_empty() || was {
        return Verdict::yes();
    }
    let message = format!("containers with incomplete status: [{}]", facts.incomplete.join(" "));
    Verdict::no("ContainersNotInitialized", Some(message))
}

fn containers_ready(facts: &Facts) -> Verdict {
    match facts.phase {
        Phase::Succeeded => Verdict::no("PodCompleted", None),
        Phase::Failed => Verdict::no("PodFailed", None),
        _ if facts.unready.is_empty() => Verdict::yes(),
        _ => {
            let names = facts.unready.join(" ");
            let message = format!("containers with unready status: [{names}]");
            Verdict::no("ContainersNotReady", Some(message))
        }
    }
}

fn ready(present: &[PodCondition], facts: &Facts) -> Verdict {
    let containers = containers_ready(facts);
    if !containers.holds {
        return containers;
    }
    let complaint = |gate: &&str| {
        let condition = present.iter().find(|c| c.type_ == **gate);
        match condition.map(|c| c.status.as_str()) {
            Some("True") => None,
            Some(status) => Some(format!(
                "the status of pod readiness gate \"{gate}\" is not \"True\", but {status}"
            )),
            None => Some(format!(
                "corresponding condition of pod readiness gate \"{gate}\" does not exist."
            )),
        }
    };
    let complaints: Vec<String> = facts.gates.iter().filter_map(complaint).collect();
    match complaints.is_empty() {
        true => Verdict::yes(),
        false => Verdict::no("ReadinessGatesNotReady", Some(complaints.join(", "))),
    }
}

/// The time of the last transition moves only when the status flips.
fn condition(
    name: &str,
    verdict: Verdict,
    present: &[PodCondition],
    facts: &Facts,
) -> PodCondition {
    let status = if verdict.holds { "True" } else { "False" };
    let before = present.iter().find(|c| c.type_ == name && c.status == status);
    let since: Option<Time> = before.and_then(|c| c.last_transition_time.clone());
    PodCondition {
        last_probe_time: None,
        last_transition_time: Some(since.unwrap_or_else(|| kinds::api_time(facts.now))),
        message: verdict.message,
        observed_generation: facts.generation,
        reason: verdict.reason.map(str::to_owned),
        status: status.to_owned(),
        type_: name.to_owned(),
    }
}
