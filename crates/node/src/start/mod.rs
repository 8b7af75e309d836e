//! From a container's spec to the spawner's order to start it: pure, and complete, so that the
//! spawner decides nothing.

mod files;
mod image;
mod limits;
mod mounts;
mod process;
mod seccomp;
mod security;

use kinds::{
    Key, Kind,
    types::core::v1::{Container as ContainerSpec, Pod, PodSpec, Volume},
};
use spawner::protocol::{Container, ContainerId, Isolation, Log, Start, Stdio};

pub(crate) use self::{
    image::{program, stop_signal},
    limits::{limit, request},
};
use crate::{
    Config, Lookup, PROCESS_HANDLER, ReadyImage,
    containers::{self, Role},
    env, logs,
    machine::image_root,
    volumes,
};

/// How a pod's containers are set apart from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Namespaces and a root of their own.
    Container,
    /// Plain processes.
    Process,
}

/// One attempt at a container and all that its start is made from.
pub(crate) struct Attempt<'a> {
    pub(crate) pod: &'a Pod,
    /// The pod's uid.
    pub(crate) uid: &'a str,
    /// Which of the pod's [`containers`].
    pub(crate) index: usize,
    pub(crate) attempt: u32,
    pub(crate) config: &'a Config,
    pub(crate) objects: &'a dyn Lookup,
    /// Its image, once it was found; `None` for the machine's own.
    pub(crate) image: Option<&'a ReadyImage>,
}

/// Why a container cannot be started as things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Its image has to be found first.
    NoImageYet,
    /// `CreateContainerConfigError`: something it refers to is missing or cannot be had.
    Config(String),
    /// `CreateContainerError`: it makes no sense for this image.
    Create(String),
}

/// How the pod's RuntimeClass wants it to be run.
pub(crate) fn class_of(pod: &Pod, objects: &dyn Lookup) -> Result<Class, String> {
    let name = pod.spec.as_ref().and_then(|spec| spec.runtime_class_name.as_deref());
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(Class::Container) };
    let Some(object) = objects.object(&Key::new(Kind::RuntimeClass, "", name)) else {
        return Err(format!("runtimeclass.node.k8s.io \"{name}\" not found"));
    };
    let handler = object.runtime_class().handler;
    match handler == PROCESS_HANDLER {
        true => Ok(Class::Process),
        false => Err(format!(
            "RuntimeClass \"{name}\" has handler \"{handler}\": only \"{PROCESS_HANDLER}\" works, \
             or no runtimeClassName for a container"
        )),
    }
}

/// The order to start this attempt.
pub(crate) fn build(attempt: &Attempt) -> Result<Start, Refusal> {
    let (spec, container) = attempt.specs();
    let class = class_of(attempt.pod, attempt.objects).map_err(Refusal::Config)?;
    let image = container.image.as_deref().unwrap_or_default();
    if class == Class::Process {
        process::check(spec, container).map_err(Refusal::Config)?;
    }
    let root = image_root(attempt)?;
    let account = image::user(attempt).map_err(Refusal::Config)?;
    let hostname = volumes::hostname(attempt.pod, attempt.config);
    let mut env = env::declared(attempt).map_err(Refusal::Config)?;
    let expand = |words: &Option<Vec<String>>| -> Vec<String> {
        words.iter().flatten().map(|word| env::expand(word, |name| env.get(name))).collect()
    };
    let mounts = match class {
        Class::Process => Vec::new(),
        Class::Container => mounts::all(attempt, &env).map_err(Refusal::Config)?,
    };
    let argv = image::command(attempt.image, expand(&container.command), expand(&container.args));
    env.add_defaults(image::env(attempt.image), &hostname, &account.home);
    if container.tty == Some(true) {
        env.add_terminal();
    }
    if argv.is_empty() {
        return Err(Refusal::Create(format!(
            "no command specified: image \"{image}\" has no entrypoint, so command must be set"
        )));
    }
    let capabilities = security::capabilities(container).map_err(Refusal::Config)?;
    let ephemeral = containers::role(spec, attempt.index) == Role::Ephemeral;
    let only = starts_once(spec).then(|| ContainerId {
        pod: attempt.uid.to_owned(),
        container: spec.containers[0].name.clone(),
        attempt: 0,
    });
    let isolation = match class {
        Class::Process => Isolation::Process,
        Class::Container => Isolation::Container(Box::new(Container {
            root,
            read_only_root: security::read_only_root(container),
            writable_bytes: limits::writable_bytes(attempt),
            mounts,
            files: files::all(spec, container, &hostname),
            termination_path: files::termination_path(container),
            hostname,
            host_network: spec.host_network.unwrap_or(false),
            addresses: attempt.config.pod_range.filter(|_| spec.host_network != Some(true)),
            keep_namespaces: ephemeral || !starts_once(spec),
            joins: only.filter(|_| ephemeral),
            privileged: security::privileged(container),
            capabilities,
            no_new_privileges: security::no_new_privileges(container),
            seccomp: security::seccomp(spec, container, capabilities).map_err(Refusal::Config)?,
            masked_paths: security::masked_paths(container),
            read_only_paths: security::read_only_paths(container),
        })),
    };
    Ok(Start {
        id: attempt.id(),
        argv,
        env: env.lines(),
        cwd: image::working_dir(attempt.image, container),
        user: account.user,
        limits: limits::of(attempt),
        log: log(attempt),
        isolation,
        stdio: stdio(container),
        address_words: env::address_words(attempt),
    })
}

fn stdio(container: &ContainerSpec) -> Stdio {
    let is = |field: Option<bool>| field.unwrap_or(false);
    Stdio {
        stdin: is(container.stdin),
        stdin_once: is(container.stdin_once),
        tty: is(container.tty),
    }
}

/// Whether one single container of the pod is started one single time, but for ephemeral ones.
pub(crate) fn starts_once(spec: &PodSpec) -> bool {
    let never = |policy: Option<&str>| policy == Some("Never");
    let mut all = containers::all(spec).filter(|(role, _)| *role != Role::Ephemeral);
    let (Some((_, container)), None) = (all.next(), all.next()) else { return false };
    let own = container.restart_policy.as_deref();
    never(spec.restart_policy.as_deref())
        && (own.is_none() || never(own))
        && container.restart_policy_rules.iter().flatten().next().is_none()
}

impl Attempt<'_> {
    pub(crate) fn specs(&self) -> (&PodSpec, &ContainerSpec) {
        let spec = self.pod.spec.as_ref().expect("a bound pod has a spec");
        (spec, containers::nth(self.pod, self.index).expect("the pod has so many containers"))
    }

    pub(crate) fn namespace(&self) -> &str {
        self.pod.metadata.namespace.as_deref().unwrap_or_default()
    }

    pub(crate) fn pod_name(&self) -> &str {
        self.pod.metadata.name.as_deref().unwrap_or_default()
    }

    fn id(&self) -> ContainerId {
        let container = self.specs().1.name.clone();
        ContainerId { pod: self.uid.to_owned(), container, attempt: self.attempt }
    }

    fn volume(&self, name: &str) -> Option<&Volume> {
        self.specs().0.volumes.iter().flatten().find(|volume| volume.name == name)
    }
}

fn log(attempt: &Attempt) -> Log {
    let directory = logs::directory(
        &attempt.config.data_dir,
        attempt.namespace(),
        attempt.pod_name(),
        attempt.uid,
        &attempt.specs().1.name,
    );
    Log {
        directory: directory.to_string_lossy().into_owned(),
        name: format!("{}.log", attempt.attempt),
        file_bytes_max: attempt.config.log_file_bytes_max,
        files_max: attempt.config.log_files_max,
    }
}
