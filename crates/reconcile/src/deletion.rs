//! How a deletion begins: grace period, finalizers and propagation, decided over one object and
//! nothing else (`pkg/registry/rest/delete.go`, `pkg/registry/generic/registry/store.go`).

use jiff::{SignedDuration, Timestamp};
use kinds::{
    Draft, Kind, api_time,
    metav1::ObjectMeta,
    types::core::v1::{NamespaceStatus, Pod, PodStatus},
};

/// Keeps an owner until the dependents that block its deletion are gone.
pub const FOREGROUND_FINALIZER: &str = "foregroundDeletion";

/// Keeps an owner until its dependents name it no more.
pub const ORPHAN_FINALIZER: &str = "orphan";

/// The longest grace period, seconds: a client may ask for more than the calendar holds.
const GRACE_S_MAX: i64 = i32::MAX as i64;

/// What becomes of the dependents of a deleted object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They follow.
    Background,
    /// They go first; the owner waits for those that block it.
    Foreground,
    /// They stay, without this owner.
    Orphan,
}

/// What a deletion makes of an object.
pub enum Begun {
    /// Nothing: it is already under way.
    Already,
    /// It is being deleted now and looks like this.
    Kept(Draft),
    /// It goes at once and looks like this last.
    Gone(Draft),
}

/// Begins the deletion of an object as it is now. Without a propagation the object's own finalizers
/// decide, and then its kind.
pub fn begin(
    mut draft: Draft,
    grace_s: Option<i64>,
    propagation: Option<Propagation>,
    now: Timestamp,
) -> Begun {
    let before = draft.metadata.clone();
    let grace_s = grace_s.map(|grace| if grace < 0 { 1 } else { grace.min(GRACE_S_MAX) });
    let already = match draft.kind {
        Kind::Pod => !set_grace(&mut draft, grace_s, now),
        Kind::Namespace => before.deletion_timestamp.is_some() && has_content_finalizer(&draft),
        _ => false,
    };
    if already {
        return Begun::Already;
    }
    propagate(&mut draft, propagation);
    let held = draft.metadata.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty());
    let graceful = draft.metadata.deletion_grace_period_seconds.is_some_and(|grace| grace > 0);
    match draft.kind {
        Kind::Pod if graceful || held => end_unbound(&mut draft),
        Kind::Namespace if before.deletion_timestamp.is_none() => {
            draft.metadata.deletion_timestamp = Some(api_time(now));
            set_terminating(&mut draft);
        }
        _ if held => mark(&mut draft.metadata, now),
        _ => return Begun::Gone(draft),
    }
    if draft.metadata == before { Begun::Already } else { Begun::Kept(draft) }
}

/// A pod gets time to end. False if it has begun to and has no less time now.
fn set_grace(draft: &mut Draft, asked_s: Option<i64>, now: Timestamp) -> bool {
    let meta = &draft.metadata;
    match (&meta.deletion_timestamp, meta.deletion_grace_period_seconds) {
        (None, _) => {
            let grace_s = grace(draft, asked_s);
            raise_generation(&mut draft.metadata);
            draft.metadata.deletion_timestamp =
                Some(api_time(now + SignedDuration::from_secs(grace_s)));
            draft.metadata.deletion_grace_period_seconds = Some(grace_s);
            true
        }
        (Some(_), None) => true,
        (Some(at), Some(had_s)) => {
            let Some(grace_s) = asked_s.filter(|asked| *asked < had_s) else { return false };
            let sooner = SignedDuration::from_secs(had_s - grace_s);
            draft.metadata.deletion_timestamp = Some(api_time(at.0 - sooner));
            draft.metadata.deletion_grace_period_seconds = Some(grace_s);
            true
        }
    }
}

/// Seconds a pod has to end: none where no node runs it.
fn grace(draft: &Draft, asked_s: Option<i64>) -> i64 {
    let pod = draft.pod().expect("a Pod in the store was validated");
    let spec = pod.spec.as_ref();
    if over(&pod) || spec.is_none_or(|spec| spec.node_name.is_none()) {
        return 0;
    }
    let own = spec.and_then(|spec| spec.termination_grace_period_seconds);
    match asked_s.or(own).unwrap_or(0) {
        negative if negative < 0 => 1,
        grace => grace.min(GRACE_S_MAX),
    }
}

/// Everything that is not a pod has no grace: it stays for its finalizers only.
fn mark(meta: &mut ObjectMeta, now: Timestamp) {
    if meta.deletion_timestamp.is_none() {
        raise_generation(meta);
    }
    if meta.deletion_timestamp.as_ref().is_none_or(|at| at.0 > now) {
        meta.deletion_timestamp = Some(api_time(now));
    }
    meta.deletion_grace_period_seconds = Some(0);
}

fn raise_generation(meta: &mut ObjectMeta) {
    meta.generation = meta.generation.map(|g| if g > 0 { g + 1 } else { g });
}

/// Leaves exactly the finalizer that goes with the propagation.
fn propagate(draft: &mut Draft, asked: Option<Propagation>) {
    let ours = |finalizer: &str| match finalizer {
        ORPHAN_FINALIZER => Some(Propagation::Orphan),
        FOREGROUND_FINALIZER => Some(Propagation::Foreground),
        _ => None,
    };
    let present = draft.metadata.finalizers.iter().flatten().find_map(|f| ours(f));
    let default = match draft.kind {
        // Events have no dependents, and policies mean nothing to them.
        Kind::Event => return,
        kind if kind.info().orphans_by_default => Propagation::Orphan,
        _ => Propagation::Background,
    };
    let wanted = match asked.or(present).unwrap_or(default) {
        Propagation::Background => None,
        Propagation::Foreground => Some(FOREGROUND_FINALIZER),
        Propagation::Orphan => Some(ORPHAN_FINALIZER),
    };
    let finalizers = draft.metadata.finalizers.get_or_insert_default();
    finalizers.retain(|f| ours(f).is_none() || wanted == Some(f));
    let missing = wanted.filter(|wanted| !finalizers.iter().any(|f| f == wanted));
    finalizers.extend(missing.map(str::to_owned));
    if finalizers.is_empty() {
        draft.metadata.finalizers = None;
    }
}

/// A pod that no node has will never end by itself: deleted while a finalizer holds it, it has failed,
/// as upstream's pod collector says of terminating pods that were never scheduled.
fn end_unbound(draft: &mut Draft) {
    let pod = draft.pod().expect("a Pod in the store was validated");
    let bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    if bound || over(&pod) {
        return;
    }
    let status = PodStatus { phase: Some("Failed".to_owned()), ..pod.status.unwrap_or_default() };
    draft.set_pod_status(&status);
}

fn over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// `spec.finalizers` keep a namespace until what is in it is gone.
pub fn has_content_finalizer(draft: &Draft) -> bool {
    let namespace = draft.namespace().expect("a Namespace in the store was validated");
    namespace.spec.and_then(|spec| spec.finalizers).is_some_and(|all| !all.is_empty())
}

fn set_terminating(draft: &mut Draft) {
    let namespace = draft.namespace().expect("a Namespace in the store was validated");
    let phase = Some("Terminating".to_owned());
    let status = NamespaceStatus { phase, ..namespace.status.unwrap_or_default() };
    draft.set_namespace_status(&status);
}
