//! The Events of a pod's life: their exact texts, and a limit on the everyday ones.

use jiff::Timestamp;
use kinds::{Key, Uid};

use crate::{Output, containers::Role};

/// Events a second over time, and how many may come at once: upstream's limits for one node.
const EVENTS_PER_S: i64 = 50;
const EVENTS_BURST: i64 = 100;
const NS_PER_EVENT: i64 = 1_000_000_000 / EVENTS_PER_S;

/// Lets through so many Normal events: a thousand short pods a second are not worth three Events
/// each. Warnings always pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventLimit {
    /// When the bucket was, or will be, full, nanoseconds since the epoch.
    full_at_ns: i64,
}

impl EventLimit {
    fn allow(&mut self, now: Timestamp) -> bool {
        let now_ns = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
        let full_at_ns = self.full_at_ns.max(now_ns) + NS_PER_EVENT;
        let fits = full_at_ns <= now_ns + EVENTS_BURST * NS_PER_EVENT;
        if fits {
            self.full_at_ns = full_at_ns;
        }
        fits
    }
}

/// What is told about a pod or one of its containers.
#[derive(Clone, Debug)]
pub(crate) enum Event<'a> {
    Pulled {
        image: &'a str,
    },
    /// It was pulled just now.
    PulledNow {
        image: &'a str,
        took_ms: u64,
        waited_ms: u64,
        bytes: u64,
    },
    Pulling {
        image: &'a str,
    },
    PullFailed {
        image: &'a str,
        error: &'a str,
    },
    PullBackOff {
        image: &'a str,
    },
    NeverPull {
        message: &'a str,
    },
    InvalidImage {
        message: &'a str,
    },
    /// Some of `imagePullSecrets` are not there.
    NoPullSecrets {
        names: &'a str,
    },
    Created,
    Started,
    /// `Error: <what>`: a container could not be created or started.
    Failed {
        what: &'a str,
    },
    Killing {
        container: &'a str,
    },
    /// A probe says no.
    ProbeFailed {
        kind: &'a str,
        output: &'a str,
    },
    /// A probe could not be made.
    ProbeErrored {
        kind: &'a str,
        error: &'a str,
    },
    PostStartFailed,
    PreStopFailed,
    /// A container is stopped because of what it had to do after it started.
    KilledByHook,
    /// A container is stopped because of a probe.
    Unhealthy {
        role: Role,
        container: &'a str,
        kind: &'a str,
        restarts: bool,
    },
    BackOff {
        container: &'a str,
        pod: &'a str,
    },
    FailedMount {
        volume: &'a str,
        error: &'a str,
    },
    DeadlineExceeded,
}

/// What upstream says of a pod that outlived its own deadline.
pub(crate) const DEADLINE_MESSAGE: &str =
    "Pod was active on the node longer than the specified deadline";

/// A duration in milliseconds as Go prints it: `1m2.5s`, `850ms`.
fn duration_text(ms: u64) -> String {
    if ms < 1000 {
        return if ms == 0 { "0s".to_owned() } else { format!("{ms}ms") };
    }
    let (minutes, rest) = (ms / 60_000, ms % 60_000);
    let mut text = match (minutes / 60, minutes % 60) {
        (0, 0) => String::new(),
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    };
    text += &format!("{}.{:03}", rest / 1000, rest % 1000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}s")
}

fn unhealthy(role: Role, container: &str, kind: &str, restarts: bool) -> String {
    let kind = kind.to_lowercase();
    match role.is_early() {
        true => format!("Init container {container} failed {kind} probe"),
        false if restarts => {
            format!("Container {container} failed {kind} probe, will be restarted")
        }
        false => format!("Container {container} failed {kind} probe"),
    }
}

impl Event<'_> {
    fn words(&self) -> (bool, &'static str, String) {
        match self {
            Self::Pulled { image } => {
                let text = format!(
                    "Container image \"{image}\" already present on machine and can be accessed by \
                     the pod"
                );
                (false, "Pulled", text)
            }
            Self::PulledNow { image, took_ms, waited_ms, bytes } => {
                let (took, waited) = (duration_text(*took_ms), duration_text(*waited_ms));
                let text = format!(
                    "Successfully pulled image \"{image}\" in {took} ({waited} including waiting). \
                     Image size: {bytes} bytes."
                );
                (false, "Pulled", text)
            }
            Self::Pulling { image } => (false, "Pulling", format!("Pulling image \"{image}\"")),
            Self::PullFailed { image, error } => {
                (true, "Failed", format!("Failed to pull image \"{image}\": {error}"))
            }
            Self::PullBackOff { image } => {
                (false, "BackOff", format!("Back-off pulling image \"{image}\""))
            }
            Self::NeverPull { message } => (true, "ErrImageNeverPull", (*message).to_owned()),
            Self::InvalidImage { message } => (true, "InspectFailed", (*message).to_owned()),
            Self::NoPullSecrets { names } => {
                let text = format!(
                    "Unable to retrieve some image pull secrets ({names}); attempting to pull the \
                     image may not succeed."
                );
                (true, "FailedToRetrieveImagePullSecret", text)
            }
            Self::Created => (false, "Created", "Container created".to_owned()),
            Self::Started => (false, "Started", "Container started".to_owned()),
            Self::Failed { what } => (true, "Failed", format!("Error: {what}")),
            Self::Killing { container } => {
                (false, "Killing", format!("Stopping container {container}"))
            }
            Self::ProbeFailed { kind, output } => {
                (true, "Unhealthy", format!("{kind} probe failed: {output}"))
            }
            Self::ProbeErrored { kind, error } => {
                let text = format!("{kind} probe errored and resulted in unknown state: {error}");
                (true, "Unhealthy", text)
            }
            Self::PostStartFailed => {
                (true, "FailedPostStartHook", "PostStartHook failed".to_owned())
            }
            Self::PreStopFailed => (true, "FailedPreStopHook", "PreStopHook failed".to_owned()),
            Self::KilledByHook => (false, "Killing", "FailedPostStartHook".to_owned()),
            Self::Unhealthy { role, container, kind, restarts } => {
                (false, "Killing", unhealthy(*role, container, kind, *restarts))
            }
            Self::BackOff { container, pod } => (
                true,
                "BackOff",
                format!("Back-off restarting failed container {container} in pod {pod}"),
            ),
            Self::FailedMount { volume, error } => (
                true,
                "FailedMount",
                format!("MountVolume.SetUp failed for volume \"{volume}\" : {error}"),
            ),
            Self::DeadlineExceeded => (false, "DeadlineExceeded", DEADLINE_MESSAGE.to_owned()),
        }
    }

    /// The output for this event, unless too many came before.
    pub(crate) fn output(
        &self,
        key: &Key,
        uid: Uid,
        container: Option<(Role, &str)>,
        limit: &mut EventLimit,
        now: Timestamp,
    ) -> Option<Output> {
        let (warning, reason, message) = self.words();
        if !warning && !limit.allow(now) {
            return None;
        }
        let field_path = container.map(|(role, name)| format!("spec.{}{{{name}}}", role.list()));
        Some(Output::Event { key: key.clone(), uid, field_path, warning, reason, message })
    }
}
