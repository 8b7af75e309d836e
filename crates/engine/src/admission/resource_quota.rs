//! What is new has to fit under the quotas of its namespace (`plugin/pkg/admission/resourcequota`).

use kinds::Kind;
use reconcile::{quota, resources::Amounts};

use super::{Request, State, Verdict};
use crate::quotas::Usage;

pub(super) fn validate(state: &State, request: &Request) -> Verdict {
    let draft = request.draft;
    let namespace = draft.metadata.namespace.as_deref().unwrap_or_default();
    // Of what is changed only Services can come to take more.
    let concerned = request.old.is_none() || draft.kind == Kind::Service;
    if !concerned || !state.quotas.any(namespace) {
        return Ok(());
    }
    let Some(usage) = Usage::of(draft) else { return Ok(()) };
    let before = request.old.and_then(|old| Usage::of(&old.draft()));
    let delta = more(&usage.amounts, before.map(|before| before.amounts).unwrap_or_default());
    for (name, tracked) in state.quotas.counting(namespace, &usage) {
        if let Some(spec) = usage.pod.as_ref().and_then(|pod| pod.spec.as_ref()) {
            quota::constraints(spec, &tracked.hard)
                .map_err(|why| format!("failed quota: {name}: {why}"))?;
        }
        quota::fits(&tracked.hard, &tracked.used, &delta)
            .map_err(|why| format!("exceeded quota: {name}, {why}"))?;
    }
    Ok(())
}

/// What is taken in addition, never less than nothing.
fn more(after: &Amounts, before: Amounts) -> Amounts {
    let rise = after.iter().map(|(name, amount)| match before.get(name) {
        Some(had) => (name.clone(), (*amount - *had).at_least_zero()),
        None => (name.clone(), *amount),
    });
    rise.collect()
}
