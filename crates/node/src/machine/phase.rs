//! `status.phase` from the states of the containers, in upstream's order of rules.

use super::container::{Container, State};
use crate::containers::Role;

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
        State::Running { .. } => c.post_start.is_some() && c.last.is_none(),
        _ => false,
    };
    // A sidecar that starts again does not take a pod back that had got further.
    let regular = || containers.iter().filter(|c| c.role == Role::Regular);
    let initialized = regular().any(|c| !unstarted(c));
    let pending = |c: &Container| match c.role {
        Role::Init => unstarted(c) || c.runs(),
        Role::Sidecar => unstarted(c) || c.runs() && !c.has_started() && !initialized,
        Role::Regular => unstarted(c),
        Role::Ephemeral => false,
    };
    if containers.iter().any(pending) { Phase::Pending } else { Phase::Running }
}

/// The terminal phase of a pod whose containers have all ended. How its sidecars and
/// ephemeral containers ended says nothing.
pub(crate) fn of_ended(containers: &[Container]) -> Phase {
    let decides = |c: &&Container| matches!(c.role, Role::Init | Role::Regular);
    let fine = containers.iter().filter(decides).all(Container::succeeded);
    if fine { Phase::Succeeded } else { Phase::Failed }
}
