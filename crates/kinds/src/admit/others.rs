//! The small kinds: Namespace, Node, Event, RuntimeClass, PriorityClass, Lease, ServiceAccount and
//! PodTemplate.

use super::{
    meta::{self, push_all},
    pod, raise_generation, resources,
};
use crate::{
    FieldError, FieldErrors,
    path::Path,
    types::{
        coordination::v1::Lease,
        core::v1::{
            Event, Namespace, NamespaceSpec, NamespaceStatus, NodeStatus, ObjectReference,
            PodTemplate, ResourceRequirements, ServiceAccount,
        },
        node::v1::RuntimeClass,
        scheduling::v1::PriorityClass,
    },
    validate,
};

/// Highest priority that a class may have whose name does not begin with `system-`.
const PRIORITY_MAX: i32 = 1_000_000_000;

/// Longest action, reason and instance of an Event of the newer form.
const EVENT_NAME_BYTES_MAX: usize = 128;

/// Longest message of an Event of the newer form.
const EVENT_MESSAGE_BYTES_MAX: usize = 1024;

/// What Kubernetes itself keeps for classes of its own.
const SYSTEM_PREFIX: &str = "system-";

/// The classes with such a name, and their priorities.
const SYSTEM_CLASSES: [(&str, i32); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// Label by which selectors of namespaces find one by its name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Finalizer, label and phase that every namespace has; what it waits for at its end stays.
pub(super) fn namespace(
    namespace: &mut Namespace,
    old: Option<&Namespace>,
    errors: &mut FieldErrors,
) {
    let name = namespace.metadata.name.clone().unwrap_or_default();
    namespace.metadata.labels.get_or_insert_default().insert(NAME_LABEL.to_owned(), name);
    if let Some(old) = old {
        namespace.spec.clone_from(&old.spec);
        return;
    }
    let spec = namespace.spec.get_or_insert_default();
    let finalizers = spec.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|finalizer| finalizer == "kubernetes") {
        finalizers.push("kubernetes".to_owned());
    }
    check_finalize(spec, errors);
    let phase = Some("Active".to_owned());
    namespace.status = Some(NamespaceStatus { phase, conditions: None });
}

/// What a namespace waits for has names as finalizers have.
pub(super) fn check_finalize(spec: &NamespaceSpec, errors: &mut FieldErrors) {
    for finalizer in spec.finalizers.iter().flatten() {
        meta::finalizer(finalizer, Path::top("spec").field("finalizers"), errors);
    }
}

/// Everything can be allocated unless the node says otherwise.
pub(super) fn node_defaults(status: &mut NodeStatus) {
    if status.allocatable.is_none() {
        status.allocatable.clone_from(&status.capacity);
    }
}

/// Everything wrong with a RuntimeClass; its handler stays.
pub(super) fn runtime_class(
    class: &mut RuntimeClass,
    old: Option<&RuntimeClass>,
    errors: &mut FieldErrors,
) {
    let handler = class.handler.as_str();
    push_all(errors, Path::top("handler"), handler, validate::dns_label(handler));
    if let Some(fixed) = class.overhead.as_mut().and_then(|overhead| overhead.pod_fixed.as_mut()) {
        resources::round(fixed);
        let limits = ResourceRequirements { limits: Some(fixed.clone()), ..Default::default() };
        resources::check(&limits, Path::top("overhead"), errors);
    }
    if let Some(scheduling) = &class.scheduling {
        let at = Path::top("scheduling");
        meta::labels(scheduling.node_selector.as_ref(), at.field("nodeSelector"), errors);
        let tolerations = scheduling.tolerations.as_deref().unwrap_or_default();
        pod::tolerations(tolerations, at.field("tolerations"), errors);
    }
    if old.is_some_and(|old| old.handler != class.handler) {
        errors.push(FieldError::immutable("handler", &class.handler));
    }
}

/// Defaults of a PriorityClass and everything wrong with it; value and policy stay.
pub(super) fn priority_class(
    class: &mut PriorityClass,
    old: Option<&PriorityClass>,
    errors: &mut FieldErrors,
) {
    let value = *class.value.get_or_insert(0);
    let policy = class.preemption_policy.get_or_insert_with(|| "PreemptLowerPriority".to_owned());
    pod::preemption_policy(policy, Path::top("preemptionPolicy"), errors);
    let name = class.metadata.name.as_deref().unwrap_or_default();
    if let Some(old) = old {
        if old.value != class.value {
            errors.push(FieldError::forbidden("value", "may not be changed in an update."));
        }
        if old.preemption_policy != class.preemption_policy {
            errors.push(FieldError::immutable("preemptionPolicy", &class.preemption_policy));
        }
    } else if name.starts_with(SYSTEM_PREFIX) {
        if let Some(why) = not_of_the_system(name, class) {
            let text = format!(
                "priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: {why}"
            );
            errors.push(FieldError::forbidden(Path::top("metadata").field("name"), text));
        }
    } else if value > PRIORITY_MAX {
        let text = format!("maximum allowed value of a user defined priority is {PRIORITY_MAX}");
        errors.push(FieldError::forbidden("value", text));
    }
}

/// Why a class with a name of the system is not the system's.
fn not_of_the_system(name: &str, class: &PriorityClass) -> Option<String> {
    let Some((_, value)) = SYSTEM_CLASSES.iter().find(|(own, _)| *own == name) else {
        return Some(format!("{name} is not a known system priority class"));
    };
    if class.value != Some(*value) {
        return Some(format!("value of {name} PriorityClass must be {value}"));
    }
    let default = class.global_default == Some(true);
    default.then(|| format!("globalDefault of {name} PriorityClass must be false"))
}

/// Everything wrong with a Lease.
pub(super) fn lease(lease: &mut Lease, _: Option<&Lease>, errors: &mut FieldErrors) {
    let Some(spec) = &lease.spec else { return };
    let at = Path::top("spec");
    if let Some(seconds) = spec.lease_duration_seconds.filter(|seconds| *seconds <= 0) {
        let at = at.field("leaseDurationSeconds");
        errors.push(FieldError::invalid(at, seconds, "must be greater than 0"));
    }
    if let Some(count) = spec.lease_transitions.filter(|count| *count < 0) {
        let at = at.field("leaseTransitions");
        errors.push(FieldError::invalid(at, count, "must be greater than or equal to 0"));
    }
}

/// Of the Secrets of a ServiceAccount only the names are kept.
pub(super) fn service_account(
    account: &mut ServiceAccount,
    _: Option<&ServiceAccount>,
    _: &mut FieldErrors,
) {
    for secret in account.secrets.iter_mut().flatten() {
        *secret = ObjectReference { name: secret.name.take(), ..ObjectReference::default() };
    }
}

/// Defaults of the template and everything wrong with it.
pub(super) fn pod_template(
    outer: &mut PodTemplate,
    old: Option<&PodTemplate>,
    errors: &mut FieldErrors,
) {
    let template = outer.template.get_or_insert_default();
    pod::defaults(template.spec.get_or_insert_default(), false);
    pod::check_template(template, Path::top("template"), errors);
    let changed = old.is_some_and(|old| old.template != outer.template);
    raise_generation(&mut outer.metadata.generation, changed);
}

/// The phase says whether the namespace is being deleted, and nothing else.
pub(super) fn check_namespace_status(
    deleting: bool,
    status: &NamespaceStatus,
    errors: &mut FieldErrors,
) {
    let (phase, text) = match deleting {
        true => ("Terminating", "may only be 'Terminating' if `deletionTimestamp` is not empty"),
        false => ("Active", "may only be 'Active' if `deletionTimestamp` is empty"),
    };
    let found = status.phase.as_deref().unwrap_or_default();
    if found != phase {
        errors.push(FieldError::invalid(Path::top("status").field("Phase"), found, text));
    }
}

/// Everything wrong with an Event. One with an `eventTime` is of the newer form, of which more is
/// asked.
pub(super) fn check_event(event: &Event, errors: &mut FieldErrors) {
    let about = event.involved_object.namespace.as_deref().unwrap_or_default();
    let namespace = event.metadata.namespace.as_deref().unwrap_or_default();
    let fits = match (event.event_time.is_some(), about) {
        (false, "") => namespace == "default",
        (true, "") => matches!(namespace, "default" | "kube-system"),
        (false, about) => namespace == about,
        (true, _) => true,
    };
    if !fits {
        let at = Path::top("involvedObject");
        let text = "does not match event.namespace";
        errors.push(FieldError::invalid(at.field("namespace"), about, text));
    }
    if event.event_time.is_some() {
        check_new_event(event, errors);
    }
}

fn check_new_event(event: &Event, errors: &mut FieldErrors) {
    let component = event.reporting_component.as_deref().unwrap_or_default();
    let at = Path::top("reportingComponent");
    if component.is_empty() {
        errors.push(FieldError::required(at, ""));
    }
    push_all(errors, at, component, validate::qualified_name(component));
    for (field, text, needed, max) in [
        ("reportingInstance", &event.reporting_instance, true, EVENT_NAME_BYTES_MAX),
        ("action", &event.action, true, EVENT_NAME_BYTES_MAX),
        ("reason", &event.reason, true, EVENT_NAME_BYTES_MAX),
        ("message", &event.message, false, EVENT_MESSAGE_BYTES_MAX),
    ] {
        let length = text.as_ref().map_or(0, String::len);
        if needed && length == 0 {
            errors.push(FieldError::required(field, ""));
        }
        if length > max {
            let text = format!("can have at most {max} characters");
            errors.push(FieldError::invalid(field, "", text));
        }
    }
}
