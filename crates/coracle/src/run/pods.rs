//! What a run reads out of a pod's status, and nothing more.

use engine::history::PodRecord;
use jiff::Timestamp;
use kinds::{
    Uid,
    selector::Selector,
    types::{
        batch::v1::PodFailurePolicy,
        core::v1::{Container, ContainerState, ContainerStateTerminated, ContainerStatus, Pod},
    },
};
use reconcile::PodFacts;

use super::{failures::Matched, outcome::Exit, work::Id};

/// Waiting reasons that are part of every start or restart, and no trouble.
const WAITING_WELL: &[&str] = &["ContainerCreating", "PodInitializing", "CrashLoopBackOff", ""];

/// `status.phase`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

/// The part of a pod that matters here.
#[derive(Clone, Debug)]
pub(crate) struct PodView {
    pub(crate) name: String,
    pub(crate) index: Option<u32>,
    pub(crate) phase: Phase,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) scheduled: bool,
    /// Reason and message of `PodScheduled=False`.
    pub(crate) unscheduled: Option<(String, String)>,
    /// Init containers first.
    pub(crate) containers: Vec<ContainerView>,
    /// Its deletion has begun.
    pub(crate) deleting: bool,
    /// The rule of its Job's failure policy that its end matches.
    pub(crate) matched: Option<Matched>,
}

/// The part of a container's status that matters here.
#[derive(Clone, Debug)]
pub(crate) struct ContainerView {
    pub(crate) name: String,
    /// How many attempts have started.
    pub(crate) started: u32,
    /// How many attempts have ended, those included that could not start.
    pub(crate) ended: u32,
    pub(crate) running: bool,
    /// How the last attempt that ended did so.
    pub(crate) exit: Option<Exit>,
    /// Reason and message of waiting that will not pass by itself.
    pub(crate) refused: Option<(String, String)>,
}

/// A log that can be read: one attempt of one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogRead {
    pub(crate) work: Id,
    pub(crate) namespace: String,
    pub(crate) pod: String,
    pub(crate) uid: Uid,
    pub(crate) index: Option<u32>,
    pub(crate) container: String,
    /// The restart count, from 0.
    pub(crate) restarts: u32,
    /// Which attempt at the same work this is, from 1, earlier pods included.
    pub(crate) attempt: u32,
}

/// A Job or Pod that does not start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stuck {
    pub(crate) work: Id,
    /// The pod concerned; empty if there is none.
    pub(crate) pod: String,
    pub(crate) since: Timestamp,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl PodView {
    /// `policy` is that of its Job.
    pub(crate) fn of(pod: &Pod, policy: Option<&PodFailurePolicy>) -> Self {
        let status = pod.status.clone().unwrap_or_default();
        let annotations = pod.metadata.annotations.as_ref();
        let index = annotations.and_then(|all| all.get(reconcile::INDEX_KEY)?.parse().ok());
        let conditions = status.conditions.unwrap_or_default();
        let placed = conditions.iter().find(|condition| condition.type_ == "PodScheduled");
        let unscheduled = placed.filter(|condition| condition.status == "False").map(|condition| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            (text(&condition.reason), text(&condition.message))
        });
        let early = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
        let sidecar = |status: &ContainerStatus| {
            let always = |c: &Container| c.restart_policy.as_deref() == Some("Always");
            early.clone().any(|c| c.name == status.name && always(c))
        };
        let init = status.init_container_statuses.unwrap_or_default();
        let init = init.iter().map(|status| match sidecar(status) {
            true => ContainerView::of_sidecar(status),
            false => ContainerView::of(status),
        });
        let regular = status.container_statuses.unwrap_or_default();
        Self {
            name: pod.metadata.name.clone().unwrap_or_default(),
            index,
            phase: match status.phase.as_deref() {
                Some("Running") => Phase::Running,
                Some("Succeeded") => Phase::Succeeded,
                Some("Failed") => Phase::Failed,
                _ => Phase::Pending,
            },
            reason: status.reason.unwrap_or_default(),
            message: status.message.unwrap_or_default(),
            scheduled: pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some()),
            unscheduled,
            containers: init.chain(regular.iter().map(ContainerView::of)).collect(),
            deleting: pod.metadata.deletion_timestamp.is_some(),
            matched: policy.and_then(|policy| matched(pod, policy)),
        }
    }
}

impl PodView {
    /// A pod of the history, with the one container that the record tells of.
    pub(crate) fn of_record(pod: &PodRecord) -> Self {
        let attempts = u32::try_from(pod.restarts).unwrap_or(0) + 1;
        let exit = Exit {
            code: pod.exit_code,
            signal: None,
            reason: pod.reason.clone(),
            message: String::new(),
        };
        let container = ContainerView {
            name: pod.container.clone(),
            started: if pod.started.is_some() { attempts } else { 0 },
            ended: attempts,
            running: false,
            exit: Some(exit),
            refused: None,
        };
        Self {
            name: pod.pod.clone(),
            index: pod.index,
            phase: if pod.succeeded { Phase::Succeeded } else { Phase::Failed },
            reason: String::new(),
            message: String::new(),
            scheduled: true,
            unscheduled: None,
            containers: vec![container],
            deleting: false,
            matched: None,
        }
    }
}

impl ContainerView {
    /// How a sidecar ends says nothing of its pod, so that its ends are not told.
    fn of_sidecar(status: &ContainerStatus) -> Self {
        Self { ended: 0, exit: None, ..Self::of(status) }
    }

    fn of(status: &ContainerStatus) -> Self {
        let restarts = u32::try_from(status.restart_count).unwrap_or(0);
        let none = ContainerState::default();
        let now = status.state.as_ref().unwrap_or(&none);
        let last = status.last_state.as_ref().unwrap_or(&none);
        let could_not = |ended: &ContainerStateTerminated| match ended.reason.as_deref() {
            Some("StartError" | "ContainerCannotRun") => true,
            // Ended before anything was known to run, as when its pod is deleted too early.
            Some("ContainerStatusUnknown") => ended.started_at.is_none(),
            _ => false,
        };
        let waiting = now.waiting.as_ref().and_then(|waiting| waiting.reason.as_deref());
        let waiting = waiting.unwrap_or_default();
        let (started, ended) = match (&now.running, &now.terminated) {
            (Some(_), _) => (restarts + 1, restarts),
            (None, Some(ended)) if could_not(ended) => (restarts, restarts + 1),
            (None, Some(_)) => (restarts + 1, restarts + 1),
            (None, None) => match (&last.terminated, waiting == "CrashLoopBackOff") {
                // Between two attempts: the count rises with the next start.
                (Some(ended), true) if could_not(ended) => (restarts, restarts + 1),
                (Some(_), true) => (restarts + 1, restarts + 1),
                _ => (restarts, restarts),
            },
        };
        let message = now.waiting.as_ref().and_then(|waiting| waiting.message.clone());
        let refused = (!WAITING_WELL.contains(&waiting))
            .then(|| (waiting.to_owned(), message.unwrap_or_default()));
        Self {
            name: status.name.clone(),
            started,
            ended,
            running: now.running.is_some(),
            exit: now.terminated.as_ref().or(last.terminated.as_ref()).map(exit),
            refused,
        }
    }
}

/// What the Job controller would say of the pod.
fn matched(pod: &Pod, policy: &PodFailurePolicy) -> Option<Matched> {
    pod.metadata.uid.as_ref()?;
    let facts = PodFacts::of(pod, &Selector::from_label_selector(None), Some(policy));
    let judgement = facts.judgement?;
    Some(Matched { rule: judgement.rule, action: judgement.action })
}

fn exit(ended: &ContainerStateTerminated) -> Exit {
    Exit {
        code: ended.exit_code,
        signal: ended.signal.filter(|signal| *signal != 0),
        reason: ended.reason.clone().unwrap_or_default(),
        message: ended.message.clone().unwrap_or_default(),
    }
}
