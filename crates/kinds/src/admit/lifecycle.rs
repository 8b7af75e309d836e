//! Hooks of a container: defaults and validation.

use super::probe::{self, Handlers};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::core::v1::{Container, Lifecycle, LifecycleHandler},
};

/// Fills in what the hooks of a container leave out.
pub(super) fn defaults(container: &mut Container) {
    let Some(hooks) = &mut container.lifecycle else { return };
    for hook in [&mut hooks.post_start, &mut hooks.pre_stop].into_iter().flatten() {
        if let Some(get) = &mut hook.http_get {
            probe::http_defaults(get);
        }
    }
}

/// Everything wrong with the hooks of a container in a pod with this grace period, seconds.
pub(super) fn check(
    hooks: &Lifecycle,
    grace_s: Option<i64>,
    at: Path<'_>,
    errors: &mut FieldErrors,
) {
    for (field, hook) in [("postStart", &hooks.post_start), ("preStop", &hooks.pre_stop)] {
        if let Some(hook) = hook {
            one(hook, grace_s, at.field(field), errors);
        }
    }
}

fn one(hook: &LifecycleHandler, grace_s: Option<i64>, at: Path<'_>, errors: &mut FieldErrors) {
    let handlers = Handlers {
        exec: hook.exec.as_ref(),
        http_get: hook.http_get.as_ref(),
        tcp_socket: hook.tcp_socket.as_ref(),
        grpc: false,
        sleep: hook.sleep.is_some(),
    };
    handlers.check(at, errors);
    let alone = hook.exec.is_none() && hook.http_get.is_none() && hook.tcp_socket.is_none();
    if let (Some(sleep), Some(grace_s), true) = (&hook.sleep, grace_s, alone)
        && !(0..=grace_s).contains(&sleep.seconds)
    {
        let text =
            format!("must be non-negative and less than terminationGracePeriodSeconds ({grace_s})");
        errors.push(FieldError::invalid(at.field("sleep"), sleep.seconds, text));
    }
}
