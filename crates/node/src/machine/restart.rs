//! Whether and when a container that ended is started again.

use jiff::Timestamp;
use kinds::types::core::v1::{Container as ContainerSpec, ContainerRestartRule};

/// The first wait that is not zero, seconds; each further one doubles.
const BACK_OFF_FIRST_S: u32 = 10;
/// The longest wait, seconds.
const BACK_OFF_MAX_S: u32 = 300;
/// An attempt that lasted longer than this clears the record of earlier restarts, seconds.
const FORGET_AFTER_S: i64 = 600;

/// `spec.restartPolicy`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    Always,
    OnFailure,
    Never,
}

impl Policy {
    /// Reads the field; unset means `Always`.
    pub(crate) fn parse(text: Option<&str>) -> Self {
        Self::named(text.unwrap_or_default()).unwrap_or(Self::Always)
    }

    fn named(text: &str) -> Option<Self> {
        match text {
            "Always" => Some(Self::Always),
            "OnFailure" => Some(Self::OnFailure),
            "Never" => Some(Self::Never),
            _ => None,
        }
    }

    /// Whether a container that ended with this code is started again.
    fn restarts(self, exit_code: i32) -> bool {
        match self {
            Self::Always => true,
            Self::OnFailure => exit_code != 0,
            Self::Never => false,
        }
    }
}

/// Whether a container that ended with this code is started again: its first rule that matches says
/// so, else its own policy, else that of the pod.
pub(crate) fn restarts(pod: Policy, container: &ContainerSpec, exit_code: i32) -> bool {
    let own = container.restart_policy.as_deref().and_then(Policy::named);
    let rules = container.restart_policy_rules.as_deref().unwrap_or_default();
    let by_rule = own.is_some() && rules.iter().any(|rule| matches(rule, exit_code));
    by_rule || own.unwrap_or(pod).restarts(exit_code)
}

/// Whether a container whose probe failed is started again; its rules have no say in that.
pub(crate) fn may_restart(pod: Policy, container: &ContainerSpec) -> bool {
    let own = container.restart_policy.as_deref().and_then(Policy::named);
    own.unwrap_or(pod) != Policy::Never
}

/// The only action there is says to start again.
fn matches(rule: &ContainerRestartRule, exit_code: i32) -> bool {
    let Some(codes) = &rule.exit_codes else { return false };
    let listed = codes.values.iter().flatten().any(|code| *code == exit_code);
    match codes.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        _ => false,
    }
}

/// The restarts that still count for the back-off after an attempt from `started` to `finished`.
pub(crate) fn steps_after(steps: u32, started: Timestamp, finished: Timestamp) -> u32 {
    let lasted = finished.as_second().saturating_sub(started.as_second());
    let known = started != Timestamp::UNIX_EPOCH;
    if known && lasted > FORGET_AFTER_S { 0 } else { steps }
}

/// The wait before the next restart, seconds: 0, 10, 20, 40, 80, 160, 300, 300, …
pub(crate) fn delay_s(steps: u32) -> u32 {
    match steps {
        0 => 0,
        1..=5 => BACK_OFF_FIRST_S << (steps - 1),
        _ => BACK_OFF_MAX_S,
    }
}

/// A wait as upstream prints it: `10s`, `1m20s`, `5m0s`.
pub(crate) fn duration_text(seconds: u32) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        _ => format!("{}m{}s", seconds / 60, seconds % 60),
    }
}
