//! PriorityClasses give pods their priority; one class at most is the default
//! (`plugin/pkg/admission/priority`).

use kinds::{Key, Kind, types::scheduling::v1::PriorityClass};

use super::{PodChange, Request, State, Verdict};

/// Begins the names of built-in classes, none of which is the default.
const SYSTEM_PREFIX: &str = "system-";

pub(super) fn admit(state: &State, change: &mut PodChange) -> Verdict {
    let spec = &mut *change.spec;
    if let Some(old) = change.old {
        spec.priority = spec.priority.or(old.priority);
        spec.preemption_policy = spec.preemption_policy.take().or(old.preemption_policy.clone());
        return Ok(());
    }
    let class = match spec.priority_class_name.as_deref().unwrap_or_default() {
        "" => default_class(state),
        name => match state.store.get(&Key::new(Kind::PriorityClass, "", name)) {
            Some(class) => Some(class.priority_class()),
            None => return Err(format!("no PriorityClass with name {name} was found")),
        },
    };
    let class = class.unwrap_or_default();
    let (priority, policy) = (class.value.unwrap_or(0), class.preemption_policy);
    let policy = policy.unwrap_or_else(|| "PreemptLowerPriority".to_owned());
    if let Some(given) = spec.priority.filter(|given| *given != priority) {
        return Err(format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {priority} from the given PriorityClass name"
        ));
    }
    if let Some(given) = spec.preemption_policy.as_ref().filter(|given| **given != policy) {
        return Err(format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name"
        ));
    }
    spec.priority_class_name = class.metadata.name.or(spec.priority_class_name.take());
    spec.priority = Some(priority);
    spec.preemption_policy = Some(policy);
    Ok(())
}

pub(super) fn validate(state: &State, request: &Request) -> Verdict {
    let draft = request.draft;
    if draft.kind != Kind::PriorityClass
        || draft.rest.get("globalDefault").is_none_or(|raw| raw.get() != "true")
    {
        return Ok(());
    }
    let name = |class: &PriorityClass| class.metadata.name.clone().unwrap_or_default();
    match default_class(state).map(|class| name(&class)) {
        Some(other) if Some(&other) != draft.metadata.name.as_ref() => Err(format!(
            "PriorityClass {other} is already marked as default. Only one default can exist"
        )),
        _ => Ok(()),
    }
}

/// The class of pods that name none; the lowest, should there be several.
fn default_class(state: &State) -> Option<PriorityClass> {
    let own = state.list(Kind::PriorityClass, None);
    let own = own.filter(|class| !class.key.name.starts_with(SYSTEM_PREFIX));
    let defaults = own.map(|class| class.priority_class());
    defaults.filter(|class| class.global_default == Some(true)).min_by_key(|class| class.value)
}
