//! `status.phase` from the states of the containers, in upstream's order of rules.

use super::container::{Container, State};

/// `status.phase`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    /// The word in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }

    /// The terminal phase with this name.
    pub(crate) fn terminal(name: &str) -> Option<Self> {
        match name {
            "Succeeded" => Some(Self::Succeeded),
            "Failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

/// The phase of a pod that is not over: it becomes terminal only when nothing runs any more.
pub(crate) fn of_live(containers: &[Container]) -> Phase {
    let unstarted = |c: &Container| match c.state {
        State::Waiting(_) | State::Starting => c.last.is_none(),
        _ => false,
    };
    if containers.iter().any(unstarted) { Phase::Pending } else { Phase::Running }
}

/// Whether every container has ended for good; `restarts` says of the container at an index and an
/// exit code whether it has not.
pub(crate) fn all_ended(containers: &[Container], restarts: impl Fn(usize, i32) -> bool) -> bool {
    containers.iter().enumerate().all(|(index, c)| match &c.state {
        State::Stopped(ended) => !restarts(index, ended.status.exit_code),
        _ => false,
    })
}

/// The terminal phase of a pod whose containers have all ended.
pub(crate) fn of_ended(containers: &[Container]) -> Phase {
    let clean = |c: &Container| c.ended().is_some_and(|e| e.status.exit_code == 0);
    if containers.iter().all(clean) { Phase::Succeeded } else { Phase::Failed }
}
