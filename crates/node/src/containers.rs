//! The containers of a pod in the order in which the node counts them: the init containers, then the
//! regular ones, then the ephemeral ones.

use kinds::{
    Object,
    admit::as_container,
    types::core::v1::{Container, Pod, PodSpec},
};

/// What a container is to its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It has to succeed before the next one begins.
    Init,
    /// It has to have started before the next one begins, and runs as long as the regular ones do.
    Sidecar,
    /// It is what the pod is for.
    Regular,
    /// Somebody looks around in the pod by it. It runs once, and nothing waits for it.
    Ephemeral,
}

impl Role {
    /// The list of the spec that it is in.
    pub(crate) fn list(self) -> &'static str {
        match self {
            Self::Init | Self::Sidecar => "initContainers",
            Self::Regular => "containers",
            Self::Ephemeral => "ephemeralContainers",
        }
    }

    /// Whether others may rely on it, so that it is probed.
    pub(crate) fn is_served(self) -> bool {
        matches!(self, Self::Sidecar | Self::Regular)
    }

    /// Whether it comes before the regular ones.
    pub(crate) fn is_early(self) -> bool {
        matches!(self, Self::Init | Self::Sidecar)
    }
}

/// The pod as the node works with it: its ephemeral containers stand behind the regular ones too, in
/// the order in which the node knows them, and new ones last.
pub(crate) fn of(object: &Object, known: &[&str]) -> Pod {
    let mut pod = object.pod();
    let Some(spec) = &mut pod.spec else { return pod };
    let Some(ephemeral) = &spec.ephemeral_containers else { return pod };
    let mut ephemeral: Vec<Container> = ephemeral.iter().map(as_container).collect();
    let place = |name: &str| known.iter().position(|known| *known == name);
    ephemeral.sort_by_key(|container| place(&container.name).unwrap_or(usize::MAX));
    spec.containers.extend(ephemeral);
    pod
}

/// All of them.
pub(crate) fn all(spec: &PodSpec) -> impl Iterator<Item = (Role, &Container)> {
    let early = spec.init_containers.iter().flatten().map(|container| {
        let always = container.restart_policy.as_deref() == Some("Always");
        (if always { Role::Sidecar } else { Role::Init }, container)
    });
    let ephemeral = spec.ephemeral_containers.as_ref().map_or(0, Vec::len);
    let regular = spec.containers.len().saturating_sub(ephemeral);
    early.chain(spec.containers.iter().enumerate().map(move |(at, container)| {
        (if at < regular { Role::Regular } else { Role::Ephemeral }, container)
    }))
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
