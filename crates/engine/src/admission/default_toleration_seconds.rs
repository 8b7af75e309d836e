//! Pods tolerate a node that is not ready or out of reach for a while
//! (`plugin/pkg/admission/defaulttolerationseconds`).

use kinds::types::core::v1::Toleration;

use super::{PodChange, State, Verdict};

/// How long, in seconds.
const TOLERATED_S: i64 = 300;

pub(super) fn admit(_: &State, change: &mut PodChange) -> Verdict {
    for taint in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerations = change.spec.tolerations.get_or_insert_default();
        let is = |text: &Option<String>, wanted: &str| {
            text.as_deref().is_none_or(|text| text.is_empty() || text == wanted)
        };
        if !tolerations.iter().any(|t| is(&t.key, taint) && is(&t.effect, "NoExecute")) {
            tolerations.push(Toleration {
                key: Some(taint.to_owned()),
                operator: Some("Exists".to_owned()),
                effect: Some("NoExecute".to_owned()),
                toleration_seconds: Some(TOLERATED_S),
                value: None,
            });
        }
    }
    Ok(())
}
