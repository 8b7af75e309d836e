//! A new pod gets the overhead and the constraints of its RuntimeClass, which has to be there
//! (`plugin/pkg/admission/runtimeclass`).

use std::collections::BTreeMap;

use kinds::{
    Key, Kind,
    quantity::Text,
    types::{core::v1::PodSpec, node::v1::Scheduling},
};
use reconcile::resources;

use super::{PodChange, State, Verdict};

pub(super) fn admit(state: &State, change: &mut PodChange) -> Verdict {
    if change.old.is_some() {
        return Ok(());
    }
    let Some(name) = change.spec.runtime_class_name.as_deref() else {
        return overhead(change.spec, None);
    };
    let Some(class) = state.store.get(&Key::new(Kind::RuntimeClass, "", name)) else {
        return Err(format!("pod rejected: RuntimeClass \"{name}\" not found"));
    };
    let class = class.runtime_class();
    overhead(change.spec, class.overhead.map(|overhead| overhead.pod_fixed.unwrap_or_default()))?;
    class.scheduling.map_or(Ok(()), |scheduling| constrain(change.spec, scheduling))
}

/// A pod may name its overhead only as its class does.
fn overhead(spec: &mut PodSpec, fixed: Option<BTreeMap<String, Text>>) -> Verdict {
    let Some(fixed) = fixed else {
        return match spec.overhead {
            None => Ok(()),
            Some(_) => Err("pod rejected: Pod Overhead set without corresponding RuntimeClass \
                            defined Overhead"
                .to_owned()),
        };
    };
    let same = |present: &BTreeMap<String, Text>| {
        present.is_empty() || resources::read(Some(present)) == resources::read(Some(&fixed))
    };
    if !spec.overhead.as_ref().is_none_or(same) {
        let text = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
        return Err(text.to_owned());
    }
    spec.overhead = Some(fixed);
    Ok(())
}

/// Nodes that the class does not run on are no nodes for the pod.
fn constrain(spec: &mut PodSpec, scheduling: Scheduling) -> Verdict {
    for (key, wanted) in scheduling.node_selector.unwrap_or_default() {
        let selector = spec.node_selector.get_or_insert_default();
        let value = selector.entry(key.clone()).or_insert_with(|| wanted.clone());
        if *value != wanted {
            return Err(format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {wanted}; \
                 pod.spec.nodeSelector[{key}] = {value}"
            ));
        }
    }
    let tolerated = scheduling.tolerations.unwrap_or_default();
    if !tolerated.is_empty() {
        let tolerations = spec.tolerations.get_or_insert_default();
        let new = tolerated.into_iter().filter(|more| !tolerations.contains(more));
        let new: Vec<_> = new.collect();
        tolerations.extend(new);
    }
    Ok(())
}
