//! The containers of a pod in the order in which the node counts them: the init containers, then the
//! regular ones.

use kinds::types::core::v1::{Container, Pod, PodSpec};

/// What a container is to its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It has to succeed before the next one begins.
    Init,
    /// It has to have started before the next one begins, and runs as long as the regular ones do.
    Sidecar,
    /// It is what the pod is for.
    Regular,
}

impl Role {
    /// The list of the spec that it is in.
    pub(crate) fn list(self) -> &'static str {
        match self {
            Self::Init | Self::Sidecar => "initContainers",
            Self::Regular => "containers",
        }
    }

    /// Whether it comes before the regular ones.
    pub(crate) fn is_early(self) -> bool {
        self != Self::Regular
    }
}

/// All of them.
pub(crate) fn all(spec: &PodSpec) -> impl Iterator<Item = (Role, &Container)> {
    let early = spec.init_containers.iter().flatten().map(|container| {
        let always = container.restart_policy.as_deref() == Some("Always");
        (if always { Role::Sidecar } else { Role::Init }, container)
    });
    early.chain(spec.containers.iter().map(|container| (Role::Regular, container)))
}

/// The one at this place.
pub(crate) fn nth(pod: &Pod, index: usize) -> Option<&Container> {
    let spec = pod.spec.as_ref()?;
    let early = spec.init_containers.as_deref().unwrap_or_default();
    early.get(index).or_else(|| spec.containers.get(index.checked_sub(early.len())?))
}

/// What the one at this place is.
pub(crate) fn role(spec: &PodSpec, index: usize) -> Role {
    all(spec).nth(index).map_or(Role::Regular, |(role, _)| role)
}

/// Whether the pod has init containers.
pub(crate) fn any_early(pod: &Pod) -> bool {
    let early = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
    early.is_some_and(|early| !early.is_empty())
}
