//! What the lists of indexes of a Job may say.

use std::collections::HashMap;

use kinds::{
    Key,
    types::batch::v1::{Job, JobStatus},
};
use reconcile::IndexSet;

/// Failed indexes are told exactly if each index has a limit, were tried often enough, and have not
/// succeeded. `tries`: how many pods each index has had.
pub(super) fn check(key: &Key, job: &Job, tries: &HashMap<u32, usize>) -> Result<(), String> {
    let (Some(spec), Some(status)) = (&job.spec, &job.status) else { return Ok(()) };
    let looked_at = status.ready.is_some();
    if looked_at && status.failed_indexes.is_some() != spec.backoff_limit_per_index.is_some() {
        return Err(format!("{key} says of failed indexes {:?}", status.failed_indexes));
    }
    let (completed, failed) = (completed(job), failed(job));
    let limit = spec.backoff_limit_per_index.unwrap_or(0) as usize;
    let rules = spec.pod_failure_policy.iter().flat_map(|policy| &policy.rules);
    let may_give_up = rules.clone().any(|rule| rule.action == "FailIndex");
    for index in 0..spec.completions.unwrap_or(0) as u32 {
        if !failed.contains(index) {
            continue;
        }
        let tries = tries.get(&index).copied().unwrap_or(0);
        if completed.contains(index) {
            return Err(format!("{key}: index {index} failed and succeeded"));
        }
        if tries <= limit && !may_give_up {
            return Err(format!("{key}: index {index} failed after {tries} pods"));
        }
    }
    Ok(())
}

/// Whether an index may still have pods and succeed.
pub(super) fn open(job: &Job, index: u32) -> bool {
    let completions = job.spec.as_ref().and_then(|spec| spec.completions).unwrap_or(0);
    index < completions as u32 && !failed(job).contains(index)
}

/// Whether a rule of the success policy is met, counted index by index.
pub(super) fn enough(job: &Job) -> bool {
    let policy = job.spec.as_ref().and_then(|spec| spec.success_policy.as_ref());
    let done = completed(job);
    let mut rules = policy.into_iter().flat_map(|policy| &policy.rules);
    rules.any(|rule| {
        let listed = |text: &String| IndexSet::parse(text, u32::MAX);
        let asked = rule.succeeded_indexes.as_ref().map(listed);
        let asked = asked.unwrap_or_else(|| done.clone());
        let met = (0..u32::from(u16::MAX)).filter(|i| asked.contains(*i) && done.contains(*i));
        let count = rule.succeeded_count.map_or(asked.len() as usize, |count| count as usize);
        met.count() >= count
    })
}

fn completed(job: &Job) -> IndexSet {
    list(job, |status| status.completed_indexes.as_deref())
}

fn failed(job: &Job) -> IndexSet {
    list(job, |status| status.failed_indexes.as_deref())
}

fn list(job: &Job, text: impl Fn(&JobStatus) -> Option<&str>) -> IndexSet {
    IndexSet::parse(job.status.as_ref().and_then(text).unwrap_or_default(), u32::MAX)
}
