//! The subresource `pods/binding`: a client chooses a pod's node, as a scheduler does.

use jiff::Timestamp;
use kinds::{Key, Reason, StatusError, Uid, types::core::v1::Binding};

use crate::Engine;

impl Engine {
    /// Binds a pod to the node that a Binding names; its annotations and labels go to the pod.
    ///
    /// # Errors
    /// 409 if the pod has a node, is going, or is not yet to be scheduled; 422 if the target is no node.
    pub fn bind(
        &mut self,
        key: &Key,
        binding: &Binding,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<(), StatusError> {
        self.commit(now);
        check_target(key, binding)?;
        let old = self.get(key)?;
        check_preconditions(key, binding, old.meta.uid, old.meta.revision)?;
        let mut draft = old.draft();
        let pod = draft.pod().expect("a Pod in the store was validated");
        let spec = pod.spec.unwrap_or_default();
        let name = &key.name;
        if old.deleting() {
            let why = format!("pod {name} is being deleted, cannot be assigned to a host");
            return Err(conflict(key, &why));
        }
        if let Some(node) = spec.node_name.filter(|node| !node.is_empty()) {
            return Err(conflict(
                key,
                &format!("pod {name} is already assigned to node \"{node}\""),
            ));
        }
        if spec.scheduling_gates.is_some_and(|gates| !gates.is_empty()) {
            return Err(conflict(key, &format!("pod {name} has non-empty .spec.schedulingGates")));
        }
        if dry_run {
            return Ok(());
        }
        draft.set_node_name(&binding.target.name.clone().unwrap_or_default());
        let annotations = binding.metadata.annotations.clone().unwrap_or_default();
        draft.metadata.annotations.get_or_insert_default().extend(annotations);
        let labels = draft.metadata.labels.get_or_insert_default();
        for (label, value) in binding.metadata.labels.clone().unwrap_or_default() {
            labels.entry(label).or_insert(value);
        }
        Self::set_scheduled(&mut draft, now, None);
        self.urgent = true;
        self.put(draft);
        self.commit(now);
        Ok(())
    }
}

fn check_target(key: &Key, binding: &Binding) -> Result<(), StatusError> {
    let kind = binding.target.kind.as_deref().unwrap_or_default();
    let why = if !matches!(kind, "" | "Node") {
        format!(
            "target.kind: Unsupported value: \"{kind}\": supported values: \"Node\", \"<empty>\""
        )
    } else if binding.target.name.as_deref().unwrap_or_default().is_empty() {
        "target.name: Required value".to_owned()
    } else {
        return Ok(());
    };
    let message = format!("Binding \"{}\" is invalid: {why}", key.name);
    Err(StatusError { name: key.name.to_string(), ..StatusError::new(Reason::Invalid, message) })
}

/// A Binding may be meant for one incarnation or one revision of the pod.
fn check_preconditions(
    key: &Key,
    binding: &Binding,
    uid: Uid,
    revision: u64,
) -> Result<(), StatusError> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(asked) = given(&binding.metadata.uid).filter(|a| Uid::parse(a) != Some(uid)) {
        let why =
            format!("Precondition failed: UID in precondition: {asked}, UID in object meta: {uid}");
        return Err(conflict(key, &why));
    }
    let asked = given(&binding.metadata.resource_version);
    if let Some(asked) = asked.filter(|asked| *asked != revision.to_string()) {
        let why = format!(
            "Precondition failed: ResourceVersion in precondition: {asked}, ResourceVersion in object meta: {revision}"
        );
        return Err(conflict(key, &why));
    }
    Ok(())
}

fn conflict(key: &Key, why: &str) -> StatusError {
    let error = StatusError::conflict(key.kind, &key.name, why);
    let message = format!("Operation cannot be fulfilled on pods/binding \"{}\": {why}", key.name);
    StatusError { message, ..error }
}
