//! Resource limits from requests and limits, by upstream's formulas. What nobody asked for is not
//! limited, and its control group is not joined.

use kinds::{quantity::Quantity, types::core::v1::Container as ContainerSpec};
use spawner::protocol::Limits;

use super::Attempt;
use crate::containers::{self, Role};

/// `cpu.shares` of one whole core.
const SHARES_PER_CPU: i64 = 1024;
const SHARES_MIN: i64 = 2;
const SHARES_MAX: i64 = 262_144;
/// The period that a quota is counted in, microseconds.
const PERIOD_US: i64 = 100_000;
/// The smallest quota the kernel takes, microseconds.
const QUOTA_MIN_US: i64 = 1000;

/// The limits of a container.
pub(super) fn of(attempt: &Attempt) -> Limits {
    let (_, container) = attempt.specs();
    let cpu_limit = limit(container, "cpu").map(Quantity::milli).filter(|milli| *milli > 0);
    let cpu_request = request(container, "cpu").map(Quantity::milli).or(cpu_limit);
    let shares = |milli: i64| (milli * SHARES_PER_CPU / 1000).clamp(SHARES_MIN, SHARES_MAX);
    let quota = |milli: i64| (milli * PERIOD_US / 1000).max(QUOTA_MIN_US);
    let positive = |milli: &i64| *milli > 0;
    Limits {
        memory_bytes: bytes(limit(container, "memory")),
        cpu_shares: cpu_request.filter(positive).map(|milli| shares(milli).unsigned_abs()),
        cpu_quota_us: cpu_limit.map(|milli| quota(milli).unsigned_abs()),
        pids: attempt.config.pids_max,
        oom_score_adj: Some(oom_score_adj(attempt)),
    }
}

/// How much the container may write to its root: its memory holds it.
pub(super) fn writable_bytes(attempt: &Attempt) -> u64 {
    let most = attempt.config.writable_bytes;
    bytes(limit(attempt.specs().1, "memory")).map_or(most, |limit| limit.min(most))
}

/// Who is killed first when the machine runs out of memory: those who asked for nothing.
fn oom_score_adj(attempt: &Attempt) -> i32 {
    let status = attempt.pod.status.as_ref();
    match status.and_then(|s| s.qos_class.as_deref()) {
        Some("Guaranteed") => -997,
        Some("Burstable") => {
            let asked = i128::from(memory_request(attempt));
            let capacity = i128::from(attempt.config.memory_bytes.max(1));
            let score = (1000 - 1000 * asked / capacity).clamp(3, 999);
            i32::try_from(score).expect("it was just clamped")
        }
        _ => 1000,
    }
}

/// What counts as asked for: a sidecar is no likelier to be killed than what it serves.
fn memory_request(attempt: &Attempt) -> u64 {
    let (spec, container) = attempt.specs();
    let of = |container: &ContainerSpec| bytes(request(container, "memory")).unwrap_or(0);
    let sidecar = containers::role(spec, attempt.index) == Role::Sidecar;
    let regular = containers::all(spec).filter(|(role, _)| *role == Role::Regular);
    let least = regular.map(|(_, container)| of(container)).min().filter(|_| sidecar);
    of(container).max(least.unwrap_or(0))
}

/// `resources.requests` of a container, by resource name.
pub(crate) fn request(container: &ContainerSpec, name: &str) -> Option<Quantity> {
    let amounts = container.resources.as_ref()?.requests.as_ref()?;
    Quantity::parse(&amounts.get(name)?.0).ok()
}

/// `resources.limits` of a container, by resource name.
pub(crate) fn limit(container: &ContainerSpec, name: &str) -> Option<Quantity> {
    let amounts = container.resources.as_ref()?.limits.as_ref()?;
    Quantity::parse(&amounts.get(name)?.0).ok()
}

fn bytes(amount: Option<Quantity>) -> Option<u64> {
    amount.and_then(|q| u64::try_from(q.value()).ok()).filter(|bytes| *bytes > 0)
}
