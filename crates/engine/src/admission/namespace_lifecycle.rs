//! Nothing new comes into a namespace that is not there or going
//! (`apiserver/pkg/admission/plugin/namespace/lifecycle`).

use kinds::{Cause, Key, Kind, StatusError};

use super::{Request, State, named};

pub(super) fn admit(state: &State, request: &Request) -> Result<(), StatusError> {
    let draft = request.draft;
    if !draft.kind.info().namespaced || request.old.is_some() {
        return Ok(());
    }
    let namespace = draft.metadata.namespace.as_deref().unwrap_or_default();
    let Some(found) = state.store.get(&Key::new(Kind::Namespace, "", namespace)) else {
        return Err(StatusError::not_found(Kind::Namespace, namespace));
    };
    if !found.deleting() {
        return Ok(());
    }
    let why = format!(
        "unable to create new content in namespace {namespace} because it is being terminated"
    );
    let cause = Cause {
        reason: "NamespaceTerminating".to_owned(),
        message: format!("namespace {namespace} is being terminated"),
        field: "metadata.namespace".to_owned(),
    };
    let error = StatusError::forbidden(draft.kind, named(&draft.metadata), &why);
    Err(StatusError { causes: vec![cause], ..error })
}
