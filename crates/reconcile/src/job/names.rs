//! The names that clients, pods and other controllers rely on.

use kinds::names::BASE_LENGTH_MAX;

/// The finalizer of every pod that is not accounted for yet.
pub const TRACKING_FINALIZER: &str = "batch.kubernetes.io/job-tracking";

/// Annotation and label that carry a pod's completion index.
pub const INDEX_KEY: &str = "batch.kubernetes.io/job-completion-index";

/// Annotation of a pod: how many failures of its index were counted before it.
pub const FAILURE_COUNT_KEY: &str = "batch.kubernetes.io/job-index-failure-count";

/// Annotation of a pod: how many failures of its index were ignored before it.
pub const IGNORED_FAILURE_COUNT_KEY: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// The environment variable that carries a pod's completion index.
pub(super) const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// The value of `spec.managedBy` that means this controller.
pub(super) const OWN_MANAGER: &str = "kubernetes.io/job-controller";

/// `generateName` of a pod. With an index it is cut so that the index stays whole in the name.
pub(super) fn prefix(job: &str, index: Option<u32>) -> String {
    let Some(index) = index else { return format!("{job}-") };
    let tail = format!("-{index}-");
    let room = BASE_LENGTH_MAX.saturating_sub(tail.len());
    format!("{}{tail}", &job[..job.floor_char_boundary(room)])
}
