//! The pod's whole status, put together from the states of its containers.

use jiff::Timestamp;
use kinds::{
    metav1::Time,
    types::core::v1::{
        Container as ContainerSpec, ContainerState, ContainerStateRunning, ContainerStateWaiting,
        ContainerStatus, HostIP, Pod, PodIP, PodStatus, VolumeMountStatus,
    },
};
use spawner::protocol::ContainerId;

use super::{
    conditions,
    container::{Container, State, Wait},
    hook::PostStart,
    phase::Phase,
    restart, termination,
};
use crate::{
    Config,
    containers::{self, Role},
};

/// What a status is made from.
pub(crate) struct View<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) uid: &'a str,
    pub(crate) containers: &'a [Container],
    /// Those of its own network, as far as they are known.
    pub(crate) addresses: &'a [String],
    pub(crate) phase: Phase,
    /// `status.reason` and `status.message` of the pod.
    pub(crate) reason: Option<(&'static str, &'static str)>,
    pub(crate) ready_to_start: bool,
    pub(crate) start_time: Timestamp,
    pub(crate) generation: i64,
    pub(crate) config: &'a Config,
    pub(crate) now: Timestamp,
}

/// The status, given the one that was written last.
pub(crate) fn build(view: &View, last: &PodStatus) -> PodStatus {
    let spec = view.pod.spec.as_ref();
    let gates = spec.and_then(|s| s.readiness_gates.as_deref()).unwrap_or_default();
    let generation = (view.generation > 0).then_some(view.generation);
    let facts = conditions::Facts {
        phase: view.phase,
        ready_to_start: view.ready_to_start,
        begun: view.containers.iter().any(|c| c.role == Role::Regular && begun(c)),
        incomplete: names(view, |c| !match c.role {
            Role::Init => ready(c),
            Role::Sidecar => c.has_started(),
            Role::Regular | Role::Ephemeral => true,
        }),
        unready: names(view, |c| c.role.is_served() && !ready(c)),
        gates: gates.iter().map(|g| g.condition_type.as_str()).collect(),
        generation,
        now: view.now,
    };
    let specs = spec.into_iter().flat_map(containers::all);
    let (mut early, mut regular, mut ephemeral) = (Vec::new(), Vec::new(), Vec::new());
    for ((role, spec), c) in specs.zip(view.containers) {
        let list = match role {
            Role::Init | Role::Sidecar => &mut early,
            Role::Regular => &mut regular,
            Role::Ephemeral => &mut ephemeral,
        };
        list.push(container(view, spec, c));
    }
    for list in [&mut regular, &mut ephemeral] {
        list.sort_by(|a: &ContainerStatus, b| a.name.cmp(&b.name));
    }
    let ips = &view.config.host_ips;
    let on_host = spec.is_some_and(|s| s.host_network == Some(true));
    let own_ips = if on_host { &ips[..] } else { view.addresses };
    // Reason and message survive only while the phase does not change.
    let same_phase = last.phase.as_deref() == Some(view.phase.name());
    let (reason, message) = match view.reason {
        Some((reason, message)) => (Some(reason.to_owned()), Some(message.to_owned())),
        None if same_phase => (last.reason.clone(), last.message.clone()),
        None => (None, None),
    };
    PodStatus {
        phase: Some(view.phase.name().to_owned()),
        reason,
        message,
        conditions: Some(conditions::all(last.conditions.as_deref().unwrap_or_default(), &facts)),
        init_container_statuses: (!early.is_empty()).then_some(early),
        container_statuses: Some(regular),
        ephemeral_container_statuses: (!ephemeral.is_empty()).then_some(ephemeral),
        start_time: Some(kinds::api_time(view.start_time)),
        observed_generation: generation,
        pod_ip: own_ips.first().cloned(),
        pod_ips: (!own_ips.is_empty())
            .then(|| own_ips.iter().map(|ip| PodIP { ip: ip.clone() }).collect()),
        host_ip: ips.first().cloned(),
        host_ips: (!ips.is_empty())
            .then(|| ips.iter().map(|ip| HostIP { ip: ip.clone() }).collect()),
        ..last.clone()
    }
}

/// Names of containers, in the order of the spec.
fn names<'a>(view: &View<'a>, which: impl Fn(&Container) -> bool) -> Vec<&'a str> {
    view.containers.iter().filter(|c| which(c)).map(|c| c.name.as_str()).collect()
}

/// Whether its state is another than waiting.
fn begun(container: &Container) -> bool {
    let runs = container.runs() && container.post_start.is_none();
    runs || matches!(container.state, State::Closing(_) | State::Stopped(_))
}

fn ready(container: &Container) -> bool {
    match container.role {
        Role::Ephemeral => false,
        Role::Init => matches!(container.state, State::Stopped(_)) && container.succeeded(),
        _ => {
            container.has_started() && container.probes.as_ref().is_none_or(|probes| probes.ready())
        }
    }
}

fn container(view: &View, spec: &ContainerSpec, container: &Container) -> ContainerStatus {
    let image = spec.image.clone().unwrap_or_default();
    let attempt = ContainerId {
        pod: view.uid.to_owned(),
        container: container.name.clone(),
        attempt: container.attempt,
    };
    let last = container.last.as_ref();
    let (state, last, id) = match &container.state {
        State::Stopped(ended) => {
            (terminated(&ended.status), last, ended.status.container_id.clone())
        }
        State::BackOff { delay_s, ended, .. } => {
            let waiting =
                waiting("CrashLoopBackOff", Some(back_off_text(view, container, *delay_s)));
            (waiting, Some(ended), ended.status.container_id.clone())
        }
        State::Running { .. } if container.post_start.is_some() => {
            (before_started(view, container), last, id_of(last))
        }
        State::Running { started } => {
            (running(*started), last, Some(termination::container_id(&attempt)))
        }
        State::Closing(ended) => {
            (running(ended.started), last, Some(termination::container_id(&attempt)))
        }
        State::Waiting(wait) => (waiting_for(view, wait, &image), last, id_of(last)),
        State::Starting | State::Unknown { .. } => (not_yet(view), last, id_of(last)),
    };
    let (image, image_id) = container.shown.clone().unwrap_or_else(|| (image.clone(), image));
    ContainerStatus {
        name: container.name.clone(),
        image_id: if id.is_some() { image_id } else { String::new() },
        image,
        container_id: id,
        ready: ready(container),
        started: (container.role != Role::Ephemeral).then(|| container.has_started()),
        restart_count: i32::try_from(container.attempt).unwrap_or(i32::MAX),
        state: Some(state),
        last_state: Some(last.map(|ended| terminated(&ended.status)).unwrap_or_default()),
        resources: spec.resources.clone().filter(|r| r.limits.is_some() || r.requests.is_some()),
        allocated_resources: spec.resources.as_ref().and_then(|r| r.requests.clone()),
        volume_mounts: volume_mounts(spec),
        ..ContainerStatus::default()
    }
}

fn id_of(last: Option<&super::container::Ended>) -> Option<String> {
    last.and_then(|ended| ended.status.container_id.clone())
}

fn back_off_text(view: &View, container: &Container, delay_s: u32) -> String {
    let meta = &view.pod.metadata;
    let (name, namespace) = (meta.name.as_deref(), meta.namespace.as_deref());
    format!(
        "back-off {} restarting failed container={} pod={}_{}({})",
        restart::duration_text(delay_s),
        container.name,
        name.unwrap_or_default(),
        namespace.unwrap_or_default(),
        view.uid,
    )
}

/// It waits for nothing but its turn and to be made.
fn not_yet(view: &View) -> ContainerState {
    let initializing = containers::any_early(view.pod);
    waiting(if initializing { "PodInitializing" } else { "ContainerCreating" }, None)
}

/// Its program runs, but it has not done what it has to do first.
fn before_started(view: &View, container: &Container) -> ContainerState {
    match &container.post_start {
        Some(PostStart::Failed(why)) => waiting("PostStartHookError", Some(why.clone())),
        _ => not_yet(view),
    }
}

fn waiting_for(view: &View, wait: &Wait, image: &str) -> ContainerState {
    match wait {
        Wait::Creating | Wait::Pulling { before: None } => not_yet(view),
        Wait::Blocked { reason, message, .. } => waiting(reason, Some(message.clone())),
        Wait::Image(wait) | Wait::Pulling { before: Some(wait) } => {
            let (reason, message) = wait.words(image);
            waiting(reason, Some(message))
        }
    }
}

fn waiting(reason: &str, message: Option<String>) -> ContainerState {
    let waiting = ContainerStateWaiting { reason: Some(reason.to_owned()), message };
    ContainerState { waiting: Some(waiting), ..ContainerState::default() }
}

fn running(started: Timestamp) -> ContainerState {
    let started_at: Option<Time> = Some(kinds::api_time(started));
    ContainerState {
        running: Some(ContainerStateRunning { started_at }),
        ..ContainerState::default()
    }
}

fn terminated(status: &kinds::types::core::v1::ContainerStateTerminated) -> ContainerState {
    ContainerState { terminated: Some(status.clone()), ..ContainerState::default() }
}

fn volume_mounts(spec: &ContainerSpec) -> Option<Vec<VolumeMountStatus>> {
    let mounts = spec.volume_mounts.as_deref()?;
    let status = |m: &kinds::types::core::v1::VolumeMount| VolumeMountStatus {
        name: m.name.clone(),
        mount_path: m.mount_path.clone(),
        read_only: m.read_only,
        recursive_read_only: m.read_only.unwrap_or(false).then(|| {
            let asked = m.recursive_read_only.as_deref();
            let whole = matches!(asked, Some("Enabled" | "IfPossible"));
            if whole { "Enabled" } else { "Disabled" }.to_owned()
        }),
        volume_status: None,
    };
    Some(mounts.iter().map(status).collect())
}
