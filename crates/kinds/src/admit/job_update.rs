//! What may change of a Job after it was made.

use serde::Serialize;
use serde_json::json;

use super::{job_spec::indexed, printed, semantic};
use crate::{
    FieldError, FieldErrors, Kind,
    path::Path,
    types::{
        batch::v1::{Job, JobSpec},
        core::v1::{Affinity, Container, PodSpec},
    },
};

/// What an update changed and may not change. The new object was validated as if it were new.
pub(super) fn check(old: &Job, new: &Job, errors: &mut FieldErrors) {
    let default = JobSpec::default();
    let before = old.spec.as_ref().unwrap_or(&default);
    let after = new.spec.as_ref().unwrap_or(&default);
    let at = Path::top("spec");
    check_completions(before, after, at.field("completions"), errors);
    let mut immutable = |field: &str, changed: bool, value: &dyn Fn() -> String| {
        if changed {
            let text = "field is immutable";
            errors.push(FieldError::invalid_printed(at.field(field), value(), text));
        }
    };
    let changed = !same("selector", &before.selector, &after.selector);
    immutable("selector", changed, &|| printed::selector(after.selector.as_ref()));
    if let Some((field, value)) = template_changed(old, before, after) {
        immutable(field, true, &|| value.to_string());
    }
    immutable("completionMode", before.completion_mode != after.completion_mode, &|| {
        json!(after.completion_mode).to_string()
    });
    let policy = &after.pod_failure_policy;
    let changed = !same("podFailurePolicy", &before.pod_failure_policy, policy);
    immutable("podFailurePolicy", changed, &|| printed::failure_policy(policy.as_ref()));
    let limit = after.backoff_limit_per_index;
    immutable("backoffLimitPerIndex", before.backoff_limit_per_index != limit, &|| {
        json!(limit).to_string()
    });
    immutable("managedBy", before.managed_by != after.managed_by, &|| {
        json!(after.managed_by).to_string()
    });
    let policy = &after.success_policy;
    let changed = !same("successPolicy", &before.success_policy, policy);
    immutable("successPolicy", changed, &|| printed::success_policy(policy.as_ref()));
}

fn same<T: PartialEq + Serialize>(field: &str, before: &T, after: &T) -> bool {
    semantic::same(Kind::Job, &["spec", field], before, after)
}

/// Only an Indexed Job grows and shrinks, and then all its indexes run at once.
fn check_completions(before: &JobSpec, after: &JobSpec, at: Path<'_>, errors: &mut FieldErrors) {
    if before.completions == after.completions {
        return;
    }
    if !indexed(after) {
        errors.push(FieldError::immutable(at, &after.completions));
    } else if after.completions.is_some() && after.completions != after.parallelism {
        let text = "can only be modified in tandem with spec.parallelism";
        errors.push(FieldError::invalid(at, json!(after.completions), text));
    }
}

/// The part of the template that changed and may not, with its new value: of a suspended Job without
/// pods everything may change that decides where and with what its pods will run.
fn template_changed(
    old: &Job,
    before: &JobSpec,
    after: &JobSpec,
) -> Option<(&'static str, serde_json::Value)> {
    if !template_open(old, before) {
        let changed = !same("template", &before.template, &after.template);
        return changed.then(|| ("template", json!(after.template)));
    }
    let default = PodSpec::default();
    let mut was = before.template.spec.clone().unwrap_or_default();
    let is = after.template.spec.as_ref().unwrap_or(&default);
    was.node_selector.clone_from(&is.node_selector);
    was.tolerations.clone_from(&is.tolerations);
    was.scheduling_gates.clone_from(&is.scheduling_gates);
    let elsewhere = but_for_nodes(was.affinity.take()) != but_for_nodes(is.affinity.clone());
    was.affinity.clone_from(&is.affinity);
    take_resources(&mut was.containers, &is.containers);
    let init = is.init_containers.as_deref().unwrap_or_default();
    take_resources(was.init_containers.as_deref_mut().unwrap_or_default(), init);
    let path = ["spec", "template", "spec"];
    let changed = elsewhere || !semantic::same(Kind::Job, &path, &was, is);
    changed.then(|| ("template.spec", json!(is)))
}

/// Affinity to pods and against them; having none and an empty one are the same.
fn but_for_nodes(affinity: Option<Affinity>) -> Affinity {
    Affinity { node_affinity: None, ..affinity.unwrap_or_default() }
}

/// Container by container, as far as they are the same ones in the same order.
fn take_resources(was: &mut [Container], is: &[Container]) {
    for (was, is) in was.iter_mut().zip(is).filter(|(was, is)| was.name == is.name) {
        was.resources.clone_from(&is.resources);
    }
}

/// Whether the old Job is suspended and none of its pods is left.
fn template_open(old: &Job, spec: &JobSpec) -> bool {
    let status = old.status.clone().unwrap_or_default();
    let mut conditions = status.conditions.iter().flatten();
    let suspended = conditions.any(|c| c.type_ == "Suspended" && c.status == "True");
    spec.suspend == Some(true)
        && status.active.unwrap_or(0) == 0
        && (status.start_time.is_none() || suspended)
}
