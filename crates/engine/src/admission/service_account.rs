//! A new pod runs in the name of a ServiceAccount that is there
//! (`plugin/pkg/admission/serviceaccount`). Its token is not mounted, because none is issued yet: a
//! pod must not fail over a volume that cannot be made.

use kinds::{Key, Kind};

use super::{PodChange, State, Verdict};

/// The account of pods that name none.
pub(crate) const DEFAULT: &str = "default";

pub(super) fn admit(state: &State, change: &mut PodChange) -> Verdict {
    if change.old.is_some() {
        return Ok(());
    }
    let spec = &mut *change.spec;
    let name = spec.service_account_name.clone().filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| DEFAULT.to_owned());
    spec.service_account_name = Some(name.clone());
    spec.service_account = Some(name.clone());
    let namespace = change.meta.namespace.as_deref().unwrap_or_default();
    // The controller makes the default one in the transaction that makes the namespace.
    match state.exists(&Key::new(Kind::ServiceAccount, namespace, &name)) {
        true => Ok(()),
        false => Err(format!(
            "error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found"
        )),
    }
}
