//! The conditions of a namespace that is being deleted: what is left in it and what holds that
//! (`pkg/controller/namespace/deletion`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use kinds::{api_time, types::core::v1::NamespaceCondition};

/// What is left in a namespace, each with its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remaining {
    /// Objects by `resource.group`; the core group is written as `pods.`.
    pub objects: BTreeMap<String, usize>,
    /// Objects by the finalizer that holds them.
    pub finalizers: BTreeMap<String, usize>,
}

/// Brings the conditions up to date. A condition that keeps its status keeps its time.
pub fn conditions(
    old: &[NamespaceCondition],
    left: &Remaining,
    now: Timestamp,
) -> Vec<NamespaceCondition> {
    let list = |counts: &BTreeMap<String, usize>, verb: &str| {
        let items = counts.iter().map(|(name, n)| format!("{name} {verb} {n} resource instances"));
        items.collect::<Vec<_>>().join(", ")
    };
    let content = (!left.objects.is_empty()).then(|| {
        (
            "SomeResourcesRemain",
            format!("Some resources are remaining: {}", list(&left.objects, "has")),
        )
    });
    let finalizers = (!left.finalizers.is_empty()).then(|| {
        let held = list(&left.finalizers, "in");
        (
            "SomeFinalizersRemain",
            format!("Some content in the namespace has finalizers remaining: {held}"),
        )
    });
    let ok = |reason, message: &str| (reason, message.to_owned());
    let rows = [
        (
            "NamespaceDeletionDiscoveryFailure",
            None,
            ok("ResourcesDiscovered", "All resources successfully discovered"),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            None,
            ok("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        (
            "NamespaceDeletionContentFailure",
            None,
            ok(
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
        ),
        (
            "NamespaceContentRemaining",
            content,
            ok("ContentRemoved", "All content successfully removed"),
        ),
        (
            "NamespaceFinalizersRemaining",
            finalizers,
            ok("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
        ),
    ];
    let condition = |(type_, trouble, ok): (&str, Option<(&str, String)>, (&str, String))| {
        let status = if trouble.is_some() { "True" } else { "False" };
        let (reason, message) = trouble.unwrap_or(ok);
        let before = old.iter().find(|c| c.type_ == type_ && c.status == status);
        NamespaceCondition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message),
            last_transition_time: before
                .and_then(|c| c.last_transition_time.clone())
                .or_else(|| Some(api_time(now))),
        }
    };
    rows.map(condition).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_said_and_a_status_that_stays_keeps_its_time() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let left = Remaining {
            objects: [("pods.".to_owned(), 2), ("jobs.batch".to_owned(), 1)].into(),
            finalizers: [("a.b/c".to_owned(), 3)].into(),
        };
        let first = conditions(&[], &left, at(1));
        let text = |all: &[NamespaceCondition], i: usize| {
            let c: &NamespaceCondition = &all[i];
            let (reason, message) = (c.reason.as_deref(), c.message.as_deref());
            format!("{} {} {}", c.status, reason.unwrap_or(""), message.unwrap_or(""))
        };
        assert_eq!(
            text(&first, 3),
            "True SomeResourcesRemain Some resources are remaining: jobs.batch has 1 resource instances, pods. has 2 resource instances"
        );
        assert_eq!(
            text(&first, 4),
            "True SomeFinalizersRemain Some content in the namespace has finalizers remaining: a.b/c in 3 resource instances"
        );
        let then = conditions(&first, &Remaining::default(), at(2));
        assert_eq!(text(&then, 3), "False ContentRemoved All content successfully removed");
        let times: Vec<_> =
            then.iter().map(|c| c.last_transition_time.as_ref().map(|t| t.0)).collect();
        assert_eq!(times, [1, 1, 1, 2, 2].map(|s| Some(at(s))));
    }
}
