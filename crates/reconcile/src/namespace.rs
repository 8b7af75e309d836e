//! Namespaces that are being deleted: what is in them goes in order, and their conditions tell what
//! is left and what holds it (`pkg/controller/namespace/deletion`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use kinds::{
    KINDS, Kind, api_time,
    types::core::v1::{Namespace, NamespaceCondition},
};

/// The entry of `spec.finalizers` that stands for the content.
const CONTENT: &str = "kubernetes";

/// What is left in a namespace, each with its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remaining {
    /// Objects by `resource.group`; the core group is written as `pods.`.
    pub objects: BTreeMap<String, usize>,
    /// Objects by the finalizer that holds them.
    pub finalizers: BTreeMap<String, usize>,
}

impl Remaining {
    /// Counts an object that is left.
    pub fn add(&mut self, kind: Kind, finalizers: &[String]) {
        let info = kind.info();
        *self.objects.entry(format!("{}.{}", info.plural, info.group)).or_default() += 1;
        for name in finalizers {
            *self.finalizers.entry(name.clone()).or_default() += 1;
        }
    }
}

/// Empties a namespace: `delete` is asked to delete every object of one kind and to count what is left
/// of it. The pods come first, and nothing else goes while one of them is there: it may need it.
pub fn sweep(mut delete: impl FnMut(Kind, &mut Remaining)) -> Remaining {
    let mut left = Remaining::default();
    delete(Kind::Pod, &mut left);
    if left.objects.is_empty() {
        let others = KINDS.iter().filter(|info| info.namespaced && info.kind != Kind::Pod);
        others.for_each(|info| delete(info.kind, &mut left));
    }
    left
}

/// What becomes of a namespace that is being deleted with this left in it; `None` if it tells so
/// already. When nothing is left, the namespace no longer waits for its content, though it may for
/// what else stands in `spec.finalizers`.
pub fn next(namespace: &Namespace, left: &Remaining, now: Timestamp) -> Option<Namespace> {
    namespace.metadata.deletion_timestamp.as_ref()?;
    let mut next = namespace.clone();
    if left.objects.is_empty()
        && let Some(finalizers) = next.spec.as_mut().and_then(|spec| spec.finalizers.as_mut())
    {
        finalizers.retain(|finalizer| finalizer != CONTENT);
    }
    let status = next.status.get_or_insert_default();
    let before = status.conditions.take().unwrap_or_default();
    status.conditions = Some(conditions(before, left, now));
    (next != *namespace).then_some(next)
}

/// Brings the conditions up to date. A condition that keeps its status keeps its time; conditions of
/// others stay as they are.
fn conditions(
    mut all: Vec<NamespaceCondition>,
    left: &Remaining,
    now: Timestamp,
) -> Vec<NamespaceCondition> {
    for (type_, trouble, ok) in rows(left) {
        let status = if trouble.is_some() { "True" } else { "False" };
        let (reason, message) = trouble.unwrap_or((ok.0, ok.1.to_owned()));
        let old = all.iter_mut().find(|condition| condition.type_ == type_);
        let since = old.as_ref().filter(|old| old.status == status);
        let since = since.and_then(|old| old.last_transition_time.clone());
        let new = NamespaceCondition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message),
            last_transition_time: since.or_else(|| Some(api_time(now))),
        };
        match old {
            Some(old) => *old = new,
            None => all.push(new),
        }
    }
    all
}

/// A condition: its type; reason and message if it is True; those if it is False.
type Row = (&'static str, Option<(&'static str, String)>, (&'static str, &'static str));

fn rows(left: &Remaining) -> [Row; 5] {
    let list = |counts: &BTreeMap<String, usize>, verb: &str| {
        let items = counts.iter().map(|(name, n)| format!("{name} {verb} {n} resource instances"));
        items.collect::<Vec<_>>().join(", ")
    };
    let content = (!left.objects.is_empty()).then(|| {
        let left = list(&left.objects, "has");
        ("SomeResourcesRemain", format!("Some resources are remaining: {left}"))
    });
    let finalizers = (!left.finalizers.is_empty()).then(|| {
        let held = list(&left.finalizers, "in");
        let message = format!("Some content in the namespace has finalizers remaining: {held}");
        ("SomeFinalizersRemain", message)
    });
    [
        (
            "NamespaceDeletionDiscoveryFailure",
            None,
            ("ResourcesDiscovered", "All resources successfully discovered"),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            None,
            ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        (
            "NamespaceDeletionContentFailure",
            None,
            ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ),
        (
            "NamespaceContentRemaining",
            content,
            ("ContentRemoved", "All content successfully removed"),
        ),
        (
            "NamespaceFinalizersRemaining",
            finalizers,
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
        ),
    ]
}
